//! The lines at the top and the bottom, and the menu of possible next keys.

use jiff::SignedDuration;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use crate::engine::Status;
use crate::tui::action::{Action, Reach};
use crate::tui::alerts;
use crate::tui::containers::words::{age, state};
use crate::tui::failure::Tone;
use crate::tui::key::show_strokes;
use crate::tui::keymap::{Binding, KeyContext};
use crate::tui::layout::Layout;
use crate::tui::list::batch::Batch;
use crate::tui::model::titles::{Title, subject_name};
use crate::tui::model::{Focus, Model};
use crate::tui::section::Section;
use crate::tui::tab::Tab;
use crate::tui::tasks::model::{Session, What};
use crate::tui::view::texts;
use crate::tui::words::{amount, bytes, cell, size, spark};

/// Draws the first line: a summary of the engine, or the zoomed pane.
pub(crate) fn header(frame: &mut Frame<'_>, model: &Model, layout: &Layout) {
    let Some(area) = layout.header else { return };
    let theme = &model.theme;
    let mut spans = Vec::new();
    if model.is_zoomed {
        let gone = model.gone();
        let name = gone.clone().unwrap_or_else(|| subject_name(model));
        spans.push(Span::styled(format!(" {} ", model.section.title()), theme.dim));
        spans.push(Span::styled(format!("› {name}"), theme.accent.add_modifier(Modifier::BOLD)));
        if gone.is_some() {
            spans.push(Span::styled("  is gone", theme.warn));
        }
        if let Some(row) = model.container() {
            let (glyph, word, style) = state(row, theme);
            let mut right = vec![
                Span::styled(format!("{glyph} {word}"), style),
                Span::styled(format!("  {}", age(row, model.now)), theme.dim),
            ];
            if let Some(now) =
                model.series.get(&row.id).and_then(|series| series.now()).filter(|_| row.is_up())
            {
                right.push(Span::raw(format!("  {:.0}% cpu  {}", now.cpu, bytes(now.memory))));
            }
            right.push(Span::raw(" "));
            frame.render_widget(Paragraph::new(Line::from(right).right_aligned()), area);
        }
        frame.render_widget(Line::from(spans), area);
        return;
    }
    spans.push(Span::styled(" hoist ", theme.accent.add_modifier(Modifier::BOLD)));
    let rows = model.containers.all();
    let up = rows.iter().filter(|row| row.is_up()).count();
    spans.push(Span::styled(format!(" {} ctr  {up} up", rows.len()), theme.dim));
    if model.section == Section::Containers && up > 0 {
        spans.extend(use_of_all(model, area.width));
    }
    let left = Line::from(spans);
    let disk = model.machine.space.filter(|_| area.width >= WIDE).map(|space| {
        let style = if space.is_short() { theme.warn } else { theme.dim };
        Line::styled(format!("disk {} free of {} ", size(space.free), size(space.total)), style)
    });
    let fits = |line: &Line<'_>| left.width() + line.width() + 2 <= usize::from(area.width);
    if let Some(disk) = disk.filter(fits) {
        frame.render_widget(Paragraph::new(disk.right_aligned()), area);
    }
    frame.render_widget(left, area);
}

/// From this width on, the first line includes the disk.
const WIDE: u16 = 160;

/// Returns the usage of all running containers together, with its history.
fn use_of_all(model: &Model, width: u16) -> Vec<Span<'static>> {
    let theme = &model.theme;
    let (cpu, memory) = model.total.latest(if width >= WIDE { 20 } else { 10 });
    let (Some(cpu_now), Some(memory_now)) = (cpu.last(), memory.last()) else { return Vec::new() };
    let highest = |values: &[f64], least: f64| values.iter().copied().fold(least, f64::max);
    // Without anything to show, there is no chart.
    let chart = |values: &[f64], top: f64| match spark(values, top) {
        blank if blank.trim().is_empty() => String::new(),
        chart => chart + " ",
    };
    let machine = model.machine;
    // Memory is shown relative to the machine's memory, if that is known.
    #[expect(clippy::cast_precision_loss, reason = "for a scale")]
    let memory_top = highest(&memory, machine.memory as f64);
    let of =
        |text: String| if width >= 100 && machine.memory > 0 { format!("/{text}") } else { String::new() };
    vec![
        Span::styled("   cpu ", theme.dim),
        // The scale is at least one CPU, so that less looks low.
        Span::styled(chart(&cpu, highest(&cpu, 100.0)), theme.g1),
        Span::raw(format!("{cpu_now:.0}%")),
        Span::styled(of(format!("{}%", machine.cpus * 100)), theme.dim),
        Span::styled("   mem ", theme.dim),
        Span::styled(chart(&memory, memory_top), theme.g2),
        Span::raw(bytes(*memory_now)),
        Span::styled(of(amount(machine.memory)), theme.dim),
    ]
}

/// Shows at the right of a line that hoist is read-only; returns the rest of the line.
pub(crate) fn mode(frame: &mut Frame<'_>, model: &Model, area: Rect) -> Rect {
    if !model.look.is_read_only {
        return area;
    }
    let text = " READ-ONLY ";
    let width = u16::try_from(text.len()).unwrap_or(0).min(area.width);
    let style = model.theme.warn.add_modifier(Modifier::REVERSED | Modifier::BOLD);
    let rest = Rect { width: area.width - width, ..area };
    frame.render_widget(Line::styled(text, style), Rect { x: rest.right(), width, ..area });
    rest
}

/// Draws the second line: the sections, or the tabs of the zoomed pane.
pub(crate) fn tabs(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    let mut spans = vec![Span::raw(" ")];
    for Title { name, is_shown } in model.titles() {
        spans.push(match is_shown {
            true => Span::styled(format!("[{name}]"), theme.accent.add_modifier(Modifier::BOLD)),
            false => Span::styled(format!(" {name} "), theme.dim),
        });
    }
    frame.render_widget(Line::from(spans), area);
}

/// Draws the last line but one: the keys of this context in keymap order, `? help` last.
pub(crate) fn keys(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    let place = model.key_context();
    let has_help = model.layers.is_empty() && place != KeyContext::Terminal;
    let help = if has_help {
        format!("{} help ", model.keys_of(KeyContext::Global, Action::Help))
    } else {
        String::new()
    };
    let mut room = usize::from(area.width).saturating_sub(help.width() + 1);
    let mut spans = vec![Span::raw(" ")];
    let mut shown = Vec::new();
    for binding in model.keymap.of(place) {
        let is_general = matches!(binding.place, KeyContext::Global) && place != KeyContext::Global;
        if is_general || shown.contains(&binding.action) || !is_useful(model, place, binding.action) {
            continue;
        }
        // The keys of an imported context need its prefix; showing that is enough.
        if matches!(binding.place, KeyContext::Viewer | KeyContext::Navigator) && binding.keys.len() > 1 {
            continue;
        }
        let (key, label) = (model.signs(&show_strokes(&binding.keys)), label(model, binding));
        let width = key.width() + label.width() + 3;
        if width > room {
            break;
        }
        room -= width;
        shown.push(binding.action);
        spans.push(Span::styled(key, theme.accent));
        spans.push(Span::styled(format!(" {label}  "), theme.text));
    }
    spans.push(Span::raw(" ".repeat(room)));
    if has_help {
        spans.push(Span::styled(help, theme.accent));
    }
    frame.render_widget(Line::from(spans), area);
}

fn is_useful(model: &Model, place: KeyContext, action: Action) -> bool {
    if model.look.is_read_only && action.reach() == Reach::Writes {
        return false;
    }
    if let Some(is_offered) = model.top().and_then(|top| top.offers(model, action)) {
        return is_offered;
    }
    if model.needs_what_is_gone(action) {
        return false;
    }
    use Action as A;
    if model.focus == Focus::Detail && !model.shown_tab(model.pane()).viewer().offers(model.pane(), action) {
        return false;
    }
    let is_on_group = model.containers.heading().is_some();
    let is_empty = place == KeyContext::Containers && model.container().is_none() && !is_on_group;
    if is_empty
        && (action.group() == "Act"
            || action.group() == "Delete"
            || action.group() == "Look"
            || action == A::RunAgain)
    {
        return false;
    }
    let is_go = action.group() == "Go" || action.group() == "Move";
    match action {
        A::Shell | A::Exec | A::Attach | A::Kill | A::Pause => {
            model.container().is_none_or(|row| row.is_up() || place != KeyContext::Containers)
        }
        A::NextMatch | A::PreviousMatch => {
            !model.pane().log.search.is_empty() || !model.pane().inspect.search.is_empty()
        }
        A::Zoom => !model.is_zoomed,
        A::Restore | A::RestoreAs | A::Purge | A::EmptyTrash => !model.trash.all().is_empty(),
        A::Open if place_is_viewer(place) => {
            !model.is_zoomed || matches!(place, KeyContext::Top | KeyContext::Inspect)
        }
        A::Back => place == KeyContext::Released,
        A::PaneLeft | A::PaneDown | A::PaneUp | A::PaneRight if place == KeyContext::Released => {
            model.windows.count() > 1
        }
        A::CopyMode | A::Detach if place == KeyContext::Released => !shows_unseen(model),
        A::Type => shown_session(model).is_none_or(Session::has_terminal),
        A::Older | A::Newer | A::Complete | A::CompleteBack => false,
        A::ShowAll => !model.containers.all().is_empty(),
        _ => {
            !matches!(action.group(), "Copy" | "Order" | "List" | "Since")
                && (!is_go || matches!(place, KeyContext::Form | KeyContext::Switch | KeyContext::Choice))
        }
    }
}

/// Whether the cursor in Tasks is on a terminal.
fn is_on_session(model: &Model) -> bool {
    model.key_context() == KeyContext::Tasks
        && model.tasks.selected().is_some_and(|task| task.session().is_some())
}

/// Returns the terminal that the pane shows.
fn shown_session(model: &Model) -> Option<&Session> {
    match model.shown_tab(model.pane()) {
        Tab::Session(id) => model.task(id)?.session(),
        _ => None,
    }
}

/// Whether the pane shows a command to which hoist is not attached.
fn shows_unseen(model: &Model) -> bool {
    shown_session(model).is_some_and(|session| !session.is_attached)
}

fn place_is_viewer(place: KeyContext) -> bool {
    place == KeyContext::Viewer || place.above() == Some(KeyContext::Viewer)
}

/// Returns the current label of an action.
fn label(model: &Model, binding: &Binding) -> String {
    let action = binding.action;
    if let Some(label) = model.top().and_then(|top| top.label(model, action)) {
        return label.to_owned();
    }
    let row = model.container();
    match (action, row) {
        (Action::Open, _) if place_is_viewer(model.key_context()) => match model.key_context() {
            KeyContext::Top => "details".to_owned(),
            KeyContext::Inspect => "fold".to_owned(),
            _ => "zoom".to_owned(),
        },
        (Action::Search, _) if binding.place == KeyContext::Copy => "search".to_owned(),
        (Action::StartStop, Some(row)) if !row.is_up() => "start".to_owned(),
        (Action::Pause, Some(row)) if row.status == Status::Paused => "resume".to_owned(),
        (Action::Follow, _) if !model.pane().log.is_paused => "pause".to_owned(),
        (Action::ShowAll, _) if model.shows_all => "only up".to_owned(),
        (Action::Accept, _) => "ok".to_owned(),
        (Action::Back, _) => "leave".to_owned(),
        (Action::CancelTask, _) if binding.place == KeyContext::Released || is_on_session(model) => {
            "end…".to_owned()
        }
        (Action::RetryTask, _) if binding.place == KeyContext::Ended => "run again".to_owned(),
        (Action::Type, _) if shows_unseen(model) => "attach".to_owned(),
        _ => model.keymap.label(binding).to_owned(),
    }
}

/// Draws the last line: an input line, or the notice and the running tasks.
pub(crate) fn status(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    if let Some(line) = model.top().filter(|top| top.is_line()) {
        line.draw_line(frame, model, area);
        return;
    }
    let live = model.tasks.all().iter().filter(|task| !task.is_over() && !task.is_unseen());
    let (work, terminals): (Vec<_>, Vec<_>) = live.partition(|task| matches!(task.what, What::Work(_)));
    let mut goes_on: Vec<Span<'_>> =
        model.batches.first().map(|batch| batch_line(model, batch)).into_iter().collect();
    if let Some(task) = work.first() {
        let more = if work.len() > 1 { format!(" +{}", work.len() - 1) } else { String::new() };
        let done = match &task.what {
            What::Work(work) => work.done().map_or_else(String::new, |done| format!(" {}%", done / 10)),
            What::Session(_) => String::new(),
        };
        let title = cell(&task.title, task.title.width().min(28), crate::tui::words::Align::Left);
        goes_on
            .push(Span::styled(format!("{} {title}{done}{more} ", texts::spinner(model.now)), theme.accent));
    }
    if !terminals.is_empty() {
        let s = if terminals.len() == 1 { "" } else { "s" };
        goes_on.push(Span::styled(format!(" ▣ {} terminal{s} ", terminals.len()), theme.ok));
    }
    let room = usize::from(area.width).saturating_sub(goes_on.iter().map(Span::width).sum());
    let told = notice_line(model);
    let left = told.as_ref().map_or(0, |(text, _)| text.width());
    // A notice disappears soon; until then it takes precedence.
    let mut right: Vec<Span<'_>> = alert(model, room.saturating_sub(left)).into_iter().collect();
    right.extend(goes_on);
    let right = Line::from(right);
    let room = usize::from(area.width).saturating_sub(right.width());
    if let Some((text, style)) = told {
        frame.render_widget(Line::styled(cell(&text, room, crate::tui::words::Align::Left), style), area);
    }
    frame.render_widget(Paragraph::new(right.right_aligned()), area);
}

/// Returns the progress of a verb on several objects, and how to cancel it.
fn batch_line(model: &Model, batch: &Batch) -> Span<'static> {
    let key = model.keys_of(KeyContext::Global, Action::Back);
    let cancel = if model.focus == Focus::List { format!(" · {key} cancels") } else { String::new() };
    let text = format!("{} {}{cancel} ", texts::spinner(model.now), batch.progress());
    Span::styled(text, model.theme.accent)
}

/// Returns the notice, or a hint about marks.
fn notice_line(model: &Model) -> Option<(String, Style)> {
    let theme = &model.theme;
    let Some(notice) = &model.notice else { return about_marks(model).map(|text| (text, theme.mark)) };
    let (glyph, style) = match notice.tone {
        Tone::Good => ("✓", theme.ok),
        Tone::Plain => ("·", theme.dim),
        Tone::Warning => ("!", theme.warn),
        Tone::Bad => ("✗", theme.err),
    };
    let hint = notice.hint.as_ref().map_or_else(String::new, |hint| format!(" → {hint}"));
    // A single line often does not contain all details.
    let has_more = notice.tone == Tone::Bad && model.failure.as_ref().is_some_and(|it| !it.why.is_empty());
    let more = match has_more {
        true => format!("  ({} tells all)", model.keys_of(KeyContext::Global, Action::Details)),
        false => String::new(),
    };
    Some((format!(" {glyph} {}{hint}{more}", notice.text), style))
}

/// Returns the most detailed text about alerts that fits.
fn alert(model: &Model, room: usize) -> Option<Span<'static>> {
    let first = model.alerts.all().next()?;
    let count = model.alerts.count();
    let whole = alerts::view::whole(model, &first);
    let more = if count > 1 { format!(" · {count} alerts") } else { String::new() };
    let s = if count == 1 { "" } else { "s" };
    let forms = [
        format!(" ! {whole}{more} "),
        format!(" ! {whole} "),
        format!(" ! {count} alert{s} "),
        format!(" !{count} "),
    ];
    let text = forms.into_iter().find(|form| form.width() <= room)?;
    Some(Span::styled(text, alerts::view::style(model, first.ill)))
}

/// Returns a hint about marks, which is shown if there is no notice.
fn about_marks(model: &Model) -> Option<String> {
    let (seen, all) = model.list().mark_count();
    if seen == 0 || model.focus != Focus::List {
        return None;
    }
    let key = model.keys_of(KeyContext::Global, Action::Back);
    let hidden = if seen < all { format!(" ({} more are hidden)", all - seen) } else { String::new() };
    Some(format!(" marked {seen}{hidden}: all keys act on the marked rows · {key} clears"))
}

/// Draws the possible continuations of a key sequence that was left unfinished.
pub(crate) fn which_key(frame: &mut Frame<'_>, model: &Model) {
    let opens = model.pending_since + SignedDuration::from_millis(250);
    if model.pending.is_empty() || model.now < opens || model.key_context() == KeyContext::Terminal {
        return;
    }
    let theme = &model.theme;
    let depth = model.pending.len();
    let chain = model.keymap.of(model.key_context());
    let follow = chain.iter().filter(|binding| binding.keys.starts_with(&model.pending));
    let follow = follow.filter(|binding| !model.needs_what_is_gone(binding.action));
    let screen = frame.area();
    let room = usize::from(screen.width).saturating_sub(10);
    let (follow, rows): (Vec<_>, _) = (follow.collect(), usize::from(screen.height).saturating_sub(4));
    let lines = if follow.len() > rows {
        in_columns(model, &follow, (rows, usize::from(screen.width).saturating_sub(2)))
    } else {
        let line = |binding: &&Binding| {
            let keys = model.signs(&show_strokes(&binding.keys[depth..]));
            // If the sentence does not fit, use the label of the action bar.
            let help = model.keymap.help(binding);
            let text = if help.width() > room { model.keymap.label(binding) } else { help };
            Line::from(vec![Span::styled(format!(" {keys:<6}"), theme.accent), Span::raw(text.to_owned())])
        };
        follow.iter().map(line).collect()
    };
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(screen.height.saturating_sub(2));
    let width = lines.iter().map(Line::width).max().unwrap_or(0) + 4;
    let width = u16::try_from(width).unwrap_or(u16::MAX).min(screen.width);
    let area = Rect { x: screen.width - width, y: screen.height.saturating_sub(2 + height), width, height };
    let title = format!(" {} … ", model.signs(&show_strokes(&model.pending)));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.accent)
        .style(theme.overlay.patch(theme.text))
        .title_top(title);
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Lists the possible next keys in short form and several columns, and counts those that do not
/// fit.
fn in_columns(model: &Model, follow: &[&Binding], (rows, room): (usize, usize)) -> Vec<Line<'static>> {
    const WIDTH: usize = 12;
    let columns = follow.len().div_ceil(rows).min((room / WIDTH).max(1));
    let width = room / columns;
    let hidden = follow.len().saturating_sub(rows * columns);
    let mut shown: Vec<Line<'static>> = Vec::new();
    for (at, binding) in follow.iter().take(rows * columns).enumerate() {
        let keys = model.signs(&show_strokes(&binding.keys[model.pending.len()..]));
        let key = Span::styled(format!(" {keys:<2} "), model.theme.accent);
        let rest = width.saturating_sub(key.width());
        let text = cell(model.keymap.label(binding), rest, crate::tui::words::Align::Left);
        match shown.get_mut(at % rows) {
            Some(row) => row.spans.extend([key, Span::raw(text)]),
            None => shown.push(Line::from(vec![key, Span::raw(text)])),
        }
    }
    if let Some(last) = shown.last_mut().filter(|_| hidden > 0) {
        let help = model.keys_of(KeyContext::Global, Action::Help);
        *last = Line::from(format!(" … {} more: {help} has them all", hidden + columns));
    }
    shown
}
