//! Which key does what where: data, read from TOML by one code for ours and the user's.
//!
//! A place sees its own keys and those of the places above it:
//!
//! ```text
//! global ─┬─ lists ──┬─ containers        terminal   prompt   form ── switch
//!         │          ├─ images            confirm    menu     progress   page
//!         │          └─ volumes, networks, tasks
//!         └─ viewer ─┬─ logs
//!                    └─ stats, top, inspect, ended
//! ```
//! Within such a chain no two lines may have the same keys, and no key may be the beginning
//! of another line's keys: [`Keymap::conflicts`].

use std::fmt;

use toml_edit::{Document, Item};

use super::action::Action;
use super::key::{BadKey, Key, parse_strokes, show_strokes};

/// The keymap that hoist ships.
pub const SHIPPED: &str = include_str!("../../assets/keymap.toml");

macro_rules! places {
    ($($variant:ident $name:literal $above:expr;)*) => {
        /// Where a key is pressed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "drawn in the module's doc")]
        pub enum Place { $($variant,)* }

        impl Place {
            /// Every place, those above before those below.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name of its table in the keymap.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The place whose keys hold here too.
            #[must_use]
            pub fn above(self) -> Option<Self> {
                match self { $(Self::$variant => $above,)* }
            }
        }
    };
}

places! {
    Global     "global"     None;
    Lists      "lists"      Some(Self::Global);
    Containers "containers" Some(Self::Lists);
    Images     "images"     Some(Self::Lists);
    Volumes    "volumes"    Some(Self::Lists);
    Networks   "networks"   Some(Self::Lists);
    Tasks      "tasks"      Some(Self::Lists);
    Viewer     "viewer"     Some(Self::Global);
    Logs       "logs"       Some(Self::Viewer);
    Stats      "stats"      Some(Self::Viewer);
    Top        "top"        Some(Self::Viewer);
    Inspect    "inspect"    Some(Self::Viewer);
    Ended      "ended"      Some(Self::Viewer);
    Terminal   "terminal"   None;
    Prompt     "prompt"     None;
    Form       "form"       None;
    Switch     "switch"     Some(Self::Form);
    Confirm    "confirm"    None;
    Menu       "menu"       None;
    Progress   "progress"   None;
    Page       "page"       None;
}

/// One line of the keymap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The strokes.
    pub keys: Vec<Key>,
    /// What they do.
    pub action: Action,
    /// The table it stands in.
    pub place: Place,
}

/// Which key does what where.
#[derive(Debug, Clone)]
pub struct Keymap {
    own: Vec<Binding>,
    imports: Vec<Import>,
    /// By [`Place`]: its own lines, then those of the places above.
    chains: Vec<Vec<Binding>>,
}

#[derive(Debug, Clone)]
struct Import {
    keys: Vec<Key>,
    into: Place,
    from: Place,
}

/// What strokes mean in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// This.
    Action(Action),
    /// They are the beginning of something.
    More,
    /// Nothing.
    Nothing,
}

/// Two lines that cannot both hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    place: Place,
    shorter: Binding,
    longer: Binding,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, shorter, longer } = self;
        let how = if shorter.keys == longer.keys { "is also" } else { "is the beginning of" };
        write!(
            f,
            "in [{}] `{}` ({}, from [{}]) {how} `{}` ({}, from [{}])",
            place.name(),
            show_strokes(&shorter.keys),
            shorter.action.name(),
            shorter.place.name(),
            show_strokes(&longer.keys),
            longer.action.name(),
            longer.place.name(),
        )
    }
}

/// A keymap that cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("it is not TOML")]
    Toml(#[from] toml_edit::TomlError),
    #[error("[{0}] is not a place")]
    Place(String),
    #[error("in [{place}]")]
    Key { place: &'static str, source: BadKey },
    #[error("in [{place}] `{keys}` does `{action}`, which is not an action")]
    Action { place: &'static str, keys: String, action: String },
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Conflicts(Vec<Conflict>),
}

impl Keymap {
    /// Reads the shipped keymap, then the user's over it.
    ///
    /// # Errors
    ///
    /// When one is not TOML, names what does not exist, or contradicts itself.
    pub fn read(user: Option<&str>) -> Result<Self, Error> {
        let mut keymap = Self { own: Vec::new(), imports: Vec::new(), chains: Vec::new() };
        keymap.overlay(SHIPPED)?;
        if let Some(text) = user {
            keymap.overlay(text)?;
        }
        keymap.chains = Place::ALL.iter().map(|place| keymap.chain(*place)).collect();
        let conflicts = keymap.conflicts();
        if conflicts.is_empty() { Ok(keymap) } else { Err(Error::Conflicts(conflicts)) }
    }

    /// What `keys` do in `place`.
    #[must_use]
    pub fn find(&self, place: Place, keys: &[Key]) -> Found {
        let mut found = Found::Nothing;
        for binding in self.of(place) {
            if binding.keys == keys {
                return Found::Action(binding.action);
            }
            if binding.keys.starts_with(keys) {
                found = Found::More;
            }
        }
        found
    }

    /// The lines that hold in `place`: its own first, each in the order of the file.
    #[must_use]
    pub fn of(&self, place: Place) -> &[Binding] {
        &self.chains[place as usize]
    }

    /// The first keys that do `action` in `place`, as the help shows them.
    #[must_use]
    pub fn keys_of(&self, place: Place, action: Action) -> Option<String> {
        self.of(place)
            .iter()
            .find(|binding| binding.action == action)
            .map(|binding| show_strokes(&binding.keys))
    }

    /// Every pair of lines that cannot both hold.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for place in Place::ALL {
            let chain = self.of(*place);
            for (at, one) in chain.iter().enumerate() {
                for other in &chain[at + 1..] {
                    let (shorter, longer) =
                        if one.keys.len() <= other.keys.len() { (one, other) } else { (other, one) };
                    // Where both stand above, the place above has told it already.
                    let ours = one.place == *place || other.place == *place;
                    if ours && longer.keys.starts_with(&shorter.keys) {
                        let (shorter, longer) = (shorter.clone(), longer.clone());
                        conflicts.push(Conflict { place: *place, shorter, longer });
                    }
                }
            }
        }
        conflicts
    }

    fn overlay(&mut self, text: &str) -> Result<(), Error> {
        let document = Document::parse(text)?;
        for (name, item) in document.iter() {
            let place = Place::ALL.iter().copied().find(|place| place.name() == name);
            let place = place.ok_or_else(|| Error::Place(name.to_owned()))?;
            for (keys, item) in item.as_table_like().into_iter().flat_map(|table| table.iter()) {
                self.line(place, keys, item)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, place: Place, keys: &str, item: &Item) -> Result<(), Error> {
        let strokes = parse_strokes(keys).map_err(|source| Error::Key { place: place.name(), source })?;
        let word = item.as_str().unwrap_or_default();
        let bad = || Error::Action { place: place.name(), keys: keys.to_owned(), action: word.to_owned() };
        self.own.retain(|binding| binding.place != place || binding.keys != strokes);
        self.imports.retain(|import| import.into != place || import.keys != strokes);
        if let Some(other) = word.strip_prefix('@') {
            let from = Place::ALL.iter().copied().find(|place| place.name() == other).ok_or_else(bad)?;
            self.imports.push(Import { keys: strokes, into: place, from });
        } else if word != "none" {
            let action = Action::named(word).ok_or_else(bad)?;
            self.own.push(Binding { keys: strokes, action, place });
        }
        Ok(())
    }

    fn chain(&self, place: Place) -> Vec<Binding> {
        let mut lines = Vec::new();
        let mut next = Some(place);
        while let Some(place) = next {
            lines.extend(self.own.iter().filter(|binding| binding.place == place).cloned());
            for import in self.imports.iter().filter(|import| import.into == place) {
                for binding in self.own.iter().filter(|binding| binding.place == import.from) {
                    let keys = [import.keys.as_slice(), &binding.keys].concat();
                    lines.push(Binding { keys, action: binding.action, place });
                }
            }
            next = place.above();
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn find(keymap: &Keymap, place: Place, keys: &str) -> Found {
        keymap.find(place, &parse_strokes(keys).unwrap())
    }

    #[test]
    fn the_shipped_keymap_contradicts_itself_nowhere() {
        Keymap::read(None).unwrap();
    }

    #[test]
    fn each_action_has_a_key() {
        let keymap = Keymap::read(None).unwrap();
        let bound: BTreeSet<_> = keymap.own.iter().map(|binding| binding.action).collect();
        let missing: Vec<_> = Action::ALL.iter().filter(|action| !bound.contains(action)).collect();
        assert_eq!(missing, Vec::<&Action>::new());
    }

    #[test]
    fn no_key_is_one_that_old_terminals_cannot_tell() {
        let keymap = Keymap::read(None).unwrap();
        let never = parse_strokes("ctrl-i ctrl-m ctrl-h ctrl-j ctrl-[").unwrap();
        for binding in &keymap.own {
            assert!(!binding.keys.iter().any(|key| never.contains(key)), "{binding:?}");
        }
    }

    #[test]
    fn nothing_destructive_is_one_stroke_or_a_chord() {
        let keymap = Keymap::read(None).unwrap();
        for binding in &keymap.own {
            if binding.action.group() == "Delete" {
                assert!(binding.keys.len() >= 2, "{binding:?}");
                assert!(binding.keys.iter().all(|key| key.held.is_empty()), "{binding:?}");
            }
        }
    }

    #[test]
    fn a_place_has_its_own_keys_and_those_above() {
        let keymap = Keymap::read(None).unwrap();
        for (place, keys, found) in [
            (Place::Containers, "p", Found::Action(Action::Pause)),
            (Place::Images, "p", Found::Action(Action::Pull)),
            (Place::Containers, "?", Found::Action(Action::Help)),
            (Place::Containers, "d", Found::More),
            (Place::Containers, "d d", Found::Action(Action::Remove)),
            (Place::Containers, "d x", Found::Nothing),
            (Place::Logs, ",", Found::More),
            (Place::Logs, ", d d", Found::Action(Action::Remove)),
            (Place::Terminal, "q", Found::Nothing),
            (Place::Prompt, "q", Found::Nothing),
        ] {
            assert_eq!(find(&keymap, place, keys), found, "{place:?} {keys}");
        }
    }

    #[test]
    fn the_users_lines_replace_ours_and_none_takes_away() {
        let keymap = Keymap::read(Some("[containers]\np = \"restart\"\nr = \"none\"")).unwrap();
        assert_eq!(find(&keymap, Place::Containers, "p"), Found::Action(Action::Restart));
        assert_eq!(find(&keymap, Place::Containers, "r"), Found::Nothing);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            (
                "[containers]\nd = \"pause\"",
                "in [containers] `d` (pause, from [containers]) is the beginning of `dd` (remove, from [containers])",
            ),
            (
                "[images]\nQ = \"pull\"",
                "in [images] `Q` (pull, from [images]) is also `Q` (quit, from [global])",
            ),
            ("[ships]\nq = \"quit\"", "[ships] is not a place"),
            ("[global]\nx = \"explode\"", "in [global] `x` does `explode`, which is not an action"),
            ("[global]\nentr = \"quit\"", "in [global]"),
        ] {
            let error = Keymap::read(Some(text)).unwrap_err();
            assert_eq!(error.to_string().lines().next(), Some(message));
        }
    }
}
