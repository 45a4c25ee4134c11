//! The appearance of the screen and its configuration.

use serde::{Deserialize, Serialize};

use crate::config::{Custom, Icons, Navigator, Preset};
use crate::tui::theme::{DARK, Depth, LIGHT, Theme, Themes};

/// Whether a terminal's background is light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Ground {
    Dark,
    Light,
}

impl Ground {
    /// Classifies a colour whose components range from 0 to 65535.
    #[must_use]
    pub fn of(red: u16, green: u16, blue: u16) -> Self {
        let bright = 2126 * u64::from(red) + 7152 * u64::from(green) + 722 * u64::from(blue);
        if bright > 10_000 * 0x8000 { Self::Light } else { Self::Dark }
    }
}

/// A theme that was chosen in the picker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chosen {
    /// Its name.
    pub theme: String,
    /// The theme that was configured when it was chosen.
    pub instead_of: Option<String>,
}

/// The appearance of the screen.
#[derive(Debug, Clone)]
pub struct Look {
    /// All themes.
    pub themes: Themes,
    /// The theme in the configuration.
    pub theme: Option<String>,
    /// The terminal's background, if it reported one.
    pub ground: Option<Ground>,
    /// The set of symbols.
    pub icons: Icons,
    /// Whether the set is not configured, so that it depends on the terminal.
    pub icons_are_free: bool,
    /// The terminal does not draw hoist's symbols one column wide, or its locale has another
    /// character set.
    pub lacks_unicode: bool,
    /// The user's own commands.
    pub commands: Vec<Custom>,
    /// The preset that the user's keymap is applied to.
    pub keymap: Preset,
    /// Whether the navigator is shown beside the list.
    pub navigator: Navigator,
    /// Whether spinners and flashes are enabled.
    pub motion: bool,
    /// Whether hoist captures the mouse.
    pub mouse: bool,
    /// Whether hoist is in read-only mode.
    pub is_read_only: bool,
    /// Whether read-only mode was requested at the start or by the configuration, and cannot be
    /// turned off.
    pub must_be_read_only: bool,
}

impl Look {
    /// Returns the defaults, with the shipped themes.
    #[must_use]
    pub fn new(depth: Depth) -> Self {
        Self {
            themes: Themes::of_hoist(depth),
            theme: None,
            ground: None,
            icons: Icons::Unicode,
            icons_are_free: true,
            lacks_unicode: false,
            commands: Vec::new(),
            keymap: Preset::Default,
            navigator: Navigator::Auto,
            motion: true,
            mouse: true,
            is_read_only: false,
            must_be_read_only: false,
        }
    }

    /// Returns the theme that was chosen in the picker, unless the configuration changed since
    /// then.
    #[must_use]
    pub fn chosen<'a>(&self, chosen: Option<&'a Chosen>) -> Option<&'a str> {
        let chosen = chosen.filter(|chosen| chosen.instead_of == self.theme);
        chosen.map(|chosen| chosen.theme.as_str())
    }

    /// Returns the initial theme: the one that was `chosen` in the picker, otherwise the configured
    /// one, otherwise the one for the terminal's background. The second value is a name that no
    /// theme has.
    #[must_use]
    pub fn begin(&self, chosen: Option<&str>) -> (Theme, Option<String>) {
        let default = if self.ground == Some(Ground::Light) { LIGHT } else { DARK };
        let wished = chosen.or(self.theme.as_deref());
        let found = wished.and_then(|name| self.themes.named(name));
        let missing = wished.filter(|_| found.is_none()).map(str::to_owned);
        let theme = found.or_else(|| self.themes.named(default)).or(self.themes.all().first());
        (theme.cloned().unwrap_or_default(), missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_background_is_light_or_dark() {
        for (red, green, blue, ground) in [
            (0, 0, 0, Ground::Dark),
            (0xffff, 0xffff, 0xffff, Ground::Light),
            (0x1e1e, 0x1e1e, 0x2e2e, Ground::Dark),
            (0xfdfd, 0xf6f6, 0xe3e3, Ground::Light),
            (0, 0, 0xffff, Ground::Dark),
        ] {
            assert_eq!(Ground::of(red, green, blue), ground);
        }
    }

    #[test]
    fn what_is_said_last_decides_about_the_theme() {
        let mut look = Look::new(Depth::True);
        let name = |look: &Look, chosen| look.begin(chosen).0.name;
        assert_eq!(name(&look, None), "midnight");
        look.ground = Some(Ground::Light);
        assert_eq!(name(&look, None), "paper");
        look.theme = Some("ansi".to_owned());
        assert_eq!(name(&look, None), "ansi");
        assert_eq!(name(&look, Some("rose-pine")), "rose-pine");
        let (theme, missing) = look.begin(Some("gone"));
        assert_eq!((theme.name.as_str(), missing.as_deref()), ("paper", Some("gone")));
        assert_eq!(name(&Look::new(Depth::None), Some("rose-pine")), "mono");
    }
}
