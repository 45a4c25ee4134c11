//! Themes: colour *roles*, read from `themes/*.toml`, fitted to what the terminal can show.
//!
//! A role is a style in words: `#7fc98a`, `on #263043`, `green`, `bold`, `bright-black dim`.

use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use toml_edit::Document;

/// The themes hoist ships, the default first.
pub const SHIPPED: &[&str] = &[
    include_str!("../../themes/midnight.toml"),
    include_str!("../../themes/paper.toml"),
    include_str!("../../themes/ansi.toml"),
    include_str!("../../themes/mono.toml"),
];

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// None wished (`NO_COLOR`) or possible.
    None,
    /// The sixteen of the terminal.
    Ansi,
    /// The 6×6×6 cube and the greys.
    #[default]
    Indexed,
    /// 24 bits.
    True,
}

macro_rules! roles {
    ($($role:ident)*) => {
        /// A style a role.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the roles' names say it")]
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

roles! { bg surface overlay text dim accent ok warn err info sel mark g1 g2 g3 g4 }

/// A theme that cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("it is not TOML")]
    Toml(#[from] toml_edit::TomlError),
    #[error("it has no name")]
    Name,
    #[error("`{role}` is not a role: want {roles}", role = .0, roles = ROLES.join(", "))]
    Role(String),
    #[error("the role `{0}` is missing")]
    Missing(&'static str),
    #[error("`{word}` of the role `{role}` is neither a colour nor a weight")]
    Word { role: String, word: String },
    #[error("no theme is called `{0}`")]
    Unknown(String),
}

impl Theme {
    /// Reads a theme and fits its colours to the terminal's.
    ///
    /// # Errors
    ///
    /// When it is not TOML, or a role is missing, unknown, or in unknown words.
    pub fn read(text: &str, depth: Depth) -> Result<Self, Error> {
        let document = Document::parse(text)?;
        let name = document.get("name").and_then(|item| item.as_str()).ok_or(Error::Name)?;
        let mut theme = Self { name: name.to_owned(), ..Self::default() };
        let roles = document.get("roles").and_then(|item| item.as_table_like());
        for (role, item) in roles.into_iter().flat_map(|table| table.iter()) {
            let words = item.as_str().unwrap_or_default();
            let style = parse_style(role, words, depth)?;
            *theme.role_mut(role).ok_or_else(|| Error::Role(role.to_owned()))? = style;
        }
        for role in ROLES {
            if !roles.is_some_and(|table| table.contains_key(role)) {
                return Err(Error::Missing(role));
            }
        }
        for surface in [&mut theme.bg, &mut theme.surface, &mut theme.overlay] {
            *surface = Style { fg: None, bg: surface.fg.or(surface.bg), ..*surface };
        }
        Ok(theme)
    }

    /// The shipped theme called `name`; `mono` when the terminal shall have no colours.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn shipped(name: &str, depth: Depth) -> Result<Self, Error> {
        let name = if depth == Depth::None { "mono" } else { name };
        for text in SHIPPED {
            let theme = Self::read(text, depth)?;
            if theme.name == name {
                return Ok(theme);
            }
        }
        Err(Error::Unknown(name.to_owned()))
    }

    /// The shipped theme after the one called `name`.
    ///
    /// # Errors
    ///
    /// Never with the shipped themes as they are: a test reads them all.
    pub fn after(name: &str, depth: Depth) -> Result<Self, Error> {
        let themes: Vec<Self> =
            SHIPPED.iter().map(|text| Self::read(text, depth)).collect::<Result<_, _>>()?;
        let at = themes.iter().position(|theme| theme.name == name).unwrap_or(0);
        themes.into_iter().cycle().nth(at + 1).ok_or_else(|| Error::Unknown(name.to_owned()))
    }
}

fn parse_style(role: &str, words: &str, depth: Depth) -> Result<Style, Error> {
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
                let bad = |_| Error::Word { role: role.to_owned(), word: word.to_owned() };
                let color = fit(Color::from_str(&word.replace('-', "")).map_err(bad)?, depth);
                match (color, background) {
                    (None, _) => {}
                    (Some(color), false) => style.fg = Some(color),
                    (Some(color), true) => style.bg = Some(color),
                }
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    // A selection that is only a background would be invisible without it.
    if background && style.bg.is_none() {
        style = style.add_modifier(Modifier::REVERSED);
    }
    Ok(style)
}

/// The nearest colour the terminal has.
fn fit(color: Color, depth: Depth) -> Option<Color> {
    match (depth, color) {
        (Depth::None, _) => None,
        (Depth::Ansi, Color::Rgb(r, g, b)) => Some(nearest_ansi(r, g, b)),
        (Depth::Indexed, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_index(r, g, b))),
        _ => Some(color),
    }
}

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

/// In the cube of colours 16…231 and the greys 232…255: the first sixteen are the user's.
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

/// The usual values of the sixteen; users choose their own, but not very other ones.
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
            let _ = ansi;
        }
        assert_eq!(fit(Color::Rgb(255, 0, 0), Depth::Ansi), Some(Color::Red));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("[roles]", "it has no name"),
            (
                "name = \"x\"\n[roles]\nbg = \"blurple\"",
                "`blurple` of the role `bg` is neither a colour nor a weight",
            ),
            ("name = \"x\"\n[roles]\nfg = \"red\"", "`fg` is not a role"),
            ("name = \"x\"\n[roles]\nbg = \"red\"", "the role `surface` is missing"),
        ] {
            let error = Theme::read(text, Depth::True).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
