//! The navigator: projects and their containers, other lists, tasks and alerts.
//!
//! ```text
//!  tree   ▾ Projects        2     scrolls; rebuilt only when containers are added,
//!         ▾ acme       1/2 up     removed or renamed
//!           ● api     running
//!         ▸ blog       0/2 up
//!         ▾ Standalone      1
//!           ○ canary  created
//!  foot   Images  34              always visible: a few lines, rebuilt after every event
//!         ▾ Tasks
//!         ▾ Alerts
//! ```
//! The details of a container are read from its row when it is drawn. A change of its state thus
//! takes two look-ups, and ten thousand containers cost no more than the visible ones.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use crate::engine::ContainerId;
use crate::tui::alerts::model::{Alerts, Cause};
use crate::tui::containers::model::ContainerRow;
use crate::tui::list::rows::natural;
use crate::tui::list::table::{Changed, Table};
use crate::tui::section::{Section, TaskId};
use crate::tui::tasks::model::TaskRow;

/// A heading that can be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Branch {
    Projects,
    Standalone,
    Tasks,
    Alerts,
}

impl Branch {
    /// Returns the title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Projects => "Projects",
            Self::Standalone => "Standalone",
            Self::Tasks => "Tasks",
            Self::Alerts => "Alerts",
        }
    }
}

/// Returns the sections in the foot; the tree contains everything about the others.
fn foot_sections() -> impl Iterator<Item = Section> {
    Section::ALL.into_iter().filter(|section| section.screen().is_in_navigator)
}

/// The subject of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// An empty line.
    Gap,
    /// A heading.
    Branch(Branch),
    /// A project.
    Project(String),
    /// A container.
    Container(ContainerId),
    /// A list.
    Section(Section),
    /// A background task or a terminal.
    Task(TaskId),
    /// An alert.
    Alert(Cause),
    /// The number of a branch's entries for which there is no room.
    More(Branch, usize),
}

/// A line of the tree. It is small, because there may be ten thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Gap,
    Branch(Branch),
    Group(usize),
    Member(usize, usize),
}

/// Containers of a project; without a name, those of no project.
#[derive(Debug, Default)]
struct Group {
    name: String,
    /// Sorted by name.
    members: Vec<Member>,
    up: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    name: String,
    id: ContainerId,
}

/// The data of a container that the tree was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    project: String,
    name: String,
    is_up: bool,
}

/// The navigator.
#[derive(Debug)]
pub struct Navigator {
    groups: Vec<Group>,
    known: HashMap<ContainerId, Known>,
    branches: BTreeSet<Branch>,
    /// The folded projects.
    folded: BTreeSet<String>,
    lines: Vec<Line>,
    /// The index of each group's heading in `lines`; `None` while it is hidden in a folded branch.
    starts: Vec<Option<usize>>,
    foot: Vec<Spot>,
    /// A position among the lines of tree and foot.
    cursor: usize,
    /// What is under the cursor, to find it again.
    under: Spot,
    /// The subject under the list's cursor when this cursor last followed it.
    followed: Option<Spot>,
    /// The first visible line of the tree.
    offset: usize,
    /// The number of lines available for the tree.
    room: usize,
    /// Whether the tree is outdated with respect to `groups`.
    is_stale: bool,
    /// Whether containers changed while the navigator was hidden.
    is_behind: bool,
}

impl Default for Navigator {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            known: HashMap::new(),
            branches: BTreeSet::new(),
            folded: BTreeSet::new(),
            lines: Vec::new(),
            starts: Vec::new(),
            foot: Vec::new(),
            cursor: 0,
            under: Spot::Gap,
            followed: None,
            offset: 0,
            room: 0,
            is_stale: true,
            is_behind: true,
        }
    }
}

/// The data for an update of the navigator.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The containers.
    pub containers: &'a Table<ContainerRow>,
    /// The containers that changed.
    pub changed: Changed,
    /// Background tasks and terminals.
    pub tasks: &'a Table<TaskRow>,
    /// The alerts.
    pub alerts: &'a Alerts,
}

/// Updates of the navigator.
impl Navigator {
    /// Records changes while the navigator is hidden.
    pub fn hide(&mut self, changed: &Changed) {
        self.is_behind |= *changed != Changed::Rows(Vec::new());
    }

    /// Updates the navigator for a height of `height` lines; `listed` is the subject under the
    /// list's cursor, if this cursor must follow it.
    pub fn show(&mut self, sources: Sources<'_>, height: usize, listed: Option<Spot>) {
        match sources.changed {
            Changed::Rows(keys) if !self.is_behind => {
                keys.iter().for_each(|key| self.take_in(key, sources.containers));
            }
            _ => self.take_all(sources.containers.all()),
        }
        if self.is_stale {
            (self.lines, self.starts) = self.tree();
        }
        let most = if height >= 36 { 4 } else { 2 };
        let foot = self.foot(sources.tasks, sources.alerts, most);
        if self.is_stale || foot != self.foot {
            self.foot = foot;
            self.is_stale = false;
            let stays = self.place_of(&self.under);
            self.cursor = stays.unwrap_or(self.cursor);
            self.keep_in();
        }
        if listed.is_some() && listed != self.followed {
            let place = listed.as_ref().and_then(|spot| self.place_of(spot));
            place.into_iter().for_each(|place| self.select(place));
            self.followed = listed;
        }
        self.room = height.saturating_sub(self.foot.len());
        if self.cursor < self.lines.len() {
            let first = (self.cursor + 1).saturating_sub(self.room);
            self.offset = self.offset.clamp(first, self.cursor.max(first));
        }
        self.offset = self.offset.min(self.lines.len().saturating_sub(self.room));
    }

    fn take_all(&mut self, rows: &[ContainerRow]) {
        let mut groups: HashMap<&str, Group> = HashMap::new();
        self.known = HashMap::with_capacity(rows.len());
        for row in rows {
            let group = groups.entry(&row.project).or_default();
            group.members.push(Member { name: row.name.clone(), id: row.id.clone() });
            group.up += usize::from(row.is_up());
            self.known.insert(row.id.clone(), known(row));
        }
        self.groups =
            groups.into_iter().map(|(name, group)| Group { name: name.to_owned(), ..group }).collect();
        self.groups.sort_unstable_by(|one, other| by_name(&one.name, &other.name));
        for group in &mut self.groups {
            group.members.sort_unstable_by(Member::compare);
        }
        self.folded.retain(|name| self.groups.binary_search_by(|group| by_name(&group.name, name)).is_ok());
        (self.is_stale, self.is_behind) = (true, false);
    }

    /// Adds, removes or updates a container.
    fn take_in(&mut self, key: &str, containers: &Table<ContainerRow>) {
        let Ok(id) = key.parse::<ContainerId>() else { return };
        let new = containers.get(key).map(known);
        let old = self.known.get(&id).cloned();
        if old == new {
            return;
        }
        if let (Some(old), Some(new)) = (&old, &new)
            && (&old.project, &old.name) == (&new.project, &new.name)
        {
            if let Ok(at) = self.group(&old.project) {
                let up = &mut self.groups[at].up;
                *up = *up + usize::from(new.is_up) - usize::from(old.is_up);
            }
            self.known.insert(id, new.clone());
            return;
        }
        self.is_stale = true;
        if let Some(old) = old {
            self.known.remove(&id);
            if let Ok(at) = self.group(&old.project) {
                let group = &mut self.groups[at];
                group.up -= usize::from(old.is_up);
                let gone = Member { name: old.name, id: id.clone() };
                if let Ok(place) = group.members.binary_search_by(|member| member.compare(&gone)) {
                    group.members.remove(place);
                }
                if group.members.is_empty() {
                    self.groups.remove(at);
                }
            }
        }
        if let Some(new) = new {
            let at = self.group(&new.project).unwrap_or_else(|at| {
                self.groups.insert(at, Group { name: new.project.clone(), ..Group::default() });
                at
            });
            let group = &mut self.groups[at];
            group.up += usize::from(new.is_up);
            let member = Member { name: new.name.clone(), id: id.clone() };
            let place =
                group.members.binary_search_by(|other| other.compare(&member)).unwrap_or_else(|at| at);
            group.members.insert(place, member);
            self.known.insert(id, new);
        }
    }

    fn group(&self, project: &str) -> Result<usize, usize> {
        self.groups.binary_search_by(|group| by_name(&group.name, project))
    }

    fn tree(&self) -> (Vec<Line>, Vec<Option<usize>>) {
        let (mut lines, mut starts) = (Vec::new(), vec![None; self.groups.len()]);
        let projects = self.projects();
        let is_open = |branch| !self.branches.contains(&branch);
        let members =
            |at: usize| (0..self.groups[at].members.len()).map(move |member| Line::Member(at, member));
        if projects > 0 {
            lines.push(Line::Branch(Branch::Projects));
            for at in (0..projects).filter(|_| is_open(Branch::Projects)) {
                starts[at] = Some(lines.len());
                lines.push(Line::Group(at));
                if !self.folded.contains(&self.groups[at].name) {
                    lines.extend(members(at));
                }
            }
            lines.push(Line::Gap);
        }
        if projects < self.groups.len() {
            starts[projects] = Some(lines.len());
            lines.push(Line::Branch(Branch::Standalone));
            if is_open(Branch::Standalone) {
                lines.extend(members(projects));
            }
            lines.push(Line::Gap);
        }
        (lines, starts)
    }

    fn foot(&self, tasks: &Table<TaskRow>, alerts: &Alerts, most: usize) -> Vec<Spot> {
        let mut foot: Vec<Spot> = foot_sections().map(Spot::Section).collect();
        let is_open = |branch| !self.branches.contains(&branch);
        if !tasks.all().is_empty() {
            foot.extend([Spot::Gap, Spot::Branch(Branch::Tasks)]);
            let (live, over): (Vec<&TaskRow>, Vec<_>) = tasks.all().iter().partition(|task| !task.is_over());
            let count = live.len() + over.len();
            let shown = live.into_iter().chain(over).take(if is_open(Branch::Tasks) { most } else { 0 });
            foot.extend(shown.map(|task| Spot::Task(task.id)));
            foot.extend(
                (count > most && is_open(Branch::Tasks)).then(|| Spot::More(Branch::Tasks, count - most)),
            );
        }
        let count = alerts.count();
        if count > 0 {
            foot.extend([Spot::Gap, Spot::Branch(Branch::Alerts)]);
            if is_open(Branch::Alerts) {
                foot.extend(alerts.all().take(most).map(|alert| Spot::Alert(alert.cause)));
                foot.extend((count > most).then(|| Spot::More(Branch::Alerts, count - most)));
            }
        }
        foot
    }
}

/// The visible lines and the cursor.
impl Navigator {
    /// Returns the visible lines, each with whether the cursor is on it.
    pub fn window(&self) -> impl Iterator<Item = (bool, Spot)> {
        let tree = self.lines.iter().enumerate().skip(self.offset).take(self.room);
        let tree = tree.map(|(at, line)| (at, self.spot(*line)));
        let foot = self.foot.iter().enumerate().map(|(at, spot)| (self.lines.len() + at, spot.clone()));
        tree.chain(foot).map(|(at, spot)| (at == self.cursor, spot))
    }

    /// Returns what is under the cursor.
    #[must_use]
    pub fn under(&self) -> &Spot {
        &self.under
    }

    /// Returns the container under the cursor.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerId> {
        match &self.under {
            Spot::Container(id) => Some(id),
            _ => None,
        }
    }

    /// Returns the number of a project's containers, and how many of them are running.
    #[must_use]
    pub fn project(&self, name: &str) -> (usize, usize) {
        self.group(name).map_or((0, 0), |at| (self.groups[at].members.len(), self.groups[at].up))
    }

    /// Returns the number of projects.
    #[must_use]
    pub fn projects(&self) -> usize {
        self.groups.len() - usize::from(self.groups.last().is_some_and(|group| group.name.is_empty()))
    }

    /// Whether a branch or a project is folded; `None` for other lines.
    #[must_use]
    pub fn is_folded(&self, spot: &Spot) -> Option<bool> {
        match spot {
            Spot::Branch(branch) => Some(self.branches.contains(branch)),
            Spot::Project(name) => Some(self.folded.contains(name)),
            _ => None,
        }
    }

    /// Moves the cursor by this many lines, skipping empty ones.
    pub fn step(&mut self, by: isize) {
        let last = (self.lines.len() + self.foot.len()).saturating_sub(1);
        let mut at = self.cursor.saturating_add_signed(by).min(last);
        // An empty line is never first or last.
        if self.at(at) == Spot::Gap {
            at = if by < 0 { at.saturating_sub(1) } else { (at + 1).min(last) };
        }
        self.select(at);
    }

    /// Moves the cursor to a line, or to the last one.
    pub fn select(&mut self, place: usize) {
        self.cursor = place;
        self.keep_in();
    }

    /// Moves the cursor to line `line` of the window, unless that is empty.
    pub fn point(&mut self, line: usize) -> bool {
        let tree = self.lines.len().saturating_sub(self.offset).min(self.room);
        let place = if line < tree { self.offset + line } else { self.lines.len() + line - tree };
        let is_line = place < self.lines.len() + self.foot.len() && self.at(place) != Spot::Gap;
        if is_line {
            self.select(place);
        }
        is_line
    }

    /// Folds or unfolds the branch or project under the cursor or around it. If it is already
    /// folded, the enclosing one is folded. Returns whether anything changed.
    pub fn fold(&mut self, folds: bool) -> bool {
        let branch = match self.under.clone() {
            Spot::Branch(branch) => Spot::Branch(branch),
            Spot::Project(name) if folds && self.folded.contains(&name) => Spot::Branch(Branch::Projects),
            Spot::Project(name) => Spot::Project(name),
            Spot::Container(id) if folds => match self.known.get(&id) {
                Some(known) if !known.project.is_empty() => Spot::Project(known.project.clone()),
                _ => Spot::Branch(Branch::Standalone),
            },
            Spot::Task(_) | Spot::More(Branch::Tasks, _) if folds => Spot::Branch(Branch::Tasks),
            Spot::Alert(_) | Spot::More(Branch::Alerts, _) if folds => Spot::Branch(Branch::Alerts),
            _ => return false,
        };
        let has_changed = match &branch {
            Spot::Branch(branch) if folds => self.branches.insert(*branch),
            Spot::Branch(branch) => self.branches.remove(branch),
            Spot::Project(name) if folds => self.folded.insert(name.clone()),
            Spot::Project(name) => self.folded.remove(name),
            _ => false,
        };
        self.under = branch;
        self.is_stale = true;
        has_changed
    }

    /// Folds all projects, or unfolds everything; returns whether anything changed.
    pub fn fold_all(&mut self, folds: bool) -> bool {
        let before = (self.folded.len(), self.branches.len());
        let names = self.groups.iter().map(|group| group.name.clone()).filter(|name| !name.is_empty());
        if folds {
            self.folded = names.collect();
        } else {
            self.folded.clear();
            self.branches.clear();
        }
        self.is_stale = true;
        before != (self.folded.len(), self.branches.len())
    }

    fn at(&self, place: usize) -> Spot {
        match self.lines.get(place) {
            Some(line) => self.spot(*line),
            None => self.foot.get(place - self.lines.len()).cloned().unwrap_or(Spot::Gap),
        }
    }

    fn spot(&self, line: Line) -> Spot {
        match line {
            Line::Gap => Spot::Gap,
            Line::Branch(branch) => Spot::Branch(branch),
            Line::Group(at) => Spot::Project(self.groups[at].name.clone()),
            Line::Member(at, member) => Spot::Container(self.groups[at].members[member].id.clone()),
        }
    }

    /// Returns the position of a line; for a container in a folded project, that of the project.
    fn place_of(&self, spot: &Spot) -> Option<usize> {
        match spot {
            Spot::Gap => None,
            Spot::Branch(Branch::Projects) => (self.projects() > 0).then_some(0),
            Spot::Branch(Branch::Standalone) => *self.starts.get(self.projects())?,
            Spot::Project(name) => *self.starts.get(self.group(name).ok()?)?,
            Spot::Container(id) => {
                let known = self.known.get(id)?;
                let at = self.group(&known.project).ok()?;
                let start = (*self.starts.get(at)?)?;
                let member = Member { name: known.name.clone(), id: id.clone() };
                let place = self.groups[at].members.binary_search_by(|other| other.compare(&member)).ok()?;
                let is_seen = self.lines.get(start + 1 + place) == Some(&Line::Member(at, place));
                Some(if is_seen { start + 1 + place } else { start })
            }
            _ => Some(self.lines.len() + self.foot.iter().position(|other| other == spot)?),
        }
    }

    /// Keeps the cursor on an existing line.
    fn keep_in(&mut self) {
        let last = (self.lines.len() + self.foot.len()).saturating_sub(1);
        self.cursor = self.cursor.min(last);
        if self.at(self.cursor) == Spot::Gap {
            self.cursor = self.cursor.saturating_sub(1);
        }
        self.under = self.at(self.cursor);
    }
}

impl Member {
    fn compare(&self, other: &Self) -> Ordering {
        natural(&self.name, &other.name).then_with(|| self.id.cmp(&other.id))
    }
}

/// Compares by name, with containers of no project last.
fn by_name(one: &str, other: &str) -> Ordering {
    one.is_empty().cmp(&other.is_empty()).then_with(|| natural(one, other))
}

fn known(row: &ContainerRow) -> Known {
    Known { project: row.project.clone(), name: row.name.clone(), is_up: row.is_up() }
}

#[cfg(test)]
mod tests {
    use crate::engine::Status;
    use crate::tui::containers::model::ContainerRow;
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, empty, press};
    use crate::tui::model::{Focus, Model};
    use crate::tui::reading::Listed;
    use crate::tui::update::update;

    use super::*;

    fn of(project: &str, name: &str, status: Status) -> ContainerRow {
        ContainerRow { project: project.to_owned(), ..container(name, status) }
    }

    fn some(height: u16) -> Model {
        let mut model = empty(200, height);
        let rows = vec![
            of("blog", "app", Status::Exited),
            of("acme", "web-10", Status::Running),
            of("acme", "web-2", Status::Running),
            of("", "canary", Status::Created),
        ];
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        model
    }

    fn shown(model: &Model) -> Vec<String> {
        let name = |spot| match spot {
            Spot::Container(id) => model.containers.get(id.as_str()).unwrap().name.clone(),
            Spot::Project(name) => {
                let (all, up) = model.navigator.project(&name);
                format!("{name} {up}/{all}")
            }
            Spot::Branch(branch) => branch.title().to_owned(),
            Spot::Section(section) => section.title().to_owned(),
            Spot::Gap => "-".to_owned(),
            other => format!("{other:?}"),
        };
        let line = |(is_under, spot)| format!("{}{}", if is_under { ">" } else { "" }, name(spot));
        model.navigator.window().map(line).collect()
    }

    fn tree(model: &Model) -> String {
        let lines = shown(model);
        let foot = lines.iter().position(|line| line.ends_with("Images")).unwrap();
        lines[..foot].join(" ")
    }

    #[test]
    fn containers_stand_under_their_project_by_name() {
        let mut model = some(60);
        assert_eq!(tree(&model), "Projects acme 2/2 web-2 web-10 blog 0/1 >app - Standalone canary -");
        // It follows the list; on a folded project instead of its containers.
        press(&mut model, "j");
        assert_eq!(model.navigator.under(), &Spot::Container(of("", "web-10", Status::Running).id));
        press(&mut model, "shift-tab h");
        assert_eq!(tree(&model), "Projects >acme 2/2 blog 0/1 app - Standalone canary -");
        press(&mut model, "esc j");
        assert_eq!(tree(&model), "Projects >acme 2/2 blog 0/1 app - Standalone canary -");
    }

    #[test]
    fn changes_one_by_one_make_the_same_as_all_at_once() {
        let mut model = some(60);
        let changed = |model: &mut Model, row: ContainerRow| {
            update(model, Event::Container(row.id.clone(), Some(Box::new(row))));
        };
        changed(&mut model, of("acme", "web-2", Status::Exited));
        changed(&mut model, of("zoo", "lion", Status::Running));
        changed(&mut model, of("zoo", "canary", Status::Created));
        changed(&mut model, of("", "alone", Status::Running));
        update(&mut model, Event::Container(of("", "app", Status::Exited).id, None));
        let one_by_one = tree(&model);
        assert_eq!(one_by_one, "Projects acme 1/2 web-2 >web-10 zoo 1/2 canary lion - Standalone alone -");
        let rows = model.containers.all().to_vec();
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        assert_eq!(tree(&model), one_by_one);
        // Changes while it is hidden are applied later.
        update(&mut model, Event::Resize(80, 24));
        changed(&mut model, of("acme", "db", Status::Running));
        update(&mut model, Event::Resize(200, 60));
        assert!(tree(&model).contains("acme 2/3 db web-2 >web-10"), "{}", tree(&model));
    }

    #[test]
    fn the_cursor_goes_over_every_line_and_never_rests_on_a_gap() {
        let mut model = some(30);
        press(&mut model, "shift-tab g g");
        assert_eq!(model.focus, Focus::Navigator);
        let mut seen = vec![model.navigator.under().clone()];
        for _ in 0..30 {
            press(&mut model, "j");
            seen.push(model.navigator.under().clone());
        }
        seen.dedup();
        assert!(!seen.contains(&Spot::Gap), "{seen:?}");
        assert_eq!(seen.len(), 12, "{seen:?}");
        let mut back = vec![model.navigator.under().clone()];
        for _ in 0..30 {
            press(&mut model, "k");
            back.push(model.navigator.under().clone());
        }
        back.dedup();
        back.reverse();
        assert_eq!(back, seen);
    }

    #[test]
    fn a_long_tree_scrolls_above_its_foot() {
        let mut model = empty(200, 30);
        let rows = (0..500).map(|at| of("acme", &format!("web-{at}"), Status::Running)).collect();
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        press(&mut model, "G");
        let lines = shown(&model);
        assert!(lines.contains(&">web-499".to_owned()) && lines.contains(&"Trash".to_owned()), "{lines:?}");
        assert!(lines.len() <= 24, "{lines:?}");
        press(&mut model, "g g");
        assert!(shown(&model).contains(&">web-0".to_owned()), "{:?}", shown(&model));
    }
}
