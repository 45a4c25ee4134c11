//! The verbs of containers that are there: start, stop, exec, logs and so on.

use clap::Args;

use super::create::detach_keys;
use super::usage::Usage;
use super::{Request, Words, World, options};
use crate::base::Name;
use crate::engine::ExecRequest;

/// Words that are the request already.
macro_rules! plain {
    ($($name:ident)*) => {$(
        impl Words for $name {
            fn request(self, _: &World) -> Result<Request, Usage> {
                Ok(Request::$name(self))
            }
        }
    )*};
}
pub(super) use plain;

plain! { Inspect Kill Pause Restart Rm Stop Top Unpause Wait }

/// `attach`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attach {
    /// The container.
    pub target: String,
    /// Standard input is carried too.
    pub stdin: bool,
    /// Signals of the caller go to the container, where it has no terminal.
    pub sig_proxy: bool,
    /// What leaves the container running.
    pub detach_keys: Vec<u8>,
}

#[derive(Debug, Args)]
pub(super) struct AttachWords {
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Do not attach STDIN
    #[arg(long)]
    no_stdin: bool,
    /// Proxy all received signals to the process
    #[arg(long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "true", value_name = "BOOL", value_parser = super::truth)]
    sig_proxy: bool,
    #[arg(value_name = "CONTAINER")]
    target: String,
}

impl Words for AttachWords {
    fn request(self, _: &World) -> Result<Request, Usage> {
        Ok(Request::Attach(Attach {
            target: self.target,
            stdin: !self.no_stdin,
            sig_proxy: self.sig_proxy,
            detach_keys: detach_keys(self.detach_keys.as_deref())?,
        }))
    }
}

/// `start`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The containers.
    pub targets: Vec<String>,
    /// Output is shown, signals are passed on.
    pub attach: bool,
    /// Standard input is carried too.
    pub interactive: bool,
    /// What leaves the container running.
    pub detach_keys: Vec<u8>,
}

#[derive(Debug, Args)]
pub(super) struct StartWords {
    /// Attach STDOUT/STDERR and forward signals
    #[arg(short, long)]
    attach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Attach container's STDIN
    #[arg(short, long)]
    interactive: bool,
    #[arg(value_name = "CONTAINER", required = true)]
    targets: Vec<String>,
}

impl Words for StartWords {
    fn request(self, _: &World) -> Result<Request, Usage> {
        if (self.attach || self.interactive) && self.targets.len() > 1 {
            return Err(Usage::count("you cannot start and attach multiple containers at once", None));
        }
        Ok(Request::Start(Start {
            targets: self.targets,
            attach: self.attach,
            interactive: self.interactive,
            detach_keys: detach_keys(self.detach_keys.as_deref())?,
        }))
    }
}

/// `stop`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Stop {
    /// Signal to send to the container
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
    /// Signal to send to the container
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
    /// Signal to send to the container
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
    /// Remove anonymous volumes associated with the container
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
    /// Its new name.
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
    fn request(self, _: &World) -> Result<Request, Usage> {
        let name = self.name.parse().map_err(|error| Usage::count(format!("{error}"), None))?;
        Ok(Request::Rename(Rename { target: self.target, name }))
    }
}

/// `logs`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    /// The container.
    pub target: String,
    /// Go on with what comes.
    pub follow: bool,
    /// With the time of each line.
    pub timestamps: bool,
    /// Only the last so many.
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
    /// Show logs since a time (2026-01-02T13:23:37Z) or for the last part of it (42m)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Number of lines to show from the end of the logs
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all")]
    tail: String,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    /// Show logs before a time (2026-01-02T13:23:37Z) or how long ago (42m)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[arg(value_name = "CONTAINER")]
    target: String,
}

impl Words for LogsWords {
    fn request(self, _: &World) -> Result<Request, Usage> {
        let tail = match self.tail.as_str() {
            "all" | "" => None,
            // Docker takes what is no number, and what is below 0, for all.
            number => match number.parse::<i64>() {
                Ok(lines) => u64::try_from(lines).ok(),
                Err(_) => {
                    return Err(Usage::argument(format!(
                        "invalid argument `{number}` for --tail: want a number, or `all`"
                    )));
                }
            },
        };
        Ok(Request::Logs(Logs {
            target: self.target,
            follow: self.follow,
            timestamps: self.timestamps,
            tail,
            since: self.since,
            until: self.until,
        }))
    }
}

/// `exec`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// The container.
    pub target: String,
    /// For the engine; the terminal's size is the front end's to fill in.
    pub request: ExecRequest,
    /// What leaves the command running.
    pub detach_keys: Vec<u8>,
}

#[derive(Debug, Args)]
pub(super) struct ExecWords {
    /// Detached mode: run command in the background
    #[arg(short, long)]
    detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long, value_name = "FILE")]
    env_file: Vec<String>,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    interactive: bool,
    /// Give extended privileges to the command
    #[arg(long)]
    privileged: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    tty: bool,
    /// Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Working directory inside the container
    #[arg(short, long, value_name = "FOLDER")]
    workdir: Option<String>,
    /// The container, then the command and its arguments
    #[arg(required = true, num_args = 1.., trailing_var_arg = true, value_name = "CONTAINER")]
    words: Vec<String>,
}

impl Words for ExecWords {
    fn request(self, world: &World) -> Result<Request, Usage> {
        let mut words = self.words.into_iter();
        let target = words.next().unwrap_or_default();
        let command: Vec<_> = words.collect();
        if command.is_empty() {
            return Err(Usage::count(
                "`hoist exec` needs CONTAINER and COMMAND",
                Some("see `hoist exec --help`".to_owned()),
            ));
        }
        let request = ExecRequest {
            command,
            env: options::process::env(&self.env_file, &self.env, world)?,
            user: self.user,
            workdir: self.workdir,
            tty: self.tty,
            interactive: self.interactive,
            privileged: self.privileged,
            detach: self.detach,
            size: None,
        };
        let detach_keys = detach_keys(self.detach_keys.as_deref())?;
        Ok(Request::Exec(Exec { target, request, detach_keys }))
    }
}

/// `top`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Top {
    /// The container, then options of ps(1).
    #[arg(value_name = "CONTAINER", required = true, trailing_var_arg = true, hide = true)]
    pub words: Vec<String>,
}

/// What `inspect` looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ObjectType {
    Container,
    Image,
    Network,
    Volume,
}

/// `inspect`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Inspect {
    /// Format output using a custom template: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Display total file sizes if the type is container
    #[arg(short, long)]
    pub size: bool,
    /// Only inspect objects of the given type
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<ObjectType>,
    /// The objects.
    #[arg(value_name = "NAME|ID", required = true, hide = true)]
    pub names: Vec<String>,
}

/// `container inspect`
#[derive(Debug, Args)]
pub(super) struct ContainerInspectWords {
    /// Format output using a custom template: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Display total file sizes
    #[arg(short, long)]
    size: bool,
    #[arg(value_name = "CONTAINER", required = true, hide = true)]
    names: Vec<String>,
}

impl Words for ContainerInspectWords {
    fn request(self, _: &World) -> Result<Request, Usage> {
        let Self { format, size, names } = self;
        Ok(Request::Inspect(Inspect { format, size, kind: Some(ObjectType::Container), names }))
    }
}

/// `volume inspect`
#[derive(Debug, Args)]
pub(super) struct VolumeInspectWords {
    /// Format output using a custom template: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    #[arg(value_name = "VOLUME", required = true, hide = true)]
    names: Vec<String>,
}

impl Words for VolumeInspectWords {
    fn request(self, _: &World) -> Result<Request, Usage> {
        let Self { format, names } = self;
        Ok(Request::Inspect(Inspect { format, size: false, kind: Some(ObjectType::Volume), names }))
    }
}
