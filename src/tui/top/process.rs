//! The details of a process, as a page of text.

use jiff::{SignedDuration, Timestamp};

use crate::base::text;
use crate::base::units::binary;
use crate::engine::ProcessDetail;

/// Returns the details of a process as lines of text.
#[must_use]
pub fn page(detail: &ProcessDetail, now: Timestamp) -> Vec<String> {
    let row = &detail.row;
    let pair = |name: &str, value: &str| format!("  {name:<14} {}", text::line(value));
    let started = now.duration_since(row.started);
    let mut lines = vec![
        pair("PID", &format!("{} in the container, {} on the host", row.inner_pid, row.pid)),
        pair("parent", &format!("{} on the host", row.parent)),
        pair("user", &format!("{} ({})", row.user, row.uid)),
        pair("state", state(row.state)),
        pair("started", &format!("{} ({} ago)", row.started, span(started))),
        pair("CPU time", &clock(row.cpu_secs)),
        pair("memory", &binary(row.memory)),
        pair("terminal", &row.tty),
        pair("program", detail.program.as_deref().unwrap_or("not visible to this user")),
        pair("folder", detail.folder.as_deref().unwrap_or("not visible to this user")),
        // It may be long.
        pair("command", &row.command),
    ];
    let mut part = |title: String, body: Vec<String>| {
        lines.extend([String::new(), title]);
        lines.extend(body.into_iter().map(|line| format!("  {}", text::line(&line))));
    };
    let limits = detail
        .limits
        .iter()
        .map(|[name, soft, hard, unit]| format!("{name:<22} {soft:>12} of {hard:>12} {unit}"));
    match &detail.open_files {
        Some((count, some)) => {
            let names = some.iter().map(|(number, name)| format!("{number:>4}  {name}"));
            part(format!("Open files ({count})"), names.collect());
        }
        None => part("Open files".to_owned(), vec!["not visible to this user".to_owned()]),
    }
    let threads = detail.threads.iter().map(|(number, name)| format!("{number:>7}  {name}"));
    part(format!("Threads ({})", row.threads), threads.collect());
    part("Limits".to_owned(), limits.collect());
    part("Control groups".to_owned(), detail.cgroups.clone());
    match &detail.env {
        Some(env) => part(format!("Environment ({})", env.len()), env.clone()),
        None => part("Environment".to_owned(), vec!["not visible to this user".to_owned()]),
    }
    lines
}

/// Formats a CPU time: `00:39:12`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of CPU")]
fn clock(seconds: f64) -> String {
    let all = seconds.max(0.0) as u64;
    format!("{:02}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60)
}

/// Formats a duration: `3h 12m 5s`.
fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h {minutes}m {seconds}s"),
    }
}

/// Returns the meaning of a state letter of ps(1).
fn state(letter: char) -> &'static str {
    match letter {
        'R' => "R: running or runnable",
        'S' => "S: sleeping (interruptible)",
        'D' => "D: uninterruptible sleep (usually I/O)",
        'T' | 't' => "T: stopped",
        'Z' => "Z: zombie: exited, but not reaped by its parent",
        'I' => "I: idle kernel thread",
        'X' | 'x' => "X: dead",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ProcessRow;

    #[test]
    fn a_page_tells_what_may_not_be_seen() {
        let detail = ProcessDetail {
            row: ProcessRow {
                command: "a\u{1b}[31m".to_owned(),
                state: 'D',
                tty: "?".to_owned(),
                user: "app".to_owned(),
                ..Default::default()
            },
            open_files: Some((2, vec![(0, "/dev/null".to_owned())])),
            limits: vec![["open files", "1024", "4096", "files"].map(str::to_owned)],
            ..ProcessDetail::default()
        };
        let text = page(&detail, Timestamp::UNIX_EPOCH).join("\n");
        insta::assert_snapshot!(text, @"
              PID            0 in the container, 0 on the host
              parent         0 on the host
              user           app (0)
              state          D: uninterruptible sleep (usually I/O)
              started        1970-01-01T00:00:00Z (0s ago)
              CPU time       00:00:00
              memory         0B
              terminal       ?
              program        not visible to this user
              folder         not visible to this user
              command        a␛[31m

            Open files (2)
                 0  /dev/null

            Threads (0)

            Limits
              open files                     1024 of         4096 files

            Control groups

            Environment
              not visible to this user
            ");
    }
}
