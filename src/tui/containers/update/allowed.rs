//! Checks which actions the state of a container allows.

use crate::engine::{Conflict, Explain as _, Status, Verb as Wish};
use crate::tui::containers::model::ContainerRow;
use crate::tui::failure::Failure;

/// Checks that a verb is valid in the state of a container.
pub(crate) fn allowed(row: &ContainerRow, wish: Wish) -> Result<(), Failure> {
    let word = format!("{wish:?}").to_lowercase();
    let refused = |conflict: Conflict| Failure {
        what: format!("cannot {word} `{}`", row.name),
        why: vec![match row.status {
            Status::Created => "it has not been started".to_owned(),
            Status::Exited => "it has exited".to_owned(),
            _ => conflict.to_string(),
        }],
        hint: conflict.hint(),
    };
    if let Some(why) = &row.damaged {
        let hint = Some("remove it, or repair its file".to_owned());
        return Err(Failure {
            what: format!("cannot {word} `{}`", row.name),
            why: vec![format!("it is damaged: {why}")],
            hint,
        });
    }
    row.status.after(wish).map(|_| ()).map_err(refused)
}
