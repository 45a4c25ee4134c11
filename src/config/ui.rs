//! `[ui]` and `[[command]]`: how the terminal UI looks and behaves, and what the user adds.
//!
//! Names of keys and places are the terminal UI's to judge; they are handed on with the
//! place in the file, so that it can tell where they stand.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_spanned::Spanned;

use super::{At, Environment, Flags, Spot};

/// `[ui]`, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ui {
    /// The name of a theme, of those shipped or of `<config folder>/themes`.
    pub theme: Option<String>,
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// Which signs are drawn; by the terminal where nothing is said.
    pub icons: Option<Icons>,
    /// The keys to begin with; the user's own keymap comes over them.
    pub keymap: Preset,
    /// Whether there is a navigator beside the list.
    pub navigator: Navigator,
    /// The mouse is hoist's while it runs.
    pub mouse: bool,
    /// What waits may turn and flash. Not over ssh, unless it is said.
    pub motion: bool,
    /// Nothing is changed: neither a container, nor an image, nor anything else.
    pub read_only: bool,
    /// The user's own commands.
    pub commands: Vec<Custom>,
    /// The user's folder of keymap and themes.
    pub folder: Option<PathBuf>,
    /// The user's folder of what the TUI remembers.
    pub state: Option<PathBuf>,
    /// The files all this is read from, whether they are there or not.
    pub files: Vec<PathBuf>,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            theme: None,
            no_color: false,
            icons: None,
            keymap: Preset::Default,
            navigator: Navigator::Auto,
            mouse: true,
            motion: true,
            read_only: false,
            commands: Vec::new(),
            folder: None,
            state: None,
            files: Vec::new(),
        }
    }
}

/// Which signs are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Icons {
    /// `● ━ ▅`
    #[default]
    Unicode,
    /// `* = +`: no character outside ASCII.
    Ascii,
    /// Icons of the Nerd Fonts where there are fitting ones, else as Unicode.
    Nerd,
}

/// Whether there is a navigator beside the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Navigator {
    /// On wide terminals.
    #[default]
    Auto,
    /// Wherever there is some room for it.
    On,
    /// Never.
    Off,
}

/// Keys to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "programs' names, but for the first")]
pub enum Preset {
    /// hoist's own.
    #[default]
    Default,
    K9s,
    Lazydocker,
}

/// A command of the user's, bound to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    /// What the help calls it.
    pub name: String,
    /// Its keys, as the keymap writes them, and where they stand.
    pub key: (String, At),
    /// The table of the keymap its key belongs to, and where that stands.
    pub place: (String, At),
    /// What is run, and where that stands.
    pub run: (Line, At),
    /// Where it is run.
    pub whither: Whither,
    /// It is asked about first.
    pub confirm: bool,
}

/// What a command runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// A line for the shell (or for hoist's own command line).
    Shell(String),
    /// A program and its words, without a shell.
    Words(Vec<String>),
}

/// Where a command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whither {
    /// On this machine, in the terminal hoist runs in.
    #[default]
    Host,
    /// In the container, in a terminal pane.
    Container,
    /// It is a line of hoist's own command line.
    Hoist,
}

/// The form of `[ui]` in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct UiSection {
    theme: Option<String>,
    icons: Option<Icons>,
    keymap: Option<Preset>,
    navigator: Option<Navigator>,
    mouse: Option<bool>,
    motion: Option<bool>,
    read_only: Option<bool>,
}

impl UiSection {
    /// What `self` does not say is as in a weaker file.
    pub(super) fn or(self, weaker: Self) -> Self {
        Self {
            theme: self.theme.or(weaker.theme),
            icons: self.icons.or(weaker.icons),
            keymap: self.keymap.or(weaker.keymap),
            navigator: self.navigator.or(weaker.navigator),
            mouse: self.mouse.or(weaker.mouse),
            motion: self.motion.or(weaker.motion),
            // What the system's file forbids is not allowed by the user's.
            read_only: self.read_only.max(weaker.read_only),
        }
    }

    /// Joins it with what flags and environment say.
    pub(super) fn into_ui(self, flags: &Flags, environment: &Environment) -> Ui {
        let is_remote = ["SSH_CONNECTION", "SSH_TTY"].iter().any(|name| environment.get(name).is_some());
        Ui {
            theme: environment.text("HOIST_THEME").or(self.theme),
            no_color: environment.get("NO_COLOR").is_some(),
            icons: self.icons,
            keymap: self.keymap.unwrap_or_default(),
            navigator: self.navigator.unwrap_or_default(),
            mouse: self.mouse.unwrap_or(true),
            motion: self.motion.unwrap_or(!is_remote),
            read_only: flags.read_only || self.read_only.unwrap_or(false),
            ..Ui::default()
        }
    }
}

/// The form of a `[[command]]` in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CommandSection {
    name: String,
    key: Spanned<String>,
    place: Spanned<String>,
    run: Spanned<Line>,
    #[serde(default, rename = "where")]
    whither: Whither,
    #[serde(default)]
    confirm: bool,
}

impl CommandSection {
    /// The command, with the places in the file.
    pub(super) fn into_command(self, path: &Path, text: &str) -> Custom {
        fn placed<T>(spanned: Spanned<T>, path: &Path, text: &str) -> (T, At) {
            let spot = Spot::of(text, spanned.span().start);
            (spanned.into_inner(), At { file: path.to_owned(), spot })
        }
        Custom {
            name: self.name,
            key: placed(self.key, path, text),
            place: placed(self.place, path, text),
            run: placed(self.run, path, text),
            whither: self.whither,
            confirm: self.confirm,
        }
    }
}
