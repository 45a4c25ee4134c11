//! A row of the form of `run`: the option that it stands for, its section, and what is known of
//! the option's values.

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

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum NameKind {
    Container,
    Image,
    Network,
    Volume,
    /// Any of them.
    Object,
    /// A file or a folder of this machine.
    File,
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
    pub(super) rank: u16,
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
    pub(super) const fn new(
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
