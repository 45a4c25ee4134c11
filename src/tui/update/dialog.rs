//! Keys of what lies over the screen: prompts, questions, menus, forms, pages.

use crossterm::event::KeyEvent;

use super::object::{confirmed, terminal};
use crate::command::{join, split};
use crate::engine::Name;
use crate::oci::Reference;
use crate::tui::action::Action;
use crate::tui::event::{Effect, Job, Program, Verb};
use crate::tui::form::update::preset;
use crate::tui::line::update::{command, complete, history, note};
use crate::tui::list::filter::Filter;
use crate::tui::model::layer::{Layer, Page, Prompt, Purpose};
use crate::tui::model::{Model, Section, Tab};
use crate::tui::tasks::model::TaskId;
use crate::tui::tasks::update::quiet_work;
use crate::tui::terminal::copy::Walk;
use crate::tui::update::viewer;
use crate::tui::{custom, files, form, help, list, palette, removal, tasks, themes};

/// What `action` does to the topmost layer.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let size = model.size;
    match model.layers.last_mut() {
        Some(Layer::Prompt(_)) => return prompt(model, action),
        Some(Layer::Confirm(question)) => {
            let room = question.rows(size);
            let step = room.saturating_sub(1).max(1);
            let last = question.items.len().saturating_sub(room);
            question.top = match action {
                Action::Down => (question.top + 1).min(last),
                Action::Up => question.top.saturating_sub(1),
                Action::PageDown => (question.top + step).min(last),
                Action::PageUp => question.top.saturating_sub(step),
                _ => {
                    let question = model.layers.pop();
                    return match (question, action) {
                        (Some(Layer::Confirm(question)), Action::Accept) => {
                            confirmed(model, question.effects)
                        }
                        _ => Vec::new(),
                    };
                }
            };
        }
        Some(Layer::Removal(_)) => return removal::update::act(model, action),
        Some(Layer::Menu(_)) => return menu(model, action),
        Some(Layer::Merge(_)) => return crate::tui::logs::update::merging(model, action),
        Some(Layer::Columns(_)) => return list::update::choose(model, action),
        Some(Layer::Run(_)) => return form::update::act(model, action),
        Some(Layer::Presets(_)) => return preset::act(model, action),
        Some(Layer::Palette(_)) => return palette::update::act(model, action),
        Some(Layer::Progress(_)) => return tasks::update::watch(model, action),
        Some(Layer::Output(_)) => return tasks::update::reading(model, action),
        Some(Layer::Page(page)) => turn(page, action, size).then(|| model.layers.pop()).map_or((), drop),
        Some(Layer::Help(_)) => return help::update::act(model, action),
        Some(Layer::Themes(_)) => return themes::update::act(model, action),
        Some(Layer::Ask(_)) => return custom::update::act(model, action),
        None => {}
    }
    Vec::new()
}

/// Scrolls a page; gives whether it is to be closed.
fn turn(page: &mut Page, action: Action, size: (u16, u16)) -> bool {
    let step = Page::room(size).1.saturating_sub(1).max(2);
    page.top = match action {
        Action::Down => page.top + 1,
        Action::Up => page.top.saturating_sub(1),
        Action::HalfDown => page.top + step / 2,
        Action::HalfUp => page.top.saturating_sub(step / 2),
        Action::PageDown => page.top + step,
        Action::PageUp => page.top.saturating_sub(step),
        Action::First => 0,
        Action::Last => page.rows().len(),
        _ => return true,
    };
    false
}

/// A key that is typed into a field.
pub(crate) fn typed(model: &mut Model, event: KeyEvent) -> Vec<Effect> {
    let input = match model.layers.last_mut() {
        Some(Layer::Prompt(prompt)) => Some(&mut prompt.input),
        Some(Layer::Run(form)) => form.typed(),
        Some(Layer::Palette(palette)) => Some(&mut palette.input),
        Some(Layer::Ask(ask)) => {
            ask.error = None;
            Some(&mut ask.input)
        }
        Some(Layer::Help(_)) => {
            help::update::typed(model, event);
            return Vec::new();
        }
        _ => None,
    };
    input.into_iter().for_each(|input| input.key(event));
    as_typed(model)
}

/// Text that is pasted into a field.
pub(crate) fn pasted(model: &mut Model, text: &str) -> Vec<Effect> {
    let input = match model.layers.last_mut() {
        Some(Layer::Prompt(prompt)) => Some(&mut prompt.input),
        Some(Layer::Run(form)) => form.typed(),
        Some(Layer::Palette(palette)) => Some(&mut palette.input),
        Some(Layer::Help(help)) => Some(&mut help.input),
        Some(Layer::Ask(ask)) => Some(&mut ask.input),
        _ => None,
    };
    input.into_iter().for_each(|input| input.paste(text));
    as_typed(model)
}

/// What shows while it is typed: a filter filters, candidates are listed, mistakes are told.
fn as_typed(model: &mut Model) -> Vec<Effect> {
    match model.layers.last_mut() {
        Some(Layer::Prompt(prompt)) => {
            (prompt.error, prompt.back) = (None, 0);
            if prompt.purpose == Purpose::Filter {
                let filter = prompt.input.text().to_owned();
                prompt.error = Filter::parse(&filter).err().map(|bad| bad.to_string());
                *super::cursor(model).filter() = filter;
            } else if prompt.purpose == Purpose::TopFilter {
                let filter = prompt.input.text().to_owned();
                model.pane_mut().top.look_for(&filter);
            } else if prompt.purpose == Purpose::FileFilter {
                let filter = prompt.input.text().to_owned();
                files::update::filter(model, &filter);
            }
            note::of_prompt(model)
        }
        Some(Layer::Run(_)) => form::update::check(model),
        Some(Layer::Palette(palette)) => {
            palette.search();
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Says again what there is to say about what is typed, with what became known since.
pub(crate) fn rechecked(model: &mut Model) -> Vec<Effect> {
    match model.layers.last() {
        Some(Layer::Prompt(_)) => note::of_prompt(model),
        Some(Layer::Run(_)) => form::update::check(model),
        _ => Vec::new(),
    }
}

fn prompt(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = model.layers.last_mut() else { return Vec::new() };
    match action {
        Action::Accept => return accept(model),
        Action::Complete => return complete::take(model, 1),
        Action::CompleteBack => return complete::take(model, -1),
        Action::Older if prompt.purpose == Purpose::Command => history::older(model),
        Action::Newer if prompt.purpose == Purpose::Command => history::newer(model),
        Action::Dismiss => {
            let is_filter = prompt.purpose == Purpose::Filter;
            let is_of_top = prompt.purpose == Purpose::TopFilter;
            if prompt.purpose == Purpose::FileFilter {
                files::update::filter(model, "");
            }
            model.layers.pop();
            if is_filter {
                super::cursor(model).filter().clear();
            } else if is_of_top {
                model.pane_mut().top.look_for("");
            }
        }
        _ => {}
    }
    Vec::new()
}

fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = model.layers.pop() else { return Vec::new() };
    let text = prompt.input.text().trim().to_owned();
    let again = |model: &mut Model, mut prompt: Box<Prompt>, error: String| {
        prompt.error = Some(error);
        model.layers.push(Layer::Prompt(prompt));
        Vec::new()
    };
    let may_be_empty = matches!(
        prompt.purpose,
        Purpose::Filter | Purpose::Search | Purpose::LogFilter | Purpose::TopFilter | Purpose::FileFilter
    );
    if text.is_empty() && !may_be_empty {
        return Vec::new();
    }
    match prompt.purpose.clone() {
        Purpose::Filter => {
            if let Err(bad) = Filter::parse(&text) {
                return again(model, prompt, bad.to_string());
            }
            *super::cursor(model).filter() = text;
        }
        Purpose::Search if model.copying.is_some() => {
            let id = model.copying.filter(|_| !text.is_empty());
            return id.map(|id| Effect::Walk(id, Walk::Search(text))).into_iter().collect();
        }
        Purpose::Search if model.shown_tab(model.pane()) != Tab::Logs => {
            let pane = model.pane_mut();
            (pane.inspect.search, pane.inspect.hit) = (text, None);
            viewer::next_match(model, false);
        }
        Purpose::Search | Purpose::LogFilter | Purpose::LogSince | Purpose::LogSave => {
            return match crate::tui::logs::update::typed(model, &prompt.purpose, &text) {
                Ok(effects) => effects,
                Err(error) => again(model, prompt, error),
            };
        }
        Purpose::FileFilter => files::update::filter(model, &text),
        purpose @ (Purpose::MakeFolder(..) | Purpose::RenameFile(..) | Purpose::ExtractTo(_)) => {
            return match files::update::typed(model, &purpose, &text) {
                Ok(effects) => effects,
                Err(error) => again(model, prompt, error),
            };
        }
        Purpose::Command => return command::line(model, &text),
        Purpose::Preset => return preset::save(model, &text),
        Purpose::RunWords => {
            let filled = match (split(&text), model.layers.last_mut()) {
                (Ok(words), Some(Layer::Run(form))) => form.fill(&words),
                (Err(usage), _) => Err(usage.message().to_owned()),
                (Ok(_), _) => Ok(()),
            };
            return match filled {
                Ok(()) => form::update::check(model),
                Err(why) => again(model, prompt, why),
            };
        }
        Purpose::Pull => return command::work_of(model, vec!["pull".to_owned(), text]),
        Purpose::Load => return command::work_of(model, vec!["load".to_owned(), "-i".to_owned(), text]),
        Purpose::Import => match split(&text) {
            Ok(words) if words.len() == 2 => {
                return command::work_of(model, [vec!["import".to_owned()], words].concat());
            }
            _ => return again(model, prompt, "want a path, then a name".to_owned()),
        },
        Purpose::TopFilter => model.pane_mut().top.look_for(&text),
        Purpose::SaveCsv => return crate::tui::stats::update::save_csv(model, &text),
        Purpose::Tag(image) => match text.parse::<Reference>() {
            Ok(_) => return vec![Effect::TagImage(image, text)],
            Err(error) => return again(model, prompt, error.to_string()),
        },
        Purpose::Rename(id) => match text.parse::<Name>() {
            Ok(name) => return confirmed(model, vec![Effect::Container(Verb::Rename(name), id)]),
            Err(error) => return again(model, prompt, error.to_string()),
        },
        Purpose::RestoreAs(id) => return vec![Effect::Restore(id, Some(text))],
        Purpose::Exec(id) => {
            let Some(row) = model.containers.get(id.as_str()).cloned() else { return Vec::new() };
            return match split(&text) {
                Ok(words) => terminal(model, &row, Program::Words(words)),
                Err(usage) => again(model, prompt, usage.to_string()),
            };
        }
    }
    Vec::new()
}

fn menu(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Menu(menu)) = model.layers.last_mut() else { return Vec::new() };
    match action {
        Action::Down => menu.cursor = (menu.cursor + 1).min(menu.items.len().saturating_sub(1)),
        Action::Up => menu.cursor = menu.cursor.saturating_sub(1),
        Action::Accept => {
            let signal = menu.items.get(menu.cursor).map(|(name, _)| name.clone());
            let ids = std::mem::take(&mut menu.containers);
            let process = menu.process;
            model.layers.pop();
            if let (Some(process), Some(id), Some(signal)) = (process, ids.first(), &signal) {
                return vec![Effect::Signal(id.clone(), process, signal.clone())];
            }
            let kill = |signal: String| {
                ids.into_iter().map(|id| Effect::Container(Verb::Kill(signal.clone()), id)).collect()
            };
            return signal.map_or_else(Vec::new, |signal| confirmed(model, kill(signal)));
        }
        _ => drop(model.layers.pop()),
    }
    Vec::new()
}

/// Runs these words of the command line; how that goes on is shown only when an image is pulled.
pub(crate) fn run(model: &mut Model, words: Vec<String>) -> Vec<Effect> {
    model.section = Section::Containers;
    super::window::leave(model);
    vec![quiet_work(model, &join(&words), Job::Words(words))]
}

/// Closes what shows how work goes on, where it is `id`.
pub(crate) fn close_progress(model: &mut Model, id: TaskId) {
    model.layers.retain(|layer| !matches!(layer, Layer::Progress(watch) if watch.id == id));
}
