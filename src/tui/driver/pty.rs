//! Programs of this machine in terminals of hoist.
//!
//! The program is the leader of a session on a terminal whose other end is held here. When that is
//! closed, its process group gets SIGHUP, as when a terminal window is closed.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;

use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use rustix::pty::OpenptFlags;
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};

use super::process::{Group, HangUp};
use crate::command::World;
use crate::engine::{Attached, Input, Output, Stream, Warnings};
use crate::tui::failure::Failure;

/// `POSIX_SPAWN_SETSID` in glibc and musl, which the crates do not define.
const SETSID: libc::c_int = 0x80;

/// Maximum number of packets queued for a slow receiver.
const QUEUE: usize = 16;

/// Starts a program of this machine in a new terminal of `size` (rows, columns).
///
/// # Errors
///
/// Fails if the program was not found, or no terminal is available.
pub(super) fn start(world: &World, words: &[String], size: (u16, u16)) -> Result<Attached, Failure> {
    let program = words.first().map_or("", String::as_str);
    let started = open(size).and_then(|(master, path)| {
        let master = watched(master)?;
        Ok((Group::of(spawn(world, words, &path)?, Signal::SIGHUP), master))
    });
    let (group, master) = started.map_err(|error| Failure {
        what: format!("cannot run `{program}`"),
        why: vec![error.to_string()],
        hint: (error.kind() == io::ErrorKind::NotFound)
            .then(|| "check that it is installed and in PATH".to_owned()),
    })?;
    let master = Arc::new(master);
    let (input, inputs) = mpsc::channel(QUEUE);
    let (outputs, output) = mpsc::channel(QUEUE);
    let pane = outputs.clone();
    tokio::spawn(carry_output(Arc::clone(&master), outputs, HangUp(group), exit_of(group)));
    tokio::spawn(async move {
        tokio::select! {
            () = carry_input(master, group, inputs) => {}
            // A program that does not read would keep the terminal open, and miss its SIGHUP.
            () = pane.closed() => {}
        }
    });
    Ok(Attached { input, output, tty: true, warnings: Warnings::default() })
}

fn open((rows, columns): (u16, u16)) -> io::Result<(OwnedFd, CString)> {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    resize(&master, rows, columns)?;
    rustix::io::ioctl_fionbio(&master, true)?;
    let path = rustix::pty::ptsname(&master, Vec::new())?;
    Ok((master, path))
}

fn resize(terminal: &OwnedFd, rows: u16, columns: u16) -> io::Result<()> {
    Ok(tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?)
}

/// Starts the program on the terminal at `path`. The leader of a session without a terminal gets
/// the first one that it opens as its controlling terminal.
fn spawn(world: &World, words: &[String], path: &CString) -> io::Result<Pid> {
    let nul = || io::Error::from(io::ErrorKind::InvalidInput);
    let args = words.iter().map(|word| CString::new(word.as_bytes()).map_err(|_| nul()));
    let args = args.collect::<io::Result<Vec<_>>>()?;
    let program = args.first().ok_or_else(nul)?;
    let mut actions = PosixSpawnFileActions::init()?;
    actions.add_open(0, path.as_c_str(), OFlag::O_RDWR, Mode::empty())?;
    actions.add_dup2(0, 1)?;
    actions.add_dup2(0, 2)?;
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_sigdefault(&SigSet::all())?;
    attributes.set_sigmask(&SigSet::empty())?;
    let flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
    attributes.set_flags(flags | PosixSpawnFlags::from_bits_retain(SETSID))?;
    Ok(posix_spawnp(program, &actions, &attributes, &args, &environment(world))?)
}

/// Returns hoist's environment, with the terminal type that panes emulate.
fn environment(world: &World) -> Vec<CString> {
    let own = world.environment.all().filter(|(name, _)| *name != OsStr::new("TERM"));
    let entries = own.map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
    entries.chain([b"TERM=xterm-256color".to_vec()]).filter_map(|entry| CString::new(entry).ok()).collect()
}

/// Waits for the program in a thread, and returns its exit code.
fn exit_of(group: Group) -> oneshot::Receiver<u8> {
    let (tell, exit) = oneshot::channel();
    let waiter = std::thread::Builder::new().spawn(move || {
        let status = group.wait().ok();
        let code =
            status.and_then(|status| status.code().or_else(|| status.signal().map(|number| 128 + number)));
        let _ = tell.send(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(255)); // the terminal may be closed
    });
    drop(waiter); // without a thread, the exit code remains unknown
    exit
}

#[expect(deprecated, reason = "unsound only for types that change their descriptor: ours own one for life")]
fn watched(master: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(master, Interest::READABLE | Interest::WRITABLE)
}

async fn carry_output(
    master: Arc<AsyncFd<OwnedFd>>,
    to: mpsc::Sender<Output>,
    _program: HangUp,
    mut exit: oneshot::Receiver<u8>,
) {
    let mut buffer = vec![0; 32 << 10];
    let mut is_closed = false;
    let code = loop {
        tokio::select! {
            read = master.async_io(Interest::READABLE, |fd| read(fd, &mut buffer)), if !is_closed => match read {
                Ok(length) if length > 0 => {
                    if to.send(Output::Bytes(Stream::Stdout, buffer[..length].to_vec())).await.is_err() {
                        return;
                    }
                }
                // Nobody has the terminal open any longer (EIO).
                _ => is_closed = true,
            },
            code = &mut exit => break code.unwrap_or(255),
            () = to.closed() => return,
        }
    };
    // What it wrote last is still in the terminal; other processes may go on writing.
    for _ in 0..QUEUE {
        let Ok(length) = read(master.get_ref(), &mut buffer) else { break };
        if length == 0 || to.send(Output::Bytes(Stream::Stdout, buffer[..length].to_vec())).await.is_err() {
            break;
        }
    }
    let _ = to.send(Output::Exited(code)).await; // nobody may be listening
}

fn read(master: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(master, buffer)?)
}

async fn carry_input(master: Arc<AsyncFd<OwnedFd>>, group: Group, mut inputs: mpsc::Receiver<Input>) {
    while let Some(input) = inputs.recv().await {
        match input {
            Input::Bytes(bytes) => {
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let write = |fd: &OwnedFd| Ok(rustix::io::write(fd, rest)?);
                    let Ok(length) = master.async_io(Interest::WRITABLE, write).await else { return };
                    rest = &rest[length..];
                }
            }
            // A terminal is not closed: its user types ^D.
            Input::Close => {}
            Input::Resize(rows, columns) => {
                let _ = resize(master.get_ref(), rows, columns); // the program may be exiting
            }
            Input::Signal(signal) => {
                // Its process group, as the terminal does for Ctrl-c.
                if let Ok(signal) = Signal::try_from(signal) {
                    group.signal(signal);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn world() -> World {
        let folder = std::env::current_dir().unwrap();
        World { environment: Environment::read(), folder, read: |path| std::fs::read_to_string(path) }
    }

    async fn until_exit(mut attached: Attached) -> (String, u8) {
        let mut text = String::new();
        loop {
            match attached.output.recv().await.unwrap() {
                Output::Bytes(_, bytes) => text += &String::from_utf8_lossy(&bytes),
                Output::Exited(code) => return (text, code),
                other => panic!("{other:?}"),
            }
        }
    }

    fn sh(script: &str) -> Result<Attached, Failure> {
        start(&world(), &["sh", "-c", script].map(str::to_owned), (21, 77))
    }

    #[tokio::test]
    async fn a_program_has_a_terminal_of_its_own_and_its_end_is_told() {
        let (text, code) = until_exit(sh("stty size; echo $TERM; : < /dev/tty && exit 3").unwrap()).await;
        assert_eq!((text.as_str(), code), ("21 77\r\nxterm-256color\r\n", 3));
    }

    #[tokio::test]
    async fn what_is_typed_reaches_it_and_ctrl_c_interrupts_it() {
        let mut attached =
            sh("trap 'exit 7' INT; echo ready; read x; echo got-$x; sleep 1000 & wait").unwrap();
        let mut text = String::new();
        for (word, input) in [("ready", &b"me\n"[..]), ("got-me", b"\x03")] {
            while !text.contains(word) {
                let Some(Output::Bytes(_, bytes)) = attached.output.recv().await else { panic!("{text}") };
                text += &String::from_utf8_lossy(&bytes);
            }
            attached.input.send(Input::Bytes(input.to_vec())).await.unwrap();
        }
        assert_eq!(until_exit(attached).await.1, 7);
    }

    #[tokio::test]
    async fn a_program_that_does_not_read_is_hung_up_when_its_pane_is_closed() {
        let (mut told, tell) = io::pipe().unwrap();
        let (pid, fd) = (std::process::id(), std::os::fd::AsRawFd::as_raw_fd(&tell));
        let tells = format!("trap 'echo hung-up >/proc/{pid}/fd/{fd}; exit' HUP");
        let mut attached = sh(&format!("{tells}; stty raw; echo ready; sleep 1000 & wait")).unwrap();
        let mut text = String::new();
        while !text.contains("ready") {
            let Some(Output::Bytes(_, bytes)) = attached.output.recv().await else { panic!("{text}") };
            text += &String::from_utf8_lossy(&bytes);
        }
        attached.input.send(Input::Bytes(vec![b'x'; 1 << 20])).await.unwrap();
        drop(attached);
        let heard = tokio::task::spawn_blocking(move || {
            let mut word = [0; 8];
            io::Read::read_exact(&mut told, &mut word).map(|()| word)
        });
        assert_eq!(&heard.await.unwrap().unwrap(), b"hung-up\n");
        drop(tell);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let failure = start(&world(), &["no-such-program".to_owned()], (24, 80)).unwrap_err();
        assert_eq!(failure.what, "cannot run `no-such-program`");
        assert!(failure.hint.is_some());
    }
}
