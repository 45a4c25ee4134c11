//! A field of the form of `run`: its option, its sections, and what is known of the option's
//! values.

/// A section of the form.
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
    /// All sections, in the order in which they are shown.
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

    /// Returns the heading.
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

/// What a field stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The image.
    Image,
    /// The command after the image.
    Command,
    /// Any further options, as on the command line.
    Flags,
    /// An option with one value.
    One(&'static str),
    /// An option with several values, separated by spaces as on the command line.
    Many(&'static str),
    /// An option that is on or off.
    Switch(&'static str),
    /// Whether to open a terminal afterwards.
    Opens,
}

/// A kind of name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum NameKind {
    Container,
    Image,
    Network,
    Volume,
    /// Any of them.
    Object,
    /// A file or a folder on the host.
    File,
}

/// What is known of an option's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Nothing.
    Any,
    /// One of these.
    Few(&'static [&'static str]),
    /// Names of this kind.
    Names(NameKind),
}

/// A field of the form.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its position among all fields, and that of its option on the command line.
    pub(super) rank: u16,
    /// The label.
    pub label: &'static str,
    /// What it stands for.
    pub kind: Kind,
    /// The sections that show it.
    pub sections: &'static [Section],
    /// The placeholder while the field is empty.
    pub hint: &'static str,
    /// What is known of its values.
    pub values: Values,
    /// Whether an empty value counts as missing, as in Docker.
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

    /// Creates a field for an option with one value.
    pub(super) const fn one(
        rank: u16,
        label: &'static str,
        flag: &'static str,
        sections: &'static [Section],
        hint: &'static str,
    ) -> Self {
        Self::new(rank, label, Kind::One(flag), sections, hint)
    }

    /// Creates a field for an option with several values.
    pub(super) const fn many(
        rank: u16,
        label: &'static str,
        flag: &'static str,
        sections: &'static [Section],
        hint: &'static str,
    ) -> Self {
        Self::new(rank, label, Kind::Many(flag), sections, hint)
    }

    /// Creates a field for an option that is on or off.
    pub(super) const fn switch(
        rank: u16,
        label: &'static str,
        flag: &'static str,
        sections: &'static [Section],
    ) -> Self {
        Self::new(rank, label, Kind::Switch(flag), sections, "")
    }

    /// Returns the field with a list of its possible values.
    pub(super) const fn few(self, values: &'static [&'static str]) -> Self {
        Self { values: Values::Few(values), ..self }
    }

    /// Returns the field with the kind of names that it accepts.
    pub(super) const fn names(self, kind: NameKind) -> Self {
        Self { values: Values::Names(kind), ..self }
    }

    /// Returns the field with an empty value that counts as missing.
    pub(super) const fn optional(self) -> Self {
        Self { empty_is_none: true, ..self }
    }

    /// Returns whether it is a switch.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        matches!(self.kind, Kind::Switch(_) | Kind::Opens)
    }

    /// Returns the name of its option.
    #[must_use]
    pub fn flag(&self) -> Option<&'static str> {
        match self.kind {
            Kind::One(flag) | Kind::Many(flag) | Kind::Switch(flag) => Some(flag),
            Kind::Image | Kind::Command | Kind::Flags | Kind::Opens => None,
        }
    }
}
