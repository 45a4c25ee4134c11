//! The options of `run` as fields of a form, in their order on the command line.
//!
//! The fields of a group of options are defined with that group, others here.

use std::sync::LazyLock;

use super::field::{Field, Kind, NameKind, Section};
use super::options;

use Section as S;

/// Fields of the command rather than the container.
const OWN: &[Field] = &[
    Field::switch(10, "detach", "detach", &[S::General]),
    Field::switch(80, "quiet pull", "quiet", &[S::Advanced]),
    Field::switch(90, "forward signals", "sig-proxy", &[S::Advanced]),
    Field::new(100, "open terminal", Kind::Opens, &[S::General], ""),
    Field::new(110, "Image", Kind::Image, &[S::General], "name, name:tag or ID"),
    Field::one(120, "Name", "name", &[S::General], "generated").optional(),
    Field::new(130, "Command", Kind::Command, &[S::General], "the image's own, if it has one"),
    Field::one(380, "Pull", "pull", &[S::Advanced], "missing")
        .few(&["missing", "always", "never"])
        .optional(),
    Field::one(440, "ID file", "cidfile", &[S::Advanced], "file to write the ID to")
        .names(NameKind::File)
        .optional(),
    Field::one(460, "Detach keys", "detach-keys", &[S::Advanced], "ctrl-p,ctrl-q").optional(),
    Field::new(470, "More flags", Kind::Flags, &[S::Advanced], "as on the command line"),
];

/// Every field, in the order of their options on the command line.
pub static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let mut fields = [OWN, &options::FIELDS.concat()].concat();
    fields.sort_by_key(|field| field.rank);
    fields
});

impl Section {
    /// Returns the indexes of its fields in [`FIELDS`]. Switches come last, since they share lines.
    #[must_use]
    pub fn fields(self) -> Vec<usize> {
        let is_in = |at: &usize| FIELDS[*at].sections.contains(&self);
        let (switches, typed): (Vec<_>, Vec<_>) =
            (0..FIELDS.len()).filter(is_in).partition(|at| FIELDS[*at].is_switch());
        [typed, switches].concat()
    }
}

/// Returns the field of the option `long`.
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
