//! The `:` line: commands of the TUI itself, else those of the command line, by its grammar.

use super::object::{quiet_work, terminal, work};
use super::{Action, app, dialog, here, show_tab};
use crate::command::{self, Request, Usage, World, join, split};
use crate::tui::event::{Effect, Job, Program};
use crate::tui::model::layer::{Input, Layer, Page, PageKind};
use crate::tui::model::rows::ContainerRow;
use crate::tui::model::{Failure, Focus, Model, Section, Tab};

/// Does what a line says.
pub(super) fn line(model: &mut Model, text: &str) -> Vec<Effect> {
    model.history.retain(|old| old != text);
    model.history.push(text.to_owned());
    let words = match split(text) {
        Ok(words) => words,
        Err(usage) => return refuse(model, &usage),
    };
    match words.as_slice() {
        [] => Vec::new(),
        _ => match (app::run(model, &words), command::parse(&words, &model.world)) {
            (Some(effects), _) => effects,
            (None, Ok(parsed)) => request(model, words, parsed.request),
            (None, Err(usage)) => refuse(model, &usage),
        },
    }
}

/// Does what the words of the command line ask for: what has a screen is shown, the rest is work.
fn request(model: &mut Model, words: Vec<String>, request: Request) -> Vec<Effect> {
    match request {
        Request::Show(text) => {
            let kind = PageKind::Text(text.lines().map(str::to_owned).collect());
            model.layers.push(Layer::Page(Page { title: words.join(" "), kind, top: 0 }));
            Vec::new()
        }
        Request::Nothing => Vec::new(),
        Request::Ps(_) => here(model, Action::GoContainers),
        Request::Images(_) => here(model, Action::GoImages),
        Request::NetworkLs(_) => here(model, Action::GoNetworks),
        Request::VolumeLs(_) => here(model, Action::GoVolumes),
        Request::Logs(logs) => show(model, &logs.target, Tab::Logs),
        Request::Top(top) => show(model, top.words.first().map_or("", String::as_str), Tab::Top),
        Request::Stats(_) => show(model, words.last().map_or("", String::as_str), Tab::Stats),
        Request::Inspect(inspect) => {
            show(model, inspect.names.first().map_or("", String::as_str), Tab::Inspect)
        }
        Request::Attach(attach) => open(model, &attach.target, Program::Attach),
        Request::Exec(exec) if !exec.request.detach => {
            open(model, &exec.target, Program::Words(exec.request.command))
        }
        Request::Run(_) => dialog::run(model, words),
        Request::Create(_)
        | Request::Pull(_)
        | Request::Load(_)
        | Request::Import(_)
        | Request::FromHost(_) => work_of(model, words),
        Request::Start(_)
        | Request::Stop(_)
        | Request::Restart(_)
        | Request::Kill(_)
        | Request::Pause(_)
        | Request::Unpause(_)
        | Request::Rm(_)
        | Request::Rename(_)
        | Request::Wait(_)
        | Request::Rmi(_)
        | Request::Tag(_) => vec![quiet_work(model, &join(&words), Job::Words(words))],
        _ => {
            model.fail(Failure {
                what: format!("`{}` has no screen here", join(&words)),
                why: Vec::new(),
                hint: Some("run it on the command line".to_owned()),
            });
            Vec::new()
        }
    }
}

/// Begins the work that words of the command line ask for, and shows how it goes on.
pub(super) fn work_of(model: &mut Model, words: Vec<String>) -> Vec<Effect> {
    match command::parse(&words, &model.world) {
        Ok(_) => vec![work(model, &join(&words), Job::Words(words))],
        Err(usage) => refuse(model, &usage),
    }
}

/// The container that a name, an id or the start of an id means.
fn find<'a>(model: &'a Model, target: &str) -> Option<&'a ContainerRow> {
    let rows = model.containers.all();
    let by_name = rows.iter().find(|row| row.name == target);
    by_name.or_else(|| rows.iter().find(|row| !target.is_empty() && row.id.as_str().starts_with(target)))
}

/// Puts the cursor on a container.
fn select(model: &mut Model, target: &str) -> Option<ContainerRow> {
    let Some(row) = find(model, target).cloned() else {
        model.fail(Failure { what: format!("No such container: {target}"), ..Failure::default() });
        return None;
    };
    model.section = Section::Containers;
    (model.shows_all, model.focus) = (true, Focus::List);
    model.containers.filter.clear();
    model.settle();
    model.containers.select_key(row.id.as_str());
    Some(row)
}

fn show(model: &mut Model, target: &str, tab: Tab) -> Vec<Effect> {
    if select(model, target).is_some() {
        show_tab(model, tab);
    }
    Vec::new()
}

fn open(model: &mut Model, target: &str, program: Program) -> Vec<Effect> {
    match select(model, target) {
        Some(row) => terminal(model, &row, program),
        None => Vec::new(),
    }
}

fn refuse(model: &mut Model, usage: &Usage) -> Vec<Effect> {
    let text = usage.to_string();
    let what = text.lines().next().unwrap_or_default().to_owned();
    let hint = text.lines().find_map(|line| line.strip_prefix("hint: ")).map(str::to_owned);
    model.fail(Failure { what, why: Vec::new(), hint });
    Vec::new()
}

/// What is wrong with the words of a command, in one line.
pub(super) fn problem(words: Result<Vec<String>, Usage>, world: &World) -> Option<String> {
    let parsed = words.and_then(|words| command::parse(&words, world));
    parsed.err().map(|usage| usage.to_string().lines().next().unwrap_or_default().to_owned())
}

/// Completes the last word of the line: a command, then containers and images.
pub(super) fn complete(model: &mut Model) {
    let Some(Layer::Prompt(prompt)) = model.layers.last() else { return };
    let text = prompt.input.text().to_owned();
    let (before, word) = text.rsplit_once(' ').map_or(("", text.as_str()), |(before, word)| (before, word));
    if word.is_empty() {
        return;
    }
    let mut verbs = command::summary().map(|(name, _)| name).chain(app::summary().map(|(name, ..)| name));
    let names = model.containers.all().iter().map(|row| row.name.as_str());
    let images = model.images.all().iter().map(|row| row.name.as_str());
    let found = match before {
        "" => verbs.find(|name| name.starts_with(word)),
        _ => names.chain(images).find(|name| name.starts_with(word)),
    };
    if let Some(name) = found {
        let gap = if before.is_empty() { "" } else { " " };
        let line = format!("{before}{gap}{name} ");
        if let Some(Layer::Prompt(prompt)) = model.layers.last_mut() {
            prompt.input = Input::new(&line);
        }
    }
}
