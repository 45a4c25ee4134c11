//! Details of one process of a container.

use std::collections::HashMap;
use std::fs;

use super::top::{self, ProcessRow};

/// Maximum number of entries shown per list: the process controls how many there are.
const MAX_LINES: usize = 512;
/// Maximum length of a line in bytes; the rest is cut off.
const MAX_LINE: usize = 4096;

/// Details of a process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessDetail {
    /// The row shown for it in the process list.
    pub row: ProcessRow,
    /// Path of its executable, as seen in the container.
    pub program: Option<String>,
    /// Its working directory.
    pub folder: Option<String>,
    /// Its initial environment as `NAME=value`; `None` if this user may not read it.
    pub env: Option<Vec<String>>,
    /// The number of open files, and the first of them as descriptor and name.
    pub open_files: Option<(usize, Vec<(u32, String)>)>,
    /// Resource limits: name, soft limit, hard limit and unit.
    pub limits: Vec<[String; 4]>,
    /// Its control groups, as the kernel lists them.
    pub cgroups: Vec<String>,
    /// Id and name of each thread.
    pub threads: Vec<(u32, String)>,
}

/// Returns the details of a process, or `None` if it does not exist.
///
/// `users` maps user ids to the container's names for them.
#[must_use]
pub fn detail(pid: u32, users: &HashMap<u32, String>) -> Option<ProcessDetail> {
    let path = |file: &str| format!("/proc/{pid}/{file}");
    let link =
        |file: &str| fs::read_link(path(file)).ok().map(|link| line(link.as_os_str().as_encoded_bytes()));
    let text = |file: &str| fs::read_to_string(path(file)).unwrap_or_default();
    let most = (MAX_LINES * MAX_LINE) as u64;
    let row = top::row(pid, users, top::boot_time())?;
    let env = top::read(pid, "environ", most).map(|bytes| {
        let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        words.take(MAX_LINES).map(line).collect()
    });
    Some(ProcessDetail {
        row,
        program: link("exe"),
        folder: link("cwd"),
        env,
        open_files: open_files(pid),
        limits: text("limits").lines().skip(1).filter_map(limit).collect(),
        cgroups: text("cgroup").lines().take(MAX_LINES).map(|text| line(text.as_bytes())).collect(),
        threads: threads(pid),
    })
}

fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_LINE)]).into_owned()
}

/// Returns the numeric entries of a folder in /proc, sorted.
fn numbers(path: &str) -> Option<Vec<u32>> {
    let entries = fs::read_dir(path).ok()?;
    let mut numbers: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    Some(numbers)
}

fn open_files(pid: u32) -> Option<(usize, Vec<(u32, String)>)> {
    let folder = format!("/proc/{pid}/fd");
    let all = numbers(&folder)?;
    let name = |number: &u32| {
        let link = fs::read_link(format!("{folder}/{number}")).ok()?;
        Some((*number, line(link.as_os_str().as_encoded_bytes())))
    };
    Some((all.len(), all.iter().take(MAX_LINES).filter_map(name).collect()))
}

fn threads(pid: u32) -> Vec<(u32, String)> {
    let folder = format!("/proc/{pid}/task");
    let name = |number: &u32| {
        let name = fs::read(format!("{folder}/{number}/comm")).ok()?;
        Some((*number, String::from_utf8_lossy(&name).trim_end().to_owned()))
    };
    numbers(&folder).unwrap_or_default().iter().take(MAX_LINES).filter_map(name).collect()
}

/// Parses a line of /proc/<pid>/limits such as `Max open files            1024
/// 524288               files`. The columns are 26, 21 and 21 characters wide.
fn limit(text: &str) -> Option<[String; 4]> {
    let part = |from: usize, to: usize| Some(text.get(from..to.min(text.len()))?.trim().to_owned());
    let name = part(0, 26)?.trim_start_matches("Max ").to_owned();
    Some([name, part(26, 47)?, part(47, 68)?, part(68, usize::MAX).unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_limits_has_four_columns() {
        let open = "Max open files            1024                 524288               files     ";
        assert_eq!(limit(open).unwrap(), ["open files", "1024", "524288", "files"]);
        let nice = "Max nice priority         0                    0                    ";
        assert_eq!(limit(nice).unwrap(), ["nice priority", "0", "0", ""]);
        assert_eq!(limit("short"), None);
    }

    #[test]
    fn this_process_is_known_in_full() {
        let own = std::process::id();
        let detail = detail(own, &HashMap::new()).unwrap();
        assert_eq!(detail.row.pid, own);
        assert!(detail.program.unwrap().contains("hoist"));
        assert!(detail.env.unwrap().iter().any(|word| word.starts_with("PATH=")));
        assert!(detail.open_files.unwrap().0 >= 3 && !detail.threads.is_empty());
        assert!(detail.limits.iter().any(|limit| limit[0] == "open files"), "{:?}", detail.limits);
    }
}
