//! What becomes of a container that is found without a monitor: the decision alone.

use crate::container::{Record, Run};

/// What becomes of a container whose run is found dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dead {
    /// Its restart policy decides.
    Policy,
    /// A person ends it: it stays ended, after a boot too, as its policy has it.
    ByHand,
    /// The machine shuts down: it stays ended until the next boot.
    Shutdown,
}

/// What is there of a container without a monitor, besides its record and run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    pub(super) dead: Dead,
    /// Its first process lives.
    pub(super) is_alive: bool,
    /// The exit code of its first process, as far as the kernel still has it.
    pub(super) code: u8,
    /// Something of it runs, as far as its cgroup tells.
    pub(super) has_processes: bool,
    /// Its monitor was killed in a start, before it wrote of that.
    pub(super) is_start_cut_off: bool,
}

/// What is to be done with it.
#[derive(Debug)]
pub(super) enum Step {
    /// Its end is written down, which could not be when it came.
    Record(Run),
    /// Another monitor takes it over.
    Adopt(Run),
    /// Nothing: who ends it goes on. Another monitor would do as the policy says once it has ended.
    LeaveToItsEnd,
    /// Another monitor starts it again.
    Restart(Run),
    /// Nobody saw its end: that is recorded, and it is cleaned up.
    Settle(Option<Run>),
    /// What would tell of its processes is lost: a person ends them.
    Refuse,
    /// It has ended, and was to be removed then.
    Remove(Run),
    /// Its end is recorded, or it never ran: only what is left of the run goes.
    Clear(Option<Run>),
}

impl Left {
    pub(super) fn step(self, record: &Record, run: Option<Run>) -> Step {
        let is_unseen = ended_unseen(record);
        let Some(run) = run else {
            return match (self.has_processes && !self.is_start_cut_off, is_unseen) {
                (true, _) => Step::Refuse,
                (false, true) => Step::Settle(None),
                (false, false) => Step::Clear(None),
            };
        };
        match self.dead {
            _ if run.ended.is_some() => Step::Record(run),
            Dead::Policy if self.is_alive => Step::Adopt(run),
            Dead::ByHand | Dead::Shutdown if self.is_alive => Step::LeaveToItsEnd,
            Dead::Policy if record.is_to_be_restarted(&run, self.code) => Step::Restart(run),
            _ if run.init.is_some() && is_unseen => Step::Settle(Some(run)),
            _ if record.config.lifecycle.auto_remove => Step::Remove(run),
            _ => Step::Clear(Some(run)),
        }
    }
}

/// Whether the record tells of a start and of no end. Where there is no run either, the
/// machine went down meanwhile.
#[must_use]
pub fn ended_unseen(record: &Record) -> bool {
    record.state.started.is_some() && record.state.finished.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{Process, RestartPolicy, Status};
    use crate::monitor::settle;

    /// A record that was started, or was not, and whose end is written, or is not.
    fn record(policy: RestartPolicy, started: bool, finished: bool, auto_remove: bool) -> Record {
        let time = |is: bool| is.then_some("2026-11-22T11:00:00Z");
        let mut record: Record = serde_json::from_value(serde_json::json!({
            "version": 2, "id": "ab".repeat(32), "name": "web", "created": "2026-11-22T09:00:00Z",
            "image": "debian", "image_id": format!("sha256:{}", "ab".repeat(32)), "layers": [],
            "options": {}, "config": {},
            "state": {"started": time(started), "finished": time(finished), "exit_code": 1},
        }))
        .unwrap();
        record.config.lifecycle.restart = policy;
        record.config.lifecycle.auto_remove = auto_remove;
        record
    }

    fn run(status: Status, has_init: bool, starting: bool) -> Run {
        let process = Process { pid: 4_000_000, start_time: 1 };
        let mut run = settle::waiting_run(process);
        run.status = status;
        run.starting = starting;
        run.init = has_init.then_some(process.into());
        run
    }

    fn name(step: &Step) -> String {
        let shown = format!("{step:?}");
        shown.split(['(', ' ']).next().unwrap_or_default().to_owned()
    }

    #[test]
    fn what_is_left_decides_what_is_done() {
        let up = || Some(run(Status::Running, true, false));
        let starting = || Some(run(Status::Running, true, true));
        let waiting = || Some(run(Status::Restarting, false, false));
        let unwritten = || up().map(|run| Run { ended: Some(record_of(true).state), ..run });
        fn record_of(finished: bool) -> Record {
            record(RestartPolicy::No, true, finished, false)
        }
        let cases: [(&str, Option<Run>, bool, bool); 6] = [
            ("none", None, true, false),
            ("none", None, true, true),
            ("running", up(), true, false),
            ("starting", starting(), false, false),
            ("back-off", waiting(), true, true),
            ("unwritten end", unwritten(), true, false),
        ];
        let policies = [
            ("no", RestartPolicy::No, false),
            ("--rm", RestartPolicy::No, true),
            ("always", RestartPolicy::Always, false),
        ];
        let mut table = String::new();
        for (what, run, started, finished) in cases {
            for (policy, restart, auto_remove) in &policies {
                let record = record(restart.clone(), started, finished, *auto_remove);
                let has_init = run.as_ref().is_none_or(|run| run.init.is_some());
                let step = |dead, is_alive, has_processes| {
                    if is_alive && !has_init {
                        return "-".to_owned();
                    }
                    let left = Left { dead, is_alive, code: 1, has_processes, is_start_cut_off: false };
                    name(&left.step(&record, run.clone()))
                };
                let steps = [
                    step(Dead::Policy, false, false),
                    step(Dead::Policy, true, true),
                    step(Dead::ByHand, false, false),
                    step(Dead::ByHand, true, true),
                    step(Dead::Shutdown, false, false),
                    step(Dead::Shutdown, true, true),
                ];
                let end = if finished { "ended" } else { "" };
                table += &format!("{what:<14}{end:<6}{policy:<7}");
                table += &steps.iter().map(|step| format!("{step:<14}")).collect::<String>();
                table = table.trim_end().to_owned() + "\n";
            }
        }
        insta::assert_snapshot!(table, @r"
        none                no     Settle        Refuse        Settle        Refuse        Settle        Refuse
        none                --rm   Settle        Refuse        Settle        Refuse        Settle        Refuse
        none                always Settle        Refuse        Settle        Refuse        Settle        Refuse
        none          ended no     Clear         Refuse        Clear         Refuse        Clear         Refuse
        none          ended --rm   Clear         Refuse        Clear         Refuse        Clear         Refuse
        none          ended always Clear         Refuse        Clear         Refuse        Clear         Refuse
        running             no     Settle        Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        running             --rm   Settle        Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        running             always Restart       Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        starting            no     Clear         Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        starting            --rm   Remove        Adopt         Remove        LeaveToItsEnd Remove        LeaveToItsEnd
        starting            always Clear         Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        back-off      ended no     Restart       -             Clear         -             Clear         -
        back-off      ended --rm   Restart       -             Remove        -             Remove        -
        back-off      ended always Restart       -             Clear         -             Clear         -
        unwritten end       no     Record        Record        Record        Record        Record        Record
        unwritten end       --rm   Record        Record        Record        Record        Record        Record
        unwritten end       always Record        Record        Record        Record        Record        Record
        ");
    }

    #[test]
    fn processes_of_a_start_that_was_cut_off_end_with_it() {
        let record = record(RestartPolicy::No, false, false, false);
        let left = |is_start_cut_off| Left {
            dead: Dead::Policy,
            is_alive: false,
            code: 1,
            has_processes: true,
            is_start_cut_off,
        };
        assert_eq!(name(&left(true).step(&record, None)), "Clear");
        assert_eq!(name(&left(false).step(&record, None)), "Refuse");
    }
}
