//! The keys of the process list.

use crate::engine::{ContainerId, Process};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::line::purpose::Purpose;
use crate::tui::line::update::revise;
use crate::tui::model::Model;
use crate::tui::signals::model::{Receivers, SignalMenu};
use crate::tui::top::model::{Column, Member, TopPane};

/// Performs `action` in the process list; `None` if it has no special meaning there.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let columns = [
        (Action::TopPid, Column::Pid),
        (Action::TopUser, Column::User),
        (Action::TopCpu, Column::Cpu),
        (Action::TopMemory, Column::Memory),
        (Action::TopTime, Column::Time),
        (Action::TopCommand, Column::Command),
    ];
    let pane = &mut model.pane_mut().top;
    if let Some((_, column)) = columns.into_iter().find(|(of, _)| *of == action) {
        pane.sort(column);
        return Some(Vec::new());
    }
    match action {
        Action::ProcessTree => pane.turn(),
        Action::Search => {
            let filter = pane.filter.clone();
            revise(model, Filter, &filter);
        }
        Action::Back if !pane.filter.is_empty() => pane.look_for(""),
        Action::SignalProcess => signals(model),
        Action::ProcessPage | Action::Open => return Some(page(model)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Asks for a filter.
#[derive(Debug)]
struct Filter;

impl Purpose for Filter {
    fn title(&self) -> &'static str {
        "Filter"
    }

    fn hint(&self) -> &'static str {
        "words of the command, user or PID · !word excludes"
    }

    fn accept(&self, model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        model.pane_mut().top.look_for(text);
        Ok(Vec::new())
    }

    fn is_line(&self) -> bool {
        true
    }

    fn may_be_empty(&self) -> bool {
        true
    }

    fn typed(&self, model: &mut Model, text: &str) -> Result<(), String> {
        model.pane_mut().top.look_for(text);
        Ok(())
    }

    fn dismiss(&self, model: &mut Model) {
        model.pane_mut().top.look_for("");
    }
}

/// Opens the menu of signals for the process under the cursor.
fn signals(model: &mut Model) {
    let Some((of, member)) = chosen(&model.pane().top) else {
        model.say(Tone::Plain, "no process is selected", None);
        return;
    };
    let process = Process { pid: member.row.pid, start_time: member.row.start_time };
    let title = format!("Send a signal to process {} ({})", member.row.inner_pid, word(&member.row.command));
    model.open(SignalMenu::new(title, Receivers::Process(of, process)));
}

/// Returns the first word of a command, without its path.
fn word(command: &str) -> String {
    let word = command.split_whitespace().next().unwrap_or_default();
    let word = word.rsplit('/').next().unwrap_or_default();
    word.chars().filter(|c| !c.is_control()).take(24).collect()
}

fn chosen(pane: &TopPane) -> Option<(ContainerId, Member)> {
    Some((pane.of.clone()?, pane.selected()?.clone()))
}

/// Shows the details of the process under the cursor.
fn page(model: &mut Model) -> Vec<Effect> {
    match chosen(&model.pane().top) {
        Some((of, member)) => vec![Effect::ReadProcess(of, member.row.pid)],
        None => {
            model.say(Tone::Plain, "no process is selected", None);
            Vec::new()
        }
    }
}
