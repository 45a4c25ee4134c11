//! Messages about lines that cannot be run.

use crate::command::{self, Usage};
use crate::tui::effect::Effect;
use crate::tui::failure::Failure;
use crate::tui::model::Model;

/// Reports why a line is invalid.
pub(crate) fn refuse(model: &mut Model, usage: &Usage) -> Vec<Effect> {
    let text = usage.to_string();
    let what = text.lines().next().unwrap_or_default().to_owned();
    let hint = text.lines().find_map(|line| line.strip_prefix("hint: ")).map(str::to_owned);
    model.fail(Failure { what, why: Vec::new(), hint });
    Vec::new()
}

/// Reports why a valid command is not available here.
pub(super) fn refused(model: &mut Model, why: &str, hint: &str) -> Vec<Effect> {
    let what = "this is not available here".to_owned();
    model.fail(Failure { what, why: vec![why.to_owned()], hint: Some(hint.to_owned()) });
    Vec::new()
}

/// Returns what is wrong with the words of a command, in one line.
pub(crate) fn problem(words: Result<Vec<String>, Usage>) -> Option<String> {
    let parsed = words.and_then(|words| command::parse(&words));
    parsed.err().map(|usage| usage.to_string().lines().next().unwrap_or_default().to_owned())
}
