//! The containers created from each image.

use std::collections::HashMap;

use crate::tui::list::columns::Column;
use crate::tui::model::Model;

/// Sets the containers created from each image.
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

/// Updates them after a container was created, removed or renamed.
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
