//! Updates of the events list.

use crate::tui::events::model::{EventRow, KEPT};
use crate::tui::model::Model;

/// Stores past events, and keeps those that arrived in the meantime.
pub(crate) fn take(model: &mut Model, mut rows: Vec<EventRow>) {
    let newest = rows.first().map_or(i64::MIN, |row| row.nanos);
    let mut since: Vec<EventRow> =
        model.journal.all().iter().filter(|row| row.nanos > newest).cloned().collect();
    since.append(&mut rows);
    since.truncate(KEPT);
    model.journal.set(since);
}
