//! The `:` line: commands of the TUI and of the command line.
//!
//! Everything that the command line can do is available here: as a screen if there is one, as a
//! background task, or by running the program itself and showing its output. The file of each noun
//! decides which.

use super::{container, image, network, system, volume};
use crate::command::{self, Request, Suggestions, join, split, suggest};
use crate::config::Flags;
use crate::tui::effect::Effect;
use crate::tui::line::purpose::Purpose;
use crate::tui::line::update::refusal::{refuse, refused};
use crate::tui::line::update::{app, history};
use crate::tui::model::Model;
use crate::tui::page::model::Page;
use crate::tui::tasks::update::print;
use crate::tui::update::copy::names;

/// A command, as on the command line.
#[derive(Debug)]
pub(crate) struct CommandLine;

impl Purpose for CommandLine {
    fn title(&self) -> &'static str {
        "Command"
    }

    fn hint(&self) -> &'static str {
        "as on the command line: run -it debian bash · pull · rm · tag · help"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(line(model, text))
    }

    fn is_line(&self) -> bool {
        true
    }

    fn sign(&self) -> &'static str {
        ":"
    }

    fn has_history(&self) -> bool {
        true
    }

    fn is_words(&self) -> bool {
        true
    }

    fn suggest(&self, model: &Model, words: &[String], begun: &str) -> Option<Suggestions> {
        if let Some(own) = app::words(model, words) {
            let words = own.into_iter().map(|word| (word, String::new())).collect();
            return Some(Suggestions { words, ..Suggestions::default() });
        }
        let mut found = suggest(words, begun);
        if words.is_empty() {
            let own = app::summary().map(|(name, _, about)| (name.to_owned(), about.to_owned()));
            found.words = own.chain(found.words).collect();
        }
        Some(found)
    }
}

/// Runs a typed line.
pub(crate) fn line(model: &mut Model, text: &str) -> Vec<Effect> {
    let saves = history::remember(model, text);
    let done = match split(text) {
        Ok(words) => said(model, words),
        Err(usage) => refuse(model, &usage),
    };
    done.into_iter().chain(saves).collect()
}

/// Runs a command given as words, and adds it to the history.
pub(crate) fn words(model: &mut Model, words: Vec<String>) -> Vec<Effect> {
    let saves = history::remember(model, &join(&words));
    said(model, words).into_iter().chain(saves).collect()
}

fn said(model: &mut Model, words: Vec<String>) -> Vec<Effect> {
    let words = match with_marked(model, words) {
        Some(words) => words,
        None => {
            return refused(model, "`%` stands for the marked rows, but none are marked", "mark rows first");
        }
    };
    if let Some(effects) = app::run(model, &words) {
        return effects;
    }
    match command::parse(&words) {
        Ok(parsed) if parsed.debug || parsed.flags != Flags::default() => {
            refused(model, GLOBAL, "remove them, or run hoist with them in a shell")
        }
        Ok(parsed) => request(model, words, parsed.request),
        Err(usage) => refuse(model, &usage),
    }
}

/// The engine and the configuration are fixed when the program starts.
const GLOBAL: &str = "global options are not supported here: the engine and the configuration are fixed";

/// Replaces each `%` by the names of the marked rows, or of the row under the cursor.
fn with_marked(model: &Model, words: Vec<String>) -> Option<Vec<String>> {
    if !words.iter().any(|word| word == "%") {
        return Some(words);
    }
    let marked = names(model);
    if marked.is_empty() {
        return None;
    }
    let each = |word: String| if word == "%" { marked.clone() } else { vec![word] };
    Some(words.into_iter().flat_map(each).collect())
}

/// Performs a request of the command line: shows it if it has a screen, runs verbs in the
/// background, and shows the output of everything else.
fn request(model: &mut Model, words: Vec<String>, request: Request) -> Vec<Effect> {
    if model.look.is_read_only && request.changes() {
        let verb = words.first().map_or("", String::as_str);
        model.refuse(&format!("`{verb}` makes changes"));
        return Vec::new();
    }
    let done = match &request {
        Request::Show(text) => Some(help(model, &words, text)),
        Request::Nothing => Some(Vec::new()),
        Request::Container(asked) => container::perform(model, &words, asked),
        Request::Image(asked) => image::perform(model, &words, asked),
        Request::Network(asked) => network::perform(model, asked),
        Request::System(asked) => system::perform(model, asked),
        Request::Volume(asked) => volume::perform(model, asked),
    };
    done.unwrap_or_else(|| print(model, words, request))
}

/// Shows a help text of the command line; the general one also lists the commands of the TUI.
fn help(model: &mut Model, words: &[String], text: &str) -> Vec<Effect> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if words.len() == 1 {
        lines.extend([String::new(), "Commands of the terminal UI:".to_owned()]);
        lines.extend(
            app::summary()
                .map(|(name, arguments, about)| format!("  {:<28} {about}", format!("{name} {arguments}"))),
        );
        lines.push("  %                            Stands for the marked rows".to_owned());
    }
    model.open(Page::new(words.join(" "), lines));
    Vec::new()
}
