//! How the kernel schedules a container's process, and the personality it has.

use super::{Error, Result};
use crate::oci::runtime::{
    IOPriorityClass, LinuxIOPriority, LinuxPersonality, LinuxPersonalityDomain, LinuxSchedulerFlag,
    LinuxSchedulerPolicy, Process, Scheduler, Spec,
};
use crate::sys::sched::{self, Attributes, Cpus};

/// What a process is to have; what is `None` stays as its creator has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scheduling {
    policy: Option<Attributes>,
    /// The class and priority of disk I/O.
    io: Option<(u8, u8)>,
    persona: Option<u32>,
}

/// The CPUs of a process that joins a container.
#[derive(Debug, Default)]
pub(super) struct Affinity {
    /// Those of the process before it is in the container's cgroup.
    pub(super) before: Option<Cpus>,
    /// Those of the process in the cgroup.
    pub(super) within: Option<Cpus>,
}

impl Scheduling {
    /// Reads and checks what a specification and its process ask for.
    pub(super) fn of(spec: &Spec, process: &Process) -> Result<Self> {
        let personality = spec.linux().as_ref().and_then(|linux| linux.personality().as_ref());
        Ok(Self {
            policy: process.scheduler().as_ref().map(attributes).transpose()?,
            io: process.io_priority().as_ref().map(io_priority).transpose()?,
            persona: personality.map(persona).transpose()?,
        })
    }

    /// Applies it to this process, whose future children inherit it.
    pub(super) fn apply(&self) -> Result<()> {
        if let Some(persona) = self.persona {
            sched::set_personality(persona)?;
        }
        if let Some((class, priority)) = self.io {
            sched::set_io_priority(class, priority)?;
        }
        if let Some(attributes) = &self.policy {
            sched::set_attributes(attributes)?;
        }
        Ok(())
    }

    /// Rejects what a child does not inherit: the program of `exec` is one.
    pub(super) fn check_inherited(&self) -> Result<()> {
        let is_lost = |attributes: &Attributes| {
            attributes.policy == policy_number(LinuxSchedulerPolicy::SchedDeadline)
                || attributes.flags & flag_bit(LinuxSchedulerFlag::SchedResetOnFork) != 0
        };
        match self.policy.as_ref().is_some_and(is_lost) {
            true => Err(Error::spec(
                "process.scheduler",
                "a process that joins a container cannot have SCHED_DEADLINE or SCHED_RESET_ON_FORK",
            )),
            false => Ok(()),
        }
    }
}

impl Affinity {
    /// Reads the CPUs that a process to be executed asks for.
    pub(super) fn of(process: &Process) -> Result<Self> {
        let Some(asked) = process.exec_cpu_affinity() else { return Ok(Self::default()) };
        let read = |field: &str, list: &Option<String>| {
            let list = list.as_deref().filter(|list| !list.is_empty());
            list.map(|list| cpus(&format!("process.execCPUAffinity.{field}"), list)).transpose()
        };
        Ok(Self {
            before: read("initial", asked.initial())?,
            within: read("final", asked.cpu_affinity_final())?,
        })
    }
}

/// Parses a list like `0-3,7`.
fn cpus(field: &str, list: &str) -> Result<Cpus> {
    let invalid = |why: &str| Error::spec(field, &format!("`{list}`: {why}"));
    let number = |word: &str| {
        let number = word.parse::<usize>().map_err(|_| invalid("it is not a list of CPUs"))?;
        if number < Cpus::MAX_CPU { Ok(number) } else { Err(invalid("the number of a CPU is below 1024")) }
    };
    let mut cpus = Cpus::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(invalid("a range ends before it begins"));
        }
        (first..=last).for_each(|cpu| cpus.set(cpu));
    }
    Ok(cpus)
}

fn attributes(scheduler: &Scheduler) -> Result<Attributes> {
    use LinuxSchedulerPolicy::{SchedDeadline, SchedFifo, SchedIso, SchedRr};
    let refuse = |field: &str, why: &str| Err(Error::spec(&format!("process.scheduler.{field}"), why));
    let policy = *scheduler.policy();
    let nice = scheduler.nice().unwrap_or(0);
    let priority = scheduler.priority().unwrap_or(0);
    let [runtime, deadline, period] =
        [scheduler.runtime(), scheduler.deadline(), scheduler.period()].map(|value| value.unwrap_or(0));
    if policy == SchedIso {
        return refuse("policy", "Linux has no SCHED_ISO");
    }
    if !(-20..=19).contains(&nice) {
        return refuse("nice", "expected -20 to 19");
    }
    if priority != 0 && !matches!(policy, SchedFifo | SchedRr) {
        return refuse("priority", "only SCHED_FIFO and SCHED_RR have a priority");
    }
    if (runtime, deadline, period) != (0, 0, 0) && policy != SchedDeadline {
        return refuse("runtime", "only SCHED_DEADLINE has a runtime, a deadline and a period");
    }
    let Ok(priority) = u32::try_from(priority) else {
        return refuse("priority", "it is negative");
    };
    let flags = scheduler.flags().iter().flatten().fold(0, |bits, flag| bits | flag_bit(*flag));
    Ok(Attributes { policy: policy_number(policy), flags, nice, priority, runtime, deadline, period })
}

/// Returns the number of a policy, see sched(7).
fn policy_number(policy: LinuxSchedulerPolicy) -> u32 {
    match policy {
        LinuxSchedulerPolicy::SchedOther => 0,
        LinuxSchedulerPolicy::SchedFifo => 1,
        LinuxSchedulerPolicy::SchedRr => 2,
        LinuxSchedulerPolicy::SchedBatch => 3,
        LinuxSchedulerPolicy::SchedIso => 4,
        LinuxSchedulerPolicy::SchedIdle => 5,
        LinuxSchedulerPolicy::SchedDeadline => 6,
    }
}

/// Returns the bit of a flag, see sched_setattr(2).
fn flag_bit(flag: LinuxSchedulerFlag) -> u64 {
    match flag {
        LinuxSchedulerFlag::SchedResetOnFork => 1,
        LinuxSchedulerFlag::SchedFlagReclaim => 1 << 1,
        LinuxSchedulerFlag::SchedFlagDLOverrun => 1 << 2,
        LinuxSchedulerFlag::SchedFlagKeepPolicy => 1 << 3,
        LinuxSchedulerFlag::SchedFlagKeepParams => 1 << 4,
        LinuxSchedulerFlag::SchedFlagUtilClampMin => 1 << 5,
        LinuxSchedulerFlag::SchedFlagUtilClampMax => 1 << 6,
    }
}

fn io_priority(asked: &LinuxIOPriority) -> Result<(u8, u8)> {
    let class = match asked.class() {
        IOPriorityClass::IoprioClassRt => 1,
        IOPriorityClass::IoprioClassBe => 2,
        IOPriorityClass::IoprioClassIdle => 3,
    };
    match u8::try_from(asked.priority()) {
        Ok(priority @ 0..=7) => Ok((class, priority)),
        _ => Err(Error::spec("process.ioPriority.priority", "expected 0 to 7")),
    }
}

/// Returns the kernel's number for a personality.
fn persona(asked: &LinuxPersonality) -> Result<u32> {
    if asked.flags().as_ref().is_some_and(|flags| !flags.is_empty()) {
        return Err(Error::spec("linux.personality.flags", "the specification knows no flags"));
    }
    match asked.domain() {
        LinuxPersonalityDomain::PerLinux => Ok(0),
        LinuxPersonalityDomain::PerLinux32 => Ok(8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(process: &str) -> Result<Scheduling> {
        let json = format!(r#"{{"cwd":"/","user":{{}},"args":["a"],{process}}}"#);
        Scheduling::of(&Spec::default(), &serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn a_policy_is_read_with_what_belongs_to_it() {
        let of = |text: &str| read(&format!(r#""scheduler":{text}"#)).map(|scheduling| scheduling.policy);
        let none = Attributes::default();
        let table = [
            (r#"{"policy":"SCHED_BATCH","nice":5}"#, Attributes { policy: 3, nice: 5, ..none }),
            (r#"{"policy":"SCHED_RR","priority":7}"#, Attributes { policy: 2, priority: 7, ..none }),
            (
                r#"{"policy":"SCHED_DEADLINE","runtime":1,"deadline":2,"period":3,"flags":["SCHED_FLAG_RECLAIM"]}"#,
                Attributes { policy: 6, flags: 2, runtime: 1, deadline: 2, period: 3, ..none },
            ),
        ];
        for (text, attributes) in table {
            assert_eq!(of(text).unwrap(), Some(attributes), "{text}");
        }
        for (text, why) in [
            (r#"{"policy":"SCHED_ISO"}"#, "policy`: Linux has no SCHED_ISO"),
            (r#"{"policy":"SCHED_OTHER","nice":20}"#, "nice`: expected -20 to 19"),
            (r#"{"policy":"SCHED_OTHER","priority":1}"#, "priority`: only SCHED_FIFO"),
            (r#"{"policy":"SCHED_RR","priority":-1}"#, "priority`: it is negative"),
            (r#"{"policy":"SCHED_RR","priority":1,"period":3}"#, "runtime`: only SCHED_DEADLINE"),
        ] {
            let told = of(text).unwrap_err().to_string();
            assert!(told.starts_with(&format!("`process.scheduler.{why}")), "{text}: {told}");
        }
    }

    #[test]
    fn only_an_inherited_policy_is_for_a_process_that_joins() {
        let of = |text: &str| read(&format!(r#""scheduler":{text}"#)).unwrap().check_inherited();
        assert!(of(r#"{"policy":"SCHED_FIFO","priority":1}"#).is_ok());
        assert!(of(r#"{"policy":"SCHED_DEADLINE"}"#).is_err());
        assert!(of(r#"{"policy":"SCHED_OTHER","flags":["SCHED_RESET_ON_FORK"]}"#).is_err());
    }

    #[test]
    fn the_priority_of_disk_io_is_checked() {
        let of = |text: &str| read(&format!(r#""ioPriority":{text}"#)).map(|scheduling| scheduling.io);
        assert_eq!(of(r#"{"class":"IOPRIO_CLASS_IDLE"}"#).unwrap(), Some((3, 0)));
        assert_eq!(of(r#"{"class":"IOPRIO_CLASS_RT","priority":7}"#).unwrap(), Some((1, 7)));
        assert!(of(r#"{"class":"IOPRIO_CLASS_BE","priority":8}"#).is_err());
        assert!(of(r#"{"class":"IOPRIO_CLASS_BE","priority":-1}"#).is_err());
    }

    #[test]
    fn a_list_of_cpus_is_read_within_bounds() {
        let set = |numbers: &[usize]| {
            let mut cpus = Cpus::new();
            numbers.iter().for_each(|cpu| cpus.set(*cpu));
            cpus
        };
        let read = |list: &str| cpus("field", list).map_err(|error| error.to_string());
        assert_eq!(read("0-3,7").unwrap(), set(&[0, 1, 2, 3, 7]));
        assert_eq!(read("1023").unwrap(), set(&[1023]));
        for (list, why) in [
            ("3-1", "a range ends before it begins"),
            ("0-18446744073709551615", "the number of a CPU is below 1024"),
            ("99999999999999999999", "it is not a list of CPUs"),
            ("1024", "the number of a CPU is below 1024"),
        ] {
            assert_eq!(read(list).unwrap_err(), format!("`field`: `{list}`: {why}"));
        }
    }
}
