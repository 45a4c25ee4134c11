//! Applies events to the model. No I/O, no clock, no await, no engine.
//!
//! ```text
//!  key ─ keymap(place) ─▶ action ─┬─ dialog   (a dialog is open)
//!                                 ├─ window   (splitting panes, moving between them)
//!                                 ├─ viewer   (a pane has the focus)
//!                                 ├─ object   (verbs on the selected objects)
//!                                 └─ here     (moving the cursor, and the app itself)
//!  events of the driver ─▶ news
//! ```

pub(crate) mod batch;
pub(crate) mod copy;
pub(crate) mod countdown;
pub(crate) mod gone;
pub(crate) mod guard;
pub(crate) mod news;
pub(crate) mod object;
pub(crate) mod settings;
#[cfg(test)]
pub(crate) mod silence;
#[cfg(test)]
mod subject;
#[cfg(test)]
mod tests;
pub(crate) mod viewer;
pub(crate) mod window;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};

use super::action::{Action, Group};
use super::event::{Configured, Event};
use super::key::{Key, show_strokes};
use super::keymap::{Found, KeyContext};
use super::model::{Focus, Model, Notice};
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::line::update::command::CommandLine;
use crate::tui::line::update::{prompt, revise};
use crate::tui::list::jumps::Jumps;
use crate::tui::page::model::Page;
use crate::tui::section::Section;
use crate::tui::tab::{PaneId, Tab};
use crate::tui::{
    custom, dialogs, files, help, list, navigator, palette, tasks, terminal, themes, trash, undo, verbs,
};

/// Changes the model and returns what to do.
pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let is_input = matches!(event, Event::Key(_) | Event::Mouse(_));
    // The next input answers a notice that asks for a key, whatever it is.
    let was_asked = is_input && model.notice.as_mut().is_some_and(|notice| std::mem::take(&mut notice.asks));
    let input = is_input.then(|| (place(model), model.notice.clone()));
    let effects = match event {
        Event::Key(key) => press(model, key),
        Event::Paste(text) => paste(model, text),
        Event::Mouse(mouse) => point(model, mouse),
        Event::Resize(width, height) => {
            model.size = (width, height);
            Vec::new()
        }
        Event::Configured(configured) => settings::configured(model, *configured),
        Event::Ground(ground) => {
            settings::ground(model, ground);
            Vec::new()
        }
        Event::LacksUnicode => settings::lacks_unicode(model),
        Event::Command(ready) => custom::update::go(model, *ready),
        other => news::take(model, other),
    };
    if input.is_some() {
        list::update::agreed(model, &effects);
    }
    let mut effects = guard::sift(model, effects);
    undo::update::watch(model, &effects);
    trash::update::watch(model, &effects);
    countdown::watch(model, &effects);
    model.settle();
    if let Some((place_before, notice)) = input {
        leave_notice(model, &place_before, (notice.as_ref(), was_asked));
    }
    // Earlier events are read once, when they first become visible.
    if model.shows_journal() && !model.journal_is_asked {
        model.journal_is_asked = true;
        effects.push(Effect::Load(Section::Events));
    }
    effects
}

/// What the user is looking at.
struct InUse {
    /// The list, the pane and the tab.
    page: (Section, Focus, PaneId, Tab),
    /// Who gets the keys there: a terminal or hoist.
    keys: KeyContext,
    /// The number of open dialogs.
    dialogs: usize,
}

fn place(model: &Model) -> InUse {
    let tab = model.shown_tab(model.pane());
    let page = (model.section, model.focus, model.pane().id, tab);
    InUse { page, keys: model.key_context_below(), dialogs: model.layers.len() }
}

/// Drops a notice about what was done somewhere else, one that asked for a key and got another one,
/// and a long one that would cover another page or dialog, since the details keep it. Other warnings
/// and failures stay until their time.
fn leave_notice(model: &mut Model, before: &InUse, (notice, was_asked): (Option<&Notice>, bool)) {
    let is_quiet = notice.is_some_and(|notice| matches!(notice.tone, Tone::Good | Tone::Plain));
    let is_long = notice.is_some_and(|notice| model.is_long(notice));
    let now = place(model);
    let is_other_page = now.page != before.page;
    let is_elsewhere = is_other_page || now.keys != before.keys;
    // Taking the keys from a terminal leaves the page as it is.
    let is_covering = is_long && (is_other_page || now.dialogs > before.dialogs);
    let is_over = was_asked || is_quiet && is_elsewhere || is_covering;
    if is_over && model.notice.as_ref() == notice {
        model.notice = None;
    }
    if !model.notice.as_ref().is_some_and(|notice| notice.asks) {
        model.is_leaving = false;
    }
}

/// Applies the user's configuration at the start.
pub fn begin(model: &mut Model, configured: Configured) {
    settings::begin(model, configured);
    model.settle();
}

/// Returns the effects before the first event.
#[must_use]
pub fn start() -> Vec<Effect> {
    let is_read = |section: &Section| section.screen().is_read_at_start;
    Section::ALL.into_iter().filter(is_read).map(Effect::Load).chain([Effect::Machine]).collect()
}

fn press(model: &mut Model, event: KeyEvent) -> Vec<Effect> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let key = Key::from_event(event);
    let was_released = std::mem::take(&mut model.was_released);
    if let (KeyContext::Released, Tab::Session(id)) = (model.key_context(), model.shown_tab(model.pane()))
        && model.keymap.find(KeyContext::Terminal, &[key]) == Found::Action(Action::Release)
    {
        model.pending.clear();
        let mut effects = terminal::update::take_keys(model, id);
        effects.extend((was_released && model.typing == Some(id)).then_some(Effect::Type(id, key)));
        return effects;
    }
    if key.code == KeyCode::Esc && !model.pending.is_empty() && model.key_context() != KeyContext::Terminal {
        model.pending.clear();
        return Vec::new();
    }
    let place = model.key_context();
    let scope = model.scope(place);
    model.pending.push(key);
    match model.keymap.find(scope, &model.pending) {
        Found::Action(action) => {
            let keys = std::mem::take(&mut model.pending);
            match model.keymap.custom(scope, &keys) {
                Some(custom) => custom::update::run(model, custom),
                None => act(model, action),
            }
        }
        Found::More => {
            model.pending_since = model.now;
            Vec::new()
        }
        Found::Nothing => {
            let keys = std::mem::take(&mut model.pending);
            unbound(model, place, &keys, event)
        }
    }
}

/// Passes a key without a binding to a program or to an input field.
fn unbound(model: &mut Model, place: KeyContext, keys: &[Key], event: KeyEvent) -> Vec<Effect> {
    match place {
        KeyContext::Terminal => match model.shown_tab(model.pane()) {
            Tab::Session(id) if keys.iter().any(|key| terminal::update::holds_back(model, id, *key)) => {
                Vec::new()
            }
            Tab::Session(id) => keys.iter().map(|key| Effect::Type(id, *key)).collect(),
            _ => Vec::new(),
        },
        KeyContext::Released if model.keeps_shown_keys() => {
            model.refuse("the program gets no keys");
            Vec::new()
        }
        // Probably meant for the program.
        KeyContext::Released => {
            let key = model.keys_of(place, Action::Type);
            model.say(
                Tone::Plain,
                "keys go to hoist, not to the terminal",
                Some(format!("press {key} to type")),
            );
            Vec::new()
        }
        _ if !model.layers.is_empty() => dialogs::key(model, event),
        _ => {
            say_unbound(model, place, keys);
            Vec::new()
        }
    }
}

/// Says that keys do nothing, and where they would do something.
fn say_unbound(model: &mut Model, place: KeyContext, keys: &[Key]) {
    let shown = model.signs(&show_strokes(keys));
    let list = model.section.key_context();
    let back = model.keys_of(place, Action::Back);
    // In copy mode, `back` leads to the terminal.
    let leads_there = place != list && place != KeyContext::Copy && !back.is_empty();
    if !leads_there || model.keymap.find(list, keys) == Found::Nothing {
        let help = model.keys_of(place, Action::Help);
        let hint = (!help.is_empty()).then(|| format!("{help} shows the keys"));
        model.say(Tone::Plain, format!("`{shown}` does nothing here"), hint);
        return;
    }
    // A prefix stands for the keys of the list.
    let lines = model.bindings(place).iter();
    let mut behind = lines.filter(|line| line.keys.len() > keys.len() && line.keys[1..].starts_with(keys));
    let prefixed = behind.find(|line| model.keymap.imports(line)).map(|line| show_strokes(&line.keys[..1]));
    let hint = match prefixed {
        Some(prefix) => format!("{back} goes there, {prefix}{shown} works here"),
        None => format!("{back} goes there"),
    };
    model.say(Tone::Plain, format!("`{shown}` works in the list"), Some(hint));
}

fn paste(model: &mut Model, text: String) -> Vec<Effect> {
    match (model.key_context(), model.shown_tab(model.pane())) {
        (KeyContext::Terminal, Tab::Session(id)) => vec![Effect::Paste(id, text)],
        _ => dialogs::paste(model, &text),
    }
}

fn point(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    if !model.layers.is_empty() {
        return point_at_menu(model, mouse);
    }
    if let Some(effects) = terminal::update::point(model, mouse) {
        return effects;
    }
    let layout = model.layout();
    let at = ratatui::layout::Position::new(mouse.column, mouse.row);
    let under = model.panes().into_iter().find(|(_, area)| area.contains(at));
    let on_detail = under.is_some();
    let by = match mouse.kind {
        MouseEventKind::ScrollUp => -3,
        MouseEventKind::ScrollDown => 3,
        MouseEventKind::Down(MouseButton::Left) if on_detail => {
            if let Some((id, area)) = under {
                model.windows.select(id);
                let line = usize::from(mouse.row.saturating_sub(area.y + 1));
                model.shown_tab(model.pane()).viewer().point(model.pane_mut(), line);
            }
            model.focus = Focus::Detail;
            return Vec::new();
        }
        MouseEventKind::Down(MouseButton::Left) if layout.tabs.contains(at) => {
            let at = model.title_at(mouse.column);
            match at {
                Some(at) if model.is_zoomed => {
                    if let Some(tab) = model.tabs(model.pane()).get(at) {
                        model.pane_mut().tab = *tab;
                    }
                }
                Some(at) => Section::ALL.get(at).into_iter().for_each(|section| model.go(*section)),
                None => {}
            }
            return Vec::new();
        }
        MouseEventKind::Down(MouseButton::Left)
            if let Some(area) = layout.navigator.filter(|area| area.contains(at)) =>
        {
            let line = mouse.row.checked_sub(area.y + 1).filter(|line| line + 2 < area.height);
            line.into_iter().for_each(|line| navigator::update::point(model, usize::from(line)));
            return Vec::new();
        }
        MouseEventKind::Down(MouseButton::Left) if layout.status.contains(at) => {
            if model.alerts.count() > 0 && mouse.column >= layout.status.width / 2 {
                navigator::update::next_alert(model);
            }
            return Vec::new();
        }
        MouseEventKind::Down(button @ (MouseButton::Left | MouseButton::Right)) => {
            if let Some(list) = layout.list.filter(|area| area.contains(at)) {
                point_at_list(model, button, (mouse.column, mouse.row.saturating_sub(list.y)));
            }
            return Vec::new();
        }
        _ => return Vec::new(),
    };
    if on_detail {
        return viewer::scroll(model, by);
    }
    if layout.navigator.is_some_and(|area| area.contains(at)) {
        navigator::update::scroll(model, isize::try_from(by).unwrap_or(0));
        return Vec::new();
    }
    model.list_mut().step(isize::try_from(by).unwrap_or(0));
    Vec::new()
}

/// Selects the row at a column of the screen and a line of the list, whose first one is the border;
/// the right button also opens the menu of its verbs. The headings sort.
fn point_at_list(model: &mut Model, button: MouseButton, (column, line): (u16, u16)) {
    model.focus = Focus::List;
    if line == 1 {
        if let Some(column) = model.column_at(column).filter(|_| button == MouseButton::Left) {
            model.list_mut().order_by(column);
        }
        return;
    }
    let list = model.list_mut();
    let Some(place) = line.checked_sub(2).and_then(|line| list.place_at(line.into())) else { return };
    list.select(place);
    if button == MouseButton::Right {
        verbs::open(model);
    }
}

/// Chooses an item of the topmost dialog if it is a menu; a click elsewhere closes the menu.
fn point_at_menu(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    let size = model.size;
    let Some(menu) = model.layers.last_mut().and_then(|top| top.dialog_mut().menu()) else {
        return Vec::new();
    };
    let at = ratatui::layout::Position::new(mouse.column, mouse.row);
    let action = match mouse.kind {
        MouseEventKind::ScrollUp => Action::Up,
        MouseEventKind::ScrollDown => Action::Down,
        MouseEventKind::Down(_) => match menu.item_at(size, at) {
            Some(item) => {
                menu.cursor = item;
                Action::Accept
            }
            None if menu.area(size).contains(at) => return Vec::new(),
            None => Action::Back,
        },
        _ => return Vec::new(),
    };
    model.act(action)
}

impl Model {
    /// Applies `action` where the focus is. This is a method, so that a feature can apply any
    /// action without naming other features.
    pub(crate) fn act(&mut self, action: Action) -> Vec<Effect> {
        act(self, action)
    }

    /// Like [`Self::act`] for movements and actions of the app, but ignores dialogs.
    pub(crate) fn act_here(&mut self, action: Action) -> Vec<Effect> {
        here(self, action)
    }
}

fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if guard::refuses(model, action) {
        return Vec::new();
    }
    if !model.layers.is_empty() {
        return dialogs::act(model, action);
    }
    if gone::refuses(model, action) {
        return Vec::new();
    }
    if model.focus == Focus::Navigator
        && let Some(effects) = navigator::update::act(model, action)
    {
        return effects;
    }
    if let Some(effects) = files::update::show(model, action) {
        return effects;
    }
    let viewer = model.shown_tab(model.pane()).viewer();
    if model.focus == Focus::Detail
        && viewer.has_all_keys()
        && let Some(effects) = viewer.act(model, action)
    {
        return effects;
    }
    if let Some(effects) = window::act(model, action) {
        return effects;
    }
    if model.focus == Focus::Detail
        && let Some(effects) = viewer::act(model, action)
    {
        return effects;
    }
    if let Some(effects) = list::update::act(model, action) {
        return effects;
    }
    if let Some(effects) = copy::act(model, action) {
        return effects;
    }
    if let Some(effects) = model.act_on_object(action) {
        list::update::remember(model, action, &effects);
        return effects;
    }
    here(model, action)
}

/// Applies movements and actions of the app itself.
fn here(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(section) = Section::shown_by(action) {
        model.go(section);
        model.is_leaving = false;
        return Vec::new();
    }
    let page = isize::try_from(model.layout().list_rows().max(2)).unwrap_or(2);
    match action {
        Action::Down => model.list_mut().step(1),
        Action::Up => model.list_mut().step(-1),
        Action::HalfDown => model.list_mut().step(page / 2),
        Action::HalfUp => model.list_mut().step(-page / 2),
        Action::PageDown => model.list_mut().step(page - 1),
        Action::PageUp => model.list_mut().step(1 - page),
        Action::First => model.list_mut().select(0),
        Action::Last => model.list_mut().select(usize::MAX),
        Action::JumpBack => list::update::jump(model, Jumps::back),
        Action::JumpForward => list::update::jump(model, Jumps::forward),
        Action::GoAlert => navigator::update::next_alert(model),
        Action::SeeAlerts => navigator::update::see_all(model),
        Action::Navigator => navigator::update::toggle(model),
        Action::Undo => return undo::update::undo(model),
        Action::NextTab => turn(model, 1),
        Action::PreviousTab => turn(model, -1),
        Action::Open => open(model),
        Action::Back => {
            model.is_leaving = false;
            return back(model);
        }
        Action::Search => {
            let filter = model.list_mut().filter().clone();
            revise(model, list::update::prompt::RowFilter, &filter);
        }
        Action::ShowAll if model.containers.all().is_empty() => {
            model.say(Tone::Plain, "there are no containers", None);
        }
        Action::ShowAll => model.shows_all = !model.shows_all,
        Action::Help => help::update::open(model),
        Action::Host => custom::update::ask_line(model),
        Action::Command => prompt(model, CommandLine, ""),
        Action::Palette => palette::update::open(model),
        Action::Details => details(model),
        Action::Theme => themes::update::open(model),
        Action::Refresh if model.section == Section::Events => return vec![Effect::Load(Section::Events)],
        Action::Refresh => return start(),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Quit => return tasks::update::session::quit(model),
        Action::Cancel if model.is_leaving => return vec![Effect::Quit],
        // This asks, so there is no need to press it twice.
        Action::Cancel if tasks::update::session::has_work(model) => {
            return tasks::update::session::quit(model);
        }
        Action::Cancel => {
            model.is_leaving = true;
            model.ask_again(Tone::Plain, "press again to quit hoist; containers keep running", None);
            return Vec::new();
        }
        Action::Zoom => model.say(Tone::Plain, "nothing is selected", None),
        // The cursor is visibly at the end, so nothing needs to be said.
        _ if action.group() == Group::Move => {}
        _ => model.say(Tone::Plain, format!("`{}` is not available here", action.label()), None),
    }
    model.is_leaving = false;
    Vec::new()
}

fn turn(model: &mut Model, by: isize) {
    let tabs = model.tabs(model.pane());
    if tabs.len() > 1 && model.layout().detail.is_some() {
        let shown = model.shown_tab(model.pane());
        let at = tabs.iter().position(|tab| *tab == shown).unwrap_or(0);
        let next = at.checked_add_signed(by).unwrap_or(tabs.len() - 1);
        model.pane_mut().tab = tabs[next % tabs.len()];
    } else {
        model.say(Tone::Plain, "there are no other tabs", None);
    }
}

fn open(model: &mut Model) {
    if let Some(is_folded) = model.list().heading_is_folded() {
        model.list_mut().fold(!is_folded);
    } else if (model.section.screen().open)(model) {
        // Handled by the list itself.
    } else if model.subject().is_some() {
        let last = model.windows.following().and_then(|id| model.windows.get(id)).map(|pane| pane.tab);
        let tab = (model.section.screen().first_tab)(model, last);
        model.show_tab(tab);
        (model.is_zoomed, model.is_alone) = (true, true);
    } else {
        model.say(Tone::Plain, "nothing is selected", None);
    }
}

fn back(model: &mut Model) -> Vec<Effect> {
    if model.focus == Focus::Detail {
        model.leave_panes();
    } else if let Some(effects) = batch::cancel(model) {
        return effects;
    } else {
        leave(model);
    }
    Vec::new()
}

/// Takes back what narrows or marks the list, or the notice, one at a time.
fn leave(model: &mut Model) {
    if !model.list_mut().filter().is_empty() {
        model.list_mut().filter().clear();
    } else if model.list_mut().unmark() {
        model.notice = None;
    } else if model.notice.take().is_none() {
        let keys = model.keys_of(KeyContext::Global, Action::Quit);
        model.say(Tone::Plain, format!("{keys} quits hoist; containers keep running"), None);
    }
}

fn details(model: &mut Model) {
    match model.details() {
        Some((title, lines)) => model.open(Page::new(title.to_owned(), lines)),
        None => model.say(Tone::Good, "no errors or long messages", None),
    }
}
