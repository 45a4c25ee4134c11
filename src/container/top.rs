//! Lists the processes of a container from /proc. No program of the image is run for this
//! (CVE-2022-1227).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Read as _;

use jiff::Timestamp;

use crate::sys;

/// Maximum length of a command line in bytes; the rest is cut off.
const MAX_COMMAND: u64 = 4096;
/// Maximum size of a status file in bytes, more than the kernel writes.
const MAX_STATUS: u64 = 64 << 10;
/// Clock ticks per second: the same on every Linux that hoist runs on.
const TICKS: u64 = 100;

/// The processes of a container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Top {
    /// One row per process, parents first.
    pub processes: Vec<ProcessRow>,
}

/// A process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessRow {
    /// Its id on the host.
    pub pid: u32,
    /// Its id in the container.
    pub inner_pid: u32,
    /// Start time in clock ticks since boot: together with the id it identifies the process.
    pub start_time: u64,
    /// Its parent's id on the host.
    pub parent: u32,
    /// Number of threads.
    pub threads: u64,
    /// Its user id on the host.
    pub uid: u32,
    /// Its user's name in the container, or the id.
    pub user: String,
    /// When it started.
    pub started: Timestamp,
    /// CPU time in seconds.
    pub cpu_secs: f64,
    /// Resident memory in bytes.
    pub memory: u64,
    /// `pts/0`, or `?`.
    pub tty: String,
    /// One letter, as in ps(1).
    pub state: char,
    /// The command line, or the name in brackets.
    pub command: String,
}

/// Returns the rows of these processes, parents first. `users` maps user ids to the container's
/// names for them.
#[must_use]
pub fn top(pids: Vec<u32>, users: &HashMap<u32, String>) -> Top {
    let boot = boot_time();
    Top { processes: parents_first(pids.into_iter().filter_map(|pid| row(pid, users, boot)).collect()) }
}

/// Returns the processes in the pid namespace of `init`.
pub(crate) fn same_namespace(init: u32) -> Vec<u32> {
    let namespace = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = namespace(init);
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| own.is_some() && namespace(pid) == own).collect()
}

/// Reads up to `most` bytes of a file of a process. The process controls parts of it, such as its
/// name: they can be of any length and need not be UTF-8.
pub(crate) fn read(pid: u32, file: &str, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(format!("/proc/{pid}/{file}")).ok()?;
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

pub(crate) fn row(pid: u32, users: &HashMap<u32, String>, boot: i64) -> Option<ProcessRow> {
    let read = |file: &str| Some(String::from_utf8_lossy(&read(pid, file, MAX_STATUS)?).into_owned());
    let stat = read("stat")?;
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    // Numbered from 3 in proc_pid_stat(5): state, parent, …
    let number = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<i64>().ok());
    let status = read("status")?;
    let of_status =
        |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::split_ascii_whitespace);
    let uid: u32 = of_status("Uid:")?.next()?.parse().ok()?;
    let ticks = |field| number(field).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "hundredths of seconds, to be shown")]
    let cpu_secs = (ticks(14) + ticks(15)) as f64 / TICKS as f64;
    Some(ProcessRow {
        pid,
        inner_pid: of_status("NSpid:").and_then(|words| words.last()?.parse().ok()).unwrap_or(pid),
        start_time: ticks(22),
        threads: ticks(20),
        parent: number(4).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        uid,
        user: users.get(&uid).cloned().unwrap_or_else(|| uid.to_string()),
        started: moment(boot, ticks(22)).unwrap_or_default(),
        cpu_secs,
        memory: of_status("VmRSS:").and_then(|mut words| words.next()?.parse::<u64>().ok()).unwrap_or(0)
            * 1024,
        tty: terminal(number(7).unwrap_or(0)),
        state: fields.first().and_then(|state| state.chars().next()).unwrap_or('?'),
        command: command(pid).unwrap_or_else(|| format!("[{name}]")),
    })
}

fn command(pid: u32) -> Option<String> {
    let mut bytes = read(pid, "cmdline", MAX_COMMAND)?;
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    let words = bytes.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    Some(words.collect::<Vec<_>>().join(" ")).filter(|command| !command.is_empty())
}

/// Returns `pts/0` and so on for device numbers of major 136 to 143, else `?`.
fn terminal(device: i64) -> String {
    let major = (device >> 8) & 0xfff;
    let minor = (device & 0xff) | ((device >> 12) & 0xfff00);
    if (136..144).contains(&major) { format!("pts/{}", (major - 136) * 256 + minor) } else { "?".to_owned() }
}

/// Returns when the machine was started, in seconds since 1970.
pub(crate) fn boot_time() -> i64 {
    sys::process::boot_time().unwrap_or(0)
}

/// Returns the time at a number of clock ticks after the boot, which was at `boot`.
pub(crate) fn moment(boot: i64, ticks: u64) -> Option<Timestamp> {
    let millis = i64::try_from(ticks.saturating_mul(1000) / TICKS).ok()?;
    Timestamp::from_millisecond(boot.saturating_mul(1000).saturating_add(millis)).ok()
}

/// Sorts processes so that parents come first. A container controls how many there are and how deep
/// the tree is, so this must not search all of them for each one.
fn parents_first(mut rows: Vec<ProcessRow>) -> Vec<ProcessRow> {
    rows.sort_by_key(|row| row.pid);
    let known: HashSet<u32> = rows.iter().map(|row| row.pid).collect();
    let mut children: HashMap<Option<u32>, Vec<ProcessRow>> = HashMap::new();
    for row in rows {
        let parent = Some(row.parent).filter(|parent| known.contains(parent));
        children.entry(parent).or_default().push(row);
    }
    let mut out = Vec::with_capacity(known.len());
    let mut level = children.remove(&None).unwrap_or_default();
    while !level.is_empty() {
        let mut next: Vec<_> =
            level.iter().filter_map(|row| children.remove(&Some(row.pid))).flatten().collect();
        next.sort_by_key(|row| row.pid);
        out.append(&mut level);
        level = next;
    }
    // A cycle, which a non-atomic read of /proc can show.
    let mut rest: Vec<_> = children.into_values().flatten().collect();
    rest.sort_by_key(|row| row.pid);
    out.extend(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_named_by_its_device_number() {
        for (device, name) in [(0, "?"), (34816, "pts/0"), (34817, "pts/1"), (1025, "?")] {
            assert_eq!(terminal(device), name);
        }
    }

    #[test]
    fn this_process_has_a_row() {
        let own = std::process::id();
        let row = row(own, &HashMap::new(), boot_time()).unwrap();
        assert_eq!((row.pid, row.inner_pid), (own, own));
        assert!(row.memory > 0 && row.command.contains("hoist"), "{row:?}");
        assert!(same_namespace(own).contains(&own));
    }

    #[test]
    fn parents_come_before_children() {
        let row = |pid, parent| ProcessRow { pid, parent, ..ProcessRow::default() };
        let rows = parents_first(vec![row(5, 9), row(9, 1), row(7, 5)]);
        assert_eq!(rows.iter().map(|row| row.pid).collect::<Vec<_>>(), [9, 5, 7]);
        let ring = parents_first(vec![row(3, 2), row(2, 3), row(4, 1)]);
        assert_eq!(ring.iter().map(|row| row.pid).collect::<Vec<_>>(), [4, 2, 3]);
    }

    #[test]
    fn a_chain_of_many_processes_is_put_in_order_at_once() {
        let rows: Vec<_> = (1..=100_000)
            .rev()
            .map(|pid| ProcessRow { pid, parent: pid - 1, ..ProcessRow::default() })
            .collect();
        let sorted = parents_first(rows);
        assert!(sorted.is_sorted_by_key(|row| row.pid) && sorted.len() == 100_000);
    }
}
