//! The process that accompanies each container: `hoist monitor …`, spawned by an engine, never
//! called by users.
//!
//! ```text
//! hoist monitor run|adopt|exec <root> <run> <id> [<exec id>] <passed>
//!   descriptor 3   the container's lock, released once it is started   (not for exec)
//!   descriptor 4   a pipe for one [`wire::Ready`]
//!   descriptor 5…  clients that connected before the start
//!   descriptor 2   monitor.log of the run's folder
//! ```
//! It has one thread, one poll loop and a small memory footprint, without an async runtime or
//! argument parser. While it holds `monitor.lock`, only it writes `record.json` and `run.json`.

mod adopt;
pub mod attach;
mod bundle;
mod client;
mod confine;
pub mod end;
mod error;
mod exec;
mod guard;
pub mod journal;
mod label;
pub mod launch;
mod life;
mod poll;
mod privilege;
pub mod recover;
mod run;
mod session;
pub mod settle;
mod start;
mod usage;
mod verbs;
pub mod wire;

use std::ffi::OsString;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;

pub use error::Error;

use crate::base::disk::{Lock, Rank, private_dir};
use crate::base::{ContainerId, Paths};
use crate::container::log::{self, Writer};
use crate::container::{Record, store};
use crate::sys::probe::Probe;
use crate::sys::{clone, process, socket, spawn};
use run::Monitor;
use session::{Session, Shape, report_error};
use wire::{Failure, Ready};

/// Runs the monitor with these arguments, which do not include `monitor` itself.
#[must_use]
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    // The container must not depend on the environment of the process that starts it.
    crate::sys::inherited::reset();
    let args: Vec<OsString> = args.collect();
    let _ = crate::sys::process::set_name(c"hoist"); // otherwise it has the name of a descriptor
    match Call::parse(&args).and_then(Call::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// The arguments of a monitor.
#[derive(Debug)]
struct Call {
    role: Role,
    paths: Paths,
    id: ContainerId,
    lock: Option<OwnedFd>,
    ready: OwnedFd,
    /// Reaches its end when the launcher has closed the mount from which this process is executed.
    let_go: OwnedFd,
    clients: Vec<OwnedFd>,
}

#[derive(Debug)]
enum Role {
    Run,
    Adopt,
    Exec(crate::base::ExecId),
}

/// The first descriptor; the lock and the pipe come before the clients.
const FIXED: i32 = 3;

impl Call {
    fn parse(args: &[OsString]) -> Result<Self, Error> {
        let usage = |what| Error::Usage(what);
        let [role, root, run, id, exec, passed] = args else { return Err(usage("expected six arguments")) };
        let text = |word: &OsString| word.to_str().map(str::to_owned);
        let id = text(id).and_then(|id| id.parse().ok()).ok_or(usage("the id"))?;
        let role = match text(role).as_deref() {
            Some("run") => Role::Run,
            Some("adopt") => Role::Adopt,
            Some("exec") => {
                Role::Exec(text(exec).and_then(|id| id.parse().ok()).ok_or(usage("the exec id"))?)
            }
            _ => return Err(usage("the role")),
        };
        let passed: i32 = text(passed).and_then(|n| n.parse().ok()).ok_or(usage("the count"))?;
        if passed < FIXED {
            return Err(usage("the count"));
        }
        let mut passed = spawn::take_passed(passed)?.into_iter();
        let [Some(lock), Some(ready), Some(let_go)] = [passed.next(), passed.next(), passed.next()] else {
            return Err(usage("the count"));
        };
        let clients = passed.collect();
        let lock = if matches!(role, Role::Exec(_)) { None } else { Some(lock) };
        Ok(Self { role, paths: Paths::new(root, run), id, lock, ready, let_go, clients })
    }

    fn run(self) -> Result<(), Error> {
        // Wait before anything enters the container. Nothing is ever written to this pipe.
        let _ = rustix::io::retry_on_intr(|| rustix::io::read(&self.let_go, &mut [0_u8; 1]));
        if let Err(error) = self.leave_the_session() {
            report_error(&error); // a logout may then kill this process
        }
        match self.role {
            Role::Run => self.run_container(),
            Role::Adopt => self.adopt(),
            Role::Exec(ref exec) => {
                let exec = exec.clone();
                exec::run(&self.paths, &self.id, &exec, self.ready, self.clients)
            }
        }
    }

    /// Leaves the cgroups of the session or unit in which this process was started: a copy of it is
    /// created outside and takes over, or this process moves.
    fn leave_the_session(&self) -> Result<(), Error> {
        let mut entrance = settle::cgroup_parent(&self.paths).monitors()?;
        let Some(group) = entrance.born_into.take() else { return Ok(entrance.join()?) };
        match clone::clone_as_sibling_into(group.as_fd()) {
            Ok(None) => Ok(process::new_session()?),
            Ok(Some(pid)) => {
                let news = wire::encode(&Ready::Moved { pid }).unwrap_or_default();
                let _ = rustix::io::write(&self.ready, &news); // the launcher may have exited
                process::exit_now(0) // do not drop the lock, which belongs to the copy
            }
            Err(_) => Ok(entrance.join()?), // an old kernel
        }
    }

    fn run_container(mut self) -> Result<(), Error> {
        let clients = std::mem::take(&mut self.clients);
        let begun = self.prepare().and_then(|mut monitor| {
            clients.into_iter().for_each(|client| monitor.session.connect(client));
            monitor.session.accept_clients();
            match monitor.start_by_hand() {
                Ok(up) => Ok((monitor, up)),
                Err(error) => {
                    monitor.give_up();
                    Err(error)
                }
            }
        });
        match begun {
            Ok((monitor, up)) => {
                tell(self.ready, &Ready::Started { warnings: up.warnings.clone() });
                drop(self.lock);
                monitor.run(up)
            }
            Err(error) => {
                drop(self.lock);
                tell(self.ready, &Ready::Failed(Failure::of(&error)));
                Ok(())
            }
        }
    }

    fn adopt(self) -> Result<(), Error> {
        match self.prepare().and_then(adopt::adopt) {
            Ok((monitor, up)) => {
                tell(self.ready, &Ready::Started { warnings: Vec::new() });
                drop(self.lock);
                match up {
                    Some(up) => monitor.run(up),
                    None => monitor.resume(),
                }
            }
            Err(error) => {
                drop(self.lock);
                tell(self.ready, &Ready::Failed(Failure::of(&error)));
                Ok(())
            }
        }
    }

    /// Becomes the container's monitor: takes its lock, its socket and its log.
    fn prepare(&self) -> Result<Monitor, Error> {
        let (paths, id) = (&self.paths, &self.id);
        let folder = paths.container_run(id);
        private_dir(&folder)?;
        let lock = Lock::try_exclusive(&store::monitor_lock(paths, id), Rank::Container)?;
        let lock = lock.ok_or(Error::Taken)?;
        let record = store::load(paths, id)?.ok_or_else(|| store::Error::NotFound(id.as_str().to_owned()))?;
        privilege::drop_the_rest(&record.config.security.capabilities())?;
        let listener = socket::listen(&folder, wire::SOCKET)?;
        let log = open_log(paths, &record)?;
        let config = &record.config;
        let shape = Shape { tty: config.process.tty, stdin_once: config.process.stdin_once() };
        let session = Session::new(Some(listener), log, shape);
        Ok(Monitor::new(paths.clone(), record, Probe::now()?, session, lock))
    }
}

fn open_log(paths: &Paths, record: &Record) -> Result<Option<Writer>, Error> {
    let options = &record.config.logging;
    if !options.is_kept() {
        return Ok(None);
    }
    Ok(Some(Writer::open(&log::folder(&paths.container(&record.id)), options)?))
}

/// Sends the result to the launcher and closes the pipe.
fn tell(ready: OwnedFd, news: &Ready) {
    if let Ok(bytes) = wire::encode(news) {
        let _ = std::fs::File::from(ready).write_all(&bytes); // the launcher may have exited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_no_engine_says_are_refused_before_anything_is_taken() {
        let id = "a".repeat(64);
        for (words, why) in [
            (&[][..], "expected six arguments"),
            (&["run"], "expected six arguments"),
            (&["run", "/r", "/s", "x", "", "3"], "the id"),
            (&["run", "/r", "/s", "../../etc", "", "3"], "the id"),
            (&["dance", "/r", "/s", &id, "", "3"], "the role"),
            (&["exec", "/r", "/s", &id, "", "3"], "the exec id"),
            (&["exec", "/r", "/s", &id, "../x", "3"], "the exec id"),
            (&["run", "/r", "/s", &id, "", ""], "the count"),
            (&["run", "/r", "/s", &id, "", "many"], "the count"),
            (&["run", "/r", "/s", &id, "", "2"], "the count"),
            (&["adopt", "/r", "/s", &id, "", "-3"], "the count"),
        ] {
            let words: Vec<OsString> = words.iter().map(Into::into).collect();
            let error = Call::parse(&words).unwrap_err();
            assert!(matches!(error, Error::Usage(what) if what == why), "{words:?}: {error}");
        }
    }
}
