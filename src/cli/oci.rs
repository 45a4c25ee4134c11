//! `hoist oci`: the command line of the embedded OCI runtime.
//!
//! The commands and flags are those of other runtimes, so that it can replace them. It uses no
//! engine and no monitor: a container made by `create` waits on a FIFO in `--root` until `start`
//! writes to it.

mod bundle;
mod console;
mod foreground;
mod list;
mod rootfs;
mod saved;
mod scope;
mod spec;
mod update;
mod verbs;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::base::error::chain;
use crate::base::text;
use crate::sys::stdio::check_output;
use crate::systemd::scope::User;

/// Why a command failed, as far as the caller of a runtime needs to know.
type Failed = Box<dyn std::error::Error>;

/// A failure with a message of this module.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(String);

/// Standard output was closed when the program started, or cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
struct OutputError(#[from] io::Error);

fn refuse<T>(why: impl Into<String>) -> Result<T, Failed> {
    Err(Box::new(Refusal(why.into())))
}

/// Printed as other runtimes do, which callers read.
const VERSION: &str = concat!("version ", env!("CARGO_PKG_VERSION"), "\nspec: 1.3.0");

/// Run containers from bundles according to the OCI runtime specification.
#[derive(Debug, Parser)]
#[command(name = "hoist oci", version = VERSION, disable_help_subcommand = true)]
struct Words {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: OciVerb,
}

#[derive(Debug, Args)]
struct Global {
    /// Folder for the state of containers.
    #[arg(long, default_value = "/run/hoist/oci")]
    root: PathBuf,
    /// File to write messages to, in addition to standard error.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Format of the messages in that file.
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
    /// Accepted for compatibility with other runtimes; no effect.
    #[arg(long)]
    debug: bool,
    /// Have systemd make the cgroup, as a scope: `cgroupsPath` is `slice:prefix:name`.
    #[arg(long)]
    systemd_cgroup: bool,
    /// The number of descriptors that socket activation passes.
    #[arg(skip)]
    sockets: i32,
    /// Where the user's systemd listens.
    #[arg(skip)]
    user: Option<User>,
}

#[derive(Debug, Subcommand)]
enum OciVerb {
    /// Create a container.
    Create(Create),
    /// Start a created container.
    Start {
        /// ID of the container.
        id: String,
    },
    /// Create and start a container, and wait until it exits.
    Run(Run),
    /// Print the state of a container.
    State {
        /// ID of the container.
        id: String,
    },
    /// Send a signal to a container.
    Kill {
        /// Send the signal to all processes of the container.
        #[arg(short, long)]
        all: bool,
        /// ID of the container.
        id: String,
        /// Signal to send.
        #[arg(default_value = "SIGTERM")]
        signal: String,
    },
    /// Remove a stopped container.
    Delete {
        /// Kill the container if it is running.
        #[arg(short, long)]
        force: bool,
        /// ID of the container.
        id: String,
    },
    /// List containers.
    List(list::List),
    /// List the processes of a container.
    Ps(list::Ps),
    /// Run another process in a container.
    Exec(Box<Exec>),
    /// Pause all processes in a container.
    Pause {
        /// ID of the container.
        id: String,
    },
    /// Resume all processes in a paused container.
    Resume {
        /// ID of the container.
        id: String,
    },
    /// Change the limits of a container.
    Update(update::Update),
    /// Write a template for `config.json`.
    Spec {
        /// Folder to write it to.
        #[arg(short, long, default_value = ".")]
        bundle: PathBuf,
    },
    /// Print the features that the runtime supports.
    Features,
    /// Not supported: hoist does not save processes.
    Checkpoint(Rest),
    /// Not supported: hoist does not save processes.
    Restore(Rest),
}

/// The arguments of a command that is refused.
#[derive(Debug, Args)]
struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<OsString>,
}

#[derive(Debug, Args)]
struct Create {
    /// Folder with `config.json`.
    #[arg(short, long, default_value = ".")]
    bundle: PathBuf,
    /// Unix socket that receives the terminal's master file descriptor.
    #[arg(long)]
    console_socket: Option<PathBuf>,
    /// File to write the process ID to.
    #[arg(long)]
    pid_file: Option<PathBuf>,
    /// Pass this many descriptors, from 3 on, to the container.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..=1024))]
    preserve_fds: i32,
    /// Keep the caller's session keyring.
    #[arg(long)]
    no_new_keyring: bool,
    /// ID of the container.
    id: String,
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    create: Create,
    /// Do not wait until it exits.
    #[arg(short, long)]
    detach: bool,
    /// Keep its state after it exits.
    #[arg(long)]
    keep: bool,
    /// Run an init that starts the program and reaps processes.
    #[arg(long)]
    init: bool,
}

#[derive(Debug, Args)]
struct Exec {
    /// File with the process as JSON, instead of a command.
    #[arg(short, long)]
    process: Option<PathBuf>,
    /// Working directory.
    #[arg(long)]
    cwd: Option<PathBuf>,
    /// Set an environment variable.
    #[arg(short, long)]
    env: Vec<String>,
    /// Allocate a pseudo-TTY, for this terminal or the console socket.
    #[arg(short, long)]
    tty: bool,
    /// User to run as: `uid[:gid]`, or names of the container.
    #[arg(short, long, allow_hyphen_values = true)]
    user: Option<String>,
    /// Do not wait until it exits.
    #[arg(short, long)]
    detach: bool,
    /// Add a capability.
    #[arg(short, long)]
    cap: Vec<String>,
    /// Add supplementary groups.
    #[arg(short = 'g', long)]
    additional_gids: Vec<u32>,
    /// AppArmor profile of the process.
    #[arg(long)]
    apparmor: Option<String>,
    /// SELinux label of the process.
    #[arg(long)]
    process_label: Option<String>,
    /// Run it in this cgroup below the container's.
    #[arg(long)]
    cgroup: Option<PathBuf>,
    /// Allow it in a paused container: it runs once that is resumed.
    #[arg(long)]
    ignore_paused: bool,
    /// Pass this many descriptors, from 3 on, to the process.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..=1024))]
    preserve_fds: i32,
    /// Do not allow the process to gain privileges by executing programs.
    #[arg(long)]
    no_new_privs: bool,
    /// Unix socket that receives the terminal's master file descriptor.
    #[arg(long)]
    console_socket: Option<PathBuf>,
    /// File to write the process ID to.
    #[arg(long)]
    pid_file: Option<PathBuf>,
    /// ID of the container.
    id: String,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Returns the commands and options, for the manual page.
#[cfg(test)]
pub(super) fn words() -> clap::Command {
    use clap::CommandFactory as _;
    Words::command()
}

/// Returns the words of `hoist oci` if `words` are such a command line. Like other runtimes, it takes
/// its global options first, so that these may also be before the verb.
#[must_use]
pub fn words_of(words: &[OsString]) -> Option<Vec<OsString>> {
    let mut at = 0;
    loop {
        match words.get(at)?.to_str()? {
            "oci" => break,
            "--debug" | "--systemd-cgroup" => at += 1,
            "--root" | "--log" | "--log-format" => at += 2,
            word if ["--root=", "--log=", "--log-format="].iter().any(|start| word.starts_with(start)) => {
                at += 1
            }
            _ => return None,
        }
    }
    Some(words[..at].iter().chain(&words[at + 1..]).cloned().collect())
}

/// What the caller passes beside words.
#[derive(Debug)]
pub struct Caller {
    /// The number of descriptors of socket activation.
    pub sockets: i32,
    /// `$DBUS_SESSION_BUS_ADDRESS`
    pub bus: Option<String>,
    /// `$XDG_RUNTIME_DIR`
    pub run: Option<PathBuf>,
}

/// Runs `hoist oci WORDS`, and returns the exit code.
#[must_use]
pub fn run(words: Vec<OsString>, caller: &Caller) -> i32 {
    let program = OsString::from("hoist oci");
    let words = match Words::try_parse_from([&program].into_iter().chain(&words)) {
        Ok(mut words) => {
            words.global.sockets = caller.sockets;
            words.global.user = User::find(caller.bus.as_deref(), caller.run.as_deref());
            words
        }
        Err(error) if error.use_stderr() => {
            let _ = error.print(); // a closed terminal changes nothing
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            Global::given(&words).log("error", first.strip_prefix("error: ").unwrap_or(first));
            return error.exit_code();
        }
        Err(help) => return print_help(&help),
    };
    match dispatch(&words) {
        Ok(code) => code,
        Err(error) => {
            words.global.report(error.as_ref());
            1
        }
    }
}

/// Prints `--help` or `--version`, and returns the exit code.
fn print_help(help: &clap::Error) -> i32 {
    match check_output().and_then(|()| help.print()) {
        Ok(()) => 0,
        Err(error) => {
            note(&format!("error: {}", in_callers_words(&OutputError(error))));
            1
        }
    }
}

fn dispatch(words: &Words) -> Result<i32, Failed> {
    let global = &words.global;
    let root = &global.root;
    match &words.verb {
        OciVerb::Create(create) => verbs::create(global, create).map(|()| 0),
        OciVerb::Start { id } => verbs::start(global, id).map(|()| 0),
        OciVerb::Run(run) => verbs::run(global, run),
        OciVerb::State { id } => list::state(root, id).map(|()| 0),
        OciVerb::Kill { all, id, signal } => verbs::kill(global, id, signal, *all).map(|()| 0),
        OciVerb::Delete { force, id } => verbs::delete(global, id, *force).map(|()| 0),
        OciVerb::List(list) => list::list(root, list).map(|()| 0),
        OciVerb::Ps(ps) => list::ps(root, ps).map(|()| 0),
        OciVerb::Exec(exec) => verbs::exec(global, exec),
        OciVerb::Pause { id } => verbs::pause(global, id).map(|()| 0),
        OciVerb::Resume { id } => verbs::resume(global, id).map(|()| 0),
        OciVerb::Update(update) => update::update(global, update).map(|()| 0),
        OciVerb::Spec { bundle } => spec::write(bundle).map(|()| 0),
        OciVerb::Features => print(&spec::features()).map(|()| 0),
        OciVerb::Checkpoint(_) | OciVerb::Restore(_) => {
            refuse("checkpoints are not supported: hoist does not save the memory of processes")
        }
    }
}

impl Global {
    /// Returns the options about the log in a command line with a mistake.
    fn given(words: &[OsString]) -> Self {
        let value = |option: &str| {
            let mut words = words.iter().filter_map(|word| word.to_str());
            let joined = format!("{option}=");
            let found = words.find(|word| *word == option || word.starts_with(&joined))?;
            found.strip_prefix(&joined).or_else(|| words.next()).map(str::to_owned)
        };
        Self {
            root: PathBuf::new(),
            log: value("--log").map(PathBuf::from),
            log_format: value("--log-format").unwrap_or_default(),
            debug: false,
            systemd_cgroup: false,
            sockets: 0,
            user: None,
        }
    }

    /// Prints a failure to standard error, and writes it to the log file if there is one.
    fn report(&self, error: &(dyn std::error::Error + 'static)) {
        let message = in_callers_words(error);
        note(&format!("error: {message}"));
        self.log("error", &message);
    }

    /// Writes warnings to the log file, or to standard error if there is none: a caller with a log
    /// shows the program's standard error to its user.
    fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            match self.log {
                Some(_) => self.log("warning", warning),
                None => note(&format!("warning: {warning}")),
            }
        }
    }

    /// Writes a line to the log file, in the form of other runtimes. There is nowhere to report a
    /// failure.
    fn log(&self, level: &str, message: &str) {
        let Some(path) = &self.log else { return };
        let time = jiff::Timestamp::now();
        let line = match self.log_format.as_str() {
            "json" => {
                serde_json::json!({ "level": level, "msg": message, "time": time.to_string() }).to_string()
            }
            _ => format!("time=\"{time}\" level={level} msg={message:?}"),
        };
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        if let Ok(mut file) = file {
            let _ = writeln!(file, "{line}");
        }
    }
}

/// Formats an error as one line, with the kernel's words in lower case, as Go prints them: callers
/// look for them. `permission denied` tells dockerd that the program cannot be executed, `no such file
/// or directory` tells Podman that something does not exist in the container.
fn in_callers_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut causes = chain(error);
    if let Some(last) = causes.last_mut()
        && let Some((words, _)) = last.rsplit_once(" (os error ")
    {
        *last = words.to_lowercase();
    }
    let mut sources = std::iter::successors(Some(error), |error| error.source());
    if sources.any(|error| matches!(error.downcast_ref(), Some(crate::runtime::Error::NoWorkdir { .. }))) {
        causes.push("no such file or directory".to_owned());
    }
    causes.join(": ")
}

/// Prints warnings to standard error.
fn warn(warnings: &[String]) {
    for warning in warnings {
        note(&format!("warning: {warning}"));
    }
}

/// Prints a line to standard error; there is nowhere to report a failure.
fn note(message: &str) {
    let _ = writeln!(io::stderr(), "hoist oci: {}", text::line(message));
}

/// Prints a document to standard output.
fn print(value: &serde_json::Value) -> Result<(), Failed> {
    put(&format!("{value:#}\n"))
}

/// Writes to standard output.
fn put(text: &str) -> Result<(), Failed> {
    if text.is_empty() {
        return Ok(());
    }
    check_output().map_err(OutputError)?;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(OutputError)?;
    Ok(())
}
