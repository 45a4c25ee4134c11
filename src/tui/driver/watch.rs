//! What is being read for the current screen, according to [`Wants`].

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::{ContainerId, Engine};
use crate::tui::model::Wants;
use crate::tui::reader::{EventSender, ReadTask, Reader};
use crate::tui::reading::{Reading, Want};
use crate::tui::stats;

/// Everything that is being read.
#[derive(Default)]
pub(super) struct Watch {
    readings: Tasks<Reading, Want>,
    samples: Tasks<ContainerId, Duration>,
    past: Tasks<ContainerId, ()>,
    total: Tasks<(), Duration>,
}

impl Watch {
    /// Starts reading what is wanted, and stops what is not.
    pub(super) fn sync(&mut self, wants: Wants, engine: &Engine, tell: &EventSender) {
        self.readings.sync(wants.readings, |Reading { tab, serial, .. }, want| {
            let reader = Reader { engine: engine.clone(), tell: tell.clone(), serial: *serial };
            tab.viewer().read(reader, want)
        });
        self.total.sync(wants.total.into_iter().map(|every| ((), every)).collect(), |(), every| {
            Some(ReadTask::spawn(stats::reader::total(engine.clone(), tell.clone(), every)))
        });
        // Read again whenever the charts become visible, for the time in which they were not.
        self.past.sync(wants.charted.into_iter().map(|id| (id, ())).collect(), |id, ()| {
            Some(ReadTask::spawn(stats::reader::past(engine.clone(), tell.clone(), id.clone())))
        });
        self.samples.sync(wants.stats, |id, every| {
            let work = stats::reader::sample(engine.clone(), tell.clone(), id.clone(), every);
            Some(ReadTask::spawn(work))
        });
    }
}

/// Tasks by their key, each with what it was started for.
struct Tasks<K, W>(BTreeMap<K, (W, ReadTask<W>)>);

impl<K, W> Default for Tasks<K, W> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, W: Clone + PartialEq> Tasks<K, W> {
    /// Starts tasks that are wanted and missing, and stops tasks that are not wanted. If a task's
    /// want changes, the task continues with the new one or is replaced.
    fn sync(&mut self, wants: BTreeMap<K, W>, begin: impl Fn(&K, W) -> Option<ReadTask<W>>) {
        self.0.retain(|key, _| wants.contains_key(key));
        for (key, want) in wants {
            match self.0.get_mut(&key) {
                Some((old, _)) if *old == want => {}
                Some((old, task)) if task.goes_on(&want) => *old = want,
                _ => {
                    // The old task stops before the new one starts.
                    self.0.remove(&key);
                    if let Some(task) = begin(&key, want.clone()) {
                        self.0.insert(key, (want, task));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::mpsc;

    use super::*;
    use crate::tui::fixture::{WAYS, full, press};
    use crate::tui::tab::Tab;

    /// Tasks that only wait. Those for a log accept another want, except 0.
    struct Rig {
        tasks: Tasks<&'static str, u32>,
        happened: (mpsc::Sender<String>, mpsc::Receiver<String>),
    }

    /// Reports the end of a task.
    struct End(String, mpsc::Sender<String>);

    impl Drop for End {
        fn drop(&mut self) {
            let _ = self.1.send(format!("end {}", self.0));
        }
    }

    impl Rig {
        fn new() -> Self {
            Self { tasks: Tasks::default(), happened: mpsc::channel() }
        }

        /// Sets the wants; returns what happened, in order.
        async fn want(&mut self, wants: &[(&'static str, u32)]) -> String {
            let tell = &self.happened.0;
            self.tasks.sync(wants.iter().copied().collect(), |key, want| {
                let _ = tell.send(format!("begin {key} {want}"));
                let end = End(format!("{key} {want}"), tell.clone());
                let task = ReadTask::spawn(async move {
                    let _end = end;
                    std::future::pending::<()>().await;
                });
                let tell = tell.clone();
                let retarget = move |want: &u32| *want != 0 && tell.send(format!("go on {want}")).is_ok();
                (want < 9).then(|| if *key == "log" { task.following(retarget) } else { task })
            });
            // An aborted task ends when it is next scheduled.
            tokio::task::yield_now().await;
            self.happened.1.try_iter().collect::<Vec<_>>().join(", ")
        }
    }

    #[tokio::test]
    async fn what_is_wanted_is_begun_once_and_ends_with_the_want() {
        let mut rig = Rig::new();
        assert_eq!(rig.want(&[("top", 1)]).await, "begin top 1");
        assert_eq!(rig.want(&[("top", 1)]).await, "");
        assert_eq!(rig.want(&[("inspect", 1), ("top", 1)]).await, "begin inspect 1");
        assert_eq!(rig.want(&[("inspect", 1)]).await, "end top 1");
        assert_eq!(rig.want(&[("inspect", 1), ("top", 1)]).await, "begin top 1");
        drop(rig.tasks);
        tokio::task::yield_now().await;
        assert_eq!(rig.happened.1.try_iter().count(), 2, "what is left ends with hoist");
    }

    #[tokio::test]
    async fn another_want_takes_the_place_of_the_old_one() {
        let mut rig = Rig::new();
        rig.want(&[("top", 1)]).await;
        assert_eq!(rig.want(&[("top", 2)]).await, "begin top 2, end top 1");
        assert_eq!(rig.want(&[("top", 2)]).await, "");
    }

    #[tokio::test]
    async fn a_task_that_can_goes_on_with_another_want() {
        let mut rig = Rig::new();
        assert_eq!(rig.want(&[("log", 1)]).await, "begin log 1");
        assert_eq!(rig.want(&[("log", 2)]).await, "go on 2");
        assert_eq!(rig.want(&[("log", 2)]).await, "", "it is told once");
        assert_eq!(rig.want(&[("log", 0)]).await, "begin log 0, end log 1");
        assert_eq!(rig.want(&[]).await, "end log 0");
    }

    #[tokio::test]
    async fn where_nothing_can_be_read_nothing_is_kept() {
        let mut rig = Rig::new();
        assert_eq!(rig.want(&[("top", 9)]).await, "begin top 9, end top 9");
        assert!(rig.tasks.0.is_empty());
    }

    #[tokio::test]
    async fn every_tab_that_wants_something_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let paths = crate::base::Paths::new(dir.path().join("root"), dir.path().join("run"));
        let engine = Engine::open(crate::engine::Settings::new(paths)).unwrap();
        let (tell, _told) = tokio::sync::mpsc::channel(64);
        let mut reading = BTreeSet::new();
        let ways = WAYS.iter().map(|(_, way)| *way).chain(["/ s e e d enter enter"]);
        for way in ways {
            let mut model = full(120, 40);
            press(&mut model, way);
            for (Reading { tab, serial, .. }, want) in model.wants().readings {
                let reader = Reader { engine: engine.clone(), tell: EventSender(tell.clone()), serial };
                assert!(tab.viewer().read(reader, want).is_some(), "{tab:?}");
                reading.insert(tab);
            }
        }
        // A container's usage is sampled for its row as well.
        let all: BTreeSet<_> = Tab::ALL.iter().copied().filter(|tab| *tab != Tab::Stats).collect();
        assert_eq!(reading, all);
    }
}
