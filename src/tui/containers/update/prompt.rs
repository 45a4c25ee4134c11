//! Input lines for containers.

use crate::command::split;
use crate::engine::{ContainerId, Name};
use crate::tui::containers::name;
use crate::tui::containers::update::terminal::custom;
use crate::tui::effect::{ContainerVerb, Effect, Line};
use crate::tui::form::model::Note;
use crate::tui::line::purpose::Purpose;
use crate::tui::model::Model;

/// Asks for a container's new name.
#[derive(Debug)]
pub(crate) struct Rename(pub(crate) ContainerId);

impl Purpose for Rename {
    fn title(&self) -> &'static str {
        "Rename"
    }

    fn hint(&self) -> &'static str {
        "letters, digits, _ . and -"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        let name = text.parse::<Name>().map_err(|error| error.to_string())?;
        Ok(model.confirmed(vec![Effect::Container(ContainerVerb::Rename(name), self.0.clone())]))
    }

    fn note(&self, model: &mut Model, text: &str) -> Option<Note> {
        let own = model.containers.get(self.0.as_str()).map(|row| row.name.clone());
        name::free(text, model.containers.all(), own.as_deref())
    }
}

/// Asks for a command to run in a container.
#[derive(Debug)]
pub(crate) struct Exec(pub(crate) ContainerId);

impl Purpose for Exec {
    fn title(&self) -> &'static str {
        "Run in the container"
    }

    fn hint(&self) -> &'static str {
        "command and arguments: env, ls -l /etc"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        let Some(row) = model.containers.get(self.0.as_str()).cloned() else {
            return Err("the container has been removed".to_owned());
        };
        let words = split(text).map_err(|usage| usage.to_string())?;
        let name = words.first().cloned().unwrap_or_default();
        let line = Line { typed: text.trim().to_owned(), words, is_read_only: false };
        Ok(custom(model, &row, &name, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::{full, press, screen, write};

    #[test]
    fn a_name_that_is_taken_keeps_the_line_open() {
        let mut model = full(80, 24);
        let own = model.container().unwrap().clone();
        let taken = model.containers.all().iter().find(|row| row.id != own.id).unwrap().name.clone();
        press(&mut model, ", N ctrl-u");
        write(&mut model, &taken);
        assert_eq!(press(&mut model, "enter"), []);
        let shown = screen(&model);
        assert!(shown.contains("✗ taken") && shown.contains(&taken), "{shown}");
        write(&mut model, "-new");
        let name = format!("{taken}-new").parse().unwrap();
        assert_eq!(press(&mut model, "enter"), [Effect::Container(ContainerVerb::Rename(name), own.id)]);
    }
}
