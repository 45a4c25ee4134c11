//! Actions on images, and updates of the list.

pub(crate) mod fetch;
pub(crate) mod prompt;
pub(crate) mod users;

use crate::engine::Force;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::images::model::ImageRow;
use crate::tui::images::update::users::count_users;
use crate::tui::line::update::prompt as ask;
use crate::tui::model::Model;
use crate::tui::removal;
use crate::tui::update::batch::{damage, refuse_many};

/// Stores the list.
pub(crate) fn take(model: &mut Model, rows: Vec<ImageRow>) {
    model.images.set(rows);
    count_users(model);
}

/// Performs `action` on the marked or selected images; `None` if it is not one of these actions.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if !matches!(action, Action::Tag | Action::Remove | Action::RemoveForce) {
        return None;
    }
    model.images.end_range();
    let rows: Vec<ImageRow> = model.target_rows(&model.images).into_iter().cloned().collect();
    let is_tag = action == Action::Tag;
    if let Some(failure) =
        rows.iter().find_map(|row| damage(action, row.target(), row.damaged.as_deref())).filter(|_| is_tag)
    {
        model.fail(failure);
        return Some(Vec::new());
    }
    match (rows.as_slice(), action) {
        ([], _) => model.say(Tone::Plain, "no image is selected", None),
        ([row], Action::Tag) => ask(model, prompt::Tag(row.target().to_owned()), ""),
        (rows, Action::Tag) => refuse_many(model, action.label(), rows.len()),
        (rows, Action::RemoveForce) => removal::update::ask_images(model, rows, Force::Yes),
        (rows, _) => removal::update::ask_images(model, rows, Force::No),
    }
    Some(Vec::new())
}
