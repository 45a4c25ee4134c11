//! The table of commands: its rows, how arguments are matched to them, and the help.
//!
//! ```text
//!  a noun's file: `verbs!`, a row per verb      container.rs image.rs network.rs volume.rs system.rs
//!        │
//!      NOUNS ─┬─▶ find: arguments → the row, or an error    the command line, the `:` line
//!             ├─▶ help, overview, completion, suggestions   here, `complete`, `suggest`
//!             ├─▶ summary                                   the palette
//!             ├─▶ docs/commands.md, docs/man                tests write and check them
//!             └─▶ routes                                    planned
//! ```
//! The routes of an API will be another column: method, path, and a function that makes the same
//! request from path and body. How a request is executed, and whether it changes anything, depends
//! only on the request.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::usage::Usage;
use super::{LACKING, NOUNS, Request};

/// What verbs act on: `container` in `container ls`.
#[derive(Debug)]
pub(super) struct Noun {
    /// The name, such as `container`.
    pub(super) name: &'static str,
    /// A one-line description.
    pub(super) about: &'static str,
    /// Its verbs, in the order of the overview.
    pub(super) verbs: &'static [Verb],
    /// Docker's verbs that hoist does not support.
    pub(super) lacks: &'static [&'static str],
}

/// A verb: its row, and how its arguments are parsed.
#[derive(Debug)]
pub struct Verb {
    pub(super) row: Row,
    pub(super) augment: fn(Command) -> Command,
    pub(super) read: fn(&ArgMatches) -> Result<Request, Usage>,
}

/// The names and descriptions of a verb.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Its names, the usual one first: `ps`, `container ls`. A name can have two words.
    names: &'static [&'static str],
    /// The part of the usage line after the name.
    arguments: &'static str,
    /// A one-line description.
    about: &'static str,
    /// Example command lines without the program's name.
    examples: &'static [&'static str],
    changes: bool,
    is_common: bool,
    /// Docker's options that are not supported yet.
    lacks: &'static [&'static [&'static str]],
}

/// Creates the row of a verb that may change something.
pub(super) const fn changes(
    names: &'static [&'static str],
    arguments: &'static str,
    about: &'static str,
    examples: &'static [&'static str],
) -> Row {
    Row { names, arguments, about, examples, changes: true, is_common: false, lacks: &[] }
}

/// Creates the row of a verb that only shows something.
pub(super) const fn shows(
    names: &'static [&'static str],
    arguments: &'static str,
    about: &'static str,
    examples: &'static [&'static str],
) -> Row {
    Row { changes: false, ..changes(names, arguments, about, examples) }
}

impl Row {
    /// Lists the verb first in the overview.
    pub(super) const fn common(self) -> Self {
        Self { is_common: true, ..self }
    }

    /// Adds Docker's options that are not supported yet, in groups: `-p, --publish`.
    pub(super) const fn lacks(self, lacks: &'static [&'static [&'static str]]) -> Self {
        Self { lacks, ..self }
    }
}

/// Defines the verbs of a noun: the request of each, the arguments it is parsed from, and its row.
macro_rules! verbs {
    ($noun:ident: $($verb:ident($asked:ty) from $words:ty = $row:expr;)*) => {
        /// A request.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the rows say it")]
        pub enum Request {
            $($verb($asked)),*
        }

        pub(in crate::command) const VERBS: &[$crate::command::table::Verb] = &[$(
            $crate::command::table::Verb {
                row: $row,
                augment: <$words as clap::Args>::augment_args,
                read: |matches| {
                    let asked = $crate::command::read::<$words>(matches)?;
                    Ok($crate::command::Request::$noun(Request::$verb(asked)))
                },
            }
        ),*];

        impl Request {
            /// Returns its verb.
            #[must_use]
            pub fn verb(&self) -> &'static $crate::command::table::Verb {
                enum At {
                    $($verb),*
                }
                match self {
                    $(Self::$verb(_) => &VERBS[At::$verb as usize]),*
                }
            }
        }
    };
}
pub(super) use verbs;

/// Returns every verb.
pub(super) fn each_verb() -> impl Iterator<Item = &'static Verb> {
    NOUNS.iter().flat_map(|noun| noun.verbs)
}

impl Noun {
    /// Returns its verbs by their names after the noun.
    pub(super) fn within(&self) -> impl Iterator<Item = (&'static str, &'static Verb)> {
        self.verbs.iter().filter_map(|verb| {
            let name =
                verb.names().iter().find_map(|name| name.strip_prefix(self.name)?.strip_prefix(' '))?;
            Some((name, verb))
        })
    }

    /// Returns the output of `hoist container` and so on.
    pub(super) fn help(&self) -> String {
        let mut rows: Vec<_> = self.within().map(|(name, verb)| (name, verb.about())).collect();
        rows.sort_unstable();
        let Self { name, about, .. } = self;
        format!(
            "Usage:  hoist {name} COMMAND\n\n{about}\n\nCommands:\n{}\n`hoist {name} COMMAND --help` shows the options of a command.\n",
            listed(&rows)
        )
    }
}

impl Verb {
    /// Returns its names, the usual one first.
    pub(super) fn names(&self) -> &'static [&'static str] {
        self.row.names
    }

    /// Returns the full name, such as `hoist image from-host`.
    pub(super) fn name(&self) -> String {
        format!("hoist {}", self.row.names[0])
    }

    /// Returns the one-line description.
    pub(super) fn about(&self) -> &'static str {
        self.row.about
    }

    /// Returns whether it may change anything: a container, an image, a network, or what a program
    /// in a container does.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.row.changes
    }

    /// Returns Docker's options that it does not support.
    pub(super) fn lacks(&self) -> impl Iterator<Item = &'static str> {
        self.row.lacks.iter().flat_map(|group| group.iter().copied())
    }

    /// Returns example command lines without the program's name.
    pub(super) fn examples(&self) -> &'static [&'static str] {
        self.row.examples
    }

    /// Returns the usage line, such as `hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]`.
    pub(super) fn usage(&self) -> String {
        format!("{} {}", self.name(), self.row.arguments).trim_end().to_owned()
    }

    /// Returns the clap command.
    pub(super) fn command(&self) -> Command {
        let mut args: Vec<Arg> = (self.augment)(Command::new("")).get_arguments().cloned().collect();
        // Sort by name, not by group.
        args.sort_by(|one, other| one.get_long().cmp(&other.get_long()));
        let help = Arg::new("help").long("help").help("Show help").action(ArgAction::Help);
        // `-h` means help unless the verb uses it: `run -h NAME`.
        let is_taken = args.iter().any(|arg| arg.get_short() == Some('h'));
        let help = if is_taken { help } else { help.short('h') };
        Command::new(self.name())
            .disable_help_flag(true)
            .disable_version_flag(true)
            .about(self.row.about)
            .override_usage(self.usage())
            .args(args)
            .arg(help)
    }
}

/// What the first words of a command line name.
pub(super) enum Found<'a> {
    /// A verb, and the arguments after it.
    Verb(&'static Verb, &'a [String]),
    /// A noun without a verb.
    Noun(&'static Noun),
    /// Neither.
    Unknown(Usage),
}

/// Finds the verb that `words` begin with.
pub(super) fn find(words: &[String]) -> Found<'_> {
    for count in [2, 1] {
        if let Some(verb) =
            each_verb().find(|verb| verb.names().iter().any(|name| is_called(words, name, count)))
        {
            return Found::Verb(verb, &words[count..]);
        }
    }
    let [first, rest @ ..] = words else { return Found::Unknown(Usage::count("no verb", None)) };
    if let Some(usage) = refused(words) {
        return Found::Unknown(usage);
    }
    if let Some(noun) = NOUNS.iter().find(|noun| noun.name == first) {
        return match rest.first().map(String::as_str) {
            None | Some("--help" | "-h" | "help") => Found::Noun(noun),
            Some(verb) => {
                let hint = Some(format!("see `hoist {first} --help`"));
                Found::Unknown(Usage::count(format!("unknown command: hoist {first} {verb}"), hint))
            }
        };
    }
    let near = nearest(first)
        .map_or_else(|| "see `hoist --help`".to_owned(), |near| format!("did you mean `{near}`?"));
    Found::Unknown(Usage::count(format!("unknown command: hoist {first}"), Some(near)))
}

/// Returns whether `words` begin with `name`, which has `count` words.
fn is_called(words: &[String], name: &str, count: usize) -> bool {
    words.len() >= count && name.split(' ').eq(words[..count].iter().map(String::as_str))
}

/// Returns the error for a verb that Docker has and hoist does not.
fn refused(words: &[String]) -> Option<Usage> {
    let lacking = || LACKING.iter().chain(NOUNS.iter().flat_map(|noun| noun.lacks));
    let count = [2, 1].into_iter().find(|count| lacking().any(|name| is_called(words, name, *count)))?;
    let message = format!("`{}` is not supported yet", words[..count].join(" "));
    Some(Usage::count(message, Some("see `hoist --help`".to_owned())))
}

/// Returns the verb with the most similar name. It may differ by one typo, or by two if the word is
/// long: with two typos, too many names would match a short one.
fn nearest(word: &str) -> Option<&'static str> {
    let names = each_verb().map(|verb| verb.names()[0]).filter(|name| !name.contains(' '));
    // More often a letter is left out than a wrong one is typed: `rn` is `run` rather than `rm`.
    let (slips, _, name) = names.map(|name| (slips(word, name), !has_letters(name, word), name)).min()?;
    let length = word.chars().count();
    let most = if length < 6 { 1 } else { 2 };
    (slips <= most && slips < length).then_some(name)
}

/// Whether `name` contains the letters of `word` in their order.
fn has_letters(name: &str, word: &str) -> bool {
    let mut name = name.chars();
    word.chars().all(|letter| name.any(|c| c == letter))
}

/// Returns the edit distance: characters to insert, delete, replace, or swap with the next one.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i];
        for j in 1..=b.len() {
            let changed = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut cost = changed.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && (a[i - 1], a[i - 2]) == (b[j - 2], b[j - 1]) {
                cost = cost.min(before[j - 2] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

fn listed(rows: &[(&str, &str)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, about)| format!("  {name:width$}  {about}\n")).collect()
}

/// An option before the verb.
pub(super) struct Global {
    pub(super) short: Option<char>,
    pub(super) long: &'static str,
    /// The placeholder of its value, if it takes one.
    pub(super) value: Option<&'static str>,
    pub(super) about: &'static str,
}

const fn global(
    short: Option<char>,
    long: &'static str,
    value: Option<&'static str>,
    about: &'static str,
) -> Global {
    Global { short, long, value, about }
}

/// The options before the verb.
pub(super) const GLOBALS: &[Global] = &[
    global(None, "config", Some("FILE"), "Use this configuration file instead of the default ones"),
    global(Some('D'), "debug", None, "Write debug messages to standard error"),
    global(None, "read-only", None, "Open the terminal UI in read-only mode"),
    global(None, "root", Some("FOLDER"), "Folder for all data (default /var/lib/hoist)"),
    global(None, "run-root", Some("FOLDER"), "Folder for runtime state (default /run/hoist)"),
    global(Some('v'), "version", None, "Print the version"),
];

/// Returns a line such as `  -D, --debug            Write debug messages to standard error`.
fn global_line(Global { short, long, value, about }: &Global) -> String {
    let short = short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
    let long = [Some(*long), *value].into_iter().flatten().collect::<Vec<_>>().join(" ");
    format!("  {short}--{long:<17}{about}\n")
}

/// Commands with their own parsers.
pub(super) const ELSEWHERE: &[(&str, &str)] =
    &[("oci", "Use the embedded runtime through the OCI runtime command line")];

/// Returns the output of `hoist --help`.
pub(super) fn overview() -> String {
    let top = each_verb().filter(|verb| !verb.names()[0].contains(' '));
    let (common, others): (Vec<_>, Vec<_>) = top.partition(|verb| verb.row.is_common);
    let named = |verb: &&'static Verb| (verb.names()[0], verb.about());
    let common: Vec<_> = common.iter().map(named).collect();
    let others: Vec<_> = others.iter().map(named).chain(ELSEWHERE.iter().copied()).collect();
    let nouns: Vec<_> = NOUNS.iter().map(|noun| (noun.name, noun.about)).collect();
    format!(
        "\
Usage:  hoist [OPTIONS] [COMMAND]

Run containers without a daemon. Without a command, open the terminal UI.

Common commands:
{}
Command groups:
{}
Other commands:
{}
Global options:
{}
`hoist COMMAND --help` shows the options of a command.
",
        listed(&common),
        listed(&nouns),
        listed(&others),
        GLOBALS.iter().map(global_line).collect::<String>()
    )
}

/// Returns all verbs as one clap command, for completions.
pub(super) fn tree() -> Command {
    let option = |Global { short, long, value, about }: &Global| {
        let arg = Arg::new(*long).short(*short).long(*long).help(*about);
        match *value {
            None => arg.action(ArgAction::SetTrue),
            Some("FILE") => arg.value_name("FILE").value_hint(clap::ValueHint::FilePath),
            Some(value) => arg.value_name(value).value_hint(clap::ValueHint::DirPath),
        }
    };
    let mut tree = Command::new("hoist").disable_help_subcommand(true).args(GLOBALS.iter().map(option));
    for noun in NOUNS {
        let mut command = Command::new(noun.name).about(noun.about).disable_help_subcommand(true);
        for (name, verb) in noun.within() {
            command = command.subcommand(verb.command().name(name));
        }
        tree = tree.subcommand(command);
    }
    for verb in each_verb().filter(|verb| !verb.names()[0].contains(' ')) {
        tree = tree.subcommand(verb.command().name(verb.names()[0]));
    }
    tree
}

/// Returns every verb's usual name and description, for menus and help screens.
pub fn summary() -> impl Iterator<Item = (&'static str, &'static str)> {
    each_verb().map(|verb| (verb.names()[0], verb.about()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slip_of_the_hand_is_taken_for_a_verb() {
        for (word, want) in [
            ("psx", Some("ps")),
            ("rnu", Some("run")),
            ("rn", Some("run")),
            ("rmm", Some("rm")),
            ("strat", Some("start")),
            ("imagse", Some("images")),
            ("pasue", Some("pause")),
            ("unpuase", Some("unpause")),
            ("complation", Some("completion")),
            ("prune", None),
            ("df", None),
            ("up", None),
            ("x", None),
            ("blorp", None),
        ] {
            assert_eq!(nearest(word), want, "{word}");
        }
    }

    #[test]
    fn options_before_the_verb_are_those_that_are_read() {
        for Global { short, long, value, .. } in GLOBALS {
            let names = [short.map(|letter| format!("-{letter}")), Some(format!("--{long}"))];
            for name in names.into_iter().flatten() {
                let words: Vec<String> =
                    [Some(name), value.map(str::to_owned)].into_iter().flatten().collect();
                assert!(super::super::parse(&words).is_ok(), "{words:?}");
            }
        }
    }
}
