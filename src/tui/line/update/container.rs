//! Requests on containers from the `:` line.

use super::objects::{begin, find, open, show};
use super::refusal::refused;
use crate::command::container::{Exec, Ps, Request, Run, Stats};
use crate::command::{self, DEFAULT_DETACH};
use crate::tui::action::Action;
use crate::tui::effect::{Effect, Job, Program};
use crate::tui::failure::Tone;
use crate::tui::keymap::KeyContext;
use crate::tui::line::update::named;
use crate::tui::model::Model;
use crate::tui::tab::Tab;
use crate::tui::tasks::update::{run as run_container, work};

/// Performs a request; `None` if its output is printed.
pub(super) fn perform(model: &mut Model, words: &[String], asked: &Request) -> Option<Vec<Effect>> {
    if let Some((why, hint)) = meaningless(asked) {
        return Some(refused(model, &why, hint));
    }
    if let Some(effects) = screen(model, asked).or_else(|| named::on_containers(model, asked)) {
        return Some(effects);
    }
    let request = || command::Request::Container(asked.clone());
    Some(match asked {
        Request::Attach(attach) if attach.stdin => open(model, &attach.target, Program::Attach),
        Request::Start(start) if start.attach || start.interactive => {
            let target = start.targets.first().map_or("", String::as_str);
            open(model, target, Program::Start)
        }
        Request::Exec(exec) if is_interactive(exec) => open(model, &exec.target, Program::Exec(exec.clone())),
        Request::Run(run) if opens_terminal(run) || (run.create.cidfile.is_none() && run.detach) => {
            run_container(model, words, request())
        }
        Request::Create(create) if create.cidfile.is_none() => {
            vec![work(model, &command::join(words), Job::Request(Box::new(request())))]
        }
        Request::Export(_) => vec![work(model, &command::join(words), Job::Request(Box::new(request())))],
        Request::Start(_)
        | Request::Stop(_)
        | Request::Restart(_)
        | Request::Kill(_)
        | Request::Pause(_)
        | Request::Unpause(_)
        | Request::Rm(_)
        | Request::Rename(_) => begin(model, words, request()),
        _ => return None,
    })
}

/// Returns the option that the request's screen would have to ignore, and what to do instead.
fn meaningless(asked: &Request) -> Option<(String, &'static str)> {
    let keys = match asked {
        Request::Attach(attach) if attach.stdin => Some(&attach.detach_keys),
        Request::Start(start) if start.attach || start.interactive => Some(&start.detach_keys),
        Request::Exec(exec) if is_interactive(exec) => Some(&exec.detach_keys),
        Request::Run(run) if opens_terminal(run) => Some(&run.detach_keys),
        _ => None,
    };
    if keys.is_some_and(|keys| keys != DEFAULT_DETACH) {
        return Some(("--detach-keys has no effect in a pane".to_owned(), "press Ctrl-] to leave the pane"));
    }
    let Request::Stats(stats) = asked else { return None };
    let option = if stats.all { "--all" } else { "--no-trunc" };
    ((stats.all || stats.no_trunc) && has_screen(stats))
        .then(|| (format!("{option} has no effect in this screen"), "add --no-stream to print the table"))
}

/// Whether the program runs in a pane.
fn is_interactive(exec: &Exec) -> bool {
    !exec.request.detach && (exec.request.tty || exec.request.interactive)
}

/// Whether a screen shows these statistics.
fn has_screen(stats: &Stats) -> bool {
    !stats.no_stream && stats.format.is_none() && stats.targets.len() < 2
}

/// Whether the container runs in a pane.
fn opens_terminal(run: &Run) -> bool {
    run.create.cidfile.is_none() && run.create.request.options.process.tty
}

/// Shows the list, which includes the usage of each container, and says so.
fn stats_of_all(model: &mut Model) -> Vec<Effect> {
    let effects = model.act_here(Action::GoContainers);
    match model.containers.all().is_empty() {
        true => model.say(Tone::Plain, "there are no containers", None),
        false => {
            let keys = model.keys_of(KeyContext::Containers, Action::Stats);
            let hint = format!("{keys} shows the charts of a container");
            model.say(Tone::Plain, "the list shows the usage of each container", Some(hint));
        }
    }
    effects
}

/// Shows a request without further options, if there is a screen for it.
fn screen(model: &mut Model, asked: &Request) -> Option<Vec<Effect>> {
    match asked {
        Request::Ps(ps) if *ps == Ps { all: ps.all, last: -1, ..Ps::default() } => {
            model.shows_all = ps.all;
            let effects = model.act_here(Action::GoContainers);
            let keys = model.keys_of(KeyContext::Containers, Action::ShowAll);
            let (text, hint) = match ps.all {
                true => ("showing all containers", format!("{keys} shows only running ones")),
                false => ("showing only running containers", format!("{keys} shows all")),
            };
            model.say(Tone::Plain, text, Some(hint));
            Some(effects)
        }
        Request::Logs(logs)
            if !logs.timestamps && (&logs.tail, &logs.since, &logs.until) == (&None, &None, &None) =>
        {
            Some(show(model, &logs.target, Tab::Logs))
        }
        Request::Top(top) => match top.words.as_slice() {
            [target] => Some(show(model, target, Tab::Top)),
            _ => None,
        },
        Request::Stats(stats) if has_screen(stats) => match stats.targets.as_slice() {
            [] => Some(stats_of_all(model)),
            [target] => Some(show(model, target, Tab::Stats)),
            _ => None,
        },
        Request::Inspect(inspect) if inspect.format.is_none() && !inspect.size => {
            match inspect.names.as_slice() {
                [name] if find(model, name).is_some() => Some(show(model, name, Tab::Inspect)),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::fixture::{empty, full, press, screen, write};
    use crate::tui::model::Model;

    fn after(mut model: Model, line: &str) -> String {
        press(&mut model, ":");
        write(&mut model, line);
        press(&mut model, "enter");
        screen(&model)
    }

    #[test]
    fn stats_without_a_name_say_where_they_are() {
        let shown = after(full(100, 30), "stats");
        assert!(
            shown.contains("the list shows the usage of each container → S shows the charts of a container"),
            "{shown}"
        );
        assert!(after(empty(100, 30), "stats").contains("there are no containers"));
        assert!(after(full(100, 30), "stats web").contains("Memory"));
    }
}
