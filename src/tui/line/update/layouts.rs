//! Saved layouts of panes.

use crate::tui::containers::update::terminal::shell;
use crate::tui::effect::{Effect, Program};
use crate::tui::failure::Tone;
use crate::tui::model::saved::Shown;
use crate::tui::model::titles::name_of;
use crate::tui::model::{Focus, Model};
use crate::tui::section::{Section, Subject};
use crate::tui::tab::Tab;

/// Saves the current layout under a name.
pub(crate) fn save_layout(model: &mut Model, name: &str) -> Vec<Effect> {
    let shown = model.windows.save(|pane| {
        let subject = pane.pinned.as_ref();
        let of = subject.map(|subject| name_of(model, subject));
        let section = subject.map_or("", |subject| subject.section().title());
        let tab = tab_word(pane.tab);
        Some(Shown { of, section: section.to_lowercase(), tab: tab.to_owned() })
    });
    let Some(shown) = shown else { return Vec::new() };
    model.saved.layouts.insert(name.to_owned(), shown);
    model.say(Tone::Good, format!("saved layout {name}"), None);
    vec![Effect::Save]
}

/// Restores a layout, and opens its terminals again.
pub(crate) fn load_layout(model: &mut Model, name: &str) -> Vec<Effect> {
    let Some(layout) = model.saved.layouts.get(name).cloned() else {
        let known: Vec<&str> = model.saved.layouts.keys().map(String::as_str).collect();
        let hint = match known.as_slice() {
            [] => "`:layout save NAME` creates one".to_owned(),
            known => format!("layouts: {}", known.join(", ")),
        };
        model.say(Tone::Bad, format!("no such layout: {name}"), Some(hint));
        return Vec::new();
    };
    let mut terminals = Vec::new();
    let mut windows = std::mem::take(&mut model.windows);
    windows.restore(&layout, |shown, pane| {
        let section = Section::ALL.into_iter().find(|it| it.title().to_lowercase() == shown.section);
        pane.pinned = section.zip(shown.of.as_ref()).and_then(|(it, of)| (it.screen().named)(model, of));
        match (shown.tab.as_str(), &pane.pinned) {
            ("terminal", Some(Subject::Container(id))) => terminals.push((pane.id, id.clone())),
            (word, _) => pane.tab = tab_named(word),
        }
    });
    model.windows = windows;
    (model.focus, model.is_zoomed, model.is_alone) = (Focus::Detail, true, false);
    let mut effects = Vec::new();
    for (pane, id) in terminals {
        if let Some(row) = model.containers.get(id.as_str()).cloned() {
            effects.extend(shell(model, &row, Program::Shell, pane));
        }
    }
    effects
}

/// Removes a layout.
pub(crate) fn remove_layout(model: &mut Model, name: &str) -> Vec<Effect> {
    match model.saved.layouts.remove(name) {
        Some(_) => {
            model.say(Tone::Good, format!("removed layout {name}"), None);
            vec![Effect::Save]
        }
        None => load_layout(model, name),
    }
}

fn tab_word(tab: Tab) -> String {
    tab.viewer().name().to_lowercase()
}

fn tab_named(word: &str) -> Tab {
    let named = |tab: &&Tab| tab.viewer().is_lasting() && tab_word(**tab) == word;
    Tab::ALL.iter().find(named).copied().unwrap_or(Tab::Logs)
}
