//! Themes: colour *roles*, read from `themes/*.toml` and adapted to the colours of the terminal.
//!
//! A role is a style in words: `#7fc98a`, `on #263043`, `green`, `bold`, `bright-black dim`.
//! A user's file replaces the shipped theme of the same name.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use ratatui::style::{Color, Modifier, Style};
use toml_edit::Document;

use crate::base::text::brief;
use crate::config::Spot;

/// The shipped themes, the default first.
pub const SHIPPED: &[&str] = &[
    include_str!("../../themes/midnight.toml"),
    include_str!("../../themes/paper.toml"),
    include_str!("../../themes/ansi.toml"),
    include_str!("../../themes/mono.toml"),
    include_str!("../../themes/high-contrast.toml"),
    include_str!("../../themes/catppuccin-mocha.toml"),
    include_str!("../../themes/gruvbox-dark.toml"),
    include_str!("../../themes/rose-pine.toml"),
];

/// The default theme on a dark or unknown background.
pub const DARK: &str = "midnight";

/// The default theme on a light background.
pub const LIGHT: &str = "paper";

/// The theme without colours.
const COLOURLESS: &str = "mono";

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// No colours, either by choice (`NO_COLOR`) or because the terminal has none.
    None,
    /// The 16 colours of the terminal.
    Ansi,
    /// The 6×6×6 cube and the greys.
    #[default]
    Indexed,
    /// 24 bits.
    True,
}

macro_rules! roles {
    ($($role:ident)*) => {
        /// A style for each role.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the roles' names say it")]
        pub struct Theme {
            pub name: String,
            $(pub $role: Style,)*
        }

        const ROLES: &[&str] = &[$(stringify!($role),)*];

        impl Theme {
            fn role_mut(&mut self, name: &str) -> Option<&mut Style> {
                match name {
                    $(stringify!($role) => Some(&mut self.$role),)*
                    _ => None,
                }
            }
        }
    };
}

roles! { bg overlay text dim accent ok warn err info sel mark g1 g2 g3 g4 }

/// An error in a theme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Fault {
    #[error("{0}")]
    Toml(String),
    #[error("it has no name")]
    Name,
    #[error("`{0}` is not valid here: expected `name` or `[roles]`")]
    Key(String),
    #[error("`{role}` is not a role: expected one of {roles}", role = .0, roles = ROLES.join(", "))]
    Role(String),
    #[error("the role `{0}` is missing")]
    Missing(&'static str),
    #[error("the role `{0}` is not a string")]
    Text(String),
    #[error("`{word}` in the role `{role}` is not a color or a style")]
    Word { role: String, word: String },
    #[error("no such theme: {0}")]
    Unknown(String),
}

/// A theme error with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    spot: Option<Spot>,
    fault: Fault,
}

impl Error {
    /// Returns the error for a name that no theme has.
    #[must_use]
    pub fn unknown(name: &str) -> Self {
        Self { spot: None, fault: Fault::Unknown(name.to_owned()) }
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(spot) = self.spot {
            write!(f, "{spot}: ")?;
        }
        f.write_str(&brief(&self.fault.to_string()))
    }
}

impl std::error::Error for Error {}

impl Theme {
    /// Parses a theme and adapts its colours to the terminal.
    ///
    /// # Errors
    ///
    /// Fails if the text is not valid TOML, or a role is missing, unknown or invalid.
    pub fn read(text: &str, depth: Depth) -> Result<Self, Error> {
        let at = |span: Option<std::ops::Range<usize>>, fault: Fault| Error {
            spot: span.map(|span| Spot::of(text, span.start)),
            fault,
        };
        let document = Document::parse(text)
            .map_err(|error| at(error.span(), Fault::Toml(error.message().replace('\n', ", "))))?;
        let mut theme = Self::default();
        for (key, item) in document.iter() {
            match (key, item.as_str(), item.as_table_like()) {
                ("name", Some(name), _) => name.clone_into(&mut theme.name),
                ("roles", _, Some(_)) => {}
                _ => {
                    return Err(at(document.key(key).and_then(|key| key.span()), Fault::Key(key.to_owned())));
                }
            }
        }
        if theme.name.is_empty() {
            return Err(at(None, Fault::Name));
        }
        let roles = document.get("roles").and_then(|item| item.as_table_like());
        for (role, item) in roles.into_iter().flat_map(|table| table.iter()) {
            let key = roles.and_then(|table| table.key(role)).and_then(|key| key.span());
            let words = item.as_str().ok_or_else(|| at(item.span(), Fault::Text(role.to_owned())))?;
            let style = parse_style(role, words, depth).map_err(|fault| at(item.span(), fault))?;
            *theme.role_mut(role).ok_or_else(|| at(key, Fault::Role(role.to_owned())))? = style;
        }
        for role in ROLES {
            if !roles.is_some_and(|table| table.contains_key(role)) {
                return Err(at(None, Fault::Missing(role)));
            }
        }
        for surface in [&mut theme.bg, &mut theme.overlay] {
            *surface = Style { fg: None, bg: surface.fg.or(surface.bg), ..*surface };
        }
        Ok(theme)
    }

    /// Whether the selection is shown by reversing colours instead of a background.
    #[must_use]
    pub fn reverses(&self) -> bool {
        self.sel.add_modifier.contains(Modifier::REVERSED)
    }

    /// Returns the shipped theme called `name`, or `mono` if the terminal shows no colours.
    ///
    /// # Errors
    ///
    /// Fails if there is no theme with this name.
    pub fn shipped(name: &str, depth: Depth) -> Result<Self, Error> {
        Themes::of_hoist(depth).named(name).cloned().ok_or_else(|| Error::unknown(name))
    }
}

/// All themes, adapted to the terminal.
#[derive(Debug, Clone)]
pub struct Themes {
    list: Vec<Theme>,
}

impl Themes {
    /// Returns the shipped themes, all of which are valid (checked by a test). Without colours
    /// there is only one.
    #[must_use]
    pub fn of_hoist(depth: Depth) -> Self {
        static READ: [OnceLock<Themes>; 4] = [const { OnceLock::new() }; 4];
        READ[depth as usize].get_or_init(|| Self::read_shipped(depth)).clone()
    }

    fn read_shipped(depth: Depth) -> Self {
        let themes = SHIPPED.iter().filter_map(|text| Theme::read(text, depth).ok());
        let is_shown = |theme: &Theme| depth != Depth::None || theme.name == COLOURLESS;
        Self { list: themes.filter(is_shown).collect() }
    }

    /// Adds a user's theme, replacing one with the same name. Without colours, only `mono` can be
    /// replaced.
    pub fn put(&mut self, theme: Theme) {
        let has_colours = self.has_colours();
        match self.list.iter_mut().find(|old| old.name == theme.name) {
            Some(old) => *old = theme,
            None if has_colours => self.list.push(theme),
            None => {}
        }
    }

    /// Adds the previous version of a theme, unless there is one with its name.
    pub fn put_old(&mut self, theme: Option<&Theme>) {
        if let Some(theme) = theme.filter(|old| self.list.iter().all(|theme| theme.name != old.name)) {
            self.put(theme.clone());
        }
    }

    /// Returns all themes: the shipped ones first, then the user's.
    #[must_use]
    pub fn all(&self) -> &[Theme] {
        &self.list
    }

    /// Returns the theme with this name; always `mono` if the terminal shows no colours.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Theme> {
        let name = if self.has_colours() { name } else { COLOURLESS };
        self.list.iter().find(|theme| theme.name == name)
    }

    /// Whether the terminal shows colours.
    #[must_use]
    pub fn has_colours(&self) -> bool {
        self.list.len() > 1
    }
}

fn parse_style(role: &str, words: &str, depth: Depth) -> Result<Style, Fault> {
    let mut style = Style::default();
    let mut background = false;
    for word in words.split_whitespace() {
        let modifier = match word {
            "on" => {
                background = true;
                continue;
            }
            "default" => continue,
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underline" => Modifier::UNDERLINED,
            "reverse" => Modifier::REVERSED,
            _ => {
                let bad = |_| Fault::Word { role: role.to_owned(), word: word.to_owned() };
                let color = Color::from_str(&word.replace('-', "")).map_err(bad)?;
                let is_tint = matches!(color, Color::Rgb(..) | Color::Indexed(16..));
                match (fit(color, depth), background) {
                    (None, _) => {}
                    // Sixteen colours have no tints: the nearest one can be that of a text.
                    (Some(_), true) if is_tint && role == "sel" && depth == Depth::Ansi => {}
                    (Some(color), false) => style.fg = Some(color),
                    (Some(color), true) => style.bg = Some(color),
                }
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    // Otherwise, a selection that only sets a background would be invisible.
    if background && style.bg.is_none() {
        style = style.add_modifier(Modifier::REVERSED);
    }
    Ok(style)
}

/// Returns the nearest colour that the terminal has.
fn fit(color: Color, depth: Depth) -> Option<Color> {
    match (depth, color) {
        (Depth::None, _) => None,
        (Depth::Ansi, Color::Rgb(r, g, b)) => Some(nearest_ansi(r, g, b)),
        (Depth::Ansi, Color::Indexed(index @ 16..)) => {
            let [r, g, b] = indexed(index);
            Some(nearest_ansi(r, g, b))
        }
        (Depth::Indexed, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_index(r, g, b))),
        _ => Some(color),
    }
}

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

/// Returns the nearest colour from the cube 16…231 and the greys 232…255. The first 16 are not
/// used, because users change them.
fn nearest_index(r: u8, g: u8, b: u8) -> u8 {
    let step = |value: u8| {
        let near = CUBE.iter().enumerate().min_by_key(|(_, level)| level.abs_diff(value));
        near.map_or((0, 0), |(at, level)| (u8::try_from(at).unwrap_or(0), *level))
    };
    let ((ri, rl), (gi, gl), (bi, bl)) = (step(r), step(g), step(b));
    let cube = (16 + 36 * ri + 6 * gi + bi, distance([r, g, b], [rl, gl, bl]));
    let grey = (0..24_u8)
        .map(|at| (232 + at, distance([r, g, b], [8 + 10 * at; 3])))
        .min_by_key(|(_, far)| *far)
        .unwrap_or(cube);
    if grey.1 < cube.1 { grey.0 } else { cube.0 }
}

/// Returns a colour of the cube or a grey, 16…255.
fn indexed(index: u8) -> [u8; 3] {
    match index.saturating_sub(16) {
        at @ ..216 => [at / 36, at / 6 % 6, at % 6].map(|level| CUBE[usize::from(level)]),
        at => [8 + 10 * (at - 216); 3],
    }
}

/// Returns the nearest of the 16 colours by their usual values; those that users choose are rarely
/// far from them.
fn nearest_ansi(r: u8, g: u8, b: u8) -> Color {
    const ANSI: [(Color, [u8; 3]); 14] = [
        (Color::Red, [205, 49, 49]),
        (Color::Green, [13, 188, 121]),
        (Color::Yellow, [229, 229, 16]),
        (Color::Blue, [36, 114, 200]),
        (Color::Magenta, [188, 63, 188]),
        (Color::Cyan, [17, 168, 205]),
        (Color::Gray, [229, 229, 229]),
        (Color::DarkGray, [102, 102, 102]),
        (Color::LightRed, [241, 76, 76]),
        (Color::LightGreen, [35, 209, 139]),
        (Color::LightBlue, [59, 142, 234]),
        (Color::LightMagenta, [214, 112, 214]),
        (Color::White, [255, 255, 255]),
        (Color::Black, [0, 0, 0]),
    ];
    let near = ANSI.iter().min_by_key(|(_, rgb)| distance(*rgb, [r, g, b]));
    near.map_or(Color::Reset, |(color, _)| *color)
}

/// Returns the contrast between two colours as defined by WCAG; `None` if the terminal determines a
/// colour.
#[cfg(test)]
pub(super) fn contrast(text: Option<Color>, ground: Option<Color>) -> Option<f64> {
    let luminance = |color: Color| {
        let Color::Rgb(r, g, b) = color else { return None };
        let part = |value: u8| {
            let share = f64::from(value) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        Some(0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b))
    };
    let (one, other) = (luminance(text?)?, luminance(ground?)?);
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_is_whole_at_every_depth() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/themes")).unwrap().count();
        assert_eq!(files, SHIPPED.len(), "a theme file is not in the list");
        for depth in [Depth::None, Depth::Ansi, Depth::Indexed, Depth::True] {
            for text in SHIPPED {
                let theme = Theme::read(text, depth).unwrap();
                assert_eq!(Theme::shipped(&theme.name, Depth::True).unwrap().name, theme.name);
            }
        }
    }

    #[test]
    fn the_themes_and_roles_in_the_documentation_are_those_there_are() {
        let text = include_str!("../../docs/themes.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
        let cells: Vec<&str> = rows.map(|(cell, _)| cell).collect();
        let named: Vec<&str> = cells.iter().flat_map(|cell| cell.split('`').step_by(2)).collect();
        for name in
            ROLES.iter().copied().chain(Themes::of_hoist(Depth::True).all().iter().map(|it| it.name.as_str()))
        {
            assert!(named.contains(&name), "docs/themes.md lacks `{name}`");
        }
        // The words of styles are each understood.
        let (_, styles) = text.split_once("\n## Styles\n").unwrap();
        for row in styles.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |")) {
            for word in row.0.split('`').step_by(2).filter(|word| word.chars().any(char::is_alphanumeric)) {
                assert!(parse_style("text", word, Depth::True).is_ok(), "{word}");
            }
        }
        let (_, own) = text.split_once("```toml\n").unwrap();
        let theme = Theme::read(own.split("```").next().unwrap(), Depth::True).unwrap();
        assert_eq!((theme.name.as_str(), theme.ok.fg), ("harbor", Some(Color::Green)));
    }

    #[test]
    fn no_colour_means_no_colour() {
        let theme = Theme::shipped("midnight", Depth::None).unwrap();
        assert_eq!(theme.name, "mono");
        assert_eq!((theme.err.fg, theme.bg.bg), (None, None));
        assert!(theme.sel.add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn colours_are_fitted_to_the_terminal() {
        for (rgb, index, ansi) in [
            ("#ff0000", 196, Color::Red),
            ("#808080", 244, Color::DarkGray),
            ("#12151c", 233, Color::Black),
            ("#7fc98a", 114, Color::LightGreen),
        ] {
            let color = Color::from_str(rgb).unwrap();
            assert_eq!(fit(color, Depth::Indexed), Some(Color::Indexed(index)), "{rgb}");
            assert_eq!(fit(color, Depth::Ansi), Some(ansi), "{rgb}");
            assert_eq!(fit(Color::Indexed(index), Depth::Ansi), Some(ansi), "{index}");
        }
        assert_eq!(fit(Color::Indexed(3), Depth::Ansi), Some(Color::Indexed(3)));
    }

    #[test]
    fn with_sixteen_colours_a_tinted_selection_is_reversed() {
        for (words, is_reversed) in [("on #263043", true), ("on 236", true), ("on blue", false)] {
            let style = parse_style("sel", words, Depth::Ansi).unwrap();
            assert_eq!(style.add_modifier.contains(Modifier::REVERSED), is_reversed, "{words}");
            assert_eq!(style.bg.is_some(), !is_reversed, "{words}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, message) in [
            ("[roles]", "it has no name"),
            (
                "name = \"x\"\n[roles]\nbg = \"blurple\"",
                "line 3, column 6: `blurple` in the role `bg` is not a color or a style",
            ),
            ("name = \"x\"\n[roles]\nfg = \"red\"", "line 3, column 1: `fg` is not a role"),
            ("name = \"x\"\n[roles]\nbg = 3", "line 3, column 6: the role `bg` is not a string"),
            ("name = \"x\"\n[role]\nbg = \"red\"", "line 2, column 2: `role` is not valid here"),
            ("name = \"x\"\n[roles]\nbg = \"red\"", "the role `overlay` is missing"),
            ("name = \"x\"\nroles", "line 2, column 6: "),
        ] {
            let error = Theme::read(text, Depth::True).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let long = "x".repeat(100_000);
        for text in [format!("{long} = 1"), format!("name = \"x\"\n[roles]\nbg = \"{long}\""), long.clone()] {
            let error = Theme::read(&text, Depth::True).unwrap_err().to_string();
            assert!(error.len() < 1000, "{} bytes", error.len());
        }
    }

    #[test]
    fn every_word_can_be_read_in_every_theme() {
        let least = |name: &str| if name == "high-contrast" { 7.0 } else { 4.5 };
        let mut measured = 0;
        for theme in Themes::of_hoist(Depth::True).all() {
            let roles = [
                ("text", theme.text),
                ("dim", theme.dim),
                ("accent", theme.accent),
                ("ok", theme.ok),
                ("warn", theme.warn),
                ("err", theme.err),
                ("info", theme.info),
                ("mark", theme.mark),
            ];
            for (ground, style) in [("bg", theme.bg), ("overlay", theme.overlay)] {
                for (role, text) in roles {
                    let Some(contrast) = contrast(text.fg, style.bg) else { continue };
                    measured += 1;
                    let name = &theme.name;
                    assert!(contrast >= least(name), "{name}: {role} on {ground} has {contrast:.2}:1");
                }
            }
            let selected = contrast(theme.text.fg, theme.sel.bg);
            assert!(selected.is_none_or(|contrast| contrast >= 4.5), "{}: {selected:?}", theme.name);
        }
        assert_eq!(measured, 6 * 2 * 8, "themes whose colours are absolute");
    }

    #[test]
    fn a_theme_of_the_users_stands_for_a_shipped_one_or_beside_them() {
        let mut themes = Themes::of_hoist(Depth::True);
        let count = themes.all().len();
        let own = SHIPPED[0].replace("#12151c", "#000000");
        themes.put(Theme::read(&own, Depth::True).unwrap());
        themes.put(Theme::read(&own.replace("midnight", "mine"), Depth::True).unwrap());
        assert_eq!(themes.all().len(), count + 1);
        assert_eq!(themes.named("midnight").unwrap().bg.bg, Some(Color::Rgb(0, 0, 0)));
        assert_eq!(themes.named("mine").unwrap().bg.bg, Some(Color::Rgb(0, 0, 0)));
        assert!(themes.named("yours").is_none());
        let mut none = Themes::of_hoist(Depth::None);
        none.put(Theme::read(&own, Depth::None).unwrap());
        assert_eq!((none.all().len(), none.named("midnight").unwrap().name.as_str()), (1, "mono"));
    }
}
