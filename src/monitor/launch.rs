//! The engine's side: spawns monitors and sends them requests.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::wire::{self, Answer, Ask, Failure, Hello, PROTOCOL, Ready, SOCKET};
use crate::base::disk::{self, Lock};
use crate::base::{ContainerId, ErrorKind, ExecId, Explain, Paths};
use crate::container::{Process, store};
use crate::sys::socket::{self, Received};
use crate::sys::{self, spawn};

/// Maximum time until a monitor answers.
const PATIENCE: Duration = Duration::from_secs(2);
/// Errors due to a lack of resources, which say nothing about a monitor.
const LACKS: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS];

/// A monitor could not be started or reached, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The monitor's own error.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// It died without reporting an error.
    #[error("the monitor died without reporting an error{}", .last_words.as_deref().map(|words| format!(": {words}")).unwrap_or_default())]
    Died {
        /// The last lines of its log.
        last_words: Option<String>,
    },
    /// Nothing is listening: the container has exited, or its monitor was killed.
    #[error("the container's monitor is gone")]
    Gone,
    /// It did not answer in time.
    #[error("the container's monitor does not answer")]
    Silent,
    /// Its socket is not accessible or not a socket.
    #[error("the container's monitor cannot be reached")]
    Unreachable(#[source] sys::Error),
    /// It was spawned, but its report cannot be read. It may have started its payload.
    #[error("cannot read the monitor's report")]
    Unheard(#[source] Box<Error>),
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Failed(failure) => failure.kind(),
            Self::Died { .. } => ErrorKind::Internal,
            Self::Gone | Self::Silent | Self::Unreachable(_) => ErrorKind::Unreachable,
            Self::Unheard(error) => error.kind(),
            Self::Sys(error) => error.kind(),
            Self::Disk(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Failed(failure) => failure.hint(),
            Self::Gone | Self::Silent | Self::Unreachable(_) => {
                Some("`hoist kill` and `hoist rm -f` work without it".to_owned())
            }
            Self::Died { .. } => None,
            Self::Unheard(error) => error.hint(),
            Self::Sys(error) => error.hint(),
            Self::Disk(error) => error.hint(),
        }
    }
}

/// The task of a monitor.
#[derive(Debug)]
pub enum Role {
    /// Start the container. The monitor holds the lock until the container is started.
    Run(Lock),
    /// Adopt the container. The lock is passed as for `Run`.
    Adopt(Lock),
    /// Run a command in the container. Its record is on disk.
    Exec(ExecId),
}

/// A monitor that has started its payload.
#[derive(Debug)]
pub struct Launched {
    /// The monitor: a child of this process, which must reap it.
    pub pidfd: OwnedFd,
    /// Warnings, one sentence each.
    pub warnings: Vec<String>,
}

/// Spawns a monitor and waits until it has started its payload or failed.
///
/// # Errors
///
/// The error of the monitor, which has cleaned up.
pub fn launch(
    program: &Path,
    paths: &Paths,
    id: &ContainerId,
    role: Role,
    clients: &[OwnedFd],
) -> Result<Launched, Error> {
    let folder = paths.container_run(id);
    disk::private_dir(&folder)?;
    let log_path = folder.join("monitor.log");
    let log = disk::open_to_append(&log_path)?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null");
    let null = null.map_err(disk::Error::io("open", "/dev/null"))?;
    let pipe = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (ready, ready_end) = sys::check(pipe, || "pipe2(O_CLOEXEC)".to_owned())?;
    let (word, exec, lock) = match role {
        Role::Run(lock) => ("run", String::new(), Some(lock.into_fd())),
        Role::Adopt(lock) => ("adopt", String::new(), Some(lock.into_fd())),
        Role::Exec(exec) => ("exec", exec.as_str().to_owned(), None),
    };
    let pipe = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (let_go, held) = sys::check(pipe, || "pipe2(O_CLOEXEC)".to_owned())?;
    let lock_end = lock.as_ref().map_or(null.as_fd(), AsFd::as_fd);
    let mut passed = vec![lock_end, ready_end.as_fd(), let_go.as_fd()];
    passed.extend(clients.iter().map(AsFd::as_fd));
    let words = [
        b"hoist".to_vec(),
        b"monitor".to_vec(),
        word.as_bytes().to_vec(),
        paths.root().as_os_str().as_encoded_bytes().to_vec(),
        paths.run().as_os_str().as_encoded_bytes().to_vec(),
        id.as_str().as_bytes().to_vec(),
        exec.into_bytes(),
        passed.len().to_string().into_bytes(),
    ];
    let args = words.map(CString::new).into_iter().collect::<Result<Vec<_>, _>>();
    let args =
        args.map_err(|_| sys::Error::new("posix_spawn()", io::Error::from(io::ErrorKind::InvalidInput)))?;
    let streams = [null.as_fd(), null.as_fd(), log.as_fd()];
    // A process that enters a container is visible there and must not give write access to the file
    // of its program (CVE-2019-5736). Without privileges nothing can be entered anyway.
    let sealed = sys::exe::read_only_bind(program).and_then(|tree| spawn::raise(tree.as_fd()));
    let path = sealed.map(|tree| (sys::fs::proc_path(tree.as_fd()), tree));
    let program = path.as_ref().map_or(program, |(path, _tree)| path.as_path());
    let spawned = spawn::spawn(&spawn::Command { program, args: &args, streams, passed: &passed });
    // While the mount is held here, a process with mount privileges could make it writable again.
    drop(path);
    drop((let_go, held));
    let pid = spawned?;
    let unheard = |error: Error| Error::Unheard(Box::new(error));
    let pidfd = sys::process::open(pid).map_err(|error| unheard(error.into()))?;
    // The monitor has its own copies. As long as it holds the lock, nobody else can take it.
    drop((lock, ready_end));
    hear(ready, pidfd, &log_path)
}

fn hear(ready: OwnedFd, pidfd: OwnedFd, log: &Path) -> Result<Launched, Error> {
    let unheard = |error: Error| Error::Unheard(Box::new(error));
    let told =
        wire::read_ready(&mut File::from(ready)).map_err(disk::Error::io("read", "the monitor's pipe"));
    let (moved, outcome) = told.map_err(|error| unheard(error.into()))?;
    let pidfd = match moved {
        Some(pid) => {
            let _ = sys::process::wait(pidfd.as_fd()); // it has exited
            sys::process::open(pid).map_err(|error| unheard(error.into()))?
        }
        None => pidfd,
    };
    let failed = match outcome {
        Some(Ready::Started { warnings }) => return Ok(Launched { pidfd, warnings }),
        Some(Ready::Failed(failure)) => Error::Failed(failure),
        Some(Ready::Moved { .. }) | None => Error::Died { last_words: last_words(log) },
    };
    let _ = sys::process::wait(pidfd.as_fd()); // it exits immediately
    Err(failed)
}

fn last_words(log: &Path) -> Option<String> {
    const LAST: u64 = 16 << 10;
    let mut file = disk::open(log).ok()?;
    let start = file.metadata().ok()?.len().saturating_sub(LAST);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    file.take(LAST).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// Connects to a monitor.
///
/// # Errors
///
/// [`Error::Gone`] if nothing is listening, [`Error::Unreachable`] if its socket is inaccessible.
pub fn connect(paths: &Paths, id: &ContainerId, exec: Option<&ExecId>) -> Result<OwnedFd, Error> {
    let (folder, name) = match exec {
        None => (paths.container_run(id), SOCKET),
        Some(exec) => (crate::container::exec::folder(paths, id), exec.as_str()),
    };
    match socket::connect(&folder, name, PATIENCE) {
        Err(error) if [libc::ENOENT, libc::ECONNREFUSED].contains(&error.errno()) => Err(Error::Gone),
        Err(error) if error.errno() == libc::EAGAIN => Err(Error::Silent),
        Err(error) if !LACKS.contains(&error.errno()) => Err(Error::Unreachable(error)),
        result => Ok(result?),
    }
}

/// Sends the first message on a connection. [`hear_answer`] reads the answer. The monitor need not
/// be running yet.
///
/// # Errors
///
/// [`Error::Gone`] if the monitor has exited.
pub fn send_hello(socket: &OwnedFd, ask: Ask) -> Result<(), Error> {
    let hello = wire::encode(&Hello { protocol: PROTOCOL, ask });
    let hello = hello.map_err(disk::Error::io("write", "a message"))?;
    match socket::send(socket.as_fd(), &[&hello])? {
        socket::Sent::Whole => Ok(()),
        socket::Sent::Full => Err(Error::Silent),
        socket::Sent::Gone => Err(Error::Gone),
    }
}

/// Waits for an answer for at most `patience`; forever with `None`.
///
/// # Errors
///
/// [`Error::Silent`], [`Error::Gone`], and the errors of the monitor.
pub fn hear_answer(socket: &OwnedFd, patience: Option<Duration>) -> Result<Answer, Error> {
    let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
    loop {
        let mut polled = [PollFd::new(socket, PollFlags::IN)];
        match rustix::event::poll(&mut polled, patience.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(0) => return Err(Error::Silent),
            result => {
                sys::check(result, || "poll(a monitor)".to_owned())?;
                break;
            }
        }
    }
    let mut buffer = vec![0; wire::MAX_PACKET];
    match socket::receive(socket.as_fd(), &mut buffer)? {
        Received::Message(length) => match serde_json::from_slice(&buffer[..length]) {
            Ok(Answer::Failed(failure)) => Err(failure.into()),
            Ok(answer) => Ok(answer),
            Err(_) => Err(Error::Silent),
        },
        Received::Nothing | Received::Gone => Err(Error::Gone),
    }
}

/// Asks a monitor for a verb and waits until it is done. The monitor must answer within two
/// seconds, but an accepted verb may take longer. Returns warnings, one sentence each.
///
/// # Errors
///
/// As for [`hear_answer`]; also [`Error::Gone`] if the container and its monitor have exited.
pub fn ask(paths: &Paths, id: &ContainerId, exec: Option<&ExecId>, ask: Ask) -> Result<Vec<String>, Error> {
    begin(paths, id, exec, ask)?.wait(None)
}

/// A verb that a monitor has accepted or done.
#[derive(Debug)]
pub struct Asked {
    socket: OwnedFd,
    answer: Answer,
}

/// Asks a monitor for a verb. It must answer within two seconds; [`Asked::wait`] waits for the
/// rest.
///
/// # Errors
///
/// As for [`hear_answer`].
pub fn begin(paths: &Paths, id: &ContainerId, exec: Option<&ExecId>, ask: Ask) -> Result<Asked, Error> {
    let socket = connect(paths, id, exec)?;
    send_hello(&socket, ask)?;
    let answer = hear_answer(&socket, Some(PATIENCE))?;
    Ok(Asked { socket, answer })
}

impl Asked {
    /// Waits until it is done, for at most `patience`; forever with `None`. Returns warnings, one
    /// sentence each.
    ///
    /// # Errors
    ///
    /// As for [`hear_answer`]. After [`Error::Silent`] the caller may wait again.
    pub fn wait(&self, patience: Option<Duration>) -> Result<Vec<String>, Error> {
        let last = match self.answer {
            Answer::Accepted => Some(hear_answer(&self.socket, patience)?),
            _ => None,
        };
        match last.as_ref().unwrap_or(&self.answer) {
            Answer::Warned { warnings } => Ok(warnings.clone()),
            _ => Ok(Vec::new()),
        }
    }
}

/// Sends a verb to a monitor, and waits until it is accepted, not until it is done.
///
/// # Errors
///
/// As for [`ask`].
pub fn tell(paths: &Paths, id: &ContainerId, ask: Ask) -> Result<(), Error> {
    let socket = connect(paths, id, None)?;
    send_hello(&socket, ask)?;
    hear_answer(&socket, Some(PATIENCE)).map(drop)
}

/// Returns the monitor that listens on a container's socket, whether or not it answers.
#[must_use]
pub fn listener(paths: &Paths, id: &ContainerId) -> Option<Process> {
    let socket = connect(paths, id, None).ok()?;
    let peer = socket::peer(socket.as_fd()).ok()?;
    let process = Process::of(sys::pidfd::pid(peer.as_fd())?.try_into().ok()?)?;
    // Check after opening, so that the pid belonged to this process when it was looked up.
    sys::pidfd::pid(peer.as_fd()).map(|_| process)
}

/// Whether a monitor is running for the container.
///
/// # Errors
///
/// If its lock file cannot be opened.
pub fn is_monitored(paths: &Paths, id: &ContainerId) -> Result<bool, Error> {
    Ok(Lock::is_held(&store::monitor_lock(paths, id))?)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Runs the launcher's side on this report; a child that exits at once stands for the monitor.
    #[expect(clippy::zombie_processes, reason = "it is reaped by its pidfd")]
    fn heard(said: &str, log: &str) -> Result<Vec<String>, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("monitor.log");
        std::fs::write(&path, log).unwrap();
        let (ready, end) = std::io::pipe().unwrap();
        io::Write::write_all(&mut &end, said.as_bytes()).unwrap();
        drop(end);
        let child = Command::new("true").spawn().unwrap();
        let pidfd = sys::process::open(child.id().cast_signed()).unwrap();
        let heard = hear(ready.into(), pidfd, &path);
        heard.map(|launched| {
            sys::process::wait(launched.pidfd.as_fd()).unwrap();
            launched.warnings
        })
    }

    #[test]
    fn a_monitor_is_heard_out_or_its_log_is() {
        assert_eq!(heard(r#"{"started":{"warnings":["cut"]}}"#, "").unwrap(), ["cut"]);
        let failed = r#"{"failed":{"message":"no room","kind":"invalid","hint":"make some","cause":null}}"#;
        let error = heard(failed, "not asked").unwrap_err();
        assert_eq!((error.to_string().as_str(), error.kind()), ("no room", ErrorKind::Invalid));
        assert_eq!(error.hint().as_deref(), Some("make some"));
        for (said, log, want) in [
            ("", "", "the monitor died without reporting an error"),
            ("", "first\nlast\n\n  \n", "the monitor died without reporting an error: last"),
            ("{\"star", "\u{fffd}\n", "the monitor died without reporting an error: \u{fffd}"),
        ] {
            assert_eq!(heard(said, log).unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn of_a_long_log_the_end_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("monitor.log");
        std::fs::write(&path, format!("{}last\n", "first\n".repeat(100_000))).unwrap();
        assert_eq!(last_words(&path).as_deref(), Some("last"));
        std::fs::write(&path, "x".repeat(1 << 20)).unwrap();
        assert_eq!(last_words(&path).unwrap().len(), 16 << 10);
        assert_eq!(last_words(&dir.path().join("none")), None);
    }

    #[test]
    fn an_answer_is_one_of_a_monitors_or_silence() {
        let now = Some(Duration::ZERO);
        let answered = |bytes: &[u8]| {
            let (ours, theirs) = socket::pair().unwrap();
            socket::send(theirs.as_fd(), &[bytes]).unwrap();
            hear_answer(&ours, now)
        };
        assert_eq!(answered(br#""done""#).unwrap(), Answer::Done);
        let failed = answered(br#"{"failed":{"message":"no","kind":"conflict","hint":null,"cause":null}}"#);
        assert!(matches!(failed, Err(Error::Failed(failure)) if failure.kind() == ErrorKind::Conflict));
        for nonsense in [&b"x"[..], b"{}", br#""later""#, b"\xff"] {
            assert!(matches!(answered(nonsense), Err(Error::Silent)), "{nonsense:?}");
        }
        let (ours, theirs) = socket::pair().unwrap();
        assert!(matches!(hear_answer(&ours, now), Err(Error::Silent)));
        drop(theirs);
        assert!(matches!(hear_answer(&ours, now), Err(Error::Gone)));
        assert!(matches!(send_hello(&ours, Ask::Ping), Err(Error::Gone)));
    }

    #[test]
    fn a_verb_that_is_accepted_is_waited_for() {
        let asked = |answer: Answer, then: Option<&[u8]>| {
            let (socket, theirs) = socket::pair().unwrap();
            if let Some(bytes) = then {
                socket::send(theirs.as_fd(), &[bytes]).unwrap();
            }
            (Asked { socket, answer }, theirs)
        };
        let warned = Answer::Warned { warnings: vec!["cut".to_owned()] };
        assert_eq!(asked(warned.clone(), None).0.wait(None).unwrap(), ["cut"]);
        assert_eq!(asked(Answer::Done, None).0.wait(None).unwrap(), [""; 0]);
        let later = encode(&warned);
        assert_eq!(asked(Answer::Accepted, Some(&later)).0.wait(None).unwrap(), ["cut"]);
        let (asked, theirs) = asked(Answer::Accepted, None);
        assert!(matches!(asked.wait(Some(Duration::ZERO)), Err(Error::Silent)), "not yet");
        socket::send(theirs.as_fd(), &[&encode(&Answer::Done)]).unwrap();
        assert_eq!(asked.wait(Some(Duration::ZERO)).unwrap(), [""; 0], "it can be waited for again");
    }

    fn encode(answer: &Answer) -> Vec<u8> {
        wire::encode(answer).unwrap()
    }

    #[test]
    fn who_is_gone_is_told_from_who_cannot_be_reached() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let id: ContainerId = "a".repeat(64).parse().unwrap();
        let reach = || connect(&paths, &id, None).map(drop);
        assert!(matches!(reach(), Err(Error::Gone)), "there is no folder");
        let folder = paths.container_run(&id);
        std::fs::create_dir_all(&folder).unwrap();
        assert!(matches!(reach(), Err(Error::Gone)), "there is no socket");
        let listener = socket::listen(&folder, SOCKET).unwrap();
        reach().unwrap();
        assert_eq!(super::listener(&paths, &id).map(|process| process.pid), Some(std::process::id()));
        drop(listener);
        assert!(matches!(reach(), Err(Error::Gone)), "nobody listens");
        assert_eq!(super::listener(&paths, &id), None);
        assert!(matches!(ask(&paths, &id, None, Ask::Ping), Err(Error::Gone)));
        std::fs::remove_file(folder.join(SOCKET)).unwrap();
        std::os::unix::fs::symlink(SOCKET, folder.join(SOCKET)).unwrap();
        let error = reach().unwrap_err();
        assert!(matches!(&error, Error::Unreachable(_)) && error.hint().is_some(), "{error:?}");
        let session = ExecId::random().unwrap();
        assert!(matches!(connect(&paths, &id, Some(&session)), Err(Error::Gone)));
    }
}
