//! Network commands.

use clap::Args;

use super::plain;
use super::table::{Noun, shows, verbs};

pub(super) const NOUN: Noun = Noun {
    name: "network",
    about: "Manage networks",
    verbs: VERBS,
    lacks: &["network connect", "network create", "network disconnect", "network prune", "network rm"],
};

verbs! { Network:
    Inspect(Inspect) from Inspect = shows(
        &["network inspect"],
        "[OPTIONS] NETWORK [NETWORK...]",
        "Display detailed information on one or more networks",
        &["network inspect bridge"],
    )
    .lacks(&[&["-v, --verbose"]]);

    Ls(Ls) from Ls = shows(
        &["network ls", "network list"],
        "[OPTIONS]",
        "List networks",
        &["network ls"],
    )
        .lacks(&[&["--no-trunc"]]);
}

plain! { Inspect Ls }

/// `network ls`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Ls {
    /// Provide filter values
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Format output: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Only display network IDs
    #[arg(short, long)]
    pub quiet: bool,
}

/// `network inspect`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Inspect {
    /// Format output using a custom template: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The networks.
    #[arg(value_name = "NETWORK", required = true, hide = true)]
    pub names: Vec<String>,
}
