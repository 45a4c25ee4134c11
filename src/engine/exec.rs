//! Commands in running containers: each has a short-lived monitor of its own.

use std::os::fd::OwnedFd;

use super::attach::{Begun, Connection, accepted, early};
use super::container::{AttachOptions, ExecRequest};
use super::error::{Doing, Result};
use super::{ContainerId, Engine, ExecId, Record, Verb};
use crate::base::{ErrorKind, Explain, disk};
use crate::monitor::exec::{self, ExecRecord};
use crate::monitor::journal;
use crate::monitor::launch::{self, Launched, Role, launch};

/// So many sessions a container has at once.
const MAX_SESSIONS: usize = 256;

/// A command that has begun, with its client.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) id: ExecId,
    pub(super) connection: Connection,
    pub(super) begun: Begun,
}

/// A wish that cannot be fulfilled.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("no exec command specified")]
    NoCommand,
    #[error("it has {MAX_SESSIONS} sessions already")]
    TooMany,
}

impl Explain for Refused {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoCommand => ErrorKind::Invalid,
            Self::TooMany => ErrorKind::Conflict,
        }
    }
}

/// A session that did not begin. As in Docker that is the program's failure, whatever the
/// reason, unless the container has ended meanwhile.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct NotBegun(#[from] launch::Error);

impl Explain for NotBegun {
    fn kind(&self) -> ErrorKind {
        match self.0.kind() {
            kind @ (ErrorKind::ProgramNotFound | ErrorKind::Conflict | ErrorKind::Interrupted) => kind,
            _ => ErrorKind::ProgramNotRunnable,
        }
    }

    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

impl Engine {
    pub(super) fn exec(&self, target: &str, request: ExecRequest, options: AttachOptions) -> Result<Started> {
        let doing = || format!("execute a command in `{}`", self.called(target));
        let size = request.size;
        let tty = request.tty;
        let wish = crate::monitor::wire::Attach { size, ..options.into() };
        let (ours, theirs) = early(wish).doing(doing)?;
        let (container, id, warning) = self.prepare_exec(target, request)?;
        let launched = self.launch_session(&container.id, &id, &[theirs]).doing(doing)?;
        accepted(&ours).doing(doing)?;
        let connection = Connection { socket: ours, tty, container: container.id, exec: Some(id.clone()) };
        let mut begun = Begun::from(launched);
        begun.warnings.0.extend(warning);
        Ok(Started { id, connection, begun })
    }

    pub(super) fn exec_detached(&self, target: &str, request: ExecRequest) -> Result<(ExecId, Begun)> {
        let request = ExecRequest { detach: true, interactive: false, ..request };
        let (container, id, warning) = self.prepare_exec(target, request)?;
        let launched = self.launch_session(&container.id, &id, &[]);
        let launched = launched.doing(|| format!("execute a command in `{}`", self.called(target)))?;
        let mut begun = Begun::from(launched);
        begun.warnings.0.extend(warning);
        Ok((id, begun))
    }

    /// Starts the session's monitor. Where none comes up, the session's files go.
    fn launch_session(
        &self,
        container: &ContainerId,
        id: &ExecId,
        clients: &[OwnedFd],
    ) -> std::result::Result<Launched, NotBegun> {
        let launched = launch(self.program(), self.paths(), container, Role::Exec(id.clone()), clients);
        Ok(launched.inspect_err(|_| exec::take_away(self.paths(), container, id))?)
    }

    /// Writes the session's record; and what to warn of.
    fn prepare_exec(&self, target: &str, request: ExecRequest) -> Result<(Record, ExecId, Option<String>)> {
        let doing = || format!("execute a command in `{}`", self.called(target));
        let container = self.get(target)?;
        container.status.after(Verb::Exec).doing(doing)?;
        if request.command.first().is_none_or(String::is_empty) {
            return Err(Refused::NoCommand).doing(doing);
        }
        let folder = exec::folder(self.paths(), &container.record.id);
        disk::private_dir(&folder).doing(doing)?;
        self.make_room(&container.record.id).doing(doing)?;
        let id = ExecId::random().map_err(disk::Error::io("name", "a session")).doing(doing)?;
        let record = ExecRecord {
            command: request.command,
            env: request.env,
            user: request.user,
            workdir: request.workdir,
            tty: request.tty,
            interactive: request.interactive,
            privileged: request.privileged,
            detach: request.detach,
            size: request.size,
            ..ExecRecord::new()
        };
        disk::write_state(&exec::file(self.paths(), &container.record.id, &id), &record).doing(doing)?;
        let action = format!("exec_create: {}", record.command.join(" "));
        let attributes = [("execID", id.as_str())];
        let warning = journal::tell_or_warn(self.paths(), &container.record, &action, &attributes);
        Ok((container.record, id, warning))
    }

    /// Forgets the sessions that were killed with their monitors, and refuses too many.
    fn make_room(&self, container: &ContainerId) -> std::result::Result<(), Refused> {
        let Ok(entries) = std::fs::read_dir(exec::folder(self.paths(), container)) else { return Ok(()) };
        let mut count = 0;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let is_over = match disk::read_state::<ExecRecord>(&path) {
                Ok(record) => record.is_over(),
                Err(error) => error.is_of_the_file() || error.is_not_found(),
            };
            if is_over {
                // Another engine may have been faster.
                let _ = std::fs::remove_file(path.with_extension("")); // the socket
                let _ = std::fs::remove_file(&path);
            } else {
                count += 1;
            }
        }
        if count < MAX_SESSIONS { Ok(()) } else { Err(Refused::TooMany) }
    }
}
