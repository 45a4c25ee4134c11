//! The read-only commands.

use std::path::Path;
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::{Value, json};

use super::saved::{self, All, Folder, Saved};
use super::{Failed, print, put, refuse, warn};
use crate::base::disk;
use crate::oci::runtime::ContainerState;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Output format: table or json.
    #[arg(short, long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
    /// Print only IDs.
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct Ps {
    /// Output format: table or json.
    #[arg(short, long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
    /// ID of the container.
    id: String,
    /// Options of ps(1) for the table, in which only the container's processes remain.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

pub(super) fn state(root: &Path, id: &str) -> Result<(), Failed> {
    let folder = Folder::new(root, id)?;
    let saved = folder.load()?;
    print(&describe(&folder, &saved))
}

/// Returns the state in the specification's format, with the fields that other runtimes add.
fn describe(folder: &Folder, saved: &Saved) -> Value {
    let status = status(folder, saved);
    let root = saved.spec.root().as_ref().map(|root| root.path().display().to_string());
    let mut state = json!({
        "ociVersion": saved.spec.version(),
        "id": saved.id,
        "pid": if status == "stopped" { 0 } else { saved.pid },
        "status": status,
        "bundle": saved.bundle,
        "rootfs": root,
        "created": saved.created.to_string(),
    });
    if let Some(annotations) = saved.spec.annotations() {
        state["annotations"] = json!(annotations);
    }
    state
}

fn status(folder: &Folder, saved: &Saved) -> String {
    match folder.status(saved) {
        ContainerState::Running if saved.cgroup().is_frozen() => "paused".to_owned(),
        status => status.to_string(),
    }
}

pub(super) fn list(root: &Path, words: &List) -> Result<(), Failed> {
    let All { found, unreadable } = saved::all(root)?;
    warn(&unreadable);
    if words.format == "json" {
        return print(&found.iter().map(|(folder, saved)| describe(folder, saved)).collect());
    }
    if words.quiet {
        return put(&found.iter().map(|(_, saved)| format!("{}\n", saved.id)).collect::<String>());
    }
    let mut rows = vec![["ID", "PID", "STATUS", "BUNDLE", "CREATED"].map(str::to_owned)];
    rows.extend(found.iter().map(|(folder, saved)| {
        let status = status(folder, saved);
        let pid = if status == "stopped" { 0 } else { saved.pid };
        [
            saved.id.clone(),
            pid.to_string(),
            status,
            saved.bundle.display().to_string(),
            saved.created.to_string(),
        ]
    }));
    put(&table(&rows))
}

pub(super) fn ps(root: &Path, words: &Ps) -> Result<(), Failed> {
    let saved = Folder::new(root, &words.id)?.load()?;
    let pids = saved.cgroup().pids()?;
    if words.format == "json" {
        return print(&json!(pids));
    }
    if !words.options.is_empty() {
        return put(&of_ps(&words.options, &pids)?);
    }
    let mut rows = vec![["PID", "PPID", "STATE", "CMD"].map(str::to_owned)];
    rows.extend(pids.into_iter().filter_map(process_row));
    put(&table(&rows))
}

/// Returns the output of ps(1) with these options, without the rows of other processes.
fn of_ps(options: &[String], pids: &[i32]) -> Result<String, Failed> {
    let output = Command::new("ps").args(options).stderr(Stdio::inherit()).output();
    let output = output.map_err(disk::Error::io("run", "ps"))?;
    if !output.status.success() {
        return refuse(format!("`ps {}` failed: {}", options.join(" "), output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let Some(at) = text.lines().next().and_then(|line| line.split_whitespace().position(|it| it == "PID"))
    else {
        return refuse(format!("`ps {}` does not print a PID", options.join(" ")));
    };
    let is_ours = |line: &&str| {
        let pid = line.split_whitespace().nth(at).and_then(|pid| pid.parse().ok());
        pid.is_some_and(|pid: i32| pids.contains(&pid))
    };
    let (heading, rows) = text.split_once('\n').unwrap_or((&text, ""));
    Ok([heading].into_iter().chain(rows.lines().filter(is_ours)).map(|line| format!("{line}\n")).collect())
}

/// Returns the row of a process from `/proc`, or `None` if it has exited.
fn process_row(pid: i32) -> Option<[String; 4]> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let (state, parent) = (fields.next()?.to_owned(), fields.next()?.to_owned());
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&words).trim_end_matches('\0').replace('\0', " ");
    let name = name.split_once('(').map_or(name, |(_, name)| name);
    let command = if command.is_empty() { format!("[{name}]") } else { command };
    Some([pid.to_string(), parent, state, command])
}

/// Returns a table with aligned columns; the last one is not padded.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("   ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["ID", "PID", "CMD"], ["naïve-one", "7", "sh -c  x"], ["b", "123456", ""]];
        let want = "ID          PID      CMD\nnaïve-one   7        sh -c  x\nb           123456\n";
        assert_eq!(table(&rows.map(|row| row.map(str::to_owned))), want);
    }

    /// A process that has exited is still in `/proc`, without arguments, until its parent waits.
    #[test]
    fn a_process_without_arguments_is_told_by_its_name() {
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id().cast_signed();
        let exited = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_raw(pid).unwrap()), exited).unwrap();
        let row = process_row(pid);
        child.wait().unwrap();
        let own = std::process::id();
        assert_eq!(row.unwrap(), [pid.to_string(), own.to_string(), "Z".to_owned(), "[true]".to_owned()]);
        assert_eq!(process_row(pid), None);
    }

    #[test]
    fn a_process_is_told_by_its_words_and_one_that_is_gone_not_at_all() {
        let own = std::process::id().cast_signed();
        let [pid, parent, state, command] = process_row(own).unwrap();
        assert_eq!(pid, own.to_string());
        assert!(parent.parse::<u32>().is_ok() && "RSD".contains(&state) && !command.is_empty(), "{command}");
        assert_eq!(process_row(0), None);
    }
}
