//! The help: every key of a place, to be searched.

use crate::tui::action::Action;
use crate::tui::key::{Key, show_strokes};
use crate::tui::keymap::{Binding, KeyContext, Keymap};
use crate::tui::model::input::Input;

/// The help over the screen.
#[derive(Debug)]
pub struct Help {
    /// Whose keys it shows.
    pub place: KeyContext,
    /// What is searched for.
    pub input: Input,
    /// The keys of the other places, not of this one.
    pub shows_others: bool,
    /// The row of the search that Enter does.
    pub cursor: usize,
    /// The line at the top, where nothing is searched for.
    pub top: usize,
}

impl Help {
    /// The help of a place.
    #[must_use]
    pub fn new(place: KeyContext) -> Self {
        Self { place, input: Input::default(), shows_others: false, cursor: 0, top: 0 }
    }

    /// What is found; `None` when nothing is searched for.
    #[must_use]
    pub fn found(&self, keymap: &Keymap) -> Option<Vec<Entry>> {
        let query = self.input.text().trim();
        (!query.is_empty()).then(|| search(keymap, self.place, query))
    }
}

/// What some keys do somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The keys, each as the help shows them.
    pub keys: Vec<String>,
    /// The strokes of the first of them.
    pub strokes: Vec<Key>,
    /// What they do.
    pub action: Action,
    /// In one or two words.
    pub label: String,
    /// In a sentence.
    pub help: String,
    /// The place whose keys they are.
    pub place: KeyContext,
    /// They hold where the help was asked for.
    pub is_here: bool,
}

/// What can be done in a place, each action once, in the order of the table of actions.
#[must_use]
pub fn entries(keymap: &Keymap, place: KeyContext) -> Vec<Entry> {
    collect(keymap, keymap.of(place).iter(), true)
}

/// What can be done elsewhere: the places that have keys of their own.
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

/// What each action of some lines is done by, in the order of the table of actions.
pub(crate) fn collect<'a>(
    keymap: &Keymap,
    bindings: impl Iterator<Item = &'a Binding>,
    is_here: bool,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for binding in bindings {
        // Behind a prefix stand the keys of another place; its own help shows them.
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

/// What has every word of `query`, in its keys, its words or its place. What holds here
/// comes first, and of that what has the very keys.
fn search(keymap: &Keymap, place: KeyContext, query: &str) -> Vec<Entry> {
    let mut all = entries(keymap, place);
    all.extend(others(keymap, place).into_iter().flat_map(|(_, entries)| entries));
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let has = |entry: &Entry, word: &String| {
        let texts =
            [&entry.label, &entry.help, entry.action.name(), entry.action.group(), entry.place.name()];
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
        let pulls = found("fetch registry");
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
