//! Opening and answering the removal dialog.

use crate::engine::{Fate, Force};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::images::model::ImageRow;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::removal::model::{Extent, Question, Victim};

/// Asks whether to remove these. With `force` running containers are killed, otherwise stopped.
pub(crate) fn ask(model: &mut Model, victims: Vec<Victim>, force: Force) {
    if victims.is_empty() {
        return;
    }
    let fate = if model.keeping.time.is_some() { Fate::Trash } else { Fate::Gone };
    model.open(Question { victims, force, fate, top: 0 });
}

/// Asks whether to remove these image names, with the images that have no other name.
pub(crate) fn ask_images(model: &mut Model, rows: &[ImageRow], force: Force) {
    let all = model.images.all();
    let mut asked: Vec<&ImageRow> = Vec::new();
    for row in rows {
        // An id is listed once, and not at all if all its names are listed.
        let is_asked = asked.iter().any(|other| other.target() == row.target());
        let mut names = all.iter().filter(|other| other.id == row.id);
        let by_name = |name: &ImageRow| rows.iter().any(|row| row.is_by_name() && row.takes(name));
        if !is_asked && (row.is_by_name() || !names.all(by_name)) {
            asked.push(row);
        }
    }
    let victim = |row: &ImageRow| Victim::Image(Box::new(row.clone()), Extent::of(row, rows, all));
    let victims = asked.into_iter().map(victim).collect();
    ask(model, victims, force);
}

/// Performs `action` in the dialog.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let rows = Question::rows(model.size.1);
    let has_trash = model.keeping.time.is_some();
    let Some(Layer::Removal(question)) = model.layers.last_mut() else { return Vec::new() };
    let last = question.victims.len().saturating_sub(rows);
    match action {
        Action::SkipTrash if has_trash && question.is_final() => {
            model.say(Tone::Plain, "nothing of this can go to the trash", None);
        }
        Action::SkipTrash if has_trash => {
            question.fate = if question.fate == Fate::Trash { Fate::Gone } else { Fate::Trash };
        }
        Action::SkipTrash => model.say(Tone::Plain, "there is no trash: `[trash] keep` is 0", None),
        Action::Down => question.top = (question.top + 1).min(last),
        Action::Up => question.top = question.top.saturating_sub(1),
        Action::PageDown => question.top = (question.top + rows).min(last),
        Action::PageUp => question.top = question.top.saturating_sub(rows),
        Action::Accept => {
            let effects = question.effects();
            model.layers.pop();
            return model.confirmed(effects);
        }
        _ => drop(model.layers.pop()),
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ImageRemoval, Parents};
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, press, screen};
    use crate::tui::reading::Listed;
    use crate::tui::update::update;

    #[test]
    fn an_image_that_goes_with_its_name_is_not_removed_once_more() {
        let mut model = full(120, 40);
        let mut rows = vec![model.images.all()[0].clone(); 2];
        rows[1].id = format!("sha256:{}", "4e".repeat(32));
        rows[1].unique = "4e".to_owned();
        rows[1].is_other_platform = true;
        let (own, name) = (rows[0].size, rows[0].name.clone());
        rows[1].size = 188 << 20;
        update(&mut model, Event::List(Ok(Listed::Images(rows.clone()))));
        ask_images(&mut model, &rows, Force::No);
        let said = screen(&model);
        let size = crate::tui::words::size(own + (188 << 20));
        assert!(said.contains("Remove 1 image?") && said.contains(&format!("2 images {size}")), "{said}");
        let removal = ImageRemoval::to_trash(Force::No, Parents::Prune);
        assert_eq!(press(&mut model, "y"), [Effect::RemoveImage(name, removal)]);
    }
}
