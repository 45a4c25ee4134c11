//! Copying to the clipboard, and opening addresses in a browser.

use crate::command::join;
use crate::tui::action::Action;
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::Effect;
use crate::tui::failure::{Failure, Tone};
use crate::tui::model::titles::name_of;
use crate::tui::model::{Focus, Model};
use crate::tui::section::{Section, Subject};
use crate::tui::update::batch::refuse_many;

/// Longer texts, in characters, are not shown in the notice.
const SHOWN: usize = 120;

/// Copies or opens what `action` asks for; `None` if it is another action.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    Some(match action {
        Action::CopyName => text(model, names(model).join(" ")),
        Action::CopyId => text(model, ids(model).join(" ")),
        Action::CopyImage => text(model, images(model).join(" ")),
        Action::CopyCommand => {
            let again = |subject: &Subject| match subject {
                Subject::Container(id) => model.known(id).map(|row| format!("hoist {}", join(&row.again))),
                _ => None,
            };
            let lines: Vec<String> = model.targets().iter().filter_map(again).collect();
            text(model, lines.join("\n"))
        }
        Action::CopyJson => {
            let subjects: Vec<Subject> =
                model.targets().into_iter().filter(|subject| !matches!(subject, Subject::Task(_))).collect();
            if subjects.is_empty() {
                return Some(nothing(model));
            }
            vec![Effect::CopyJson(subjects)]
        }
        Action::CopyUrl => match urls(model) {
            Ok(urls) => text(model, urls.join(" ")),
            Err(failure) => refuse(model, failure),
        },
        Action::Browse if model.targets().len() > 1 => {
            let count = model.targets().len();
            refuse_many(model, Action::Browse.label(), count);
            Vec::new()
        }
        Action::Browse => match urls(model) {
            Ok(urls) => browse(model, urls),
            Err(failure) => refuse(model, failure),
        },
        _ => return None,
    })
}

/// Copies a text and reports it.
pub(crate) fn text(model: &mut Model, text: String) -> Vec<Effect> {
    if text.is_empty() {
        return nothing(model);
    }
    let count = text.chars().count();
    let told = match count {
        0..=SHOWN => format!("copied {}", text.replace('\n', " ⏎ ")),
        _ => format!("copied {count} characters"),
    };
    model.say(Tone::Good, told, None);
    vec![Effect::Copy(text)]
}

fn nothing(model: &mut Model) -> Vec<Effect> {
    model.say(Tone::Plain, "nothing to copy", None);
    Vec::new()
}

fn refuse(model: &mut Model, failure: Failure) -> Vec<Effect> {
    model.fail(failure);
    Vec::new()
}

/// Returns the names of the targets.
pub(crate) fn names(model: &Model) -> Vec<String> {
    match (model.focus, model.section) {
        // The object of an event may be gone.
        (Focus::List, Section::Events) => {
            model.journal.targets().iter().map(|row| row.name.clone()).collect()
        }
        _ => model.targets().iter().map(|subject| name_of(model, subject)).collect(),
    }
}

/// Returns the ids of the targets that have one.
fn ids(model: &Model) -> Vec<String> {
    if (model.focus, model.section) == (Focus::List, Section::Events) {
        return model.journal.targets().iter().map(|row| row.id.clone()).collect();
    }
    let id = |subject: &Subject| (subject.section().screen().id_of)(model, subject);
    model.targets().iter().filter_map(id).collect()
}

/// Returns the images of containers, or the images themselves.
fn images(model: &Model) -> Vec<String> {
    let name = |subject: &Subject| match subject {
        Subject::Container(id) => model.known(id).map(|row| row.image.clone()),
        Subject::Image(target) => Some(target.clone()),
        _ => None,
    };
    model.targets().iter().filter_map(name).collect()
}

/// Returns the URLs of the targets, as a browser on this machine would use them.
fn urls(model: &Model) -> Result<Vec<String>, Failure> {
    let rows = model.target_containers();
    let urls: Vec<String> = rows.iter().filter_map(ContainerRow::url).collect();
    match rows.first() {
        Some(row) if urls.is_empty() => Err(Failure {
            what: format!("no URL for `{}`", row.name),
            why: vec![match (row.is_up(), row.ports.is_empty()) {
                (false, _) => "it is not running".to_owned(),
                (true, true) => "its image exposes no port".to_owned(),
                (true, false) => "it has no address that this machine can reach".to_owned(),
            }],
            hint: None,
        }),
        _ => Ok(urls),
    }
}

/// Opens the first URL in a browser, or copies it if there cannot be a browser.
fn browse(model: &mut Model, urls: Vec<String>) -> Vec<Effect> {
    let has = |name: &str| model.world.environment.get(name).is_some();
    let why = match () {
        () if has("SSH_CONNECTION") || has("SSH_TTY") => "this is an SSH session",
        () if !has("DISPLAY") && !has("WAYLAND_DISPLAY") => "there is no desktop session",
        () => return urls.into_iter().take(1).map(Effect::Browse).collect(),
    };
    let effects = text(model, urls.join(" "));
    if !effects.is_empty() {
        model.say(Tone::Plain, format!("{why}: copied {}", urls.join(" ")), None);
    }
    effects
}
