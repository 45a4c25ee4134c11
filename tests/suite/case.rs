//! Test cases that use an engine in this process, with temporary folders and a busybox image.
//! Everything is removed at the end.
//!
//! Needs root, or root in a user namespace (`unshare -Urmn`). `/bin/busybox` must be static
//! (Debian: busybox-static).

use std::future::Future;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use hoist::engine::container::{AttachOptions, CreateRequest};
use hoist::engine::{Attached, Engine, Options, Output as Sessions, PullPolicy, Settings, Stream};
use hoist::internals::base::Paths;
use hoist::internals::base::progress::Reporter;
use hoist::internals::container::{Run, store};
use hoist::internals::image::Input;
use hoist::internals::image::import::ImportRequest;

use crate::support::{HOIST, busybox_tar, cgroup_parents, command_lines, end_all, groups_of};

/// The image of [`Case::new`].
pub(crate) const IMAGE: &str = "busybox";

/// An engine for a test. Dropping it stops and removes everything it created.
pub(crate) struct Case {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) engine: Engine,
    pub(crate) runtime: tokio::runtime::Runtime,
}

/// The output of a container and its exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<u8>,
}

impl Case {
    /// Creates an engine with [`IMAGE`].
    pub(crate) fn new() -> Self {
        let case = Self::empty();
        case.import_busybox();
        case
    }

    /// Creates an engine without images.
    pub(crate) fn empty() -> Self {
        // Overlayfs needs a real file system below it, and /tmp may be an overlay.
        let dir = tempfile::Builder::new().prefix("hoist-test-").tempdir_in("/var/tmp").unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let settings = Settings { program: HOIST.into(), ..Settings::new(paths) };
        let engine = Engine::open(settings).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Self { dir, engine, runtime: runtime.unwrap() }
    }

    fn import_busybox(&self) {
        let tar = self.dir.path().join("busybox.tar");
        busybox_tar(&tar);
        let request = ImportRequest {
            input: Input::File(tar),
            name: Some(IMAGE.parse().unwrap()),
            changes: vec!["CMD [\"sh\"]".to_owned(), "ENV PATH=/bin:/sbin".to_owned()],
            message: None,
            platform: None,
        };
        self.wait_for(self.engine.images().import(request, Reporter::silent())).unwrap();
    }

    /// Runs a future to completion, for at most a minute.
    pub(crate) fn wait_for<F: Future>(&self, future: F) -> F::Output {
        let limited = async { tokio::time::timeout(Duration::from_secs(60), future).await };
        self.runtime.block_on(limited).expect("it takes longer than a minute")
    }

    /// Returns a command that runs the binary with this engine's folders.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(HOIST);
        command
            .arg("--root")
            .arg(self.dir.path().join("root"))
            .arg("--run-root")
            .arg(self.dir.path().join("run"))
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary and waits for it.
    pub(crate) fn hoist(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Creates a container with the options that `adjust` sets.
    pub(crate) fn create(&self, command: &[&str], adjust: impl FnOnce(&mut Options)) -> String {
        self.try_create(command, adjust).unwrap()
    }

    pub(crate) fn try_create(
        &self,
        command: &[&str],
        adjust: impl FnOnce(&mut Options),
    ) -> hoist::engine::Result<String> {
        let mut options = Options::default();
        options.process.command = command.iter().map(|&word| word.to_owned()).collect();
        options.networking.network = hoist::engine::NetworkMode::None;
        adjust(&mut options);
        let request = CreateRequest { name: None, image: IMAGE.to_owned(), pull: PullPolicy::Never, options };
        let created = self.wait_for(self.engine.containers().create(request, Reporter::silent()));
        created.map(|created| created.id.as_str().to_owned())
    }

    /// Creates and starts a container.
    pub(crate) fn start(&self, command: &[&str], adjust: impl FnOnce(&mut Options)) -> String {
        let id = self.create(command, adjust);
        self.start_again(&id);
        id
    }

    /// Starts an existing container.
    pub(crate) fn start_again(&self, id: &str) {
        // Warnings depend on the machine.
        let _ = self.wait_for(self.engine.containers().start(id)).unwrap();
    }

    /// Creates a container, runs it attached, and waits for it to exit.
    pub(crate) fn run(&self, command: &[&str], adjust: impl FnOnce(&mut Options)) -> Said {
        let id = self.create(command, adjust);
        let attached = self.wait_for(self.engine.containers().start_attached(&id, ALL, None)).unwrap();
        self.wait_for(hear(attached))
    }

    pub(crate) fn container(&self, id: &str) -> hoist::engine::ContainerView {
        self.wait_for(self.engine.containers().get(id)).unwrap()
    }

    /// Returns a container's `run.json`, after a dead run has been settled.
    pub(crate) fn run_of(&self, id: &str) -> Run {
        store::load_run(self.engine.paths(), &self.container(id).id).unwrap().expect("it has a run")
    }

    /// Returns all cgroups of this engine's containers, except those that the containers created.
    pub(crate) fn cgroups(&self) -> Vec<PathBuf> {
        let parents = self.cgroup_parents();
        let mut groups = groups_of(self.engine.paths());
        groups.retain(|group| {
            !group.ends_with("monitors") && parents.iter().any(|parent| group.parent() == Some(parent))
        });
        groups
    }

    /// Returns the existing parents of this engine's cgroups.
    pub(crate) fn cgroup_parents(&self) -> Vec<PathBuf> {
        cgroup_parents(self.engine.paths())
    }

    /// Returns processes whose command line contains this engine's folders.
    pub(crate) fn processes(&self) -> Vec<String> {
        let root = self.dir.path().to_str().unwrap();
        let lines = command_lines().into_iter();
        let lines = lines.map(|(_, line)| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(root)).collect()
    }
}

/// The options of a client that attaches all streams and loses no output.
pub(crate) const ALL: AttachOptions =
    AttachOptions { stdin: true, stdout: true, stderr: true, lossless: true };

/// Returns the whole output of a session.
pub(crate) async fn hear(mut attached: Attached) -> Said {
    let (mut stdout, mut stderr, mut code) = (Vec::new(), Vec::new(), None);
    while let Some(output) = attached.output.recv().await {
        match output {
            Sessions::Bytes(Stream::Stdout, bytes) => stdout.extend(bytes),
            Sessions::Bytes(Stream::Stderr, bytes) => stderr.extend(bytes),
            Sessions::Exited(exit) => code = Some(exit),
            Sessions::Skipped(_) | Sessions::Closed => {}
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { stdout: text(stdout), stderr: text(stderr), code }
}

/// Polls until `is_so` holds, for at most half a minute.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < end, "not within half a minute: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let engine = self.engine.clone();
        let reset = self
            .runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(60), engine.reset()).await });
        let groups = self.cgroup_parents();
        let left =
            [self.processes(), groups.iter().map(|group| group.display().to_string()).collect()].concat();
        end_all(self.engine.paths());
        if !std::thread::panicking() {
            reset.expect("reset takes longer than a minute").expect("reset");
            assert_eq!(left, Vec::<String>::new(), "left behind");
        }
    }
}
