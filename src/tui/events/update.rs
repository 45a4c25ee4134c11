//! What is read of events, and where they lead to.

use crate::tui::events::model::{EventRow, KEPT};
use crate::tui::model::Model;

/// Takes in what was read of the past; what came meanwhile stays.
pub(crate) fn take(model: &mut Model, mut rows: Vec<EventRow>) {
    let newest = rows.first().map_or(i64::MIN, |row| row.nanos);
    let mut since: Vec<EventRow> =
        model.journal.all().iter().filter(|row| row.nanos > newest).cloned().collect();
    since.append(&mut rows);
    since.truncate(KEPT);
    model.journal.set(since);
}
