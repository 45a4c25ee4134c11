//! Actions on the trash, and updates of the list.

use crate::base::units::counted;
use crate::oci::Reference;
use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::containers::name;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::form::model::Note;
use crate::tui::line::purpose::Purpose;
use crate::tui::line::update::note::bad;
use crate::tui::line::update::prompt;
use crate::tui::model::Model;
use crate::tui::tab::Tab;
use crate::tui::trash::model::{Keeping, TrashRow};
use crate::tui::update::batch::{refuse_many, together};
use crate::tui::verb_words;

/// Stores the list, and how the engine keeps objects.
pub(crate) fn take(model: &mut Model, (rows, keeping): (Vec<TrashRow>, Keeping)) {
    model.keeping = keeping;
    model.trash.set(rows);
}

/// Keeps the rows of what these effects take out of the trash.
pub(crate) fn watch(model: &mut Model, effects: &[Effect]) {
    for effect in effects {
        if let Some(row) = entry_of(effect).and_then(|id| model.trash.get(id)).cloned() {
            model.pending_trash.insert(row.id.clone(), row);
        }
    }
}

/// Returns the row of an entry as it was when a verb began, and forgets it.
pub(crate) fn take_row(model: &mut Model, id: &str) -> Option<TrashRow> {
    model.pending_trash.remove(id).or_else(|| model.trash.get(id).cloned())
}

/// Returns the entry that an effect takes out of the trash.
pub(crate) fn entry_of(effect: &Effect) -> Option<&str> {
    match effect {
        Effect::Restore(id, _) | Effect::RestoreAndStart(id) | Effect::Purge(id) => Some(id),
        _ => None,
    }
}

/// Performs `action` in the trash; `None` if it is not one of these actions.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if !matches!(
        action,
        Action::Restore | Action::RestoreAs | Action::Purge | Action::EmptyTrash | Action::Inspect
    ) {
        return None;
    }
    if action == Action::EmptyTrash {
        empty(model);
        return Some(Vec::new());
    }
    model.trash.end_range();
    let rows: Vec<TrashRow> = model.target_rows(&model.trash).into_iter().cloned().collect();
    let Some(first) = rows.first() else {
        model.say(Tone::Plain, "the trash is empty", None);
        return Some(Vec::new());
    };
    match action {
        Action::Inspect => model.show_tab(Tab::Inspect),
        Action::Restore => {
            let effects = rows.iter().map(|row| Effect::Restore(row.id.clone(), None)).collect();
            return Some(together(model, verb_words::RESTORE, effects, Vec::new()));
        }
        Action::RestoreAs if rows.len() > 1 => refuse_many(model, action.label(), rows.len()),
        Action::RestoreAs => {
            prompt(model, RestoreAs { id: first.id.clone(), kind: first.kind }, &first.name);
        }
        _ => purge(model, &rows),
    }
    Some(Vec::new())
}

/// Asks for another name for a restored object.
#[derive(Debug)]
struct RestoreAs {
    id: String,
    kind: &'static str,
}

impl Purpose for RestoreAs {
    fn title(&self) -> &'static str {
        "Restore under a new name"
    }

    fn hint(&self) -> &'static str {
        "new name: web, or name:tag for an image"
    }

    fn accept(&self, _: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(vec![Effect::Restore(self.id.clone(), Some(text.to_owned()))])
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        match self.kind {
            "container" => name::free(text, model.containers.all(), None),
            "image" => text.parse::<Reference>().err().map(|error| bad(error.to_string())),
            _ => None,
        }
    }
}

fn purge(model: &mut Model, rows: &[TrashRow]) {
    ask(
        model,
        format!("Delete {} permanently?", counted(rows.len() as u64, "object")),
        rows,
        rows.iter().map(|row| Effect::Purge(row.id.clone())).collect(),
    );
}

fn empty(model: &mut Model) {
    let rows = model.trash.all().to_vec();
    if rows.is_empty() {
        return model.say(Tone::Plain, "the trash is empty", None);
    }
    let title = format!("Empty the trash? {} will be deleted", counted(rows.len() as u64, "object"));
    ask(model, title, &rows, vec![Effect::EmptyTrash]);
}

fn ask(model: &mut Model, title: String, rows: &[TrashRow], effects: Vec<Effect>) {
    let item = |row: &TrashRow| {
        let size = row.size.map(|size| format!("   {}", crate::base::units::column(size)));
        format!("{}   {}{}", row.name, row.kind, size.unwrap_or_default())
    };
    model.open(Confirm {
        title,
        items: rows.iter().map(item).collect(),
        notes: vec!["This cannot be undone.".to_owned()],
        yes: verb_words::DELETE.present,
        no: verb_words::DELETE.no(rows.len()),
        effects,
        top: 0,
    });
}
