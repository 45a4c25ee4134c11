//! The keymap: which key does what in which context. Shipped and user keymaps are TOML and share a
//! parser.
//!
//! The contexts are the table below. From it come the check of every keymap, the help, and the list
//! of the tables that a keymap may have in `docs/keys.md`. A context uses its own keys and those of
//! its parents:
//!
//! ```text
//! global ─┬─ lists ─── containers, images, …          terminal   copy   prompt   form ─┬─ switch
//!         ├─ viewer ── logs, stats, …                 confirm    menu   …              └─ choice
//!         └─ navigator, files, …
//! ```
//! Within such a chain, no two lines may have the same keys, and no line's keys may be a prefix of
//! another's: [`Keymap::conflicts`]. Only `released` hides lines of its parents with its own.
//!
//! ```text
//! assets/keymap.toml  <  a preset (assets/keymap-k9s.toml …)  <  keymap.toml  <  [[command]]
//! ```
//! A later file replaces lines with the same keys. A replacement takes the position of the old
//! line, so that the action bar keeps its order.

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml_edit::{Document, Item};

use super::action::Action;
use super::key::{BadKey, Key, parse_strokes, show_strokes};
use crate::base::text::brief;
use crate::config::{Custom, Preset, Spot};

/// The shipped keymap.
pub const SHIPPED: &str = include_str!("../../assets/keymap.toml");

/// Keymaps that imitate other programs, applied on top of the shipped one.
pub const PRESETS: &[(Preset, &str, &str)] = &[
    (Preset::K9s, "k9s", include_str!("../../assets/keymap-k9s.toml")),
    (Preset::Lazydocker, "lazydocker", include_str!("../../assets/keymap-lazydocker.toml")),
];

macro_rules! contexts {
    ($($variant:ident $name:literal $above:expr, $about:literal;)*) => {
        /// The context in which a key is pressed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the table's last column says it")]
        pub enum KeyContext { $($variant,)* }

        impl KeyContext {
            /// All contexts, parents before children.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the context called `name`.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|place| place.name() == name)
            }

            /// Returns the name of its table in the keymap.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns what has the keys in this context, in a few words.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// Returns the parent, whose keys also apply here.
            #[must_use]
            pub fn above(self) -> Option<Self> {
                match self { $(Self::$variant => $above,)* }
            }
        }
    };
}

contexts! {
    Global     "global"     None, "everywhere, except in terminals and dialogs";
    Lists      "lists"      Some(Self::Global), "all lists";
    Containers "containers" Some(Self::Lists), "the list of containers";
    Images     "images"     Some(Self::Lists), "the list of images";
    Volumes    "volumes"    Some(Self::Lists), "the list of volumes";
    Networks   "networks"   Some(Self::Lists), "the list of networks";
    Tasks      "tasks"      Some(Self::Lists), "the list of tasks";
    Events     "events"     Some(Self::Lists), "the list of events";
    Trash      "trash"      Some(Self::Lists), "the trash";
    Navigator  "navigator"  Some(Self::Global), "the navigator beside the list";
    Viewer     "viewer"     Some(Self::Global), "all tabs of a page or pane, except Files, Layers and Compare";
    Logs       "logs"       Some(Self::Viewer), "the tab Logs";
    Stats      "stats"      Some(Self::Viewer), "the tab Stats";
    Top        "top"        Some(Self::Viewer), "the tab Top";
    Inspect    "inspect"    Some(Self::Viewer), "the tab Inspect";
    Why        "why"        Some(Self::Viewer), "the tab Why";
    Ended      "ended"      Some(Self::Viewer), "a terminal whose program has exited";
    Files      "files"      Some(Self::Global), "the tab Files";
    Layers     "layers"     Some(Self::Global), "the tab Layers of an image";
    Compare    "compare"    Some(Self::Global), "the tab Compare of two images";
    Terminal   "terminal"   None, "a terminal whose program gets the keys";
    Released   "released"   Some(Self::Viewer), "a terminal whose keys belong to hoist";
    Copy       "copy"       None, "copy mode in a terminal";
    Prompt     "prompt"     None, "input lines, such as `:` and `/`";
    Form       "form"       None, "the form that runs a container";
    Switch     "switch"     Some(Self::Form), "the form, on a field that is on or off";
    Choice     "choice"     Some(Self::Form), "the form, on a field with few values";
    Presets    "presets"    None, "the list of presets of the form";
    Palette    "palette"    None, "the command palette";
    Output     "output"     None, "the output of a task";
    Confirm    "confirm"    None, "questions";
    Removal    "removal"    Some(Self::Confirm), "questions before a removal";
    Menu       "menu"       None, "menus";
    Columns    "columns"    None, "the choice of columns";
    Progress   "progress"   None, "the progress of a task";
    Page       "page"       None, "pages of text";
    Help       "help"       None, "the help";
    Themes     "themes"     None, "the choice of the theme";
}

impl KeyContext {
    /// Returns the context, then its parents.
    pub fn chain(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |place| place.above())
    }
}

/// Where keys are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The context.
    pub place: KeyContext,
    /// The list whose keys `@subject` stands for; without one, it stands for none.
    pub list: Option<KeyContext>,
}

impl From<KeyContext> for Scope {
    fn from(place: KeyContext) -> Self {
        Self { place, list: None }
    }
}

/// A line of the keymap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The strokes.
    pub keys: Vec<Key>,
    /// The action.
    pub action: Action,
    /// The index of the user's command that [`Action::Custom`] runs.
    pub custom: Option<usize>,
    /// The table that contains the line.
    pub place: KeyContext,
    /// Where the line was read from.
    pub origin: Origin,
}

/// Where a line was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    file: Arc<str>,
    spot: Spot,
    is_users: bool,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_users {
            true => write!(f, "{}, {}", self.file, self.spot),
            false => f.write_str(&self.file),
        }
    }
}

/// A text that contains lines of a keymap.
struct Source<'a> {
    file: Arc<str>,
    text: &'a str,
    is_users: bool,
}

impl Source<'_> {
    fn at(&self, span: Option<Range<usize>>) -> Origin {
        let spot = Spot::of(self.text, span.map_or(0, |span| span.start));
        Origin { file: self.file.clone(), spot, is_users: self.is_users }
    }

    fn error(&self, span: Option<Range<usize>>, fault: Fault) -> Error {
        Error { origin: Some(self.at(span)), fault }
    }
}

/// Which key does what in which context.
#[derive(Debug, Clone)]
pub struct Keymap {
    own: Vec<Binding>,
    imports: Vec<Import>,
    /// For each [`KeyContext`], its own lines, then those of its parents.
    chains: Vec<Vec<Binding>>,
    /// The same for the contexts that import the keys of their subject's list, for each list.
    of_subjects: HashMap<(KeyContext, KeyContext), Vec<Binding>>,
    /// The names of the user's commands.
    customs: Vec<String>,
}

#[derive(Debug, Clone)]
struct Import {
    keys: Vec<Key>,
    into: KeyContext,
    from: Whose,
}

/// Whose keys are imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Those of a context.
    Context(KeyContext),
    /// Those of the list that contains the object shown.
    Subject,
}

/// The name of [`Whose::Subject`] in the keymap.
const SUBJECT: &str = "subject";

impl Whose {
    fn named(name: &str) -> Option<Self> {
        if name == SUBJECT { Some(Self::Subject) } else { KeyContext::named(name).map(Self::Context) }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Context(place) => place.name(),
            Self::Subject => SUBJECT,
        }
    }

    /// Returns the context whose keys are imported if the object shown is in `list`.
    fn context(self, list: Option<KeyContext>) -> Option<KeyContext> {
        match self {
            Self::Context(place) => Some(place),
            Self::Subject => list,
        }
    }
}

/// The result of looking up strokes in a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The strokes are bound to this action.
    Action(Action),
    /// The strokes are a prefix of a binding.
    More,
    /// The strokes are not bound.
    Nothing,
}

/// Two lines that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    place: KeyContext,
    shorter: Binding,
    longer: Binding,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, shorter, longer } = self;
        let how = if shorter.keys == longer.keys { "is also" } else { "is a prefix of" };
        let told = |binding: &Binding| {
            let keys = show_strokes(&binding.keys);
            format!("`{keys}` ({} of [{}])", binding.action.name(), binding.place.name())
        };
        // Report the line that the user can change.
        let origin = [shorter, longer].into_iter().find(|binding| binding.origin.is_users);
        if let Some(binding) = origin {
            write!(f, "{}: ", binding.origin)?;
        }
        write!(f, "in [{}] {} {how} {}", place.name(), told(shorter), told(longer))?;
        match origin {
            Some(first) if *first == *shorter => write!(f, ", from {}", longer.origin),
            Some(_) => write!(f, ", from {}", shorter.origin),
            None => Ok(()),
        }
    }
}

/// An error in a keymap.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Fault {
    #[error("{0}")]
    Toml(String),
    #[error("[{0}] is not a context: expected one of those that `:export keys` shows, such as [containers]")]
    KeyContext(String),
    #[error("[{0}] is not a table of keys")]
    Table(&'static str),
    #[error("in [{place}] {source}")]
    Key { place: String, source: BadKey },
    #[error("in [{place}] `{keys}`: `{action}` is not an action")]
    Action { place: &'static str, keys: String, action: String },
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Conflicts(Vec<Conflict>),
}

/// A keymap error with its position.
#[derive(Debug)]
pub struct Error {
    origin: Option<Origin>,
    fault: Fault,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&brief(&self.fault.to_string()))
    }
}

impl std::error::Error for Error {}

impl Keymap {
    /// Reads the shipped keymap and applies the user's keymap to it.
    ///
    /// # Errors
    ///
    /// Fails if one is not valid TOML, contains an unknown name, or contradicts itself.
    pub fn read(user: Option<&str>) -> Result<Self, Error> {
        let user = user.map(|text| (Path::new("keymap.toml"), text));
        Self::load(Preset::Default, user, &[])
    }

    /// Like [`Self::read`], with a preset between the two and the keys of the user's commands on
    /// top.
    ///
    /// # Errors
    ///
    /// As for [`Self::read`]; also if a command has an unknown key or context.
    pub fn load(preset: Preset, user: Option<(&Path, &str)>, commands: &[Custom]) -> Result<Self, Error> {
        let customs = commands.iter().map(|command| command.name.clone()).collect();
        let mut keymap = Self {
            own: Vec::new(),
            imports: Vec::new(),
            chains: Vec::new(),
            of_subjects: HashMap::new(),
            customs,
        };
        keymap.overlay(&Source { file: "hoist".into(), text: SHIPPED, is_users: false })?;
        for (_, name, text) in PRESETS.iter().filter(|(of, ..)| *of == preset) {
            let file = format!("preset {name}").into();
            keymap.overlay(&Source { file, text, is_users: false })?;
        }
        if let Some((path, text)) = user {
            keymap.overlay(&Source { file: path.display().to_string().into(), text, is_users: true })?;
        }
        for (at, command) in commands.iter().enumerate() {
            keymap.command(at, command)?;
        }
        keymap.chains = KeyContext::ALL.iter().map(|place| keymap.chain((*place).into())).collect();
        keymap.of_subjects = keymap.chains_of_subjects();
        let conflicts = keymap.conflicts();
        if conflicts.is_empty() {
            Ok(keymap)
        } else {
            Err(Error { origin: None, fault: Fault::Conflicts(conflicts) })
        }
    }

    /// Returns the index of the user's command that `keys` run in a scope.
    #[must_use]
    pub fn custom(&self, scope: impl Into<Scope>, keys: &[Key]) -> Option<usize> {
        self.of(scope).iter().find(|binding| binding.keys == keys)?.custom
    }

    /// Returns the label of a line in one or two words; for a command of the user, its name.
    #[must_use]
    pub fn label<'a>(&'a self, binding: &Binding) -> &'a str {
        let own = binding.custom.and_then(|custom| self.customs.get(custom));
        own.map_or_else(|| binding.action.label(), String::as_str)
    }

    /// Returns the help text of a line: one sentence.
    #[must_use]
    pub fn help<'a>(&'a self, binding: &Binding) -> &'a str {
        let own = binding.custom.and_then(|custom| self.customs.get(custom));
        own.map_or_else(|| binding.action.help(), String::as_str)
    }

    /// Returns the whole keymap as a file which produces the same keymap when applied to the
    /// shipped one. It omits the user's commands, whose keys are in `config.toml`.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let shipped = Self::read(None).ok();
        for place in KeyContext::ALL {
            let mut lines: Vec<(String, String)> = Vec::new();
            let ours = |binding: &&Binding| binding.place == *place && binding.custom.is_none();
            lines.extend(
                self.own.iter().filter(ours).map(|it| (written(&it.keys), it.action.name().to_owned())),
            );
            let imports = self.imports.iter().filter(|import| import.into == *place);
            lines.extend(imports.map(|it| (written(&it.keys), format!("@{}", it.from.name()))));
            // Without an explicit entry, lines that the preset or the user removed would reappear.
            let gone = shipped.iter().flat_map(Self::lines_of).filter(|(of, _)| of == place);
            for (_, keys) in gone {
                let keys = written(keys);
                if !lines.iter().any(|(there, _)| *there == keys) {
                    lines.push((keys, "none".to_owned()));
                }
            }
            if !lines.is_empty() {
                let gap = if text.is_empty() { "" } else { "\n" };
                let _ = writeln!(text, "{gap}[{}]", place.name()); // writing to a String cannot fail
            }
            for (keys, action) in lines {
                let _ = writeln!(text, "\"{keys}\" = \"{action}\"");
            }
        }
        text
    }

    /// Whether a line is imported from another context, behind a prefix.
    #[must_use]
    pub fn imports(&self, binding: &Binding) -> bool {
        let here = |import: &&Import| import.into == binding.place && binding.keys.starts_with(&import.keys);
        self.imports.iter().any(|import| here(&import) && binding.keys.len() > import.keys.len())
    }

    /// Returns the keys of every line, including the prefixes of imports.
    fn lines_of(&self) -> impl Iterator<Item = (KeyContext, &[Key])> {
        let own = self.own.iter().map(|binding| (binding.place, binding.keys.as_slice()));
        own.chain(self.imports.iter().map(|import| (import.into, import.keys.as_slice())))
    }

    /// Looks up `keys` in a scope.
    #[must_use]
    pub fn find(&self, scope: impl Into<Scope>, keys: &[Key]) -> Found {
        let mut found = Found::Nothing;
        for binding in self.of(scope) {
            if binding.keys == keys {
                return Found::Action(binding.action);
            }
            if binding.keys.starts_with(keys) {
                found = Found::More;
            }
        }
        found
    }

    /// Returns the lines that apply in a scope: those of its context first, each in file order.
    #[must_use]
    pub fn of(&self, scope: impl Into<Scope>) -> &[Binding] {
        let Scope { place, list } = scope.into();
        let of_subject = list.and_then(|list| self.of_subjects.get(&(place, list)));
        of_subject.unwrap_or(&self.chains[place as usize])
    }

    /// Returns the first keys bound to `action` in a scope, as the help shows them.
    #[must_use]
    pub fn keys_of(&self, scope: impl Into<Scope>, action: Action) -> Option<String> {
        self.of(scope)
            .iter()
            .find(|binding| binding.action == action)
            .map(|binding| show_strokes(&binding.keys))
    }

    /// Returns every pair of lines that contradict each other.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts: Vec<Conflict> = Vec::new();
        for scope in self.scopes() {
            let (place, chain) = (&scope.place, self.of(scope));
            for (at, one) in chain.iter().enumerate() {
                for other in chain[at + 1..].iter().filter(|other| other.keys.first() == one.keys.first()) {
                    let (shorter, longer) =
                        if one.keys.len() <= other.keys.len() { (one, other) } else { (other, one) };
                    // If both lines come from a parent, the parent has reported the conflict.
                    let ours = one.place == *place || other.place == *place;
                    if ours && longer.keys.starts_with(&shorter.keys) {
                        let (shorter, longer) = (shorter.clone(), longer.clone());
                        let conflict = Conflict { place: *place, shorter, longer };
                        if !conflicts.contains(&conflict) {
                            conflicts.push(conflict);
                        }
                    }
                }
            }
        }
        conflicts
    }

    fn overlay(&mut self, source: &Source<'_>) -> Result<(), Error> {
        let document = Document::parse(source.text)
            .map_err(|error| source.error(error.span(), Fault::Toml(error.message().replace('\n', ", "))))?;
        for (name, item) in document.iter() {
            let key = document.key(name).and_then(|key| key.span());
            let place = KeyContext::named(name);
            let (place, table) = match (place, item.as_table_like()) {
                (Some(place), Some(table)) => (place, table),
                (Some(place), None) => return Err(source.error(key, Fault::Table(place.name()))),
                (None, _) => return Err(source.error(key, Fault::KeyContext(name.to_owned()))),
            };
            for (keys, item) in table.iter() {
                let span = table.key(keys).and_then(|key| key.span());
                self.line(source, place, (keys, span), item)?;
            }
        }
        Ok(())
    }

    fn line(
        &mut self,
        source: &Source<'_>,
        place: KeyContext,
        (keys, span): (&str, Option<Range<usize>>),
        item: &Item,
    ) -> Result<(), Error> {
        let strokes = parse_strokes(keys).map_err(|bad| {
            source.error(span.clone(), Fault::Key { place: place.name().to_owned(), source: bad })
        })?;
        let written = item.as_str().unwrap_or_default();
        let word = written.strip_suffix('!').unwrap_or(written);
        let bad = || {
            let (keys, action) = (keys.to_owned(), written.to_owned());
            source.error(item.span(), Fault::Action { place: place.name(), keys, action })
        };
        if word != written {
            let is_here = |other: KeyContext| other.chain().any(|above| above == place);
            self.own.retain(|binding| !is_here(binding.place) || !binding.keys.starts_with(&strokes));
            self.imports.retain(|import| !is_here(import.into) || !import.keys.starts_with(&strokes));
        }
        if let Some(other) = word.strip_prefix('@') {
            let from = Whose::named(other).ok_or_else(bad)?;
            self.take_away(place, &strokes);
            self.imports.push(Import { keys: strokes, into: place, from });
        } else if word == "none" {
            self.take_away(place, &strokes);
        } else {
            let action = Action::named(word).filter(|action| *action != Action::Custom).ok_or_else(bad)?;
            self.put(Binding { keys: strokes, action, custom: None, place, origin: source.at(span) });
        }
        Ok(())
    }

    /// Adds the key of the user's command with the index `at`.
    fn command(&mut self, at: usize, command: &Custom) -> Result<(), Error> {
        let origin = |at: &crate::config::At| Origin {
            file: at.file.display().to_string().into(),
            spot: at.spot,
            is_users: true,
        };
        let (name, stands) = &command.place;
        let place = KeyContext::named(name)
            .ok_or_else(|| Error { origin: Some(origin(stands)), fault: Fault::KeyContext(name.clone()) })?;
        let (keys, stands) = &command.key;
        let keys = parse_strokes(keys).map_err(|source| Error {
            origin: Some(origin(stands)),
            fault: Fault::Key { place: name.clone(), source },
        })?;
        let origin = origin(stands);
        self.put(Binding { keys, action: Action::Custom, custom: Some(at), place, origin });
        Ok(())
    }

    /// Adds a line, replacing one with the same keys.
    fn put(&mut self, binding: Binding) {
        self.imports.retain(|import| import.into != binding.place || import.keys != binding.keys);
        match self.own.iter_mut().find(|old| old.place == binding.place && old.keys == binding.keys) {
            Some(old) => *old = binding,
            None => self.own.push(binding),
        }
    }

    fn take_away(&mut self, place: KeyContext, keys: &[Key]) {
        self.own.retain(|binding| binding.place != place || binding.keys != keys);
        self.imports.retain(|import| import.into != place || import.keys != keys);
    }

    /// Returns all scopes that differ: each context, and those with a subject for each list.
    fn scopes(&self) -> impl Iterator<Item = Scope> {
        let mut of_subjects: Vec<_> = self.of_subjects.keys().copied().collect();
        of_subjects.sort_unstable();
        let of_subjects = of_subjects.into_iter().map(|(place, list)| Scope { place, list: Some(list) });
        KeyContext::ALL.iter().map(|place| (*place).into()).chain(of_subjects)
    }

    fn chains_of_subjects(&self) -> HashMap<(KeyContext, KeyContext), Vec<Binding>> {
        let is_list = |place: &KeyContext| place.above() == Some(KeyContext::Lists);
        let lists: Vec<_> = KeyContext::ALL.iter().copied().filter(is_list).collect();
        let has_subject = |place: &KeyContext| {
            let imports = |above| self.imports.iter().any(|it| it.into == above && it.from == Whose::Subject);
            place.chain().any(imports)
        };
        let mut chains = HashMap::new();
        for place in KeyContext::ALL.iter().copied().filter(has_subject) {
            chains.extend(lists.iter().map(|list| {
                let scope = Scope { place, list: Some(*list) };
                ((place, *list), self.chain(scope))
            }));
        }
        chains
    }

    fn chain(&self, Scope { place, list }: Scope) -> Vec<Binding> {
        let mut lines: Vec<Binding> = Vec::new();
        for above in place.chain() {
            let hides = |binding: &Binding| {
                let mut own = lines.iter().filter(|own| own.place == place && place == KeyContext::Released);
                above != place
                    && own
                        .any(|own| own.keys.starts_with(&binding.keys) || binding.keys.starts_with(&own.keys))
            };
            let own = self.own.iter().filter(|binding| binding.place == above && !hides(binding));
            let own: Vec<Binding> = own.cloned().collect();
            lines.extend(own);
            let place = above;
            for import in self.imports.iter().filter(|import| import.into == place) {
                let from = import.from.context(list);
                for binding in self.own.iter().filter(|binding| Some(binding.place) == from) {
                    let keys = [import.keys.as_slice(), &binding.keys].concat();
                    lines.push(Binding { keys, place, ..binding.clone() });
                }
            }
        }
        lines
    }
}

/// Formats strokes as a key of the file.
fn written(keys: &[Key]) -> String {
    let words: Vec<_> = keys.iter().map(ToString::to_string).collect();
    words.join(" ").replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tui::action::Group;

    fn find(keymap: &Keymap, scope: impl Into<Scope>, keys: &str) -> Found {
        keymap.find(scope, &parse_strokes(keys).unwrap())
    }

    /// Returns the shipped keymap, and each preset applied to it.
    fn all() -> Vec<Keymap> {
        let presets = [Preset::Default, Preset::K9s, Preset::Lazydocker];
        presets.map(|preset| Keymap::load(preset, None, &[]).unwrap_or_else(|error| panic!("{error}"))).into()
    }

    #[test]
    fn no_shipped_keymap_contradicts_itself() {
        assert_eq!(all().len(), PRESETS.len() + 1);
    }

    #[test]
    fn each_action_has_a_key() {
        let keymap = Keymap::read(None).unwrap();
        let bound: BTreeSet<_> = keymap.own.iter().map(|binding| binding.action).collect();
        let has_none = |action: &&Action| !bound.contains(action) && **action != Action::Custom;
        let missing: Vec<_> = Action::ALL.iter().filter(has_none).collect();
        assert_eq!(missing, Vec::<&Action>::new());
    }

    #[test]
    fn no_key_is_one_that_old_terminals_cannot_tell() {
        let never = parse_strokes("ctrl-i ctrl-m ctrl-h ctrl-j ctrl-[").unwrap();
        for binding in all().iter().flat_map(|keymap| &keymap.own) {
            assert!(!binding.keys.iter().any(|key| never.contains(key)), "{binding:?}");
        }
    }

    #[test]
    fn nothing_destructive_is_one_stroke_or_a_chord_but_what_presets_imitate() {
        let is_quick = |binding: &&Binding| {
            let is_chord = binding.keys.iter().any(|key| !key.held.is_empty());
            binding.action.group() == Group::Remove && (binding.keys.len() < 2 || is_chord)
        };
        let quick = |keymap: &Keymap| -> BTreeSet<(String, &'static str)> {
            let found = keymap.own.iter().filter(is_quick);
            found.map(|it| (show_strokes(&it.keys), it.action.name())).collect()
        };
        // Their `remove` asks first, as in the programs that they imitate.
        for (preset, allowed) in
            [(Preset::Default, None), (Preset::K9s, Some("Ctrl-d")), (Preset::Lazydocker, Some("d"))]
        {
            let keymap = Keymap::load(preset, None, &[]).unwrap();
            let allowed = allowed.map(|keys| (keys.to_owned(), "remove")).into_iter().collect();
            assert_eq!(quick(&keymap), allowed, "{preset:?}");
        }
    }

    #[test]
    fn the_presets_bind_what_removes_and_kills_in_the_other_programs() {
        let keymap = |preset| Keymap::load(preset, None, &[]).unwrap();
        let (k9s, lazydocker) = (keymap(Preset::K9s), keymap(Preset::Lazydocker));
        for (keymap, place, keys, action) in [
            (&k9s, KeyContext::Containers, "ctrl-d", Action::Remove),
            (&k9s, KeyContext::Containers, "ctrl-k", Action::Kill),
            (&k9s, KeyContext::Images, "ctrl-d", Action::Remove),
            (&k9s, KeyContext::Logs, "ctrl-d", Action::HalfDown),
            (&k9s, KeyContext::Files, "ctrl-d", Action::HalfDown),
            (&lazydocker, KeyContext::Containers, "d", Action::Remove),
            (&lazydocker, KeyContext::Images, "d", Action::Remove),
        ] {
            assert_eq!(find(keymap, place, keys), Found::Action(action), "{place:?} {keys}");
        }
    }

    #[test]
    fn a_place_has_its_own_keys_and_those_above() {
        let keymap = Keymap::read(None).unwrap();
        for (place, keys, found) in [
            (KeyContext::Containers, "p", Found::Action(Action::Pause)),
            (KeyContext::Images, "p", Found::Action(Action::Pull)),
            (KeyContext::Containers, "?", Found::Action(Action::Help)),
            (KeyContext::Containers, "d", Found::More),
            (KeyContext::Containers, "d d", Found::Action(Action::Remove)),
            (KeyContext::Containers, "d x", Found::Nothing),
            (KeyContext::Terminal, "q", Found::Nothing),
            (KeyContext::Prompt, "q", Found::Nothing),
        ] {
            assert_eq!(find(&keymap, place, keys), found, "{place:?} {keys}");
        }
    }

    #[test]
    fn behind_a_prefix_are_the_keys_of_the_subjects_list() {
        let keymap = Keymap::read(None).unwrap();
        let of = |place, list| Scope { place, list: Some(list) };
        for (place, list, keys, found) in [
            (KeyContext::Logs, KeyContext::Containers, ",", Found::More),
            (KeyContext::Logs, KeyContext::Containers, ", d d", Found::Action(Action::Remove)),
            (KeyContext::Inspect, KeyContext::Images, ", n", Found::Action(Action::Pull)),
            (KeyContext::Inspect, KeyContext::Images, ", s", Found::Nothing),
            (KeyContext::Files, KeyContext::Images, ", t", Found::Action(Action::Tag)),
            (KeyContext::Inspect, KeyContext::Networks, ", o b", Found::Action(Action::OrderSubnet)),
            (KeyContext::Inspect, KeyContext::Trash, ", u", Found::Action(Action::Restore)),
            (KeyContext::Released, KeyContext::Tasks, ", r", Found::Action(Action::RetryTask)),
            (KeyContext::Released, KeyContext::Tasks, "K", Found::Action(Action::CancelTask)),
            // Only the list shows the object.
            (KeyContext::Images, KeyContext::Images, ", n", Found::Nothing),
            // The navigator is about containers, whatever list is beside it.
            (KeyContext::Navigator, KeyContext::Images, ", s", Found::Action(Action::StartStop)),
        ] {
            assert_eq!(find(&keymap, of(place, list), keys), found, "{place:?} {list:?} {keys}");
        }
        assert_eq!(find(&keymap, KeyContext::Logs, ","), Found::Nothing);
        let fixed = Keymap::read(Some("[viewer]\n\",\" = \"@volumes\"")).unwrap();
        let scope = of(KeyContext::Logs, KeyContext::Containers);
        assert_eq!(find(&fixed, scope, ", o f"), Found::Action(Action::OrderFolder));
        assert_eq!(find(&fixed, scope, ", s"), Found::Nothing);
        // A conflict is reported, and only once.
        let text = "[viewer]\n\", n\" = \"wrap\"";
        let error = Keymap::read(Some(text)).unwrap_err().to_string();
        assert!(
            error.contains("in [viewer] `,n` (wrap of [viewer]) is also `,n` (pull of [viewer])"),
            "{error}"
        );
        let lines: BTreeSet<&str> = error.lines().collect();
        assert_eq!(lines.len(), error.lines().count(), "{error}");
    }

    #[test]
    fn the_users_lines_replace_ours_and_none_takes_away() {
        let keymap = Keymap::read(Some("[containers]\np = \"restart\"\nr = \"none\"")).unwrap();
        assert_eq!(find(&keymap, KeyContext::Containers, "p"), Found::Action(Action::Restart));
        assert_eq!(find(&keymap, KeyContext::Containers, "r"), Found::Nothing);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, message) in [
            (
                "[containers]\nd = \"pause\"",
                "keymap.toml, line 2, column 1: in [containers] `d` (pause of [containers]) is a \
                 prefix of `dd` (remove of [containers]), from hoist",
            ),
            (
                "[images]\n\n  Q = \"pull\"",
                "keymap.toml, line 3, column 3: in [images] `Q` (pull of [images]) is also `Q` (quit of \
                 [global]), from hoist",
            ),
            (
                "[ships]\nq = \"quit\"",
                "keymap.toml, line 1, column 2: [ships] is not a context: expected one of those that \
                 `:export keys` shows, such as [containers]",
            ),
            ("global = 3", "keymap.toml, line 1, column 1: [global] is not a table of keys"),
            (
                "[global]\nx = \"explode\"",
                "keymap.toml, line 2, column 5: in [global] `x`: `explode` is not an action",
            ),
            (
                "[global]\nx = \"custom\"",
                "keymap.toml, line 2, column 5: in [global] `x`: `custom` is not an action",
            ),
            (
                "[global]\nentr = \"quit\"",
                "keymap.toml, line 2, column 1: in [global] `entr` is not a key: expected a character, \
                 or a name such as enter, esc, tab, space, up, f1 or ctrl-x",
            ),
        ] {
            let error = Keymap::read(Some(text)).unwrap_err();
            assert_eq!(error.to_string().lines().next(), Some(message));
        }
        let error = Keymap::read(Some("[global]\nx = ")).unwrap_err().to_string();
        assert!(error.starts_with("keymap.toml, line 2, column"), "{error}");
        let long = "x".repeat(100_000);
        for text in [
            format!("[global]\nx = \"{long}\""),
            format!("[global]\n{long} = \"quit\""),
            format!("[global]\n{} = \"quit\"\nx = \"none\"", "x\u{20}".repeat(50_000)),
            format!("[{long}]"),
        ] {
            let error = Keymap::read(Some(&text)).unwrap_err().to_string();
            assert!(error.len() < 2000, "{} bytes", error.len());
        }
    }

    #[test]
    fn a_line_that_is_replaced_keeps_its_place_in_the_order() {
        let keys = |keymap: &Keymap| -> Vec<String> {
            keymap.of(KeyContext::Containers).iter().map(|binding| show_strokes(&binding.keys)).collect()
        };
        let keymap = Keymap::read(Some("[containers]\np = \"restart\"")).unwrap();
        assert_eq!(keys(&keymap), keys(&Keymap::read(None).unwrap()));
    }

    fn command(key: &str, place: &str) -> Custom {
        let at = |line| crate::config::At { file: "config.toml".into(), spot: Spot { line, column: 7 } };
        Custom {
            name: "ping it".to_owned(),
            key: (key.to_owned(), at(2)),
            place: (place.to_owned(), at(3)),
            run: (crate::config::Line::Shell("ping {ip}".to_owned()), at(4)),
            whither: crate::config::Whither::Host,
            pane: None,
            confirm: false,
            is_read_only: false,
        }
    }

    #[test]
    fn with_an_exclamation_mark_a_key_takes_away_all_that_begin_with_it() {
        let keymap = Keymap::read(Some("[containers]\nd = \"inspect!\"\no = \"none!\"")).unwrap();
        assert_eq!(find(&keymap, KeyContext::Containers, "d"), Found::Action(Action::Inspect));
        assert_eq!(find(&keymap, KeyContext::Containers, "o c"), Found::Nothing);
        assert_eq!(find(&keymap, KeyContext::Images, "d d"), Found::Action(Action::Remove));
    }

    #[test]
    fn the_users_commands_have_keys_like_everything_else() {
        let load = |command: Custom| Keymap::load(Preset::Default, None, &[command]);
        let keymap = load(command("g 1", "containers")).unwrap();
        let keys = parse_strokes("g 1").unwrap();
        assert_eq!(keymap.find(KeyContext::Containers, &keys), Found::Action(Action::Custom));
        assert_eq!(keymap.custom(KeyContext::Containers, &keys), Some(0));
        assert_eq!(keymap.find(KeyContext::Images, &keys), Found::Nothing);
        let binding =
            keymap.of(KeyContext::Containers).iter().find(|binding| binding.custom.is_some()).unwrap();
        assert_eq!(keymap.label(binding), "ping it");
        for (command, message) in [
            (command("g", "containers"), "config.toml, line 2, column 7: in [containers] `g` (custom of"),
            (command("gg", "containers"), "config.toml, line 2, column 7: in [containers] `gg` is not a key"),
            (command("g 1", "ships"), "config.toml, line 3, column 7: [ships] is not a context: expected"),
        ] {
            let error = load(command).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn a_keymap_that_is_written_reads_as_the_same() {
        let lines = |keymap: &Keymap| -> BTreeSet<(KeyContext, String, &'static str)> {
            let all = KeyContext::ALL.iter().flat_map(|place| keymap.of(*place));
            all.map(|it| (it.place, show_strokes(&it.keys), it.action.name())).collect()
        };
        let own =
            "[containers]\np = \"restart\"\nr = \"none\"\n\"\\\"\" = \"stats\"\n[viewer]\n\",\" = \"none\"";
        let mut keymaps = all();
        keymaps.push(Keymap::read(Some(own)).unwrap());
        for keymap in &keymaps {
            let again = Keymap::read(Some(&keymap.to_toml())).unwrap();
            assert_eq!(lines(&again), lines(keymap));
        }
    }
}
