//! The prompt for a list's filter.

use crate::tui::effect::Effect;
use crate::tui::line::purpose::Purpose;
use crate::tui::list::filter::Filter;
use crate::tui::model::Model;

/// The filter of the current list.
#[derive(Debug)]
pub(crate) struct RowFilter;

impl Purpose for RowFilter {
    fn title(&self) -> &'static str {
        "Filter"
    }

    fn hint(&self) -> &'static str {
        "words · !not · ~fuzzy · re:regex · status: label: image: name: id: network: project:"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Filter::parse(text).map_err(|bad| bad.to_string())?;
        text.clone_into(model.list_mut().filter());
        Ok(Vec::new())
    }

    fn is_line(&self) -> bool {
        true
    }

    fn may_be_empty(&self) -> bool {
        true
    }

    fn typed(&self, model: &mut Model, text: &str) -> Result<(), String> {
        text.clone_into(model.list_mut().filter());
        Filter::parse(text).map(drop).map_err(|bad| bad.to_string())
    }

    fn dismiss(&self, model: &mut Model) {
        model.list_mut().filter().clear();
    }
}
