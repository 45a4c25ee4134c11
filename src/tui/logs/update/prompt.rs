//! Input lines for a log.

use crate::tui::effect::Effect;
use crate::tui::line::purpose::Purpose;
use crate::tui::logs::model::{LogPane, Since};
use crate::tui::logs::update::save;
use crate::tui::model::Model;

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
        model.pane_mut().log.search_for(text).map_err(|bad| bad.to_string())?;
        Ok(Vec::new())
    }

    fn is_line(&self) -> bool {
        true
    }

    fn may_be_empty(&self) -> bool {
        true
    }
}

/// Asks for the filter rules.
#[derive(Debug)]
pub(crate) struct Filter;

impl Purpose for Filter {
    fn title(&self) -> &'static str {
        "Filter"
    }

    fn hint(&self) -> &'static str {
        "show matching lines · !text hides · re:regex · a & !b"
    }

    fn sign(&self) -> &'static str {
        "&"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        model.pane_mut().log.set_filter(text).map_err(|bad| bad.to_string())?;
        Ok(Vec::new())
    }

    fn is_line(&self) -> bool {
        true
    }

    fn may_be_empty(&self) -> bool {
        true
    }
}

/// Asks for the time from which lines are shown.
#[derive(Debug)]
pub(crate) struct Moment;

impl Purpose for Moment {
    fn title(&self) -> &'static str {
        "Show the log since"
    }

    fn hint(&self) -> &'static str {
        "90s · 10m · 2h · 3d · 14:02 · 2026-11-22 14:02"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        let moment = LogPane::moment(text, model.now)?;
        model.pane_mut().log.since(Since::Time(moment));
        Ok(Vec::new())
    }
}

/// Asks for the file to save to.
#[derive(Debug)]
pub(crate) struct Save;

impl Purpose for Save {
    fn title(&self) -> &'static str {
        "Save the log to a file"
    }

    fn hint(&self) -> &'static str {
        "path; all:path also saves lines that a filter hides"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(save(model, text))
    }
}
