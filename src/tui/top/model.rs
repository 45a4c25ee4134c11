//! The processes of a container in a pane: sorted, filtered, as a tree or a flat list.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;

use crate::engine::{ContainerId, Process, ProcessRow, Top};
use crate::tui::failure::Failure;
use crate::tui::model::scroll::into_view;

/// The maximum depth at which branches are drawn.
const DEPTH: usize = 40;

/// The processes of a container at the time they were read.
#[derive(Debug)]
pub struct TopRead {
    /// The container.
    pub of: ContainerId,
    /// The processes, or why they could not be read.
    pub result: Result<Top, Failure>,
}

/// The columns to sort by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Column {
    Pid,
    User,
    #[default]
    Cpu,
    Memory,
    Time,
    Command,
}

impl Column {
    /// Returns the heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::User => "user",
            Self::Cpu => "cpu",
            Self::Memory => "mem",
            Self::Time => "time",
            Self::Command => "command",
        }
    }

    /// Whether the largest value comes first by default.
    fn is_amount(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory | Self::Time)
    }
}

/// A process in a pane.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The process.
    pub row: ProcessRow,
    /// CPU use since the last reading, in percent of one CPU.
    pub cpu: Option<f64>,
}

/// The processes of a container in a pane.
#[derive(Debug, Default)]
pub struct TopPane {
    /// The container.
    pub of: Option<ContainerId>,
    members: Vec<Member>,
    /// Indexes of `members` in display order, each with its branches of the tree.
    shown: Vec<(usize, String)>,
    /// When they were read.
    pub read: Option<Timestamp>,
    /// The sort column, and whether the order is reversed.
    pub order: (Column, bool),
    /// Whether the processes are a flat list instead of a tree.
    pub is_flat: bool,
    /// The filter.
    pub filter: String,
    cursor: usize,
    under: Option<Process>,
    /// The index of the first visible row.
    top: usize,
    height: usize,
    /// The columns scrolled to the right.
    pub left: usize,
    /// Why they could not be read.
    pub failure: Option<Failure>,
}

impl TopPane {
    /// Shows the processes of `container`, and drops those of another one.
    pub fn show(&mut self, container: Option<&ContainerId>) {
        if self.of.as_ref() != container {
            let (order, is_flat) = (self.order, self.is_flat);
            *self = Self { of: container.cloned(), order, is_flat, height: self.height, ..Self::default() };
        }
    }

    /// Stores the processes read at `now`.
    pub fn take(&mut self, of: ContainerId, top: Top, now: Timestamp) {
        self.show(Some(&of));
        let key = |row: &ProcessRow| (row.pid, row.start_time);
        let before: HashMap<_, f64> =
            self.members.iter().map(|member| (key(&member.row), member.row.cpu_secs)).collect();
        let seconds = self.read.map(|read| now.duration_since(read).as_secs_f64());
        let percent = |row: &ProcessRow| {
            let seconds = seconds.filter(|seconds| *seconds > 0.1)?;
            Some((row.cpu_secs - before.get(&key(row))?).max(0.0) / seconds * 100.0)
        };
        self.members = top.processes.into_iter().map(|row| Member { cpu: percent(&row), row }).collect();
        (self.read, self.failure) = (Some(now), None);
        self.arrange();
    }

    /// Stores why processes could not be read. Keeps the last ones, since the container may be
    /// exiting.
    pub fn fail(&mut self, of: ContainerId, failure: Failure) {
        self.show(Some(&of));
        self.failure = Some(failure);
    }

    /// Sorts by a column. Choosing the same column again reverses the order.
    pub fn sort(&mut self, column: Column) {
        self.order = (column, self.order.0 == column && !self.order.1);
        self.arrange();
    }

    /// Whether the largest value comes first.
    #[must_use]
    pub fn is_descending(&self) -> bool {
        self.order.0.is_amount() != self.order.1
    }

    /// Switches between a tree and a flat list.
    pub fn turn(&mut self) {
        self.is_flat = !self.is_flat;
        self.arrange();
    }

    /// Shows only processes whose command, user or ids contain every word.
    pub fn look_for(&mut self, filter: &str) {
        filter.clone_into(&mut self.filter);
        self.arrange();
    }

    /// Sorts and filters the processes again. The cursor stays on its process.
    fn arrange(&mut self) {
        let (column, is_descending) = (self.order.0, self.is_descending());
        let mut places: Vec<usize> = (0..self.members.len()).collect();
        places.sort_by(|one, other| {
            let (one, other) = (&self.members[*one], &self.members[*other]);
            let order = compare(one, other, column);
            let order = if is_descending { order.reverse() } else { order };
            order.then(one.row.pid.cmp(&other.row.pid))
        });
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        self.shown = if self.is_flat || !words.is_empty() {
            let fits = |at: &usize| words.iter().all(|word| has(&self.members[*at].row, word));
            places.into_iter().filter(fits).map(|at| (at, String::new())).collect()
        } else {
            tree(&self.members, &places)
        };
        let place = self
            .under
            .and_then(|under| self.shown.iter().position(|(at, _)| process(&self.members[*at].row) == under));
        self.cursor = place.unwrap_or(self.cursor).min(self.shown.len().saturating_sub(1));
        self.under = self.selected().map(|member| process(&member.row));
        self.clamp(self.height);
    }

    /// Returns the process under the cursor.
    #[must_use]
    pub fn selected(&self) -> Option<&Member> {
        self.shown.get(self.cursor).map(|(at, _)| &self.members[*at])
    }

    /// Moves the cursor by this many rows.
    pub fn step(&mut self, by: i64) {
        let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
        let last = self.shown.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
        self.under = self.selected().map(|member| process(&member.row));
        self.clamp(self.height);
    }

    /// Moves the cursor to line `line` of the window.
    pub fn point(&mut self, line: usize) {
        if self.top + line < self.shown.len() {
            self.cursor = self.top + line;
            self.under = self.selected().map(|member| process(&member.row));
        }
    }

    /// Keeps the cursor in a window of this many rows, including the heading.
    pub fn clamp(&mut self, height: usize) {
        self.height = height;
        let rows = height.saturating_sub(1).max(1);
        self.top = into_view(self.top, self.cursor, rows, self.shown.len());
    }

    /// Returns the visible rows: whether the cursor is on it, its branches, and the process.
    pub fn window(&self) -> impl Iterator<Item = (bool, &str, &Member)> {
        let rows = self.height.saturating_sub(1);
        let places = self.shown.iter().enumerate().skip(self.top).take(rows);
        places.map(|(place, (at, branch))| (place == self.cursor, branch.as_str(), &self.members[*at]))
    }

    /// Returns the number of shown processes, of all processes, and of their threads.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, u64) {
        let threads = self.members.iter().map(|member| member.row.threads).sum();
        (self.shown.len(), self.members.len(), threads)
    }
}

/// Returns the unique identity of a process.
fn process(row: &ProcessRow) -> Process {
    Process { pid: row.pid, start_time: row.start_time }
}

fn compare(one: &Member, other: &Member, column: Column) -> Ordering {
    match column {
        Column::Pid => one.row.inner_pid.cmp(&other.row.inner_pid),
        Column::User => one.row.user.cmp(&other.row.user),
        Column::Cpu => one.cpu.unwrap_or(0.0).total_cmp(&other.cpu.unwrap_or(0.0)),
        Column::Memory => one.row.memory.cmp(&other.row.memory),
        Column::Time => one.row.cpu_secs.total_cmp(&other.row.cpu_secs),
        Column::Command => one.row.command.cmp(&other.row.command),
    }
}

/// Whether a process contains a word in lower case, or does not if the word begins with `!`.
fn has(row: &ProcessRow, word: &str) -> bool {
    let (wanted, word) = word.strip_prefix('!').map_or((true, word), |word| (false, word));
    let texts = [row.command.to_lowercase(), row.user.to_lowercase()];
    let is_id = row.inner_pid.to_string() == word || row.pid.to_string() == word;
    word.is_empty() || (is_id || texts.iter().any(|text| text.contains(word))) == wanted
}

/// Arranges processes as a tree, siblings in the order of `places`.
fn tree(members: &[Member], places: &[usize]) -> Vec<(usize, String)> {
    let by_pid: HashMap<u32, usize> = places.iter().map(|at| (members[*at].row.pid, *at)).collect();
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for at in places {
        match by_pid.get(&members[*at].row.parent).filter(|parent| *parent != at) {
            Some(parent) => children.entry(*parent).or_default().push(*at),
            None => roots.push(*at),
        }
    }
    let mut out: Vec<(usize, String)> = Vec::with_capacity(places.len());
    let mut is_out = vec![false; members.len()];
    // A stack instead of recursion, since a container controls the depth of the tree. An entry
    // holds the index, whether it is a root, its parent's branches, and whether it is the last
    // sibling.
    let mut stack: Vec<(usize, bool, String, bool)> =
        roots.into_iter().rev().map(|at| (at, true, String::new(), false)).collect();
    while let Some((at, is_root, above, is_last)) = stack.pop() {
        if std::mem::replace(&mut is_out[at], true) {
            continue;
        }
        let (own, below) = match (is_root, is_last) {
            _ if above.chars().count() >= DEPTH => (above.clone(), above),
            (true, _) => (String::new(), String::new()),
            (false, true) => (format!("{above}└"), format!("{above} ")),
            (false, false) => (format!("{above}├"), format!("{above}│")),
        };
        out.push((at, own));
        let mut brothers = children.remove(&at).unwrap_or_default().into_iter().rev();
        if let Some(last) = brothers.next() {
            stack.push((last, false, below.clone(), true));
        }
        stack.extend(brothers.map(|child| (child, false, below.clone(), false)));
    }
    // Processes in a cycle, which is possible because the reading is not atomic.
    out.extend(places.iter().filter(|at| !is_out[**at]).map(|at| (*at, String::new())));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pid: u32, parent: u32, cpu_secs: f64, command: &str) -> ProcessRow {
        ProcessRow {
            pid: 48_000 + pid,
            inner_pid: pid,
            parent: if parent == 0 { 1 } else { 48_000 + parent },
            user: if pid == 88 { "root" } else { "app" }.to_owned(),
            cpu_secs,
            memory: u64::from(pid) << 20,
            threads: 2,
            command: command.to_owned(),
            ..ProcessRow::default()
        }
    }

    fn rows(more: f64) -> Top {
        Top {
            processes: vec![
                row(1, 0, 1.0, "tini -- node"),
                row(7, 1, 10.0 + more, "node index.js"),
                row(31, 7, 3.0 + more / 10.0, "node heartbeat.js"),
                row(88, 7, 0.5, "sh -c sleep 30"),
                row(90, 1, 0.1, "cron"),
            ],
        }
    }

    fn pane() -> TopPane {
        let mut pane = TopPane::default();
        let id: ContainerId = "a".repeat(64).parse().unwrap();
        pane.take(id.clone(), rows(0.0), Timestamp::from_second(10).unwrap());
        pane.clamp(9);
        pane.take(id, rows(2.0), Timestamp::from_second(12).unwrap());
        pane
    }

    fn shown(pane: &TopPane) -> Vec<String> {
        pane.window()
            .map(|(is_under, branch, member)| {
                format!("{}{branch}{}", if is_under { ">" } else { "" }, member.row.inner_pid)
            })
            .collect()
    }

    #[test]
    fn the_tree_has_children_below_their_parents_the_busiest_first() {
        let mut pane = pane();
        assert_eq!(shown(&pane), [">1", "├7", "│├31", "│└88", "└90"]);
        pane.sort(Column::Cpu);
        assert_eq!(shown(&pane), [">1", "├90", "└7", " ├88", " └31"]);
        assert_eq!(pane.counts(), (5, 5, 10));
    }

    #[test]
    fn each_column_sorts_both_ways() {
        let mut pane = pane();
        pane.turn();
        for (column, want) in [
            (Column::Pid, [1, 7, 31, 88, 90]),
            (Column::Memory, [90, 88, 31, 7, 1]),
            (Column::Time, [7, 31, 1, 88, 90]),
            (Column::User, [1, 7, 31, 90, 88]),
            (Column::Command, [90, 31, 7, 88, 1]),
            (Column::Cpu, [7, 31, 1, 88, 90]),
        ] {
            pane.sort(column);
            let order: Vec<u32> = pane.window().map(|(_, _, member)| member.row.inner_pid).collect();
            assert_eq!(order, want, "{column:?}");
            assert_eq!(pane.order, (column, false));
            pane.sort(column);
            assert_eq!(pane.order, (column, true));
        }
    }

    #[test]
    fn the_cursor_stays_on_its_process() {
        let mut pane = pane();
        pane.step(2);
        assert_eq!(pane.selected().unwrap().row.inner_pid, 31);
        pane.turn();
        assert_eq!(pane.selected().unwrap().row.inner_pid, 31);
        pane.look_for("sh");
        assert_eq!(shown(&pane), [">88"]);
        pane.look_for("");
        pane.step(-100);
        pane.step(100);
        assert_eq!(pane.selected().unwrap().row.inner_pid, 90);
    }

    #[test]
    fn a_filter_looks_at_command_user_and_ids() {
        let mut pane = pane();
        for (filter, count) in
            [("NODE", 3), ("!node", 2), ("root", 1), ("48031", 1), ("node heart", 1), ("zz", 0)]
        {
            pane.look_for(filter);
            assert_eq!(pane.counts().0, count, "{filter}");
        }
    }

    #[test]
    fn percent_is_of_the_time_between_two_readings() {
        let pane = pane();
        let busy = pane.window().find(|(_, _, member)| member.row.inner_pid == 7).unwrap().2;
        assert_eq!(busy.cpu, Some(100.0));
    }

    #[test]
    fn a_ring_and_a_deep_tree_are_survived() {
        let member =
            |pid, parent| Member { row: ProcessRow { pid, parent, ..ProcessRow::default() }, cpu: None };
        let ring = [member(1, 2), member(2, 1), member(3, 3)];
        assert_eq!(tree(&ring, &[0, 1, 2]).len(), 3);
        let deep: Vec<Member> = (0..3000).map(|pid| member(pid + 1, pid)).collect();
        assert_eq!(tree(&deep, &(0..3000).collect::<Vec<_>>()).len(), 3000);
    }

    #[test]
    fn the_window_follows_the_cursor() {
        let mut pane = pane();
        pane.clamp(3);
        pane.step(4);
        assert_eq!(shown(&pane), ["│└88", ">└90"]);
        pane.point(0);
        assert_eq!(pane.selected().unwrap().row.inner_pid, 88);
    }
}
