//! `stats` and `top`: resource usage and processes of containers.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::format::{Column, Row};
use crate::base::text;
use crate::base::units::{binary, column};
use crate::engine::{ContainerView, Sample, Top};

/// The columns of `stats`, then further fields for templates.
pub const COLUMNS: &[Column] = &[
    Column { field: "ID", title: "CONTAINER ID" },
    Column { field: "Name", title: "NAME" },
    Column { field: "CPUPerc", title: "CPU %" },
    Column { field: "MemUsage", title: "MEM USAGE / LIMIT" },
    Column { field: "MemPerc", title: "MEM %" },
    Column { field: "NetIO", title: "NET I/O" },
    Column { field: "BlockIO", title: "BLOCK I/O" },
    Column { field: "PIDs", title: "PIDS" },
    Column { field: "Container", title: "CONTAINER" },
];

/// How many of [`COLUMNS`] the table shows.
pub const SHOWN: usize = 8;

/// Returns a row of `stats`. Without samples, for a container that is not running, all values are
/// zero.
#[must_use]
pub fn row(container: &ContainerView, samples: Option<(&Sample, &Sample)>, truncate: bool) -> Row {
    let id = if truncate { container.id.short() } else { container.id.as_str() };
    let zero = Sample::default();
    let (before, after) = samples.unwrap_or((&zero, &zero));
    let (received, sent) =
        after.networks.iter().fold((0_u64, 0_u64), |sum, (_, rx, tx)| (sum.0 + rx, sum.1 + tx));
    Row::new([
        ("ID", id.into()),
        ("Container", id.into()),
        ("Name", container.name.as_str().into()),
        ("CPUPerc", format!("{:.2}%", after.cpu_percent(before)).into()),
        ("MemUsage", format!("{} / {}", binary(after.memory), binary(after.memory_limit)).into()),
        ("MemPerc", format!("{:.2}%", percent(after.memory, after.memory_limit)).into()),
        ("NetIO", format!("{} / {}", column(received), column(sent)).into()),
        ("BlockIO", format!("{} / {}", column(after.block.0), column(after.block.1)).into()),
        ("PIDs", after.pids.to_string().into()),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "a percentage")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

/// Returns the table of `top` in the format of `ps -ef`.
#[must_use]
pub fn top(top: &Top, now: Timestamp, zone: &TimeZone) -> String {
    let mut table = "UID\tPID\tPPID\tC\tSTIME\tTTY\tTIME\tCMD\n".to_owned();
    for process in &top.processes {
        let age = super::time::since(process.started, now);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole seconds of CPU time"
        )]
        let cpu = process.cpu_secs as u64;
        let share = cpu.saturating_mul(100).checked_div(age.as_secs()).unwrap_or(0).min(99);
        let pattern = if age.as_secs() < 24 * 3600 { "%H:%M" } else { "%b%d" };
        let started = process.started.to_zoned(zone.clone()).strftime(pattern);
        let time = format!("{:02}:{:02}:{:02}", cpu / 3600, cpu / 60 % 60, cpu % 60);
        let command = text::cell(&process.command);
        table += &format!(
            "{}\t{}\t{}\t{share}\t{started}\t{}\t{time}\t{command}\n",
            text::cell(&process.user),
            process.pid,
            process.parent,
            process.tty
        );
    }
    super::table::align(&table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::format::Format;
    use crate::docker::ps::tests::container;
    use crate::engine::ProcessRow;

    #[test]
    fn the_table_of_stats_is_dockers() {
        let before = Sample { time: "2026-11-22T12:00:00Z".parse().unwrap(), ..Sample::default() };
        let after = Sample {
            time: "2026-11-22T12:00:01Z".parse().unwrap(),
            cpu_nanos: 123_400_000,
            memory: 12 << 20,
            memory_limit: 2 << 30,
            pids: 3,
            block: (1_500_000, 0),
            networks: vec![("eth0".to_owned(), 1_234, 56)],
            ..Sample::default()
        };
        let container = container();
        let rows = [row(&container, Some((&before, &after)), true), row(&container, None, true)];
        insta::assert_snapshot!(Format::Table.show(&COLUMNS[..SHOWN], COLUMNS, &rows).unwrap(), @"
        CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O        BLOCK I/O    PIDS
        0123456789ab   web       12.34%    12MiB / 2GiB        0.59%     1.23kB / 56B   1.5MB / 0B   3
        0123456789ab   web       0.00%     0B / 0B             0.00%     0B / 0B        0B / 0B      0
        ");
    }

    #[test]
    fn the_table_of_top_is_dockers() {
        let process = ProcessRow {
            pid: 4711,
            inner_pid: 1,
            parent: 4700,
            user: "root".to_owned(),
            started: "2026-11-22T11:58:00Z".parse().unwrap(),
            cpu_secs: 61.5,
            tty: "pts/0".to_owned(),
            state: 'S',
            command: "sh -c\tx\u{1b}]0;y".to_owned(),
            ..ProcessRow::default()
        };
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        insta::assert_snapshot!(top(&Top { processes: vec![process] }, now, &TimeZone::UTC), @"
        UID       PID       PPID      C         STIME     TTY       TIME       CMD
        root      4711      4700      50        11:58     pts/0     00:01:01   sh -c x␛]0;y
        ");
    }
}
