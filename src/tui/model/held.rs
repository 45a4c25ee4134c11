//! What pages stay with when the lists have it no longer.

use super::titles::name_of;
use super::{Focus, Model, Subject};

/// What a page goes on being about when the list has it no longer.
#[derive(Debug, Default)]
pub struct Held {
    pub(super) subject: Option<Subject>,
    name: String,
    /// What the cursor was on when this was last settled, and what that was called.
    listed: Option<Subject>,
    listed_name: String,
}

impl Model {
    /// Holds what the pane with the keys shows when its row leaves the list: keys are meant for what
    /// one sees. Called when the lists are up to date.
    pub(crate) fn settle_held(&mut self) {
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

    /// What the page is about that has the keys, where that is gone: what it was called.
    #[must_use]
    pub fn gone(&self) -> Option<&str> {
        let subject = self.held.subject.as_ref()?;
        let is_there = self.list_of(subject.section()).key_of(self, subject).is_some();
        (!is_there).then_some(self.held.name.as_str())
    }
}
