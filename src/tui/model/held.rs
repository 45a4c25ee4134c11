//! Subjects that pages keep after they left the lists.

use std::collections::{HashMap, HashSet};

use super::titles::name_of;
use super::window::Pane;
use super::{Focus, Model};
use crate::engine::ContainerId;
use crate::tui::action::{Action, Group};
use crate::tui::containers::model::ContainerRow;
use crate::tui::section::Subject;

/// Subjects that pages keep after they left the lists.
#[derive(Debug, Default)]
pub struct Held {
    pub(super) subject: Option<Subject>,
    name: String,
    /// The subject under the cursor when this was last updated, and its name.
    listed: Option<Subject>,
    listed_name: String,
    /// Containers that a pane shows but the list lost, in their last known state.
    containers: HashMap<ContainerId, ContainerRow>,
}

impl Model {
    /// Keeps the subject of the focused pane when its row leaves the list, because the user's keys
    /// refer to what is on the screen. Must be called when the lists are up to date.
    pub(crate) fn settle_held(&mut self) {
        self.name_pinned();
        let listed = self.listed();
        if self.focus != Focus::Detail {
            self.held.subject = None;
            self.list_mut().accept_row();
        } else if !self.list().has_lost_its_row() {
            self.held.subject = None;
        } else if self.held.subject.is_none() && self.pane().pinned.is_none() {
            self.held.subject = self.held.listed.take().filter(|was| listed.as_ref() != Some(was));
            self.held.name = std::mem::take(&mut self.held.listed_name);
        }
        if listed != self.held.listed {
            self.held.listed_name =
                listed.as_ref().map_or_else(String::new, |subject| name_of(self, subject));
            self.held.listed = listed;
        }
    }

    /// Keeps the names of pinned subjects, for when they are gone.
    fn name_pinned(&mut self) {
        let pinned = |pane: &Pane| pane.pinned.clone().filter(|subject| !self.is_gone(subject));
        let named = self.windows.all().filter_map(|pane| Some((pane.id, name_of(self, &pinned(pane)?))));
        for (id, name) in named.collect::<Vec<_>>() {
            if let Some(pane) = self.windows.get_mut(id) {
                pane.called = name;
            }
        }
    }

    /// Saves the current state of the containers that panes show. Must be called before some of
    /// them leave the list.
    pub(crate) fn hold_containers(&mut self) {
        let shown = self.shown_containers();
        let rows = shown.iter().filter_map(|id| self.containers.get(id.as_str()));
        let rows = rows.map(|row| (row.id.clone(), ContainerRow { busy: None, ..row.clone() }));
        self.held.containers.extend(rows.collect::<Vec<_>>());
    }

    /// Drops containers that are in the list again or that no pane shows; in the latter case also
    /// their samples.
    pub(crate) fn settle_held_containers(&mut self) {
        if self.held.containers.is_empty() {
            return;
        }
        let shown = self.shown_containers();
        let Self { held, containers, series, .. } = self;
        held.containers.retain(|id, _| {
            let is_listed = containers.get(id.as_str()).is_some();
            if !is_listed && !shown.contains(id) {
                series.remove(id);
            }
            !is_listed && shown.contains(id)
        });
    }

    fn shown_containers(&self) -> HashSet<ContainerId> {
        let subjects = self.windows.all().filter_map(|pane| self.subject_of(pane));
        let id = |subject| match subject {
            Subject::Container(id) => Some(id),
            _ => None,
        };
        subjects.filter_map(id).collect()
    }

    /// Returns a container from the list, or its last known state while a pane shows it.
    #[must_use]
    pub fn known(&self, id: &ContainerId) -> Option<&ContainerRow> {
        self.containers.get(id.as_str()).or_else(|| self.held.containers.get(id))
    }

    /// Whether the samples of a container are still needed.
    pub(crate) fn keeps_series_of(&self, id: &ContainerId) -> bool {
        self.known(id).is_some()
    }

    /// Whether an object has left its list.
    #[must_use]
    pub fn is_gone(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Container(id) => self.containers.get(id.as_str()).is_none(),
            Subject::Task(id) => self.task(*id).is_none(),
            other => self.list_of(other.section()).key_of(self, other).is_none(),
        }
    }

    /// Returns the name of the focused page's subject if the subject is gone.
    #[must_use]
    pub fn gone(&self) -> Option<String> {
        let subject = self.subject().filter(|_| self.focus == Focus::Detail)?;
        self.is_gone(&subject).then(|| self.last_name_of(&subject))
    }

    /// Whether an action needs the focused page's subject although it is gone.
    #[must_use]
    pub fn needs_what_is_gone(&self, action: Action) -> bool {
        if self.gone().is_none() {
            return false;
        }
        // Its name and its image are known, but not its state.
        let needs_object = matches!(action, Action::Ports | Action::RunAgain | Action::Browse | Action::Tag)
            || matches!(action, Action::Remove | Action::RemoveForce | Action::CopyUrl | Action::CopyJson)
            || action.group() == Group::Act;
        needs_object || self.shown_tab(self.pane()).viewer().needs_subject(action)
    }

    /// Returns the current or last known name of a container; its short id if there is none.
    #[must_use]
    pub fn last_name(&self, id: &ContainerId) -> String {
        let trashed = || self.trash.all().iter().find(|row| row.object == id.as_str()).map(|row| &row.name);
        let event = || self.journal.all().iter().find(|row| row.id == id.as_str()).map(|row| &row.name);
        let name = self.known(id).map(|row| &row.name).or_else(|| self.names.get(id));
        let name = name.or_else(trashed).or_else(event).filter(|name| !name.is_empty());
        name.map_or_else(|| id.short().to_owned(), Clone::clone)
    }

    /// Returns the current or last known name of an object.
    #[must_use]
    pub fn last_name_of(&self, subject: &Subject) -> String {
        if !self.is_gone(subject) {
            return name_of(self, subject);
        }
        let pinned = self.windows.all().find(|pane| pane.pinned.as_ref() == Some(subject));
        match (self.held.subject.as_ref(), pinned) {
            (Some(held), _) if held == subject => self.held.name.clone(),
            (_, Some(pane)) if !pane.called.is_empty() => pane.called.clone(),
            _ => name_of(self, subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::{self, Status};
    use crate::tui::event::Event;
    use crate::tui::fixture::{container, full, now, press};
    use crate::tui::trash::model::TrashRow;
    use crate::tui::update::update;

    #[test]
    fn the_last_name_of_a_container_is_what_was_last_heard_of_it() {
        let mut model = full(80, 24);
        let id = container("api", Status::Running).id;
        let heard = |name: &str| {
            let attributes = [("name".to_owned(), name.to_owned())].into();
            let actor = engine::Actor { id: id.to_string(), attributes };
            let (action, scope) = ("destroy".to_owned(), "local".to_owned());
            let event =
                engine::Event { kind: engine::Kind::Container, action, actor, scope, time: 0, time_nano: 0 };
            Event::News(engine::News::Event(event))
        };
        assert_eq!(model.last_name(&id), "api");
        // A page keeps its row.
        press(&mut model, "l");
        update(&mut model, Event::Container(id.clone(), None));
        assert_eq!(model.last_name(&id), "api");
        press(&mut model, "q");
        assert_eq!(model.last_name(&id), id.short());
        update(&mut model, heard("from-event"));
        assert_eq!(model.last_name(&id), "from-event");
        model.trash.put(TrashRow {
            id: "container-api".to_owned(),
            kind: "container",
            name: "from-trash".to_owned(),
            names: Vec::new(),
            object: id.to_string(),
            removed: now(),
            until: now(),
            size: None,
        });
        assert_eq!(model.last_name(&id), "from-trash");
        model.names.insert(id.clone(), "from-verb".to_owned());
        assert_eq!(model.last_name(&id), "from-verb");
    }
}
