//! `run` and `create`: the words, and what they mean.

use std::path::PathBuf;

use clap::Args;

use super::usage::Usage;
use super::{Request, Words, World, keys, mount, options};
use crate::engine::{
    CreateRequest, Kept, LifecycleOptions, LogOptions, MAX_LOG_FILES, MountOptions, NetworkMode,
    NetworkOptions, Options, ProcessOptions, PullPolicy, ResourceOptions, RestartPolicy, SecurityOptions,
    Streams, Unknown,
};

/// `run`: create, start, and stay with it unless detached.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What to create.
    pub create: Create,
    /// Only start it, and tell its id.
    pub detach: bool,
    /// Which streams the caller's terminal carries.
    pub streams: Streams,
    /// Signals of the caller go to the container, where it has no terminal.
    pub sig_proxy: bool,
    /// What leaves the container running.
    pub detach_keys: Vec<u8>,
}

/// `create`
#[derive(Debug, Clone)]
pub struct Create {
    /// For the engine.
    pub request: CreateRequest,
    /// Where the id is written.
    pub cidfile: Option<PathBuf>,
    /// No progress of a pull.
    pub quiet: bool,
}

impl PartialEq for Create {
    fn eq(&self, other: &Self) -> bool {
        let parts = |c: &Self| {
            let request = &c.request;
            (request.name.clone(), request.image.clone(), request.pull, c.cidfile.clone(), c.quiet)
        };
        parts(self) == parts(other) && self.request.options == other.request.options
    }
}

/// Options of `run` and `create`.
#[derive(Debug, Args)]
pub(super) struct CreateWords {
    /// Add a line to /etc/hosts (host:ip)
    #[arg(long, value_name = "HOST:IP")]
    add_host: Vec<String>,
    /// Attach to STDIN, STDOUT or STDERR
    #[arg(short, long, value_name = "STREAM")]
    attach: Vec<String>,
    /// Add Linux capabilities
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<String>,
    /// Drop Linux capabilities
    #[arg(long, value_name = "CAPABILITY")]
    cap_drop: Vec<String>,
    /// Write the container ID to the file
    #[arg(long, value_name = "FILE")]
    cidfile: Option<String>,
    /// Set custom DNS servers
    #[arg(long, value_name = "IP")]
    dns: Vec<String>,
    /// Set DNS options
    #[arg(long, alias = "dns-opt", value_name = "OPTION")]
    dns_option: Vec<String>,
    /// Set custom DNS search domains
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<String>,
    /// Container NIS domain name
    #[arg(long, value_name = "NAME")]
    domainname: Option<String>,
    /// Overwrite the default ENTRYPOINT of the image
    #[arg(long, value_name = "PROGRAM")]
    entrypoint: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long, value_name = "FILE")]
    env_file: Vec<String>,
    /// Add additional groups to join
    #[arg(long, value_name = "GROUP")]
    group_add: Vec<String>,
    /// Container host name
    #[arg(short = 'h', long, value_name = "NAME")]
    hostname: Option<String>,
    /// Run an init inside the container that forwards signals and reaps processes
    #[arg(long)]
    init: bool,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    interactive: bool,
    /// Set meta data on a container
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// Read in a line delimited file of labels
    #[arg(long, value_name = "FILE")]
    label_file: Vec<String>,
    /// Logging driver for the container (json-file, none)
    #[arg(long, value_name = "DRIVER")]
    log_driver: Option<String>,
    /// Log driver options (max-size, max-file)
    #[arg(long, value_name = "NAME=VALUE")]
    log_opt: Vec<String>,
    /// Attach a file system mount to the container (type=bind or type=tmpfs)
    #[arg(long, value_name = "MOUNT")]
    mount: Vec<String>,
    /// Assign a name to the container
    #[arg(long)]
    name: Option<String>,
    /// Connect a container to a network (bridge, host, none)
    #[arg(long, alias = "net", value_name = "NETWORK")]
    network: Vec<String>,
    /// Use the image of this platform
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// Give extended privileges to this container
    #[arg(long)]
    privileged: bool,
    /// Pull image before running (always, missing, never)
    #[arg(long, value_name = "WHEN", default_value = "missing")]
    pull: String,
    /// Suppress the pull output
    #[arg(short, long)]
    quiet: bool,
    /// Mount the container's root file system as read only
    #[arg(long)]
    read_only: bool,
    /// Restart policy (no, always, unless-stopped, on-failure[:n])
    #[arg(long, value_name = "POLICY", default_value = "no")]
    restart: String,
    /// Automatically remove the container when it exits
    #[arg(long)]
    rm: bool,
    /// Runtime to use for this container
    #[arg(long, value_name = "RUNTIME")]
    runtime: Option<String>,
    /// Security options (no-new-privileges, seccomp=FILE|unconfined)
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,
    /// Size of /dev/shm
    #[arg(long, value_name = "BYTES")]
    shm_size: Option<String>,
    /// Signal to stop the container
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<String>,
    /// Timeout (in seconds) to stop a container
    #[arg(long, value_name = "SECONDS")]
    stop_timeout: Option<i64>,
    /// Mount a tmpfs directory
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    tmpfs: Vec<String>,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    tty: bool,
    /// Ulimit options
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    ulimit: Vec<String>,
    /// Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Bind mount a folder or file (host:container[:options])
    #[arg(short, long, value_name = "SOURCE:TARGET")]
    volume: Vec<String>,
    /// Working directory inside the container
    #[arg(short, long, value_name = "FOLDER")]
    workdir: Option<String>,
    /// The image, then the command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "IMAGE")]
    words: Vec<String>,
}

/// Options that only `run` has.
#[derive(Debug, Args)]
pub(super) struct RunWords {
    /// Run container in background and print container ID
    #[arg(short, long)]
    detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Proxy received signals to the process
    #[arg(long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "true", value_name = "BOOL", value_parser = super::truth)]
    sig_proxy: bool,
    #[command(flatten)]
    create: CreateWords,
}

impl Words for CreateWords {
    fn request(self, world: &World) -> Result<Request, Usage> {
        Ok(Request::Create(Box::new(self.create(world)?)))
    }
}

impl Words for RunWords {
    fn request(self, world: &World) -> Result<Request, Usage> {
        let mut create = self.create.create(world)?;
        let process = &mut create.request.options.process;
        if self.detach && process.attach.replace(Streams::default().into()).is_some() {
            return Err(Usage::argument("conflicting options: cannot specify both --attach and --detach"));
        }
        let streams = process.attached();
        Ok(Request::Run(Box::new(Run {
            create,
            detach: self.detach,
            streams,
            sig_proxy: self.sig_proxy,
            detach_keys: detach_keys(self.detach_keys.as_deref())?,
        })))
    }
}

/// `--detach-keys`, or the default.
pub(super) fn detach_keys(word: Option<&str>) -> Result<Vec<u8>, Usage> {
    word.map_or_else(|| Ok(keys::DEFAULT_DETACH.to_vec()), keys::parse)
}

/// The streams of `-a`; `None` without one. Standard input that stays open is one of them.
fn named_streams(words: &[String], interactive: bool) -> Result<Option<Streams>, Usage> {
    let mut streams = Streams { stdin: interactive, ..Streams::default() };
    for word in words {
        match word.to_ascii_lowercase().as_str() {
            "stdin" => streams.stdin = true,
            "stdout" => streams.stdout = true,
            "stderr" => streams.stderr = true,
            _ => {
                let message = format!("invalid argument `{word}` for --attach: want STDIN, STDOUT or STDERR");
                return Err(Usage::argument(message));
            }
        }
    }
    Ok(Some(streams).filter(|_| !words.is_empty()))
}

impl CreateWords {
    fn create(self, world: &World) -> Result<Create, Usage> {
        let mut words = self.words.iter().cloned();
        let image = words.next().unwrap_or_default();
        let command = words.collect();
        if image.is_empty() {
            return Err(Usage::argument("invalid reference format: the image's name is empty"));
        }
        let name = self.name.as_deref().map(str::parse).transpose();
        let name = name.map_err(|error| Usage::argument(format!("{error}")))?;
        let pull = match self.pull.as_str() {
            "always" => PullPolicy::Always,
            "missing" | "" => PullPolicy::Missing,
            "never" => PullPolicy::Never,
            other => {
                let message =
                    format!("invalid pull option `{other}`: must be one of always, missing or never");
                return Err(Usage::argument(message));
            }
        };
        let cidfile = self.cidfile.as_deref().map(|path| world.absolute(path));
        let quiet = self.quiet;
        let options = self.options(command, world)?;
        Ok(Create { request: CreateRequest { name, image, pull, options }, cidfile, quiet })
    }

    fn options(self, command: Vec<String>, world: &World) -> Result<Options, Usage> {
        let filled = |option: &'static str| move |word: &str| options::filled(option, word);
        let mut options = Options {
            process: ProcessOptions {
                command,
                entrypoint: self.entrypoint.map(|word| if word.is_empty() { Vec::new() } else { vec![word] }),
                env: options::env(&self.env_file, &self.env, world)?,
                workdir: self.workdir.as_deref().map(options::workdir).transpose()?,
                user: self.user,
                group_add: options::each(&self.group_add, filled("--group-add"))?,
                tty: self.tty,
                interactive: self.interactive,
                attach: named_streams(&self.attach, self.interactive)?.map(Kept::from),
                init: self.init,
                unknown: Unknown::new(),
            },
            mounts: MountOptions {
                list: mount::all(&self.volume, &self.mount, &self.tmpfs, world)?,
                read_only: self.read_only,
                ..MountOptions::default()
            },
            networking: NetworkOptions {
                network: network(&self.network)?,
                hostname: self.hostname,
                domainname: self.domainname,
                extra_hosts: options::each(&self.add_host, options::extra_host)?,
                dns: options::each(&self.dns, options::dns)?,
                dns_search: options::each(&self.dns_search, options::dns_search)?,
                dns_options: self.dns_option,
                ..NetworkOptions::default()
            },
            security: SecurityOptions {
                cap_add: options::each(&self.cap_add, filled("--cap-add"))?,
                cap_drop: options::each(&self.cap_drop, filled("--cap-drop"))?,
                privileged: self.privileged,
                ..SecurityOptions::default()
            },
            resources: ResourceOptions {
                ulimits: options::each(&self.ulimit, options::ulimit)?,
                shm_size: self
                    .shm_size
                    .as_deref()
                    .map(|word| options::size("--shm-size", word))
                    .transpose()?,
                unknown: Unknown::new(),
            },
            lifecycle: LifecycleOptions {
                auto_remove: self.rm,
                restart: options::restart(&self.restart)?,
                stop_signal: self.stop_signal,
                stop_timeout: self.stop_timeout,
                unknown: Unknown::new(),
            },
            logging: log(self.log_driver, &self.log_opt)?,
            labels: options::labels(&self.label_file, &self.label, world)?,
            platform: self.platform.as_deref().map(options::platform).transpose()?,
            runtime: self.runtime,
            unknown: Unknown::new(),
        };
        for word in &self.security_opt {
            options::security(word, &mut options.security, world)?;
        }
        if options.lifecycle.auto_remove && options.lifecycle.restart != RestartPolicy::No {
            return Err(Usage::argument("conflicting options: cannot specify both --restart and --rm"));
        }
        Ok(options)
    }
}

fn network(words: &[String]) -> Result<NetworkMode, Usage> {
    let mut words = words.iter();
    let Some(word) = words.next() else { return Ok(NetworkMode::default()) };
    if words.next().is_some() {
        return Err(Usage::argument("--network given twice is not supported yet"));
    }
    if word.is_empty() {
        return Err(Usage::argument("no name set for network"));
    }
    if !word.contains('=') {
        return Ok(NetworkMode::from(word.clone()));
    }
    let mut mode = None;
    for part in word.split(',') {
        match part.split_once('=') {
            Some(("name", name)) => mode = Some(NetworkMode::from(name.to_owned())),
            Some((key, _)) => return Err(Usage::argument(format!("--network {key}= is not supported yet"))),
            None => {
                return Err(Usage::argument(format!("invalid field `{part}` in --network: want key=value")));
            }
        }
    }
    mode.ok_or_else(|| Usage::argument("--network needs name="))
}

fn log(driver: Option<String>, words: &[String]) -> Result<LogOptions, Usage> {
    let mut log = LogOptions::default();
    match driver.as_deref() {
        None | Some("") => {}
        Some(known @ ("json-file" | "none")) => log.driver = Some(known.to_owned()),
        Some(other) => {
            let usage = Usage::argument(format!("--log-driver {other} is not supported yet"));
            return Err(usage.hint("there are json-file and none"));
        }
    }
    for word in words {
        let (key, value) = options::pair("--log-opt", word)?;
        match key {
            _ if !log.is_kept() => {
                return Err(Usage::argument(format!("unknown log opt `{key}` for log driver none")));
            }
            "max-size" => log.max_size = Some(options::decimal_size("--log-opt max-size", value)?),
            "max-file" => {
                let files = value.parse().ok().filter(|files| (1..=MAX_LOG_FILES).contains(files));
                let bad = || {
                    let want = format!("want a number from 1 to {MAX_LOG_FILES}");
                    Usage::argument(format!("invalid --log-opt max-file `{value}`: {want}"))
                };
                log.max_files = Some(files.ok_or_else(bad)?);
            }
            _ => {
                let usage = Usage::argument(format!("--log-opt {key} is not supported yet"));
                return Err(usage.hint("there are max-size and max-file"));
            }
        }
    }
    Ok(log)
}
