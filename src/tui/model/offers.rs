//! Which actions are offered, and under which labels.

use super::{Focus, Model};
use crate::tui::action::{Action, Group, Reach};
use crate::tui::containers::fit::{meant, misfit};
use crate::tui::containers::model::ContainerRow;
use crate::tui::key::show_strokes;
use crate::tui::keymap::{Binding, KeyContext};
use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::tab::Tab;
use crate::tui::tasks::model::{Session, TaskRow};

/// For more containers than this, every verb is offered.
const MANY: usize = 64;

/// An action that is offered, with its keys and its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// `dd`
    pub keys: String,
    /// `remove`
    pub label: String,
    /// A sentence that describes it.
    pub help: String,
    /// The action.
    pub action: Action,
}

impl Model {
    /// Returns the verbs of the list's current row, in the order of the keymap.
    #[must_use]
    pub fn verbs(&self) -> Vec<Offer> {
        let place = self.key_context();
        let mut offers: Vec<Offer> = Vec::new();
        for binding in self.bindings(place) {
            let action = binding.action;
            let is_verb =
                matches!(
                    action.group(),
                    Group::View | Group::Files | Group::Act | Group::Create | Group::Remove | Group::Copy
                ) && !matches!(action, Action::Pull | Action::FromHost | Action::Load | Action::Import);
            // What is copied is never in the line of keys, which has no room for it.
            let is_useful = action.group() == Group::Copy || self.is_useful(place, action);
            if is_verb && is_useful && offers.iter().all(|offer| offer.action != action) {
                let keys = self.signs(&show_strokes(&binding.keys));
                let help = self.keymap.help(binding).to_owned();
                offers.push(Offer { keys, label: self.label_of(binding), help, action });
            }
        }
        offers
    }

    /// Whether the line of keys and the menu of verbs show an action in a context.
    #[must_use]
    pub fn is_useful(&self, place: KeyContext, action: Action) -> bool {
        if self.look.is_read_only && action.reach() == Reach::Writes {
            return false;
        }
        if let Some(is_offered) = self.top().and_then(|top| top.offers(self, action)) {
            return is_offered;
        }
        if !self.can(action) {
            return false;
        }
        use Action as A;
        let viewer = self.shown_tab(self.pane()).viewer();
        if self.focus == Focus::Detail && !viewer.offers(self, self.pane(), action) {
            return false;
        }
        if place.above() == Some(KeyContext::Lists) && self.needs_row(place, action) {
            return false;
        }
        let is_go = action.group() == Group::Go || action.group() == Group::Move;
        match action {
            A::RetryTask if place == KeyContext::Tasks => {
                self.target_rows(&self.tasks).iter().any(|task| task.can_be_retried())
            }
            A::RetryTask if place == KeyContext::Ended => self.shown_session().is_some_and(Session::is_ours),
            A::CancelTask if place == KeyContext::Tasks => {
                let mut live = self.target_rows(&self.tasks).into_iter().filter(|task| !task.is_over());
                live.any(|task| !self.look.is_read_only || task.session().is_none())
            }
            A::ClearTasks => self.tasks.all().iter().any(TaskRow::is_over),
            A::Undo => self.undo.has_something(self.now),
            A::NextMatch | A::PreviousMatch => {
                !self.pane().log.search.is_empty() || !self.pane().inspect.search.is_empty()
            }
            A::Zoom => !self.is_zoomed,
            A::Restore | A::RestoreAs | A::Purge | A::EmptyTrash => !self.trash.all().is_empty(),
            A::Open if place_is_viewer(place) => {
                !self.is_zoomed || matches!(place, KeyContext::Top | KeyContext::Inspect)
            }
            A::Back => place == KeyContext::Released,
            A::PaneLeft | A::PaneDown | A::PaneUp | A::PaneRight if place == KeyContext::Released => {
                self.windows.count() > 1
            }
            A::CopyMode | A::Detach if place == KeyContext::Released => !self.shows_unseen(),
            A::Type => self.shown_session().is_none_or(|session| {
                session.has_terminal() && !(self.look.is_read_only && session.may_change())
            }),
            A::CancelTask if place == KeyContext::Released => !self.look.is_read_only,
            A::Older | A::Newer | A::Complete | A::CompleteBack => false,
            A::ShowAll => !self.containers.all().is_empty(),
            _ => {
                !matches!(action.group(), Group::Copy | Group::Sort | Group::List | Group::Since)
                    && (!is_go || matches!(place, KeyContext::Form | KeyContext::Switch | KeyContext::Choice))
            }
        }
    }

    /// Returns the actions that the state of the page with the focus is about, such as a selection;
    /// the line of keys has them before all others.
    pub(crate) fn first_actions(&self) -> &'static [Action] {
        if self.focus != Focus::Detail || !self.layers.is_empty() {
            return &[];
        }
        self.shown_tab(self.pane()).viewer().first(self.pane())
    }

    /// Whether the state of what an action applies to allows it.
    #[must_use]
    pub fn can(&self, action: Action) -> bool {
        let is_refused = self.look.is_read_only && action.reach() == Reach::Writes;
        let has_no_object = self.needs_what_is_gone(action) || self.needs_a_container(action);
        !is_refused && !has_no_object && self.fits(action)
    }

    /// Whether an action concerns containers, while the page with the focus shows something else.
    #[must_use]
    pub fn needs_a_container(&self, action: Action) -> bool {
        use Action as A;
        let is_theirs = action.group() == Group::Act
            || matches!(action, A::Logs | A::Stats | A::Top | A::Ports | A::RunAgain)
            || matches!(action, A::CopyImage | A::CopyUrl | A::Browse | A::CopyCommand);
        let is_other = |subject: &Subject| !matches!(subject, Subject::Container(_));
        is_theirs && self.focus == Focus::Detail && self.subject().as_ref().is_some_and(is_other)
    }

    /// Whether a verb fits any of the containers that it would apply to. Other actions do.
    fn fits(&self, action: Action) -> bool {
        let Some(rows) = self.meant_containers() else { return true };
        let Some(verb) = meant(action, rows.iter().copied()) else { return true };
        rows.is_empty() || rows.iter().any(|row| misfit(row, verb).is_none())
    }

    /// Returns the containers that a verb would apply to; `None` if they are too many to look at for
    /// each key of each frame.
    fn meant_containers(&self) -> Option<Vec<&ContainerRow>> {
        if self.acted_section() != Section::Containers {
            return Some(Vec::new());
        }
        let of_group = self.containers.heading().map_or(0, |group| group.count);
        match self.focus {
            Focus::List if self.containers.mark_count().1.max(of_group) > MANY => None,
            Focus::List => Some(self.containers.targets()),
            _ => Some(self.container().into_iter().collect()),
        }
    }

    /// Whether an action needs a row of a list that has none.
    fn needs_row(&self, place: KeyContext, action: Action) -> bool {
        use Action as A;
        let is_on_group = place == KeyContext::Containers && self.containers.heading().is_some();
        let of_row = matches!(action.group(), Group::Act | Group::Remove | Group::View | Group::Files)
            || matches!(action, A::RunAgain | A::Tag | A::TaskOutput | A::RetryTask | A::CancelTask)
            || (action == A::Run && place == KeyContext::Images);
        of_row && self.subject().is_none() && !is_on_group
    }

    /// Whether read-only mode keeps keys from the program of a terminal.
    #[must_use]
    pub fn keeps_keys_from(&self, id: TaskId) -> bool {
        let session = self.task(id).and_then(TaskRow::session);
        self.look.is_read_only && session.is_some_and(Session::may_change)
    }

    /// Like [`Self::keeps_keys_from`], for the terminal that the pane shows.
    pub(crate) fn keeps_shown_keys(&self) -> bool {
        matches!(self.shown_tab(self.pane()), Tab::Session(id) if self.keeps_keys_from(id))
    }

    /// Whether verbs apply to a terminal as a task.
    fn is_on_session(&self) -> bool {
        matches!(self.subject(), Some(Subject::Task(id)) if self.is_session(id))
    }

    /// Returns the terminal that the pane shows.
    fn shown_session(&self) -> Option<&Session> {
        match self.shown_tab(self.pane()) {
            Tab::Session(id) => self.task(id)?.session(),
            _ => None,
        }
    }

    /// Whether the pane shows a command to which hoist is not attached.
    fn shows_unseen(&self) -> bool {
        self.shown_session().is_some_and(|session| !session.is_attached)
    }

    /// Returns the name of an action as the screen shows it: `stop`, `kill`.
    #[must_use]
    pub fn name_of(&self, action: Action) -> String {
        let bindings = self.bindings(self.key_context());
        let label = bindings.iter().find(|binding| binding.action == action).map(|one| self.label_of(one));
        label.unwrap_or_else(|| action.label().to_owned()).trim_end_matches('…').to_owned()
    }

    /// Whether opening the selected task attaches to a program.
    fn attaches(&self) -> bool {
        let session = self.tasks.selected().filter(|task| !task.is_over()).and_then(TaskRow::session);
        session.is_some_and(|session| !session.is_attached && session.has_terminal())
    }

    /// Returns the current label of an action.
    #[must_use]
    pub fn label_of(&self, binding: &Binding) -> String {
        let action = binding.action;
        let verb = matches!(action, Action::StartStop | Action::Pause)
            .then(|| meant(action, self.meant_containers()?))
            .flatten();
        match (action, verb) {
            (Action::Open, _) if place_is_viewer(self.key_context()) => {
                label_of_open(self.key_context()).to_owned()
            }
            (Action::Open, _) if self.key_context() == KeyContext::Tasks && self.attaches() => {
                "attach".to_owned()
            }
            (Action::Search, _) if binding.place == KeyContext::Copy => "search".to_owned(),
            (_, Some(verb)) => verb.words().present.to_owned(),
            (Action::Follow, _) if !self.pane().log.is_paused => "pause".to_owned(),
            (Action::ProcessTree, _) if !self.pane().top.is_flat => "flat".to_owned(),
            (Action::ShowAll, _) if self.shows_all => "running".to_owned(),
            (Action::Accept, _) => "ok".to_owned(),
            (Action::Back, _) if self.first_actions().contains(&Action::Back) => "clear".to_owned(),
            (Action::Back, _) => "back".to_owned(),
            (Action::CancelTask, _) if binding.place == KeyContext::Released || self.is_on_session() => {
                "end…".to_owned()
            }
            (Action::RetryTask, _) if binding.place == KeyContext::Ended => "run again".to_owned(),
            (Action::Type, _) if self.shows_unseen() => "attach".to_owned(),
            _ => self.keymap.label(binding).to_owned(),
        }
    }
}

/// Returns the label of [`Action::Open`] in a context.
pub(crate) fn label_of_open(place: KeyContext) -> &'static str {
    match place {
        KeyContext::Top => "details",
        KeyContext::Inspect => "fold",
        place if place_is_viewer(place) => "zoom",
        _ => Action::Open.label(),
    }
}

fn place_is_viewer(place: KeyContext) -> bool {
    place == KeyContext::Viewer || place.above() == Some(KeyContext::Viewer)
}
