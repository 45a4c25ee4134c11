//! The keys of a document.

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::inspect::model::Form;
use crate::tui::keymap::KeyContext;
use crate::tui::line::purpose::Purpose;
use crate::tui::model::Model;
use crate::tui::model::titles::name_of;
use crate::tui::update::copy;

/// Performs `action` in a document; `None` if it has no special meaning there.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let pane = &mut model.pane_mut().inspect;
    let folds = matches!(action, Action::Fold | Action::Unfold | Action::FoldAll | Action::UnfoldAll);
    if folds && pane.form != Form::Tree {
        let key = model.keys_of(KeyContext::Inspect, Action::NextForm);
        model.say(Tone::Plain, "only the tree can be folded", Some(format!("{key} changes the form")));
        return Some(Vec::new());
    }
    match action {
        Action::Unfold if !pane.can_unfold() => {
            model.say(Tone::Plain, "there is nothing to unfold here", None);
        }
        Action::Fold => pane.fold(true),
        Action::Unfold => pane.fold(false),
        Action::FoldAll => pane.fold_all(true),
        Action::UnfoldAll => pane.fold_all(false),
        Action::NextForm => pane.turn(),
        Action::Open if pane.form == Form::Tree && pane.document.is_some() => pane.turn_fold(),
        Action::CopyValue => {
            let value = pane.value().unwrap_or_default();
            return Some(copy::text(model, value));
        }
        Action::CopyPath => match pane.path() {
            Some(path) => return Some(copy::text(model, path)),
            None => model.say(Tone::Plain, "paths can only be copied in the tree", None),
        },
        Action::Back if !pane.search.is_empty() => pane.search.clear(),
        Action::EditShown => return Some(edit(model)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Asks for the search text.
#[derive(Debug)]
pub(crate) struct Search;

impl Purpose for Search {
    fn title(&self) -> &'static str {
        "Search"
    }

    fn hint(&self) -> &'static str {
        "re:regex · smart case · n next · N previous"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        let inspect = &mut model.pane_mut().inspect;
        (inspect.search, inspect.hit) = (text.to_owned(), None);
        next_match(model, false);
        Ok(Vec::new())
    }

    fn is_line(&self) -> bool {
        true
    }

    fn may_be_empty(&self) -> bool {
        true
    }
}

/// Opens the document in the user's editor, in the current form.
fn edit(model: &mut Model) -> Vec<Effect> {
    let pane = &model.pane().inspect;
    if pane.document.is_none() {
        model.say(Tone::Plain, "still reading", None);
        return Vec::new();
    }
    let (text, ending) = (
        pane.text(pane.form),
        match pane.form {
            Form::Yaml => "yaml",
            Form::Command => "sh",
            Form::Tree | Form::Json => "json",
        },
    );
    let name = model.subject().map_or_else(String::new, |subject| name_of(model, &subject));
    vec![Effect::Edit(format!("{name}.{ending}"), text)]
}

/// Goes to the next match of the search text.
pub(crate) fn next_match(model: &mut Model, up: bool) {
    if model.pane().inspect.search.is_empty() {
        model.say_nothing_is_searched();
        return;
    }
    let inspect = &mut model.pane_mut().inspect;
    if !inspect.next_match(up) {
        let which = if up { "earlier" } else { "later" };
        let text = format!("no {which} match for `{}`", inspect.search);
        model.say(Tone::Plain, text, None);
    }
}
