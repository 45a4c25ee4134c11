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
        "Show detailed information about networks",
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
    /// Filter output by this condition; can be repeated
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Output format: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Print only IDs
    #[arg(short, long)]
    pub quiet: bool,
}

/// `network inspect`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Inspect {
    /// Output format: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The networks.
    #[arg(value_name = "NETWORK", required = true, hide = true)]
    pub names: Vec<String>,
}
