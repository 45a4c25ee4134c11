//! Current problems of containers and the disk, and which of them the user has seen.
//!
//! ```text
//!  container changed ──▶ exit, restarts ─┐
//!  container sampled ──▶ memory use ─────┼─▶ raised ─▶ seen
//!  disk checked ───────▶ free space ─────┘      └──────┴─▶ dropped when the cause is gone
//! ```
//! Only what changed is checked, so that the cost does not grow with the number of containers. An
//! alert that was seen is raised again only after its cause went away and came back.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{ContainerId, Space, Status};
use crate::tui::containers::model::ContainerRow;
use crate::tui::list::table::{Changed, Table};

/// A container that ended longer ago than this before hoist saw it raises no alert.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// The number of restarts that counts as a loop.
const LOOP: u32 = 3;

/// A container that stays up this long has left the loop.
const STEADY: SignedDuration = SignedDuration::from_mins(5);

/// The shares of the memory limit at which an alert begins and ends.
const MEMORY: (f64, f64) = (0.95, 0.9);

/// The subject of an alert. Each has at most one alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// How a container ended, or that it keeps restarting.
    State(ContainerId),
    /// The memory use of a container.
    Memory(ContainerId),
    /// The free space on the disk of the store.
    Disk,
}

impl Cause {
    /// Returns the container, if the cause is one.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerId> {
        match self {
            Self::State(id) | Self::Memory(id) => Some(id),
            Self::Disk => None,
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ill {
    /// The kernel killed the container because it was out of memory.
    Oom,
    /// It exited by itself with this code.
    Exit(u8),
    /// It restarted this often.
    Restarts(u32),
    /// It uses this share of its memory limit.
    Memory(f64),
    /// The free and the total bytes of the disk.
    Disk(u64, u64),
}

/// An alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its subject.
    pub cause: Cause,
    /// What is wrong.
    pub ill: Ill,
    /// Since when.
    pub since: Timestamp,
}

/// All alerts.
#[derive(Debug, Clone, Default)]
pub struct Alerts {
    /// What is wrong by subject, since when, and whether the user has seen it.
    known: BTreeMap<Cause, (Ill, Timestamp, bool)>,
    /// Alerts that the user has not seen, the newest last.
    raised: Vec<Cause>,
    /// When the next restarting container may be steady again.
    lapses: Option<Timestamp>,
}

impl Alerts {
    /// Returns the alerts that the user has not seen, the newest first.
    pub fn all(&self) -> impl Iterator<Item = Alert> {
        self.raised.iter().rev().filter_map(|cause| {
            let (ill, since, _) = self.known.get(cause)?;
            Some(Alert { cause: cause.clone(), ill: *ill, since: *since })
        })
    }

    /// Returns their number.
    #[must_use]
    pub fn count(&self) -> usize {
        self.raised.len()
    }

    /// Marks an alert as seen.
    pub fn see(&mut self, cause: &Cause) {
        if let Some((.., is_seen)) = self.known.get_mut(cause) {
            *is_seen = true;
        }
        self.raised.retain(|raised| raised != cause);
    }

    /// Marks all alerts as seen.
    pub fn see_all(&mut self) {
        self.raised.clear();
        self.known.values_mut().for_each(|(.., is_seen)| *is_seen = true);
    }

    /// Updates the alerts about a container's state from its row.
    pub fn look(&mut self, row: &ContainerRow, now: Timestamp) {
        let cause = Cause::State(row.id.clone());
        let known = self.known.get(&cause).copied();
        match ill(row, known.map(|(ill, ..)| ill), now) {
            Some((ill, since)) => {
                let is_same = known.is_some_and(|(old, then, _)| match (old, ill) {
                    (Ill::Restarts(_), Ill::Restarts(_)) => true,
                    _ => old == ill && then == since,
                });
                let since = known.filter(|_| is_same).map_or(since, |(_, then, _)| then);
                if is_same || now.duration_since(since) <= RECENT {
                    self.put(cause, ill, since, is_same);
                } else {
                    self.end(&cause);
                }
                if matches!(ill, Ill::Restarts(_)) {
                    let steady = row.started.unwrap_or(now).max(now - STEADY) + STEADY;
                    self.lapses = Some(self.lapses.map_or(steady, |lapses| lapses.min(steady)));
                }
            }
            None => self.end(&cause),
        }
        if !row.status.is_up() {
            self.end(&Cause::Memory(row.id.clone()));
        }
    }

    /// Updates the alert about a container's memory from its row.
    pub fn measure(&mut self, row: &ContainerRow, now: Timestamp) {
        let used = row.used.filter(|_| row.status.is_up());
        let Some((used, limit)) = used.and_then(|used| Some((used.memory, used.limit?))) else { return };
        let cause = Cause::Memory(row.id.clone());
        let known = self.known.get(&cause).copied();
        let share = used / limit.max(1.0);
        if share >= if known.is_some() { MEMORY.1 } else { MEMORY.0 } {
            let since = known.map_or(now, |(_, since, _)| since);
            self.put(cause, Ill::Memory(share), since, known.is_some());
        } else if known.is_some() {
            self.end(&cause);
        }
    }

    /// Updates the alert about the disk.
    pub fn disk(&mut self, space: Option<Space>, now: Timestamp) {
        let known = self.known.get(&Cause::Disk).copied();
        // The alert ends only above a higher limit, to avoid an alert that comes and goes.
        let is_short = |space: &Space| match known {
            Some(_) => u128::from(space.free) * 100 < u128::from(space.total) * 11,
            None => space.is_short(),
        };
        match space.filter(is_short) {
            Some(Space { free, total }) => {
                let since = known.map_or(now, |(_, since, _)| since);
                self.put(Cause::Disk, Ill::Disk(free, total), since, known.is_some());
            }
            None => self.end(&Cause::Disk),
        }
    }

    /// Drops the alerts of containers that no longer exist.
    pub fn retain(&mut self, is_there: impl Fn(&ContainerId) -> bool) {
        self.known.retain(|cause, _| cause.container().is_none_or(&is_there));
        self.raised.retain(|cause| self.known.contains_key(cause));
    }

    /// Drops the alerts of a removed container.
    pub fn forget(&mut self, id: &ContainerId) {
        self.end(&Cause::State(id.clone()));
        self.end(&Cause::Memory(id.clone()));
    }

    /// Returns the restarting containers to check again, or none before one may be steady.
    pub fn due(&mut self, now: Timestamp) -> Vec<ContainerId> {
        if self.lapses.is_none_or(|lapses| now < lapses) {
            return Vec::new();
        }
        self.lapses = None;
        let restarting = self.known.iter().filter(|(_, (ill, ..))| matches!(ill, Ill::Restarts(_)));
        restarting.filter_map(|(cause, _)| cause.container().cloned()).collect()
    }

    /// Sorts the alerts by time, the oldest first, after many were raised at once.
    pub fn sort(&mut self) {
        let Self { known, raised, .. } = self;
        raised.sort_by_key(|cause| known.get(cause).map(|(_, since, _)| *since));
    }

    fn put(&mut self, cause: Cause, ill: Ill, since: Timestamp, is_same: bool) {
        let was_seen = self.known.get(&cause).is_some_and(|(.., is_seen)| *is_seen);
        self.known.insert(cause.clone(), (ill, since, was_seen && is_same));
        if !is_same {
            self.raised.retain(|raised| *raised != cause);
            self.raised.push(cause);
        }
    }

    fn end(&mut self, cause: &Cause) {
        if self.known.remove(cause).is_some_and(|(.., is_seen)| !is_seen) {
            self.raised.retain(|raised| raised != cause);
        }
    }
}

/// Returns what is wrong with a container's state, and since when; `old` is what was wrong before.
fn ill(row: &ContainerRow, old: Option<Ill>, now: Timestamp) -> Option<(Ill, Timestamp)> {
    let ended = row.finished.unwrap_or(row.created);
    let was_steady = |until: Timestamp| row.started.is_some_and(|from| until.duration_since(from) >= STEADY);
    // Running between two crashes is not a recovery.
    let is_looping = matches!(old, Some(Ill::Restarts(_))) && !was_steady(now);
    match row.status {
        // A container counts its restarts as long as it exists, not only those of a loop.
        Status::Restarting if row.restarts >= LOOP && !was_steady(ended) => {
            Some((Ill::Restarts(row.restarts), now))
        }
        Status::Running if is_looping => Some((Ill::Restarts(row.restarts), now)),
        Status::Exited | Status::Dead if row.died_of_memory() => Some((Ill::Oom, ended)),
        // The exit code of a shell is that of its last command.
        Status::Exited | Status::Dead if row.exit_code != 0 && row.has_failed() && !row.has_terminal => {
            Some((Ill::Exit(row.exit_code), ended))
        }
        _ => None,
    }
}

impl Alerts {
    /// Updates the alerts of the containers that changed.
    pub(crate) fn settle(&mut self, containers: &Table<ContainerRow>, changed: &Changed, now: Timestamp) {
        match changed {
            Changed::Rows(keys) => {
                for key in keys {
                    match (containers.get(key), key.parse::<ContainerId>()) {
                        (Some(row), _) => self.look(row, now),
                        (None, Ok(id)) => self.forget(&id),
                        (None, Err(_)) => {}
                    }
                }
            }
            Changed::Everything => {
                self.retain(|id| containers.get(id.as_str()).is_some());
                containers.all().iter().for_each(|row| self.look(row, now));
                self.sort();
            }
        }
        for id in self.due(now) {
            containers.get(id.as_str()).into_iter().for_each(|row| self.look(row, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::containers::model::Used;
    use crate::tui::fixture::{container, now};

    fn ended(name: &str, code: u8, mins: i64) -> ContainerRow {
        let finished = Some(now() - SignedDuration::from_mins(mins));
        ContainerRow { exit_code: code, finished, ..container(name, Status::Exited) }
    }

    fn told(alerts: &Alerts) -> Vec<(String, Ill)> {
        let name = |alert: &Alert| match alert.cause.container() {
            // The fixture's ids are the names in hexadecimal.
            Some(id) => id.as_str()[..2].to_owned(),
            None => "disk".to_owned(),
        };
        alerts.all().map(|alert| (name(&alert), alert.ill)).collect()
    }

    #[test]
    fn an_end_is_grave_when_nobody_asked_for_it_and_it_went_wrong() {
        for (row, want) in [
            (ended("a", 0, 1), None),
            (ended("a", 1, 1), Some(Ill::Exit(1))),
            (ended("a", 139, 59), Some(Ill::Exit(139))),
            (ended("a", 139, 61), None),
            (ContainerRow { ended_by_hand: true, ..ended("a", 137, 1) }, None),
            (ContainerRow { has_terminal: true, ..ended("a", 1, 1) }, None),
            (ContainerRow { ended_by_hand: true, oom_killed: true, ..ended("a", 137, 1) }, Some(Ill::Oom)),
            (ContainerRow { oom_killed: true, ..ended("a", 0, 1) }, None),
            (ContainerRow { oom_killed: true, ..ended("a", 3, 1) }, Some(Ill::Exit(3))),
            (container("a", Status::Created), None),
            (ContainerRow { restarts: 2, ..container("a", Status::Restarting) }, None),
            (
                ContainerRow { restarts: 3, started: Some(now()), ..container("a", Status::Restarting) },
                Some(Ill::Restarts(3)),
            ),
            (ContainerRow { restarts: 3, ..container("a", Status::Running) }, None),
            // It ran for hours before it crashed for the third time.
            (
                ContainerRow {
                    restarts: 3,
                    started: Some(now() - SignedDuration::from_hours(3)),
                    finished: Some(now()),
                    ..container("a", Status::Restarting)
                },
                None,
            ),
        ] {
            let mut alerts = Alerts::default();
            alerts.look(&row, now());
            assert_eq!(alerts.all().next().map(|alert| alert.ill), want, "{row:?}");
        }
    }

    #[test]
    fn what_was_seen_is_told_again_only_after_it_ended_and_came_back() {
        let mut alerts = Alerts::default();
        let first = ended("a", 1, 5);
        alerts.look(&first, now());
        alerts.look(&ended("b", 2, 1), now());
        assert_eq!(told(&alerts), [("62".to_owned(), Ill::Exit(2)), ("61".to_owned(), Ill::Exit(1))]);
        alerts.see(&Cause::State(first.id.clone()));
        alerts.look(&first, now());
        assert_eq!(alerts.count(), 1);
        // Hours later it is still the same exit. Alerts that were not seen stay.
        let later = now() + SignedDuration::from_hours(9);
        alerts.look(&first, later);
        alerts.look(&ended("b", 2, 1), later);
        assert_eq!(told(&alerts), [("62".to_owned(), Ill::Exit(2))]);
        alerts.look(&container("a", Status::Running), now());
        alerts.look(&ended("a", 1, 0), now());
        assert_eq!(alerts.count(), 2);
        alerts.forget(&first.id);
        alerts.see_all();
        assert_eq!(alerts.count(), 0);
        alerts.retain(|_| false);
        assert!(alerts.known.is_empty());
    }

    #[test]
    fn a_loop_is_one_alert_until_it_is_up_for_long() {
        let mut alerts = Alerts::default();
        let row = |status, restarts, mins| ContainerRow {
            restarts,
            started: Some(now() - SignedDuration::from_mins(mins)),
            ..container("a", status)
        };
        alerts.look(&row(Status::Restarting, 3, 0), now());
        alerts.look(&row(Status::Running, 4, 0), now());
        assert_eq!(told(&alerts), [("61".to_owned(), Ill::Restarts(4))]);
        alerts.see_all();
        alerts.look(&row(Status::Restarting, 5, 0), now());
        assert_eq!(alerts.count(), 0);
        let id = row(Status::Running, 5, 0).id;
        assert_eq!(alerts.due(now()), []);
        assert_eq!(alerts.due(now() + STEADY), [id]);
        alerts.look(&row(Status::Running, 5, 6), now());
        alerts.look(&row(Status::Restarting, 6, 0), now());
        assert_eq!(alerts.count(), 1);
    }

    #[test]
    fn memory_and_disk_have_an_edge_that_does_not_flicker() {
        let mut alerts = Alerts::default();
        let used = |memory: f64| ContainerRow {
            used: Some(Used { memory, limit: Some(100.0), ..Used::default() }),
            ..container("a", Status::Running)
        };
        for (memory, count) in [(94.0, 0), (95.0, 1), (91.0, 1), (89.0, 0), (94.0, 0), (99.0, 1)] {
            alerts.measure(&used(memory), now());
            assert_eq!(alerts.count(), count, "{memory}");
        }
        alerts.look(&container("a", Status::Exited), now());
        assert_eq!(alerts.count(), 0);
        for (free, count) in [(100, 0), (99, 1), (105, 1), (110, 0), (105, 0)] {
            alerts.disk(Some(Space { free, total: 1000 }), now());
            assert_eq!(alerts.count(), count, "{free}");
        }
        alerts.disk(None, now());
        assert_eq!(alerts.count(), 0);
    }
}
