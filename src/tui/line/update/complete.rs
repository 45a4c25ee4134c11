//! Completes what is typed: options and commands, names of objects, and files.

use crate::command::{NameKind, join, split};
use crate::tui::effect::Effect;
use crate::tui::line::candidates::{Candidate, Candidates, MOST};
use crate::tui::line::model::Prompt;
use crate::tui::list::rows::Row;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::section::Section;

/// Selects the next or previous completion.
pub(crate) fn take(model: &mut Model, by: isize) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = model.layers.last_mut() else { return Vec::new() };
    let Some(line) = prompt.candidates.take(by) else { return Vec::new() };
    let after = prompt.input.halves().1.to_owned();
    prompt.input.set_halves(&line, &after);
    // After a folder, its contents are completed next; while there are several completions, the
    // list stays.
    if prompt.candidates.items.len() == 1 { refresh(model) } else { Vec::new() }
}

/// Updates the completions of the word at the cursor.
pub(crate) fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = model.layers.last() else { return Vec::new() };
    let before = prompt.input.halves().0.to_owned();
    let found = candidates(model, prompt, &before);
    let folder = found.folder.clone();
    if let Some(Layer::Prompt(prompt)) = model.layers.last_mut() {
        prompt.candidates = found;
        if let Some(folder) = &folder {
            prompt.folder = Some((folder.clone(), Vec::new()));
        }
    }
    folder.map(Effect::Folder).into_iter().collect()
}

fn candidates(model: &Model, prompt: &Prompt, line: &str) -> Candidates {
    let is_words = prompt.purpose.is_words();
    let Some((before, begun)) =
        (if is_words { last_word(line) } else { Some((String::new(), line.to_owned())) })
    else {
        return Candidates::default();
    };
    let mut found = Candidates { before, begun, ..Candidates::default() };
    let words = split(&found.before).unwrap_or_default();
    let Some(suggestions) = prompt.purpose.suggest(model, &words, &found.begun) else { return found };
    let prefix = suggestions.prefix.clone();
    let begun = found.begun.strip_prefix(&prefix).unwrap_or(&found.begun).to_owned();
    let mut items: Vec<(String, String)> =
        suggestions.words.into_iter().filter(|(word, _)| word.starts_with(&begun)).collect();
    let before = words;
    match suggestions.names {
        Some(NameKind::File) => match &prompt.folder {
            Some((of, entries)) if *of == folder_of(&begun).0 => items.extend(files(&begun, entries)),
            _ => found.folder = Some(folder_of(&begun).0.to_owned()),
        },
        // Skip names that are already in the line.
        Some(kind) => {
            items.extend(names(model, kind, &begun).into_iter().filter(|it| !before.contains(&it.0)))
        }
        None => {}
    }
    items.truncate(MOST);
    let quoted = |word: String| if is_words { join(&[word]) } else { word };
    found.items = items
        .into_iter()
        .map(|(word, about)| Candidate { word: format!("{prefix}{}", quoted(word)), about })
        .collect();
    found
}

/// Splits off the last word of a line, without its quotes; `None` inside quotes.
fn last_word(line: &str) -> Option<(String, String)> {
    let mut quote = None;
    let mut escaped = false;
    let mut start = 0;
    for (at, c) in line.char_indices() {
        match (c, quote) {
            _ if escaped => escaped = false,
            ('\\', None | Some('"')) => escaped = true,
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => start = at + c.len_utf8(),
            _ => {}
        }
    }
    if quote.is_some() || escaped {
        return None;
    }
    let word = split(&line[start..]).ok()?.into_iter().next().unwrap_or_default();
    Some((line[..start].to_owned(), word))
}

/// Splits a partial path into the folder, as written, and the partial name.
fn folder_of(begun: &str) -> (&str, &str) {
    begun.rfind('/').map_or(("", begun), |at| begun.split_at(at + 1))
}

/// Returns the files of a folder with this prefix; hidden ones only if the prefix starts with a
/// dot.
fn files(begun: &str, entries: &[(String, bool)]) -> Vec<(String, String)> {
    let (folder, name) = folder_of(begun);
    let fits = |entry: &&(String, bool)| {
        entry.0.starts_with(name) && (name.starts_with('.') || !entry.0.starts_with('.'))
    };
    let shown = |(entry, is_folder): &(String, bool)| {
        let slash = if *is_folder { "/" } else { "" };
        (format!("{folder}{entry}{slash}"), String::new())
    };
    entries.iter().filter(fits).take(MOST).map(shown).collect()
}

/// Returns the names with this prefix.
fn names(model: &Model, kind: NameKind, begun: &str) -> Vec<(String, String)> {
    let is_meant = |section: &Section| match (kind, section.screen().names_are) {
        (NameKind::Object, Some(_)) => true,
        (kind, own) => own == Some(kind),
    };
    let all = Section::ALL.into_iter().filter(is_meant).flat_map(|section| (section.screen().names)(model));
    // `app` also begins `acme/app:1`.
    let begins = |name: &str| {
        name.starts_with(begun) || name.rsplit('/').next().is_some_and(|last| last.starts_with(begun))
    };
    let mut found: Vec<_> = all.filter(|(name, _)| begins(name)).take(MOST).collect();
    // Complete ids only if no name matches.
    if found.is_empty() && begun.len() >= 3 && matches!(kind, NameKind::Container | NameKind::Object) {
        let rows = model.containers.all().iter().filter(|row| row.key().starts_with(begun));
        found.extend(rows.take(MOST).map(|row| (row.id.short().to_owned(), row.name.clone())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, press, write};
    use crate::tui::update::update;

    fn line(model: &Model) -> String {
        match model.layers.last() {
            Some(Layer::Prompt(prompt)) => prompt.input.text().to_owned(),
            _ => String::new(),
        }
    }

    fn listed(model: &Model) -> String {
        let Some(Layer::Prompt(prompt)) = model.layers.last() else { return String::new() };
        prompt.candidates.items.iter().map(|item| item.word.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_can_follow_is_listed_while_it_is_typed() {
        for (typed, want) in [
            ("resta", "restart"),
            ("restart m", "mailer migrate"),
            ("run --restart al", "always"),
            ("run -it deb", "debian:13 debian"),
            ("run -it app", "acme/app:2.4.1 acme/app"),
            ("run --network=br", "--network=bridge"),
            ("inspect b", "batch bridge"),
            ("theme mi", "midnight"),
            ("set all o", "on off"),
            ("run 'deb", ""),
            ("network i", "inspect"),
        ] {
            let mut model = full(80, 24);
            press(&mut model, ":");
            write(&mut model, typed);
            assert_eq!(listed(&model), want, "{typed}");
        }
    }

    #[test]
    fn tab_goes_through_the_candidates_and_typing_goes_on_behind_one() {
        let mut model = full(80, 24);
        press(&mut model, ":");
        write(&mut model, "restart m");
        let lines: Vec<_> = (0..3)
            .map(|_| {
                press(&mut model, "tab");
                line(&model)
            })
            .collect();
        assert_eq!(lines, ["restart mailer", "restart migrate", "restart mailer"]);
        press(&mut model, "shift-tab");
        write(&mut model, " we");
        press(&mut model, "tab");
        assert_eq!(line(&model), "restart migrate web ");
    }

    #[test]
    fn a_path_is_completed_from_the_folder_that_the_driver_reads() {
        let mut model = full(80, 24);
        press(&mut model, ":");
        let effects = write(&mut model, "load -i im");
        assert_eq!(effects.last(), Some(&Effect::Folder(String::new())));
        let entries = [("images", true), ("img.tar", false), (".imx", false)];
        let entries = entries.map(|(name, is_folder)| (name.to_owned(), is_folder)).to_vec();
        update(&mut model, Event::Folder(String::new(), entries));
        assert_eq!(listed(&model), "images/ img.tar");
        write(&mut model, "a");
        let effects = press(&mut model, "tab");
        assert_eq!(line(&model), "load -i images/");
        assert_eq!(effects, [Effect::Folder("images/".to_owned())]);
    }
}
