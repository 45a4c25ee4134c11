//! Container commands: `run`, `ps`, `stop` and so on.

use std::path::PathBuf;

use clap::Args;

pub use super::create::{Create, Run};
use super::create::{CreateWords, RunWords, detach_keys};
use super::system::{Inspect, ObjectType};
use super::table::{Noun, changes, shows, verbs};
use super::usage::Usage;
use super::{Words, World, options, plain};
use crate::base::Name;
use crate::engine::ExecRequest;

pub(super) const NOUN: Noun = Noun {
    name: "container",
    about: "Manage containers",
    verbs: VERBS,
    lacks: &[
        "commit",
        "container commit",
        "cp",
        "container cp",
        "diff",
        "container diff",
        "port",
        "container port",
        "container prune",
        "update",
        "container update",
    ],
};

verbs! { Container:
    Run(Box<Run>) from RunWords = changes(
        &["run", "container run"],
        "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        "Create and run a new container from an image",
        &["run -it --rm debian bash", "run -d --name web -v ./site:/srv:ro -m 512m nginx"],
    )
    .common()
    .lacks(options::LACKS);

    Exec(Box<Exec>) from ExecWords = changes(
        &["exec", "container exec"],
        "[OPTIONS] CONTAINER COMMAND [ARG...]",
        "Run a command in a running container",
        &["exec -it web sh"],
    )
    .common();

    Ps(Ps) from Ps = shows(
        &["ps", "container ls", "container ps", "container list"],
        "[OPTIONS]",
        "List containers",
        &["ps -a --filter status=exited"],
    )
    .common();

    Logs(Logs) from LogsWords = shows(
        &["logs", "container logs"],
        "[OPTIONS] CONTAINER",
        "Print the logs of a container",
        &["logs -f --since 10m web"],
    )
    .common()
    .lacks(&[&["--details"]]);

    Attach(Attach) from AttachWords = changes(
        &["attach", "container attach"],
        "[OPTIONS] CONTAINER",
        "Attach the terminal to a running container",
        &["attach web"],
    );

    Create(Box<Create>) from CreateWords = changes(
        &["create", "container create"],
        "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        "Create a container without starting it",
        &["create --name web nginx"],
    )
    .lacks(options::LACKS);

    Export(Export) from Export = changes(
        &["export", "container export"],
        "[OPTIONS] CONTAINER",
        "Export the file system of a container as a tar archive",
        &["export -o web.tar web"],
    );

    Inspect(Inspect) from InspectWords = shows(
        &["container inspect"],
        "[OPTIONS] CONTAINER [CONTAINER...]",
        "Show detailed information about containers",
        &["container inspect web"],
    );

    Kill(Kill) from Kill = changes(
        &["kill", "container kill"],
        "[OPTIONS] CONTAINER [CONTAINER...]",
        "Send a signal to running containers, SIGKILL by default",
        &["kill -s HUP web"],
    );

    Pause(Pause) from Pause = changes(
        &["pause", "container pause"],
        "CONTAINER [CONTAINER...]",
        "Pause all processes in containers",
        &["pause web"],
    );

    Rename(Rename) from RenameWords = changes(
        &["rename", "container rename"],
        "CONTAINER NEW_NAME",
        "Rename a container",
        &["rename web old-web"],
    );

    Restart(Restart) from Restart = changes(
        &["restart", "container restart"],
        "[OPTIONS] CONTAINER [CONTAINER...]",
        "Restart containers",
        &["restart -t 30 web"],
    );

    Rm(Rm) from Rm = changes(
        &["rm", "container rm", "container remove"],
        "[OPTIONS] CONTAINER [CONTAINER...]",
        "Remove containers",
        &["rm -f web"],
    )
    .lacks(&[&["-l, --link"]]);

    Start(Start) from StartWords = changes(
        &["start", "container start"],
        "[OPTIONS] CONTAINER [CONTAINER...]",
        "Start stopped containers",
        &["start -a web"],
    )
    .lacks(&[&["--checkpoint", "--checkpoint-dir"]]);

    Stats(Stats) from Stats = shows(
        &["stats", "container stats"],
        "[OPTIONS] [CONTAINER...]",
        "Show live resource usage of containers",
        &["stats --no-stream"],
    );

    Stop(Stop) from Stop = changes(
        &["stop", "container stop"],
        "[OPTIONS] CONTAINER [CONTAINER...]",
        "Stop running containers",
        &["stop web db"],
    );

    Top(Top) from Top = shows(
        &["top", "container top"],
        "CONTAINER",
        "Show the processes of a container",
        &["top web"],
    );

    Unpause(Unpause) from Unpause = changes(
        &["unpause", "container unpause"],
        "CONTAINER [CONTAINER...]",
        "Resume paused containers",
        &["unpause web"],
    );

    Wait(Wait) from Wait = shows(
        &["wait", "container wait"],
        "CONTAINER [CONTAINER...]",
        "Wait until containers exit, then print their exit codes",
        &["wait web"],
    );
}

impl Request {
    /// Reads the files and variables that the request refers to.
    pub(super) fn resolve(self, world: &World) -> Result<Self, Usage> {
        Ok(match self {
            Self::Run(mut run) => {
                run.create.resolve(world)?;
                Self::Run(run)
            }
            Self::Create(mut create) => {
                create.resolve(world)?;
                Self::Create(create)
            }
            Self::Exec(exec) => Self::Exec(Box::new(exec.resolve(world)?)),
            Self::Export(export) => {
                // Docker treats an empty path as missing too.
                let output = export.output.filter(|path| !path.as_os_str().is_empty());
                Self::Export(Export { output: output.map(|path| world.absolute(path)), ..export })
            }
            other => other,
        })
    }
}

plain! { Export Kill Pause Ps Restart Rm Stats Stop Top Unpause Wait }

/// `attach`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attach {
    /// The container.
    pub target: String,
    /// Attaches standard input too.
    pub stdin: bool,
    /// Forwards signals to the container, unless it has a terminal.
    pub sig_proxy: bool,
    /// The key sequence for detaching.
    pub detach_keys: Vec<u8>,
}

#[derive(Debug, Args)]
pub(super) struct AttachWords {
    /// Key sequence for detaching from the container (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Do not attach standard input
    #[arg(long)]
    no_stdin: bool,
    /// Forward signals to the container's main process
    #[arg(long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "true", value_name = "BOOL", value_parser = super::truth)]
    sig_proxy: bool,
    #[arg(value_name = "CONTAINER")]
    target: String,
}

impl Words for AttachWords {
    type Asked = Attach;

    fn asked(self) -> Result<Attach, Usage> {
        Ok(Attach {
            target: self.target,
            stdin: !self.no_stdin,
            sig_proxy: self.sig_proxy,
            detach_keys: detach_keys(self.detach_keys.as_deref())?,
        })
    }
}

/// `export`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Export {
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The container.
    #[arg(value_name = "CONTAINER", hide = true)]
    pub target: String,
}

/// `start`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The containers.
    pub targets: Vec<String>,
    /// Attaches standard output and error, and forwards signals.
    pub attach: bool,
    /// Attaches standard input too.
    pub interactive: bool,
    /// The key sequence for detaching.
    pub detach_keys: Vec<u8>,
}

#[derive(Debug, Args)]
pub(super) struct StartWords {
    /// Attach standard output and error, and forward signals
    #[arg(short, long)]
    attach: bool,
    /// Key sequence for detaching from the container (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Also attach standard input
    #[arg(short, long)]
    interactive: bool,
    #[arg(value_name = "CONTAINER", required = true)]
    targets: Vec<String>,
}

impl Words for StartWords {
    type Asked = Start;

    fn asked(self) -> Result<Start, Usage> {
        if (self.attach || self.interactive) && self.targets.len() > 1 {
            return Err(Usage::count("you cannot start and attach multiple containers at once", None));
        }
        Ok(Start {
            targets: self.targets,
            attach: self.attach,
            interactive: self.interactive,
            detach_keys: detach_keys(self.detach_keys.as_deref())?,
        })
    }
}

/// `stop`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Stop {
    /// Signal to send instead of the container's stop signal
    #[arg(short, long)]
    pub signal: Option<String>,
    /// Seconds to wait before killing the container
    #[arg(short, long, alias = "time", value_name = "SECONDS")]
    pub timeout: Option<i64>,
    /// The containers.
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    pub targets: Vec<String>,
}

/// `restart`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Restart {
    /// Signal to send instead of the container's stop signal
    #[arg(short, long)]
    pub signal: Option<String>,
    /// Seconds to wait before killing the container
    #[arg(short, long, alias = "time", value_name = "SECONDS")]
    pub timeout: Option<i64>,
    /// The containers.
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    pub targets: Vec<String>,
}

/// `kill`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Kill {
    /// Signal to send
    #[arg(short, long, default_value = "SIGKILL")]
    pub signal: String,
    /// The containers.
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    pub targets: Vec<String>,
}

/// `pause`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Pause {
    /// The containers.
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    pub targets: Vec<String>,
}

/// `unpause`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Unpause {
    /// The containers.
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    pub targets: Vec<String>,
}

/// `wait`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Wait {
    /// The containers.
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    pub targets: Vec<String>,
}

/// `rm`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Rm {
    /// Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    pub force: bool,
    /// Also remove the container's anonymous volumes
    #[arg(short, long)]
    pub volumes: bool,
    /// The containers.
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    pub targets: Vec<String>,
}

/// `rename`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The container.
    pub target: String,
    /// The new name.
    pub name: Name,
}

#[derive(Debug, Args)]
pub(super) struct RenameWords {
    #[arg(value_name = "CONTAINER")]
    target: String,
    #[arg(value_name = "NEW_NAME")]
    name: String,
}

impl Words for RenameWords {
    type Asked = Rename;

    fn asked(self) -> Result<Rename, Usage> {
        let name = self.name.parse().map_err(|error| Usage::count(format!("{error}"), None))?;
        Ok(Rename { target: self.target, name })
    }
}

/// `logs`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    /// The container.
    pub target: String,
    /// Continues with new output.
    pub follow: bool,
    /// Prefixes each line with its time.
    pub timestamps: bool,
    /// Only this many of the last lines.
    pub tail: Option<u64>,
    /// A time, as written.
    pub since: Option<String>,
    /// A time, as written.
    pub until: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct LogsWords {
    /// Follow log output
    #[arg(short, long)]
    follow: bool,
    /// Show output since a timestamp (2026-01-02T13:23:37Z) or relative time (42m)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Number of lines to show from the end
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all")]
    tail: String,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    /// Show output before a timestamp (2026-01-02T13:23:37Z) or relative time (42m)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[arg(value_name = "CONTAINER")]
    target: String,
}

impl Words for LogsWords {
    type Asked = Logs;

    fn asked(self) -> Result<Logs, Usage> {
        let tail = match self.tail.as_str() {
            "all" | "" => None,
            // As in Docker, a negative number means all lines. Docker also accepts invalid numbers.
            number => match number.parse::<i64>() {
                Ok(lines) => u64::try_from(lines).ok(),
                Err(_) => {
                    return Err(Usage::argument(format!(
                        "invalid argument `{number}` for --tail: expected a number or `all`"
                    )));
                }
            },
        };
        Ok(Logs {
            target: self.target,
            follow: self.follow,
            timestamps: self.timestamps,
            tail,
            since: self.since,
            until: self.until,
        })
    }
}

/// `exec`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// The container.
    pub target: String,
    /// The request to the engine, without the terminal's size, which the front end fills in.
    pub request: ExecRequest,
    /// Environment files, which are read when the request is resolved.
    pub env_files: Vec<PathBuf>,
    /// The key sequence for detaching.
    pub detach_keys: Vec<u8>,
}

impl Exec {
    /// Reads the environment files and the caller's variables.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn resolve(mut self, world: &World) -> Result<Self, Usage> {
        let files = std::mem::take(&mut self.env_files);
        options::process::resolve(&mut self.request.env, &files, world)?;
        Ok(self)
    }
}

#[derive(Debug, Args)]
pub(super) struct ExecWords {
    /// Run the command in the background
    #[arg(short, long)]
    detach: bool,
    /// Key sequence for detaching from the container (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Set an environment variable; NAME alone uses the caller's value
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Read environment variables from this file
    #[arg(long, value_name = "FILE")]
    env_file: Vec<String>,
    /// Keep standard input open even if not attached
    #[arg(short, long)]
    interactive: bool,
    /// Give extended privileges to the command
    #[arg(long)]
    privileged: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    tty: bool,
    /// Run as this user and group, by name or number
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Working directory in the container
    #[arg(short, long, value_name = "FOLDER")]
    workdir: Option<String>,
    /// The container, then the command and its arguments
    #[arg(required = true, num_args = 1.., trailing_var_arg = true, value_name = "CONTAINER")]
    words: Vec<String>,
}

impl Words for ExecWords {
    type Asked = Box<Exec>;

    fn asked(self) -> Result<Box<Exec>, Usage> {
        let mut words = self.words.into_iter();
        let target = words.next().unwrap_or_default();
        let command: Vec<_> = words.collect();
        if command.is_empty() {
            return Err(Usage::count(
                "`hoist exec` requires CONTAINER and COMMAND",
                Some("see `hoist exec --help`".to_owned()),
            ));
        }
        let request = ExecRequest {
            command,
            env: options::process::env(self.env)?,
            user: self.user,
            workdir: self.workdir,
            tty: self.tty,
            interactive: self.interactive,
            privileged: self.privileged,
            detach: self.detach,
            size: None,
        };
        let detach_keys = detach_keys(self.detach_keys.as_deref())?;
        let env_files = self.env_file.iter().map(PathBuf::from).collect();
        Ok(Box::new(Exec { target, request, env_files, detach_keys }))
    }
}

/// `top`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Top {
    /// The container, then options of ps(1).
    #[arg(value_name = "CONTAINER", required = true, trailing_var_arg = true, hide = true)]
    pub words: Vec<String>,
}

/// `container inspect`
#[derive(Debug, Args)]
pub(super) struct InspectWords {
    /// Output format: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show total file sizes
    #[arg(short, long)]
    size: bool,
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    names: Vec<String>,
}

impl Words for InspectWords {
    type Asked = Inspect;

    fn asked(self) -> Result<Inspect, Usage> {
        let Self { format, size, names } = self;
        Ok(Inspect { format, size, kind: Some(ObjectType::Container), names })
    }
}

/// `ps`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Ps {
    /// Show all containers, not only running ones
    #[arg(short, long)]
    pub all: bool,
    /// Filter output by this condition; can be repeated
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Output format: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Show only the N newest containers, running or not
    #[arg(short = 'n', long, value_name = "N", default_value = "-1", hide_default_value = true)]
    pub last: i64,
    /// Show only the newest container, running or not
    #[arg(short, long)]
    pub latest: bool,
    /// Do not truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Print only IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// Show total file sizes
    #[arg(short, long)]
    pub size: bool,
}

/// `stats`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Stats {
    /// Show all containers, not only running ones
    #[arg(short, long)]
    pub all: bool,
    /// Output format: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Print one sample and exit
    #[arg(long)]
    pub no_stream: bool,
    /// Do not truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// The containers; all that run when none is named.
    #[arg(value_name = "CONTAINER", hide = true)]
    pub targets: Vec<String>,
}
