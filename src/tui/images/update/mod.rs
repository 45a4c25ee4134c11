//! Verbs on images, and what is read of them.

pub(crate) mod prompt;

use std::collections::HashMap;

use crate::engine::Force;
use crate::tui::action::Action;
use crate::tui::event::Effect;
use crate::tui::images::model::ImageRow;
use crate::tui::line::update::prompt as ask;
use crate::tui::list::columns::Column;
use crate::tui::model::{Model, Tone};
use crate::tui::removal;
use crate::tui::update::object::{damage, refuse_many};

/// Takes in the list.
pub(crate) fn take(model: &mut Model, rows: Vec<ImageRow>) {
    model.images.set(rows);
    count_users(model);
}

/// Tells each image which containers were made of it.
pub(crate) fn count_users(model: &mut Model) {
    let mut users: HashMap<&str, Vec<&str>> = HashMap::new();
    for row in model.containers.all() {
        users.entry(&row.image_id).or_default().push(&row.name);
    }
    for (key, id) in
        model.images.all().iter().map(|row| (row.unique.clone(), row.id.clone())).collect::<Vec<_>>()
    {
        let names = users.get(id.as_str()).map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        if let Some(row) = model.images.get_still(&key, &[Column::UsedBy]) {
            row.users = names.unwrap_or_default();
        }
    }
}

/// The same when one container came, went, or changed its name.
pub(crate) fn move_user(model: &mut Model, old: Option<(String, String)>, new: Option<(String, String)>) {
    if old == new {
        return;
    }
    let keys: Vec<(String, String)> =
        model.images.all().iter().map(|row| (row.unique.clone(), row.id.clone())).collect();
    for (key, id) in keys {
        let gone = old.as_ref().filter(|(image, _)| *image == id);
        let came = new.as_ref().filter(|(image, _)| *image == id);
        if (gone.is_some() || came.is_some())
            && let Some(row) = model.images.get_still(&key, &[Column::UsedBy])
        {
            row.users.retain(|name| gone.is_none_or(|(_, gone)| gone != name));
            row.users.extend(came.map(|(_, name)| name.clone()));
        }
    }
}

/// What `action` does to the marked or selected images; `None` when it is no such action.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if !matches!(action, Action::Tag | Action::Remove | Action::RemoveForce) {
        return None;
    }
    model.images.end_range();
    let rows: Vec<ImageRow> = model.images.targets().into_iter().cloned().collect();
    let is_tag = action == Action::Tag;
    if let Some(failure) =
        rows.iter().find_map(|row| damage(action, row.target(), row.damaged.as_deref())).filter(|_| is_tag)
    {
        model.fail(failure);
        return Some(Vec::new());
    }
    match (rows.as_slice(), action) {
        ([], _) => model.say(Tone::Plain, "there is no image to do that to", None),
        ([row], Action::Tag) => ask(model, prompt::Tag(row.target().to_owned()), ""),
        (rows, Action::Tag) => refuse_many(model, action, rows.len()),
        (rows, Action::RemoveForce) => removal::update::ask_images(model, rows, Force::Yes),
        (rows, _) => removal::update::ask_images(model, rows, Force::No),
    }
    Some(Vec::new())
}
