//! Volume commands.

use clap::Args;

use super::system::{Inspect, ObjectType};
use super::table::{Noun, shows, verbs};
use super::usage::Usage;
use super::{Words, plain};

pub(super) const NOUN: Noun = Noun {
    name: "volume",
    about: "Manage volumes",
    verbs: VERBS,
    lacks: &["volume create", "volume prune", "volume rm", "volume update"],
};

verbs! { Volume:
    Inspect(Inspect) from InspectWords = shows(
        &["volume inspect"],
        "[OPTIONS] VOLUME [VOLUME...]",
        "Show detailed information about volumes",
        &["volume inspect data"],
    );

    Ls(Ls) from Ls = shows(
        &["volume ls", "volume list"],
        "[OPTIONS]",
        "List volumes",
        &["volume ls"],
    )
        .lacks(&[&["--cluster"]]);
}

plain! { Ls }

/// `volume ls`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Ls {
    /// Filter output by this condition; can be repeated
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Output format: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Print only names
    #[arg(short, long)]
    pub quiet: bool,
}

/// `volume inspect`
#[derive(Debug, Args)]
pub(super) struct InspectWords {
    /// Output format: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    #[arg(value_name = "VOLUME", required = true, hide = true)]
    names: Vec<String>,
}

impl Words for InspectWords {
    type Asked = Inspect;

    fn asked(self) -> Result<Inspect, Usage> {
        let Self { format, names } = self;
        Ok(Inspect { format, size: false, kind: Some(ObjectType::Volume), names })
    }
}
