//! The history of the `:` line.

use crate::command::{flags, split};
use crate::tui::effect::Effect;
use crate::tui::form::model::is_secret;
use crate::tui::model::Model;
use crate::tui::model::input::Input;
use crate::tui::model::layer::Layer;

/// The maximum number of lines in the history.
const MOST: usize = 500;

/// The maximum total size of the lines in bytes. A longer line is not remembered.
const MOST_BYTES: usize = 256 << 10;

/// Adds a line to the history. A line with a secret is kept until hoist exits, but not saved.
pub(crate) fn remember(model: &mut Model, line: &str) -> Option<Effect> {
    if line.len() > MOST_BYTES {
        return None;
    }
    let is_secret = has_secret(line);
    let lines = if is_secret { &mut model.secret_history } else { &mut model.saved.history };
    lines.retain(|old| old != line);
    lines.push(line.to_owned());
    let mut bytes = 0;
    let fits = |(number, line): (usize, &String)| {
        bytes += line.len();
        number < MOST && bytes <= MOST_BYTES
    };
    let kept = lines.iter().rev().enumerate().map(fits).take_while(|fits| *fits).count();
    lines.drain(..lines.len() - kept);
    (!is_secret).then_some(Effect::Save)
}

/// Whether a line contains a password, or a variable whose name suggests a secret.
fn has_secret(line: &str) -> bool {
    let words = split(line).unwrap_or_default();
    let of_login = words.first().is_some_and(|word| word == "login")
        && words.iter().any(|word| word.starts_with("-p") || word.starts_with("--password"));
    let given = flags::sorted(&words).map(|sorted| sorted.given).unwrap_or_default();
    let is_variable =
        |value: &str| value.split_once('=').is_some_and(|(name, value)| is_secret(name) && !value.is_empty());
    of_login || given.iter().any(|given| given.long == "env" && is_variable(&given.value))
}

/// Puts the previous line of the history that starts with the typed text into the prompt.
pub(crate) fn older(model: &mut Model) {
    step(model, 1);
}

/// Like [`older`], but the next line.
pub(crate) fn newer(model: &mut Model) {
    step(model, -1);
}

fn step(model: &mut Model, by: isize) {
    let Some(Layer::Prompt(prompt)) = model.layers.last_mut() else { return };
    if prompt.back == 0 {
        prompt.input.text().clone_into(&mut prompt.begun);
    }
    let all = model.secret_history.iter().rev().chain(model.saved.history.iter().rev());
    let mut fitting = all.filter(|line| line.starts_with(&prompt.begun));
    let back = prompt.back.saturating_add_signed(by);
    let line = match back {
        0 => Some(prompt.begun.clone()),
        back => fitting.nth(back - 1).cloned(),
    };
    if let Some(line) = line {
        prompt.input = Input::new(&line);
        prompt.back = back;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::{full, press, write};

    fn line(model: &Model) -> &str {
        match model.layers.last() {
            Some(Layer::Prompt(prompt)) => prompt.input.text(),
            _ => "",
        }
    }

    #[test]
    fn up_goes_back_through_lines_that_begin_as_what_was_typed() {
        let mut model = full(80, 24);
        for typed in ["theme ansi", "images", "theme paper", "images"] {
            remember(&mut model, typed);
        }
        press(&mut model, ":");
        write(&mut model, "th");
        let lines: Vec<String> = ["up", "up", "up", "down", "down"]
            .iter()
            .map(|key| {
                press(&mut model, key);
                line(&model).to_owned()
            })
            .collect();
        assert_eq!(lines, ["theme paper", "theme ansi", "theme ansi", "theme paper", "th"]);
        assert_eq!(model.saved.history, ["theme ansi", "theme paper", "images"]);
    }

    #[test]
    fn a_line_with_a_secret_is_not_saved() {
        let mut model = full(80, 24);
        for typed in ["login -u me -pabc x", "run -e DB_PASSWORD=x db", "run -e MODE=x db"] {
            remember(&mut model, typed);
        }
        assert_eq!(model.saved.history, ["run -e MODE=x db"]);
        press(&mut model, ": up");
        assert_eq!(line(&model), "run -e DB_PASSWORD=x db");
    }

    #[test]
    fn the_history_ends_somewhere() {
        let mut model = full(80, 24);
        (0..2 * MOST).for_each(|at| drop(remember(&mut model, &format!("inspect {at}"))));
        assert_eq!(model.saved.history.len(), MOST);
        let long = |letter: &str| letter.repeat(MOST_BYTES / 2);
        for letter in ["a", "b", "c"] {
            assert_eq!(remember(&mut model, &long(letter)), Some(Effect::Save));
        }
        assert!(model.saved.history == [long("b"), long("c")], "the newest are kept");
        assert_eq!(remember(&mut model, &"d".repeat(MOST_BYTES + 1)), None);
        assert_eq!(model.saved.history.len(), 2);
    }
}
