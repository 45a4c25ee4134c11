//! A start: the first one and every restart. Reads the current record, plans, clones, and connects
//! the network while init mounts.
//!
//! ```text
//! root (detached overlay) · cgroup · spec            planned and created here
//! runtime::create ── clone3 ─────────────┐
//!   network::apply · files of /etc       │ init mounts, pivots, …
//!   run.json · record.json               │
//! Created::go_on ───────────────────────▶ execve
//! journal "start"
//! ```
//! The files of /etc are bound by descriptor before their contents are known, so they are created
//! empty and filled in place.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;

use super::error::Error;
use super::label::Labels;
use super::session::Streams;
use super::settle::{self, cgroup_parent};
use super::{bundle, confine, journal, wire};
use crate::base::{Endpoint, Paths, disk};
use crate::cgroup::{Cgroup, Limits, OomEvents};
use crate::container::record::{Process, RUN_VERSION};
use crate::container::spec::ETC_FILES;
use crate::container::{MountKind, NetworkMode, Options, Record, Run, Status, store};
use crate::network::{self, Applied, Connection, HostFiles, Namespace, names};
use crate::oci::runtime::Spec;
use crate::runtime::{self, Created, Gate, Init, Keyring, Links, Plan, Root, Running, Stdio};
use crate::snapshot::{self, Layout};
use crate::sys::{self, probe::Probe};

/// A running container, as its monitor holds it.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) run: Run,
    pub(super) pidfd: OwnedFd,
    pub(super) cgroup: Cgroup,
    pub(super) oom: Option<OomEvents>,
    pub(super) streams: Streams,
    pub(super) warnings: Vec<String>,
}

/// Parameters of a start besides the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct StartOptions {
    /// Rows and columns of the client's terminal.
    pub(super) size: Option<(u16, u16)>,
    /// The status until the program is executed: running, or restarting.
    pub(super) status: Status,
}

/// Starts the container of `record`, in this process's single thread.
///
/// # Errors
///
/// The step that failed. The reason is in the record, and what the start created outside the
/// container's folders is removed. The caller must remove the run.
pub(super) fn start(
    paths: &Paths,
    record: &mut Record,
    probe: &Probe,
    options: StartOptions,
) -> Result<Up, Error> {
    let before = record.state.clone();
    let mut endpoints = None;
    let started = attempt(paths, record, probe, options, &mut endpoints);
    if let Err(error) = &started {
        for error in settle::clear_start(paths, &record.id, endpoints.as_deref()) {
            super::session::report_error(&error);
        }
        record.state = before;
        record.state.error = wire::Failure::of(error).line();
        record.state.exit_code = exit_code(error);
        if let Err(error) = store::save(paths, record) {
            super::session::report_error(&error); // return why it did not start
        }
    }
    started
}

/// Returns Docker's exit code for a failed start.
fn exit_code(error: &Error) -> u8 {
    use crate::base::{ErrorKind, Explain as _};
    match error.kind() {
        ErrorKind::ProgramNotFound => 127,
        ErrorKind::ProgramNotRunnable => 126,
        _ => 128,
    }
}

/// Starts the container. Sets `endpoints` to the connections made so far, for the clean-up.
fn attempt(
    paths: &Paths,
    record: &mut Record,
    probe: &Probe,
    StartOptions { size, status }: StartOptions,
    endpoints: &mut Option<Vec<Endpoint>>,
) -> Result<Up, Error> {
    record.config.check_understood()?;
    let etc = paths.container_etc(&record.id);
    make_sources(&record.config)?;
    prepare_etc(&etc)?;
    let confinement = confine::confine(&record.config, probe)?;
    let mut spec = bundle::bundle(paths, record, probe, confinement.to_apply())?;
    record.state.apparmor = confinement.profile.unwrap_or_default();
    let (labels, unlabelled) = confine::labels(&record.config, &record.id)?;
    if let Some(labels) = &labels {
        label(&mut spec, labels, &etc)?;
    }
    let labels = labels.map(|labels| (labels.process, labels.files)).unwrap_or_default();
    (record.state.process_label, record.state.mount_label) = labels;
    let limits = spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let limits = limits.map(Limits::from_spec).unwrap_or_default();
    let cgroup = Cgroup::create(&cgroup_parent(paths), record.id.as_str(), &limits, probe)?;
    let (stdio, mut streams, pipes) = make_stdio(&record.config, size)?;
    let (created, (root_device, root_inode)) = create(paths, record, &spec, stdio, &cgroup, probe)?;
    let connected = connect(paths, record, &etc, &created, endpoints).and_then(|applied| {
        let run = new_run(paths, record, &created, &applied, pipes);
        let run = Run { status, root_device: Some(root_device), root_inode: Some(root_inode), ..run };
        write_state(paths, record, &run)?;
        Ok((run, applied))
    });
    let (mut run, applied) = match connected {
        Ok(done) => done,
        Err(error) => return Err(created.abandon().map_or(error, Error::from)),
    };
    let running = created.go_on()?;
    run.starting = false;
    run.status = Status::Running;
    if let Err(error) = store::replace_run(paths, &record.id, &run) {
        super::session::report_error(&error); // it is running, but executing commands in it will fail
    }
    let Running { pidfd, console, warnings, .. } = running;
    streams.console = console;
    if let Err(error) = streams.set_nonblocking() {
        use std::os::fd::AsFd as _;
        let _ = sys::process::signal(pidfd.as_fd(), libc::SIGKILL); // nobody could watch it
        return Err(error.into());
    }
    if let (Some(console), Some((rows, columns))) = (&streams.console, size) {
        use std::os::fd::AsFd as _;
        let _ = sys::pty::set_size(console.as_fd(), columns, rows); // the payload may have exited
    }
    let untold = journal::tell_or_warn(paths, record, "start", &[]);
    let more = confinement.warning.into_iter().chain(unlabelled).chain(untold).collect();
    let warnings = [warnings, applied.warnings, more].concat();
    let oom = cgroup.oom_events().ok();
    Ok(Up { run, pidfd, cgroup, oom, streams, warnings })
}

/// Sets the SELinux labels for processes, for the runtime's file systems, and for our files.
fn label(spec: &mut Spec, labels: &Labels, etc: &Path) -> Result<(), Error> {
    if let Some(process) = spec.process_mut() {
        process.set_selinux_label(Some(labels.process.clone()));
    }
    if let Some(linux) = spec.linux_mut() {
        linux.set_mount_label(Some(labels.files.clone()));
    }
    for name in ETC_FILES {
        sys::selinux::label_place(sys::fs::open_place(&etc.join(name))?, &labels.files)?;
    }
    Ok(())
}

/// Creates missing sources of `-v` as folders. A missing source of `--mount` is an error.
fn make_sources(config: &Options) -> Result<(), Error> {
    for mount in &config.mounts.list {
        let MountKind::Bind(bind) = &mount.kind else { continue };
        if bind.source.exists() {
            continue;
        }
        if !bind.create_source {
            return Err(Error::NoSource(bind.source.clone()));
        }
        fs::create_dir_all(&bind.source).map_err(disk::Error::io("create", &bind.source))?;
    }
    Ok(())
}

/// Creates missing files among those bound to the container's /etc. A start that was killed or a
/// power cut may leave only some of them. Anything other than a file is replaced.
fn prepare_etc(etc: &Path) -> Result<(), Error> {
    disk::private_dir(etc)?;
    for path in ETC_FILES.map(|name| etc.join(name)) {
        if !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
            disk::replace(&path, b"")?;
        }
    }
    Ok(())
}

/// Writes in place, since the container may already have the file bound. The file keeps its disk
/// blocks, which another program could otherwise take meanwhile.
fn write_etc(etc: &Path, name: &str, text: &str) -> Result<(), Error> {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let path = etc.join(name);
    let mut file = disk::open_to_overwrite(&path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.set_len(text.len() as u64));
    written.map_err(disk::Error::io("write", &path))?;
    // Every user in the container may read it, whatever the monitor's umask.
    let mode = fs::Permissions::from_mode(0o644);
    Ok(file.set_permissions(mode).map_err(disk::Error::io("change the mode of", &path))?)
}

/// Returns the payload's ends, the monitor's ends, and the inodes of the output pipes.
fn make_stdio(
    config: &Options,
    size: Option<(u16, u16)>,
) -> Result<(Stdio, Streams, Option<[u64; 2]>), Error> {
    if config.process.tty {
        let size = size.map(|(rows, columns)| (columns, rows));
        return Ok((Stdio::Terminal { size }, Streams::default(), None));
    }
    let (stdin, to_stdin) = if config.process.interactive {
        let (read, write) = pipe()?;
        (read, Some(write))
    } else {
        let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        (sys::check(null, || "open(/dev/null)".to_owned())?, None)
    };
    let (stdout, stdout_end) = output_pipe()?;
    let (stderr, stderr_end) = output_pipe()?;
    let inode = |fd: &OwnedFd| Ok::<_, Error>(sys::fs::stat(fd)?.st_ino);
    let pipes = [inode(&stdout)?, inode(&stderr)?];
    let streams = Streams { console: None, stdin: to_stdin, stdout: Some(stdout), stderr: Some(stderr) };
    Ok((Stdio::Files([stdin, stdout_end, stderr_end]), streams, Some(pipes)))
}

/// Returns the reading and writing ends of a pipe.
pub(super) fn pipe() -> Result<(OwnedFd, OwnedFd), Error> {
    let pipe = rustix::pipe::pipe_with(PipeFlags::CLOEXEC);
    Ok(sys::check(pipe, || "pipe2(O_CLOEXEC)".to_owned())?)
}

/// Returns a pipe whose writing end is also open for reading. If the monitor is killed, the payload
/// gets no SIGPIPE and loses no output, but waits until another monitor reads.
fn output_pipe() -> Result<(OwnedFd, OwnedFd), Error> {
    let (read, write) = pipe()?;
    let path = format!("/proc/self/fd/{}", write.as_raw_fd());
    let both = rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    Ok((read, sys::check(both, || format!("open({path}, O_RDWR)"))?))
}

/// Creates the container's init; also returns the device and inode number of its root.
fn create(
    paths: &Paths,
    record: &Record,
    spec: &Spec,
    stdio: Stdio,
    cgroup: &Cgroup,
    probe: &Probe,
) -> Result<(Created, (u64, u64)), Error> {
    let layers = paths.layers();
    let folder = paths.container(&record.id);
    let layout = Layout {
        lower: record.layers.iter().map(|layer| layers.join(layer)).collect(),
        upper: Some((folder.join("upper"), folder.join("work"))),
        // The runtime makes it read-only after creating the mount points.
        read_only: false,
        volatile: record.config.lifecycle.auto_remove,
        label: Some(record.state.mount_label.clone()).filter(|label| !label.is_empty()),
    };
    let root = snapshot::mount(&layout, probe)?;
    let stat = sys::fs::stat(&root)?;
    let init = if record.config.process.init { Init::Reaper } else { Init::Payload };
    let created = runtime::create(Plan {
        spec,
        root: Root::Tree(root),
        mounts: Vec::new(),
        stdio,
        cgroup: Some(cgroup),
        init,
        gate: Gate::Maker,
        hooks: None,
        passed: Vec::new(),
        links: Links::Replace,
        keyring: Keyring::Own,
        probe,
    })?;
    Ok((created, (stat.st_dev, stat.st_ino)))
}

/// Connects the network and fills the files of /etc. Sets `endpoints` to the connections, even
/// after a failure.
fn connect(
    paths: &Paths,
    record: &Record,
    etc: &Path,
    created: &Created,
    endpoints: &mut Option<Vec<Endpoint>>,
) -> Result<Applied, Error> {
    let config = &record.config;
    let network_paths = network::NetworkPaths::new(paths);
    let (namespace, networks) = match &config.networking.network {
        NetworkMode::None => (Namespace::Own, Vec::new()),
        NetworkMode::Host => (Namespace::Host, Vec::new()),
        // Other networks were rejected before.
        _ => (Namespace::Own, vec![network::default_network(&network_paths)?]),
    };
    let plan = network::plan(network::Request {
        container: record.id.clone(),
        namespace,
        connections: networks.into_iter().map(Connection::to).collect(),
        hostname: config.networking.hostname().to_owned(),
        domainname: config.networking.domainname().to_owned(),
        extra_hosts: config.networking.extra_hosts.clone(),
        dns: config.networking.dns.clone(),
        dns_search: config.networking.dns_search.clone(),
        dns_options: config.networking.dns_options.clone(),
    })?;
    let namespace = if plan.has_namespace() { Some(created.network_namespace()?) } else { None };
    let applied = network::apply(&plan, namespace.as_ref().map(std::os::fd::AsFd::as_fd), &network_paths)?;
    *endpoints = Some(applied.endpoints.clone());
    let host = HostFiles::read();
    write_etc(etc, "hosts", &names::hosts(&plan, &applied, &host))?;
    write_etc(etc, "hostname", &format!("{}\n", config.networking.hostname()))?;
    write_etc(etc, "resolv.conf", &names::resolv_conf(&plan, &host))?;
    Ok(applied)
}

/// Returns what other processes need to find this run.
fn new_run(
    paths: &Paths,
    record: &Record,
    created: &Created,
    applied: &Applied,
    pipes: Option<[u64; 2]>,
) -> Run {
    Run {
        version: RUN_VERSION,
        boot_id: store::boot_id().to_owned(),
        protocol: wire::PROTOCOL,
        status: Status::Running,
        monitor: Process::own().into(),
        init: u32::try_from(created.pid()).ok().and_then(Process::of).map(disk::Kept::from),
        starting: true,
        started: Some(Timestamp::now()),
        cgroup: Some(cgroup_parent(paths).path.join(record.id.as_str())),
        root_device: None,
        root_inode: None,
        pipes,
        endpoints: Some(applied.endpoints.clone()),
        log_fault: String::new(),
        ended: None,
        unknown: disk::Unknown::new(),
    }
}

/// Writes what other processes need to find this run, before the payload is executed.
fn write_state(paths: &Paths, record: &mut Record, run: &Run) -> Result<(), Error> {
    record.state.started = run.started;
    record.state.finished = None;
    record.state.exit_code = 0;
    record.state.oom_killed = false;
    record.state.error.clear();
    record.state.log_fault.clear();
    record.state.stopped_by_hand = false;
    if run.status == Status::Restarting {
        return Ok(replace_state(paths, record, run)?);
    }
    store::save_run(paths, &record.id, run)?;
    Ok(store::save(paths, record)?)
}

/// Like [`write_state`], for a restart. On a full disk the record may remain unchanged, because the
/// run has the same data.
fn replace_state(paths: &Paths, record: &Record, run: &Run) -> Result<(), store::Error> {
    store::replace_run(paths, &record.id, run)?;
    match store::save(paths, record) {
        Err(store::Error::Disk(error)) if error.is_unwritable() => {
            super::session::report_error(&error);
            Ok(())
        }
        saved => saved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_start_left_of_the_files_is_completed() {
        let dir = tempfile::tempdir().unwrap();
        let etc = dir.path().join("etc");
        disk::private_dir(&etc).unwrap();
        fs::write(etc.join(ETC_FILES[0]), "kept").unwrap();
        std::os::unix::fs::symlink(ETC_FILES[0], etc.join(ETC_FILES[1])).unwrap();
        prepare_etc(&etc).unwrap();
        let texts = ETC_FILES.map(|name| fs::read_to_string(etc.join(name)).unwrap());
        assert_eq!(texts, ["kept", "", ""]);
    }
}
