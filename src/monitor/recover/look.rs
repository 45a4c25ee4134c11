//! The current state of a container: read without locks, and recovered first if its run is found
//! dead.

use std::os::fd::OwnedFd;

use super::error::{During as _, Error, RecoverError, Result, Task};
use super::step::{WhenDead, ended_unseen};
use super::{LockWait, Site, has_processes, unseen_code, unseen_end};
use crate::base::error::one_line;
use crate::container::{Process, Record, Run, Status, store};
use crate::monitor::settle;

/// The current state of a container.
#[derive(Debug)]
pub struct Current {
    /// Its record.
    pub record: Record,
    /// Its run, if it is up or about to be restarted.
    pub run: Option<Run>,
    /// Its status.
    pub status: Status,
}

/// The result of looking at a container.
#[derive(Debug)]
pub struct Inspection {
    /// The container; `None` if the recovery removed it.
    pub seen: Option<Current>,
    /// What could not be cleaned up, one sentence each.
    pub warnings: Vec<String>,
    /// Why it could not be recovered. Then its last state is returned.
    pub trouble: Option<Error>,
}

impl Site<'_> {
    /// Looks at a container, after recovering it if needed. A monitor launched for that is passed
    /// to `reap`.
    ///
    /// # Errors
    ///
    /// If it cannot be determined whether it is running.
    pub fn look(
        &self,
        record: Record,
        wait: LockWait,
        reap: impl FnOnce(Option<OwnedFd>),
    ) -> Result<Inspection> {
        let paths = self.paths;
        let doing = || Task::Read(record.name.clone());
        let has_folder = paths.container_run(&record.id).exists();
        let run = if has_folder { store::load_run(paths, &record.id) } else { Ok(None) };
        let is_broken = match &run {
            Ok(Some(run)) => !run.monitor.is_alive(),
            Ok(None) => has_folder || ended_unseen(&record),
            Err(_) => true,
        };
        if !is_broken {
            let run = run.during(doing)?;
            return Ok(Inspection { seen: Some(seen(record, run)), warnings: Vec::new(), trouble: None });
        }
        let warnings = match self.recover(&record.id, wait, WhenDead::Policy) {
            Ok(recovery) => {
                reap(recovery.monitor);
                recovery.warnings
            }
            Err(trouble) => {
                // The recovery may have been partial.
                let run = store::load_run(paths, &record.id).or(run).during(doing)?;
                let is_lost = matches!(trouble.why, RecoverError::RunLost { .. })
                    || run.is_none() && has_processes(paths, &record.id).during(doing)?;
                let record = store::load(paths, &record.id).ok().flatten().unwrap_or(record);
                if is_lost {
                    return Err(trouble);
                }
                let warnings = vec![one_line(&trouble)];
                return Ok(Inspection { seen: Some(as_left(record, run)), warnings, trouble: Some(trouble) });
            }
        };
        let Some(record) = store::load(paths, &record.id).during(doing)? else {
            return Ok(Inspection { seen: None, warnings, trouble: None });
        };
        let run = store::load_run(paths, &record.id).during(doing)?;
        // The process that is changing it may not be done yet.
        let is_left = run.as_ref().is_some_and(|run| !run.monitor.is_alive());
        let seen = if is_left { as_left(record, run) } else { seen(record, run) };
        Ok(Inspection { seen: Some(seen), warnings, trouble: None })
    }
}

/// Returns the last state of a container that could not be recovered. If its restart is due, it
/// counts as restarting.
fn as_left(mut record: Record, run: Option<Run>) -> Current {
    match run {
        Some(run) if run.ended.is_some() || run.init().is_some_and(Process::is_alive) => {
            seen(record, Some(run))
        }
        run => {
            let is_due = |run: &Run| record.is_to_be_restarted(run, unseen_code(run));
            let waiting =
                run.as_ref().filter(|run| is_due(run)).map(|run| settle::waiting_run(run.monitor()));
            if ended_unseen(&record) {
                let end = unseen_end(&mut record, run.as_ref());
                settle::note(&mut record, end);
            }
            seen(record, waiting)
        }
    }
}

fn seen(mut record: Record, run: Option<Run>) -> Current {
    if let Some(ended) = run.as_ref().and_then(|run| run.ended.as_ref()) {
        record.state.clone_from(ended);
    }
    let status = store::status(&record, run.as_ref());
    let run = run.filter(|_| status.is_up() || status == Status::Restarting);
    Current { record, run, status }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{ExitState, RestartPolicy};

    #[test]
    fn what_could_not_be_recovered_is_shown_as_it_was_left() {
        let (dead, own) = (Process { pid: 4_000_000, start_time: 1 }, Process::own());
        let run = |init: Process| {
            let run = settle::waiting_run(dead);
            Run { status: Status::Running, init: Some(init.into()), ..run }
        };
        let now = Some(jiff::Timestamp::now());
        let state =
            |finished, exit_code| ExitState { started: now, finished, exit_code, ..ExitState::default() };
        let ended = Run { init: None, ended: Some(state(now, 7)), ..run(dead) };
        let mut table = String::new();
        for (what, run, state) in [
            ("no run", None, state(None, 0)),
            ("dead", Some(run(dead)), state(None, 0)),
            ("alive", Some(run(own)), state(None, 0)),
            ("end unwritten", Some(ended), state(None, 0)),
            ("back-off", Some(settle::waiting_run(dead)), state(now, 1)),
        ] {
            for policy in [RestartPolicy::No, RestartPolicy::Always] {
                let old = include_str!("../../../tests/old_state/record-2.json");
                let mut record: Record = serde_json::from_str(old).unwrap();
                record.config.lifecycle.restart = policy.clone();
                record.state = state.clone();
                let Current { record, run, status } = as_left(record, run.clone());
                let (policy, status) = (policy.to_string(), status.to_string());
                let code = record.state.exit_code;
                let (has_run, error) = (if run.is_some() { "run" } else { "-" }, record.state.error);
                table += &format!("{what:<14}{policy:<8}{status:<11}{has_run:<4}{code:<4}{error}");
                table = table.trim_end().to_owned() + "\n";
            }
        }
        insta::assert_snapshot!(table, @r"
        no run        no      exited     -   255 its run folder was lost
        no run        always  exited     -   255 its run folder was lost
        dead          no      exited     -   255 its monitor was killed
        dead          always  restarting run 255 its monitor was killed
        alive         no      running    run 0
        alive         always  running    run 0
        end unwritten no      exited     -   7
        end unwritten always  exited     -   7
        back-off      no      restarting run 1
        back-off      always  restarting run 1
        ");
    }
}
