//! Opening and answering the removal dialog.

use crate::engine::{Fate, Force};
use crate::tui::action::Action;
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::Effect;
use crate::tui::failure::{Failure, Tone};
use crate::tui::images::model::ImageRow;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::removal::model::{Extent, Question, Victim, going};
use crate::tui::update::batch::{Others, together};
use crate::tui::verb_words::REMOVE;

/// Asks whether to remove these. With `force` running containers are killed, otherwise stopped.
pub(crate) fn ask(model: &mut Model, victims: Vec<Victim>, force: Force) {
    ask_noting(model, victims, force, Vec::new());
}

fn ask_noting(model: &mut Model, mut victims: Vec<Victim>, force: Force, notes: Vec<String>) {
    if victims.is_empty() {
        return;
    }
    // Most depends on those.
    victims.sort_by_key(|victim| !victim.is_up());
    let fate = if model.keeping.time.is_some() { Fate::Trash } else { Fate::Gone };
    model.open(Question { victims, force, fate, top: 0, notes });
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
    let (mut victims, mut refused, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for row in asked {
        let uses = uses(model, row, rows);
        match refusal(model, row, &uses, force) {
            Some(failure) => refused.push((row.target().to_owned(), failure)),
            None => {
                victims.push(Victim::Image(Box::new(row.clone()), Extent::of(row, rows, all)));
                kept.extend(going(row, rows, all).into_iter().map(|image| image.id.as_str()));
            }
        }
    }
    let mut notes = Vec::new();
    let users: Vec<String> = users(model, &kept).into_iter().map(|row| row.name.clone()).collect();
    if !users.is_empty() {
        notes.push(format!("Existing containers keep their files: {}.", few(&users)));
    }
    if victims.is_empty() {
        let failures: Vec<Failure> = refused.into_iter().map(|(_, failure)| failure).collect();
        together(model, REMOVE, Vec::new(), Others::from(failures));
        return;
    }
    if !refused.is_empty() {
        let names: Vec<String> = refused.into_iter().map(|(name, _)| name).collect();
        notes.push(format!("Skipped, in use by containers: {}.", few(&names)));
    }
    ask_noting(model, victims, force, notes);
}

/// Returns the containers that use what is removed with an image name.
fn uses<'a>(model: &'a Model, row: &ImageRow, rows: &[ImageRow]) -> Vec<&'a ContainerRow> {
    let going = going(row, rows, model.images.all());
    users(model, &going.into_iter().map(|image| image.id.as_str()).collect::<Vec<_>>())
}

/// Returns the containers that use images with these ids, the running ones first.
fn users<'a>(model: &'a Model, ids: &[&str]) -> Vec<&'a ContainerRow> {
    let is_user = |user: &&ContainerRow| ids.contains(&user.image_id.as_str());
    let mut users: Vec<_> = model.containers.all().iter().filter(is_user).collect();
    users.sort_by_key(|user| !user.is_up());
    users
}

/// Returns why an image cannot be removed: containers use it, and they run or nothing is forced.
fn refusal(model: &Model, row: &ImageRow, users: &[&ContainerRow], force: Force) -> Option<Failure> {
    let is_in_way = |user: &&&ContainerRow| force == Force::No || user.is_up();
    let names: Vec<String> = users.iter().filter(is_in_way).map(|user| user.name.clone()).collect();
    let them = if names.len() > 1 { "them" } else { names.first()?.as_str() };
    let is_up = users.iter().any(|user| user.is_up());
    let key = model.keys_of(KeyContext::Images, Action::RemoveForce);
    Some(Failure {
        what: format!("cannot remove `{}`", if row.name.is_empty() { row.short() } else { &row.name }),
        why: vec![format!("{} {} it", few(&names), if names.len() == 1 { "uses" } else { "use" })],
        hint: Some(match (is_up, force) {
            (true, Force::Yes) => format!("stop {them} first"),
            (true, Force::No) => format!("remove {them} first"),
            (false, _) => format!("remove {them} first, or press {key}"),
        }),
    })
}

/// Lists the first names: `web, api and 3 more`.
fn few(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
        [] => String::new(),
    }
}

/// Performs `action` in the dialog.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let rows = Question::rows(model.size.1);
    let has_trash = model.keeping.time.is_some();
    let Some(Layer::Removal(question)) = model.layers.last_mut() else { return Vec::new() };
    let last = question.victims.len().saturating_sub(rows);
    match action {
        Action::SkipTrash if has_trash && question.is_final() => {
            model.say(Tone::Plain, "none of this can go to the trash", None);
        }
        Action::SkipTrash if has_trash => {
            question.fate = if question.fate == Fate::Trash { Fate::Gone } else { Fate::Trash };
        }
        Action::SkipTrash => model.say(Tone::Plain, "the trash is disabled: `[trash] keep` is 0", None),
        Action::Down => question.top = (question.top + 1).min(last),
        Action::Up => question.top = question.top.saturating_sub(1),
        Action::PageDown => question.top = (question.top + rows).min(last),
        Action::PageUp => question.top = question.top.saturating_sub(rows),
        Action::Accept => {
            let effects = question.effects();
            // Those that were removed meanwhile are no longer in the list.
            for victim in &question.victims {
                if let Victim::Container(row) = victim {
                    model.names.insert(row.id.clone(), row.name.clone());
                }
            }
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
    fn ids_and_sizes_of_images_are_lined_up() {
        let mut model = full(120, 40);
        let one = model.images.all()[0].clone();
        let rows: Vec<_> =
            [("a:1", 7 << 20), ("registry.example/team/service:2026", 1 << 30), ("web:2", 950)]
                .into_iter()
                .enumerate()
                .map(|(at, (name, size))| {
                    let id = format!("sha256:{}", format!("e{at}").repeat(32));
                    ImageRow { name: name.to_owned(), unique: id.clone(), id, size, ..one.clone() }
                })
                .collect();
        update(&mut model, Event::List(Ok(Listed::Images(rows.clone()))));
        ask_images(&mut model, &rows, Force::No);
        let said = screen(&model);
        let lines: Vec<&str> = said.lines().filter(|line| line.contains("the image")).collect();
        assert_eq!(lines.len(), 3, "{said}");
        let place = |line: &str, word: &str| line.split(word).next().unwrap().chars().count();
        for (line, id, size) in [
            (lines[0], "e0e0e0e0e0e0", "7.34MB"),
            (lines[1], "e1e1e1e1e1e1", "1.07GB"),
            (lines[2], "e2e2e2e2e2e2", "950B"),
        ] {
            assert_eq!(place(line, id), place(lines[0], "e0e0e0e0e0e0"), "{said}");
            assert_eq!(place(line, "the image"), place(lines[0], "the image"), "{said}");
            let end = place(line, size) + size.len();
            assert_eq!(end, place(lines[0], "7.34MB") + 6, "{said}");
        }
    }

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

    #[test]
    fn what_containers_use_is_refused_or_skipped_before_the_question() {
        let setting = |up: bool| {
            let mut model = full(80, 24);
            let id = model.images.all()[0].id.clone();
            let mut rows = model.images.all().to_vec();
            rows.truncate(2);
            rows[1].id = format!("sha256:{}", "4e".repeat(32));
            update(&mut model, Event::List(Ok(Listed::Images(rows))));
            let mut user = model.containers.all()[if up { 0 } else { 4 }].clone();
            user.image_id = id;
            update(&mut model, Event::List(Ok(Listed::Containers(vec![user]))));
            model
        };
        for (up, keys, said) in [
            (true, "2 d d", "cannot remove `acme/app:2.4.1`: api uses it"),
            (true, "2 d D", "cannot remove `acme/app:2.4.1`: api uses it"),
            (false, "2 d d", "cannot remove `acme/app:2.4.1`: migrate uses it"),
        ] {
            let mut model = setting(up);
            assert_eq!(press(&mut model, keys), []);
            assert!(model.layers.is_empty() && screen(&model).contains(said), "{keys}\n{}", screen(&model));
        }
        let mut model = setting(false);
        press(&mut model, "2 d D");
        assert!(screen(&model).contains("keep their files: migrate."), "{}", screen(&model));
        assert_eq!(press(&mut model, "y").len(), 1);
        // Each user is named once, however many of the image's names are removed.
        let mut model = setting(false);
        let mut rows = model.images.all().to_vec();
        rows[1] =
            ImageRow { name: "acme/app:latest".to_owned(), unique: "other".to_owned(), ..rows[0].clone() };
        update(&mut model, Event::List(Ok(Listed::Images(rows))));
        press(&mut model, "2 * d D");
        assert!(screen(&model).contains("keep their files: migrate."), "{}", screen(&model));
        let mut model = setting(true);
        press(&mut model, "2 * d d");
        let shown = screen(&model);
        assert!(
            shown.contains("Remove 1 image?") && shown.contains("in use by containers: acme/app:2.4.1."),
            "{shown}"
        );
    }

    #[test]
    fn what_another_process_removes_meanwhile_is_counted_as_skipped() {
        let gone = |model: &mut Model, names: &[&str]| {
            for name in names {
                let id = crate::tui::fixture::container(name, crate::engine::Status::Running).id;
                update(model, Event::Container(id, None));
            }
        };
        // Before the answer, after it, and before the removal's turn.
        let mut model = full(80, 24);
        press(&mut model, "* d d");
        gone(&mut model, &["web", "seed"]);
        let effects = press(&mut model, "y");
        assert_eq!(effects.len(), 5);
        gone(&mut model, &["api"]);
        let ends = [
            Event::Missing(effects[0].clone()),
            Event::Missing(effects[1].clone()),
            Event::Done(effects[2].clone(), Err(Failure { what: "cannot".to_owned(), ..Failure::default() })),
            Event::Done(effects[3].clone(), Ok(())),
        ];
        for (at, end) in ends.into_iter().enumerate() {
            update(&mut model, end);
            assert!(screen(&model).contains(&format!("removing {} of 7", at + 3)), "{}", screen(&model));
        }
        update(&mut model, Event::Done(effects[4].clone(), Ok(())));
        let said = screen(&model);
        assert!(said.contains("removed 2, skipped 4 already removed, 1 of 7 failed"), "{said}");
        assert!(model.batches.is_empty() && model.containers.all().iter().all(|row| row.busy.is_none()));

        let mut model = full(80, 24);
        press(&mut model, "* d d");
        gone(&mut model, &["api", "web", "mailer", "batch", "migrate", "seed", "canary"]);
        assert_eq!(press(&mut model, "y"), []);
        let said = screen(&model);
        assert!(said.contains("removed 0, skipped 7 already removed"), "{said}");
        // A single one is named.
        let mut model = full(80, 24);
        press(&mut model, "d d");
        gone(&mut model, &["api"]);
        assert_eq!(press(&mut model, "y"), []);
        assert!(screen(&model).contains("api has already been removed"), "{}", screen(&model));
        let mut model = full(80, 24);
        let effects = press(&mut model, "d d y");
        update(&mut model, Event::Missing(effects[0].clone()));
        assert!(screen(&model).contains("api has already been removed"), "{}", screen(&model));
        assert_eq!(press(&mut model, "u"), []);
        assert!(screen(&model).contains("nothing to undo"), "{}", screen(&model));
        let mut model = full(80, 24);
        let effects = press(&mut model, "2 d d y");
        assert_eq!(update(&mut model, Event::Missing(effects[0].clone())).len(), 1);
        assert!(screen(&model).contains("acme/app:2.4.1 has already been removed"), "{}", screen(&model));
        // Another process may have restored what was to be deleted.
        update(&mut model, Event::Missing(Effect::Purge("7".to_owned())));
        assert!(screen(&model).contains("the object is no longer in the trash"), "{}", screen(&model));
    }

    #[test]
    fn running_containers_are_named_first() {
        let mut model = full(80, 24);
        let id = model.images.all()[0].id.clone();
        let mut rows = model.containers.all().to_vec();
        rows.reverse();
        rows.iter_mut().for_each(|row| row.image_id.clone_from(&id));
        update(&mut model, Event::List(Ok(Listed::Containers(rows))));
        press(&mut model, "* d d");
        let shown = screen(&model);
        let line = |name: &str| shown.lines().position(|line| line.contains(&format!("┃ {name}"))).unwrap();
        let order = ["‖ batch", "↻ mailer", "● web", "● api", "○ canary", "✗ seed", "■ migrate"].map(line);
        assert!(order.is_sorted(), "{shown}");
        let image = model.images.all()[0].clone();
        update(&mut model, Event::List(Ok(Listed::Images(vec![image]))));
        press(&mut model, "esc 2 d d");
        let failure = model.take_failure().unwrap();
        assert_eq!(failure.why, ["batch, mailer and 5 more use it"]);
        assert_eq!(failure.hint.unwrap(), "remove them first");
    }
}
