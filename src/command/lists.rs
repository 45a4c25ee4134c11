//! The verbs that show: lists, events, stats, and the machine itself.

use clap::Args;

use super::container::plain;
use super::usage::Usage;
use super::{Request, Words, World};

plain! {
    Events History Images Info NetworkInspect NetworkLs Ps Stats SystemBoot SystemInstall SystemReset SystemShutdown
    SystemUninstall Version VolumeLs
}

/// `ps`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Ps {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    pub all: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Format output: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Show n last created containers (includes all states)
    #[arg(short = 'n', long, value_name = "N", default_value = "-1")]
    pub last: i64,
    /// Show the latest created container (includes all states)
    #[arg(short, long)]
    pub latest: bool,
    /// Don't truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Only display container IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// Display total file sizes
    #[arg(short, long)]
    pub size: bool,
}

/// `images`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Images {
    /// Show all images
    #[arg(short, long)]
    pub all: bool,
    /// Show digests
    #[arg(long)]
    pub digests: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Format output: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Don't truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// Only images of this name.
    #[arg(value_name = "REPOSITORY[:TAG]", hide = true)]
    pub name: Option<String>,
}

/// `history`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct History {
    /// Format output: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Print sizes and dates in human readable format
    #[arg(short = 'H', long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "true", value_name = "BOOL", value_parser = super::truth)]
    pub human: bool,
    /// Don't truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Only show image IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// The image.
    #[arg(value_name = "IMAGE", hide = true)]
    pub name: String,
}

/// `stats`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Stats {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    pub all: bool,
    /// Format output: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Disable streaming stats and only pull the first result
    #[arg(long)]
    pub no_stream: bool,
    /// Do not truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// The containers; all that run when none is named.
    #[arg(value_name = "CONTAINER", hide = true)]
    pub targets: Vec<String>,
}

/// `events`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Events {
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Format output: json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Show all events created since a time
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Stream events until this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// `version`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Version {
    /// Format output: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
}

/// `info`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Info {
    /// Format output: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
}

/// `system boot`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SystemBoot {}

/// `system shutdown`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SystemShutdown {}

/// `system install`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SystemInstall {}

/// `system uninstall`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SystemUninstall {}

/// `system reset`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SystemReset {
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
}

/// `network ls`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct NetworkLs {
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
pub struct NetworkInspect {
    /// Format output using a custom template: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The networks.
    #[arg(value_name = "NETWORK", required = true, hide = true)]
    pub names: Vec<String>,
}

/// `volume ls`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct VolumeLs {
    /// Provide filter values
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Format output: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Only display volume names
    #[arg(short, long)]
    pub quiet: bool,
}
