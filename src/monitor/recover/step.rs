//! Decides how to recover a container without a monitor.

use jiff::Timestamp;

use crate::container::{Record, Run};

/// What happens to a container whose run is found dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenDead {
    /// Its restart policy decides.
    Policy,
    /// A user stops it. It stays stopped, even after a boot if its policy says so.
    ByHand,
    /// The machine shuts down. It stays stopped until the next boot.
    Shutdown,
}

/// The state of a container without a monitor, besides its record and run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    pub(super) dead: WhenDead,
    /// Whether its init is running.
    pub(super) is_alive: bool,
    /// The exit code of its init, if the kernel still has it.
    pub(super) code: u8,
    /// Whether its cgroup has processes.
    pub(super) has_processes: bool,
    /// Whether its monitor was killed during a start, before it wrote the run.
    pub(super) is_start_cut_off: bool,
}

/// The recovery of a container.
#[derive(Debug)]
pub(super) enum Step {
    /// Write its exit to the record, which was impossible when it exited.
    Record(Run),
    /// Adopt it with a new monitor.
    Adopt(Run),
    /// Do nothing: the caller ends it. A new monitor would apply the restart policy after its exit.
    LeaveToItsEnd,
    /// Restart it with a new monitor.
    Restart(Run),
    /// Record that its exit code is unknown, and clean up.
    Settle(Option<Run>),
    /// Fail: the file that describes its processes is lost, so a user must end them.
    Refuse,
    /// Remove it: it has exited and has `--rm`.
    Remove(Run),
    /// Clean up the run: its exit is recorded, or it never ran.
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
            WhenDead::Policy if self.is_alive => Step::Adopt(run),
            WhenDead::ByHand | WhenDead::Shutdown if self.is_alive => Step::LeaveToItsEnd,
            WhenDead::Policy if record.is_to_be_restarted(&run, self.code) => Step::Restart(run),
            _ if run.init.is_some() && is_unseen => Step::Settle(Some(run)),
            _ if record.config.lifecycle.auto_remove => Step::Remove(run),
            _ => Step::Clear(Some(run)),
        }
    }
}

/// Whether the record has a start but no exit. If there is no run either, the machine went down
/// meanwhile.
#[must_use]
pub fn ended_unseen(record: &Record) -> bool {
    record.state.started.is_some() && record.state.finished.is_none()
}

/// The reasons why an exit was not seen.
pub const UNSEEN: [&str; 3] =
    ["its monitor was killed", "the machine was restarted", "its run folder was lost"];

/// An exit that no monitor has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unseen {
    /// One of [`UNSEEN`].
    pub(super) why: &'static str,
    /// The latest possible time of the exit, if known.
    pub(super) time: Option<Timestamp>,
}

impl Unseen {
    /// After a reboot, this is the time of the boot, since the exact time is unknown.
    pub(super) fn of(has_run: bool, started: Option<Timestamp>, boot: Option<Timestamp>) -> Self {
        let [killed, restarted, lost] = UNSEEN;
        match boot.filter(|boot| started.is_some_and(|started| started < *boot)) {
            _ if has_run => Self { why: killed, time: None },
            None => Self { why: lost, time: None },
            boot => Self { why: restarted, time: boot },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::UNKNOWN;
    use crate::container::{Process, RestartPolicy, Status};
    use crate::monitor::settle;

    /// Returns a record that was started or not, and whose exit is recorded or not.
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
        let restarting = || Some(run(Status::Restarting, true, true));
        let ended = record(RestartPolicy::No, true, true, false).state;
        let unwritten = || up().map(|run| Run { ended: Some(ended.clone()), ..run });
        // The second of each pair of columns has processes without a run, or a running init with
        // one.
        let cases: [(&str, Option<Run>, bool, bool, bool); 10] = [
            ("never started", None, false, false, false),
            ("start cut off", None, false, false, true),
            ("no run", None, true, false, false),
            ("no run, ended", None, true, true, false),
            ("running", up(), true, false, false),
            ("running, ended", up(), true, true, false),
            ("starting", starting(), false, false, false),
            ("back-off", waiting(), true, true, false),
            ("restart cut off", restarting(), true, false, false),
            ("end unwritten", unwritten(), true, false, false),
        ];
        let policies = [
            ("no", RestartPolicy::No, false),
            ("--rm", RestartPolicy::No, true),
            ("on-failure", RestartPolicy::OnFailure(0), false),
            ("always", RestartPolicy::Always, false),
        ];
        let mut table = String::new();
        for (what, run, started, finished, is_start_cut_off) in cases {
            for (policy, restart, auto_remove) in &policies {
                let record = record(restart.clone(), started, finished, *auto_remove);
                let has_init = run.as_ref().is_none_or(|run| run.init.is_some());
                table += &format!("{what:<16}{policy:<11}");
                for (dead, lives) in [WhenDead::Policy, WhenDead::ByHand, WhenDead::Shutdown]
                    .into_iter()
                    .flat_map(|dead| [(dead, false), (dead, true)])
                {
                    let (is_alive, has_processes) = (run.is_some() && lives, run.is_none() && lives);
                    let left = Left { dead, is_alive, code: 1, has_processes, is_start_cut_off };
                    let step = || name(&left.step(&record, run.clone()));
                    let shown = if is_alive && !has_init { "-".to_owned() } else { step() };
                    table += &format!("{shown:<14}");
                }
                table = table.trim_end().to_owned() + "\n";
            }
        }
        insta::assert_snapshot!(table, @r"
        never started   no         Clear         Refuse        Clear         Refuse        Clear         Refuse
        never started   --rm       Clear         Refuse        Clear         Refuse        Clear         Refuse
        never started   on-failure Clear         Refuse        Clear         Refuse        Clear         Refuse
        never started   always     Clear         Refuse        Clear         Refuse        Clear         Refuse
        start cut off   no         Clear         Clear         Clear         Clear         Clear         Clear
        start cut off   --rm       Clear         Clear         Clear         Clear         Clear         Clear
        start cut off   on-failure Clear         Clear         Clear         Clear         Clear         Clear
        start cut off   always     Clear         Clear         Clear         Clear         Clear         Clear
        no run          no         Settle        Refuse        Settle        Refuse        Settle        Refuse
        no run          --rm       Settle        Refuse        Settle        Refuse        Settle        Refuse
        no run          on-failure Settle        Refuse        Settle        Refuse        Settle        Refuse
        no run          always     Settle        Refuse        Settle        Refuse        Settle        Refuse
        no run, ended   no         Clear         Refuse        Clear         Refuse        Clear         Refuse
        no run, ended   --rm       Clear         Refuse        Clear         Refuse        Clear         Refuse
        no run, ended   on-failure Clear         Refuse        Clear         Refuse        Clear         Refuse
        no run, ended   always     Clear         Refuse        Clear         Refuse        Clear         Refuse
        running         no         Settle        Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        running         --rm       Settle        Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        running         on-failure Restart       Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        running         always     Restart       Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        running, ended  no         Clear         Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        running, ended  --rm       Remove        Adopt         Remove        LeaveToItsEnd Remove        LeaveToItsEnd
        running, ended  on-failure Restart       Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        running, ended  always     Restart       Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        starting        no         Clear         Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        starting        --rm       Remove        Adopt         Remove        LeaveToItsEnd Remove        LeaveToItsEnd
        starting        on-failure Clear         Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        starting        always     Clear         Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        back-off        no         Restart       -             Clear         -             Clear         -
        back-off        --rm       Restart       -             Remove        -             Remove        -
        back-off        on-failure Restart       -             Clear         -             Clear         -
        back-off        always     Restart       -             Clear         -             Clear         -
        restart cut off no         Settle        Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        restart cut off --rm       Settle        Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        restart cut off on-failure Restart       Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        restart cut off always     Restart       Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        end unwritten   no         Record        Record        Record        Record        Record        Record
        end unwritten   --rm       Record        Record        Record        Record        Record        Record
        end unwritten   on-failure Record        Record        Record        Record        Record        Record
        end unwritten   always     Record        Record        Record        Record        Record        Record
        ");
    }

    #[test]
    fn a_policy_that_counts_failures_starts_no_success_again() {
        let run = run(Status::Running, true, false);
        for (code, want) in [(0, "Settle"), (1, "Restart"), (UNKNOWN, "Restart")] {
            let record = record(RestartPolicy::OnFailure(3), true, false, false);
            let left = Left {
                dead: WhenDead::Policy,
                is_alive: false,
                code,
                has_processes: false,
                is_start_cut_off: false,
            };
            assert_eq!(name(&left.step(&record, Some(run.clone()))), want, "{code}");
        }
    }

    #[test]
    fn an_end_that_nobody_saw_is_told_by_what_is_left() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let mut table = String::new();
        for has_run in [true, false] {
            for (started, boot) in [(at(1), at(2)), (at(2), at(1)), (None, at(1)), (at(1), None)] {
                let Unseen { why, time } = Unseen::of(has_run, started, boot);
                let [started, boot, time] = [started, boot, time].map(|it| match it {
                    Some(it) => it.as_second().to_string(),
                    None => "-".to_owned(),
                });
                table += &format!("run {has_run:<5} started {started} boot {boot}  at {time} {why}\n");
            }
        }
        insta::assert_snapshot!(table, @r"
        run true  started 1 boot 2  at - its monitor was killed
        run true  started 2 boot 1  at - its monitor was killed
        run true  started - boot 1  at - its monitor was killed
        run true  started 1 boot -  at - its monitor was killed
        run false started 1 boot 2  at 2 the machine was restarted
        run false started 2 boot 1  at - its run folder was lost
        run false started - boot 1  at - its run folder was lost
        run false started 1 boot -  at - its run folder was lost
        ");
    }
}
