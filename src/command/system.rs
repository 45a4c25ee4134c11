//! Commands for the engine as a whole, and those without a noun: `info`, `events`, `inspect`.

use clap::Args;

use super::complete::{CompletionWords, Shell};
use super::plain;
use super::table::{Noun, changes, shows, verbs};

pub(super) const NOUN: Noun = Noun {
    name: "system",
    about: "Manage this engine",
    verbs: VERBS,
    lacks: &["login", "logout", "system df", "system prune"],
};

verbs! { System:
    Inspect(Inspect) from Inspect = shows(
        &["inspect"],
        "[OPTIONS] NAME|ID [NAME|ID...]",
        "Show detailed information about any object",
        &["inspect -f '{{.State.ExitCode}}' web"],
    );

    Events(Events) from Events = shows(
        &["events", "system events"],
        "[OPTIONS]",
        "Print events in real time",
        &["events --since 1h --filter type=container"],
    );

    Info(Info) from Info = shows(
        &["info", "system info"],
        "[OPTIONS]",
        "Show system-wide information",
        &["info -f '{{.Containers}}'"],
    );

    Boot(Boot) from Boot = changes(
        &["system boot"],
        "",
        "Start containers according to their restart policies, as at boot",
        &["system boot"],
    );

    Install(Install) from Install = changes(
        &["system install"],
        "",
        "Have systemd start containers at boot and stop them at shutdown",
        &["system install"],
    );

    Reset(Reset) from Reset = changes(
        &["system reset"],
        "[OPTIONS]",
        "Remove all containers, images and networks of this engine",
        &["system reset"],
    );

    Shutdown(Shutdown) from Shutdown = changes(
        &["system shutdown"],
        "",
        "Stop all containers, as at shutdown",
        &["system shutdown"],
    );

    Uninstall(Uninstall) from Uninstall = changes(
        &["system uninstall"],
        "",
        "Undo `system install`; containers keep running",
        &["system uninstall"],
    );

    Version(Version) from Version = shows(
        &["version"],
        "[OPTIONS]",
        "Show the version",
        &["version"],
    );

    Completion(Shell) from CompletionWords = shows(
        &["completion"],
        "bash|zsh|fish",
        "Print the completion script for a shell",
        &["completion bash"],
    );
}

plain! { Boot Events Info Inspect Install Reset Shutdown Uninstall Version }

/// The type of object for `inspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ObjectType {
    Container,
    Image,
    Network,
    Volume,
}

/// `inspect`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Inspect {
    /// Output format: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Show total file sizes if the object is a container
    #[arg(short, long)]
    pub size: bool,
    /// Inspect only objects of this type: container, image, network or volume
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<ObjectType>,
    /// The objects.
    #[arg(value_name = "NAME|ID", required = true, hide = true)]
    pub names: Vec<String>,
}

/// `events`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Events {
    /// Filter output by this condition; can be repeated
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Output format: json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Show all events since this time
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Show events until this time, then exit
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// `version`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Version {
    /// Output format: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
}

/// `info`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Info {
    /// Output format: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
}

/// `system boot`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Boot {}

/// `system shutdown`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Shutdown {}

/// `system install`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Install {}

/// `system uninstall`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Uninstall {}

/// `system reset`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Reset {
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub force: bool,
}
