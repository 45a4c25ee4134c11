//! `[ui]` and `[[command]]`: how the terminal UI looks and behaves, and the user's commands.
//!
//! Only the terminal UI can validate key and table names. They are passed on with their positions
//! in the file, so that its messages can refer to them.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_spanned::Spanned;

use super::{At, Environment, Flags, Spot};

/// The settings of the terminal UI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ui {
    /// The name of a built-in theme, or of one in `<config folder>/themes`.
    pub theme: Option<String>,
    /// Whether `NO_COLOR` is set.
    pub no_color: bool,
    /// The icon set; by default what the terminal supports.
    pub icons: Option<Icons>,
    /// The preset that the user's own keymap overrides.
    pub keymap: Preset,
    /// When to show the navigator beside the list.
    pub navigator: Navigator,
    /// Whether hoist handles the mouse.
    pub mouse: bool,
    /// Whether spinners and flashes are shown; off by default over SSH.
    pub motion: bool,
    /// Whether changes to containers, images and everything else are disabled.
    pub read_only: bool,
    /// The user's own commands.
    pub commands: Vec<Custom>,
    /// The folder of the user's keymap and themes.
    pub folder: Option<PathBuf>,
    /// The folder of the state that the terminal UI remembers.
    pub state: Option<PathBuf>,
    /// The configuration files, whether or not they exist.
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

/// The icon set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Icons {
    /// `● ━ ▅`
    #[default]
    Unicode,
    /// `* = +`: ASCII only.
    Ascii,
    /// Icons of the Nerd Fonts where available, otherwise as Unicode.
    Nerd,
}

/// When to show the navigator beside the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Navigator {
    /// On wide terminals.
    #[default]
    Auto,
    /// Whenever there is room for it.
    On,
    /// Never.
    Off,
}

/// A keymap preset.
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

/// A user-defined command that is bound to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    /// Its name in the help.
    pub name: String,
    /// Its key as in the keymap, with the position in the file.
    pub key: (String, At),
    /// The keymap table of its key, with the position in the file.
    pub place: (String, At),
    /// The command line, with the position in the file.
    pub run: (Line, At),
    /// Where it is run.
    pub whither: Whither,
    /// Whether to run it in a terminal pane, with the position in the file.
    pub pane: Option<(bool, At)>,
    /// Asks for confirmation first.
    pub confirm: bool,
    /// Whether it changes nothing, so that it can be run in read-only mode.
    pub is_read_only: bool,
}

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// A line for the shell, or for hoist's own command line.
    Shell(String),
    /// A program and its arguments, run without a shell.
    Words(Vec<String>),
}

/// Where a command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whither {
    /// On the host: in the terminal that hoist runs in, or in a pane.
    #[default]
    Host,
    /// In the container, in a terminal pane.
    Container,
    /// On hoist's own command line.
    Hoist,
}

/// The format of `[ui]` in the file.
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
    /// Takes missing settings from a file with lower precedence.
    pub(super) fn or(self, weaker: Self) -> Self {
        Self {
            theme: self.theme.or(weaker.theme),
            icons: self.icons.or(weaker.icons),
            keymap: self.keymap.or(weaker.keymap),
            navigator: self.navigator.or(weaker.navigator),
            mouse: self.mouse.or(weaker.mouse),
            motion: self.motion.or(weaker.motion),
            // The user's file cannot allow what the system's file forbids.
            read_only: self.read_only.max(weaker.read_only),
        }
    }

    /// Applies flags and environment variables.
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

/// The format of a `[[command]]` in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CommandSection {
    name: String,
    key: Spanned<String>,
    place: Spanned<String>,
    run: Spanned<Line>,
    #[serde(default, rename = "where")]
    whither: Whither,
    pane: Option<Spanned<bool>>,
    #[serde(default)]
    confirm: bool,
    #[serde(default)]
    read_only: bool,
}

impl CommandSection {
    /// Converts it to a command with positions in the file.
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
            pane: self.pane.map(|pane| placed(pane, path, text)),
            confirm: self.confirm,
            is_read_only: self.read_only,
        }
    }
}
