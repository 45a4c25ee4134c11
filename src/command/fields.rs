//! The options of `run` as the rows of a form.
//!
//! A group's rows stand with its words; those that belong to no group stand here. Each says where
//! it stands among all of them, and what is known of the option's values.

use std::sync::LazyLock;

use super::{NameKind, options};

/// A group of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Section {
    General,
    Env,
    Mounts,
    Network,
    Resources,
    Security,
    Labels,
    Advanced,
}

impl Section {
    /// In the order they are shown.
    pub const ALL: [Self; 8] = [
        Self::General,
        Self::Env,
        Self::Mounts,
        Self::Network,
        Self::Resources,
        Self::Security,
        Self::Labels,
        Self::Advanced,
    ];

    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Env => "Env",
            Self::Mounts => "Mounts",
            Self::Network => "Network",
            Self::Resources => "Resources",
            Self::Security => "Security",
            Self::Labels => "Labels",
            Self::Advanced => "Advanced",
        }
    }

    /// The places of its fields in [`FIELDS`].
    #[must_use]
    pub fn fields(self) -> Vec<usize> {
        let is_in = |place: &usize| FIELDS.get(*place).is_some_and(|field| field.sections.contains(&self));
        let places = (0..FIELDS.len()).filter(is_in);
        // Switches share lines, below the others.
        let (switches, typed): (Vec<_>, Vec<_>) = places.partition(|place| FIELDS[*place].is_switch());
        [typed, switches].concat()
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The image.
    Image,
    /// What runs in it, behind the image.
    Command,
    /// Any further options, as on the command line.
    Flags,
    /// The value of an option.
    One(&'static str),
    /// The values of an option, separated by blanks as on the command line.
    Many(&'static str),
    /// An option that is on or off.
    Switch(&'static str),
    /// Whether a terminal is opened afterwards.
    Opens,
}

/// What an option's value can be, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Nothing is known of them.
    Any,
    /// There are few.
    Few(&'static [&'static str]),
    /// Names of this kind.
    Names(NameKind),
}

/// One field, and with it the option that it stands for.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Where it stands among all, and its words in the line.
    rank: u16,
    /// What stands before it.
    pub label: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Where it is shown.
    pub sections: &'static [Section],
    /// What to type, while nothing is typed.
    pub hint: &'static str,
    /// What its value can be.
    pub values: Values,
    /// Whether an empty value counts as none, as Docker has it.
    pub(super) empty_is_none: bool,
}

impl Field {
    const fn new(
        rank: u16,
        label: &'static str,
        kind: Kind,
        sections: &'static [Section],
        hint: &'static str,
    ) -> Self {
        Self { rank, label, kind, sections, hint, values: Values::Any, empty_is_none: false }
    }

    /// An option with one value.
    pub(super) const fn one(
        rank: u16,
        label: &'static str,
        flag: &'static str,
        sections: &'static [Section],
        hint: &'static str,
    ) -> Self {
        Self::new(rank, label, Kind::One(flag), sections, hint)
    }

    /// An option with several values.
    pub(super) const fn many(
        rank: u16,
        label: &'static str,
        flag: &'static str,
        sections: &'static [Section],
        hint: &'static str,
    ) -> Self {
        Self::new(rank, label, Kind::Many(flag), sections, hint)
    }

    /// An option that is on or off.
    pub(super) const fn switch(
        rank: u16,
        label: &'static str,
        flag: &'static str,
        sections: &'static [Section],
    ) -> Self {
        Self::new(rank, label, Kind::Switch(flag), sections, "")
    }

    /// The same with the few values there are.
    pub(super) const fn few(self, values: &'static [&'static str]) -> Self {
        Self { values: Values::Few(values), ..self }
    }

    /// The same with what its value names.
    pub(super) const fn names(self, kind: NameKind) -> Self {
        Self { values: Values::Names(kind), ..self }
    }

    /// The same, whose empty value counts as none.
    pub(super) const fn optional(self) -> Self {
        Self { empty_is_none: true, ..self }
    }

    /// Whether it is switched, not typed.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        matches!(self.kind, Kind::Switch(_) | Kind::Opens)
    }

    /// The option it stands for.
    #[must_use]
    pub fn flag(&self) -> Option<&'static str> {
        match self.kind {
            Kind::One(flag) | Kind::Many(flag) | Kind::Switch(flag) => Some(flag),
            Kind::Image | Kind::Command | Kind::Flags | Kind::Opens => None,
        }
    }
}

use Section as S;

/// What is the command's, not the container's.
const OWN: &[Field] = &[
    Field::switch(10, "detach", "detach", &[S::General]),
    Field::switch(80, "quiet pull", "quiet", &[S::Advanced]),
    Field::switch(90, "signals go on", "sig-proxy", &[S::Advanced]),
    Field::new(100, "open terminal", Kind::Opens, &[S::General], ""),
    Field::new(110, "Image", Kind::Image, &[S::General], "name, name:tag or id"),
    Field::one(120, "Name", "name", &[S::General], "chosen by hoist").optional(),
    Field::new(130, "Command", Kind::Command, &[S::General], "the image's own"),
    Field::one(380, "Pull", "pull", &[S::Advanced], "missing")
        .few(&["missing", "always", "never"])
        .optional(),
    Field::one(440, "Id file", "cidfile", &[S::Advanced], "where the id is written")
        .names(NameKind::File)
        .optional(),
    Field::one(460, "Detach keys", "detach-keys", &[S::Advanced], "ctrl-p,ctrl-q").optional(),
    Field::new(470, "More flags", Kind::Flags, &[S::Advanced], "as on the command line"),
];

/// Every field, in the order of the words they make.
pub static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let mut fields = [OWN, &options::FIELDS.concat()].concat();
    fields.sort_by_key(|field| field.rank);
    fields
});

/// The field of the option called `long`.
pub(super) fn field(long: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.flag() == Some(long))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_a_place_of_its_own() {
        for (one, next) in FIELDS.iter().zip(FIELDS.iter().skip(1)) {
            assert!(one.rank < next.rank, "{} and {} have one rank", one.label, next.label);
        }
    }
}
