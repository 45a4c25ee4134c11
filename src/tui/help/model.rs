//! The help: a searchable list of the keys of a place.

use crate::tui::action::Action;
use crate::tui::key::{Key, show_strokes};
use crate::tui::keymap::{Binding, KeyContext, Keymap};
use crate::tui::model::input::Input;

/// The help dialog.
#[derive(Debug)]
pub struct Help {
    /// The place whose keys it shows.
    pub place: KeyContext,
    /// The search query.
    pub input: Input,
    /// Whether it shows the keys of other places instead of this one.
    pub shows_others: bool,
    /// The search result that Enter performs.
    pub cursor: usize,
    /// The first visible line, unless searching.
    pub top: usize,
}

impl Help {
    /// Creates the help of a place.
    #[must_use]
    pub fn new(place: KeyContext) -> Self {
        Self { place, input: Input::default(), shows_others: false, cursor: 0, top: 0 }
    }

    /// Returns the search results; `None` without a query.
    #[must_use]
    pub fn found(&self, keymap: &Keymap) -> Option<Vec<Entry>> {
        let query = self.input.text().trim();
        (!query.is_empty()).then(|| search(keymap, self.place, query))
    }
}

/// An action and its keys in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The keys as displayed.
    pub keys: Vec<String>,
    /// The strokes of the first key.
    pub strokes: Vec<Key>,
    /// The action.
    pub action: Action,
    /// A label of one or two words.
    pub label: String,
    /// A sentence that describes it.
    pub help: String,
    /// The place the keys belong to.
    pub place: KeyContext,
    /// Whether they work where the help was opened.
    pub is_here: bool,
}

/// Returns the actions available in a place, each once, in the order of the table of actions.
#[must_use]
pub fn entries(keymap: &Keymap, place: KeyContext) -> Vec<Entry> {
    collect(keymap, keymap.of(place).iter(), true)
}

/// Returns the actions of other places that have keys of their own.
#[must_use]
pub fn others(keymap: &Keymap, place: KeyContext) -> Vec<(KeyContext, Vec<Entry>)> {
    let elsewhere = KeyContext::ALL.iter().filter(|other| place.chain().all(|here| here != **other));
    elsewhere
        .map(|other| {
            let own = keymap.of(*other).iter().filter(|binding| binding.place == *other);
            (*other, collect(keymap, own, false))
        })
        .filter(|(_, entries)| !entries.is_empty())
        .collect()
}

/// Returns the keys of each action in some bindings, in the order of the table of actions.
pub(crate) fn collect<'a>(
    keymap: &Keymap,
    bindings: impl Iterator<Item = &'a Binding>,
    is_here: bool,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for binding in bindings {
        // Behind a prefix are keys of another place, which that place's help shows.
        if keymap.imports(binding) {
            continue;
        }
        let help = keymap.help(binding);
        let keys = show_strokes(&binding.keys);
        match entries.iter_mut().find(|entry| entry.action == binding.action && entry.help == help) {
            Some(entry) => entry.keys.push(keys),
            None => entries.push(Entry {
                keys: vec![keys],
                strokes: binding.keys.clone(),
                action: binding.action,
                label: keymap.label(binding).to_owned(),
                help: help.to_owned(),
                place: binding.place,
                is_here,
            }),
        }
    }
    entries.sort_by_key(|entry| entry.action);
    entries
}

/// Returns entries that contain every word of `query` in their keys, texts or place. Those of this
/// place come first, and within each group those whose keys are the query.
fn search(keymap: &Keymap, place: KeyContext, query: &str) -> Vec<Entry> {
    let mut all = entries(keymap, place);
    all.extend(others(keymap, place).into_iter().flat_map(|(_, entries)| entries));
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let has = |entry: &Entry, word: &String| {
        let texts = [
            &entry.label,
            &entry.help,
            entry.action.name(),
            entry.action.group().title(),
            entry.place.name(),
        ];
        texts.iter().any(|text| text.to_lowercase().contains(word))
            || entry.keys.iter().any(|keys| keys.to_lowercase() == *word)
    };
    let is_key = |entry: &Entry| entry.keys.iter().any(|keys| keys == query);
    all.retain(|entry| is_key(entry) || words.iter().all(|word| has(entry, word)));
    all.sort_by_key(|entry| (!entry.is_here, !is_key(entry)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Vec<(String, KeyContext)> {
        let keymap = Keymap::read(None).unwrap();
        let found = search(&keymap, KeyContext::Containers, query);
        found.into_iter().map(|entry| (entry.keys[0].clone(), entry.place)).collect()
    }

    #[test]
    fn keys_and_words_are_found_and_what_holds_here_comes_first() {
        assert_eq!(found("dd")[0], ("dd".to_owned(), KeyContext::Containers));
        assert_eq!(found("S")[0], ("S".to_owned(), KeyContext::Containers));
        assert!(found("signal").contains(&("K".to_owned(), KeyContext::Containers)));
        let pulls = found("pull registry");
        assert!(
            !pulls.is_empty() && pulls.iter().all(|(_, place)| *place == KeyContext::Images),
            "{pulls:?}"
        );
        assert!(found("no such thing").is_empty());
    }

    #[test]
    fn each_action_is_told_once_with_all_its_keys() {
        let keymap = Keymap::read(None).unwrap();
        for place in KeyContext::ALL {
            let entries = entries(&keymap, *place);
            let mut actions: Vec<_> = entries.iter().map(|entry| entry.action).collect();
            actions.dedup();
            assert_eq!(actions.len(), entries.len(), "{place:?}");
        }
        let down = entries(&keymap, KeyContext::Containers).into_iter().find(|it| it.action == Action::Down);
        assert_eq!(down.unwrap().keys, ["j", "↓"]);
        let logs = entries(&keymap, KeyContext::Logs);
        assert!(
            !logs.iter().any(|entry| entry.action == Action::Remove),
            "what `,` brings is not told twice"
        );
    }
}
