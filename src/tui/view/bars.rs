//! The lines at the top and the bottom, and the menu of possible next keys.

use crossterm::event::KeyCode;
use jiff::SignedDuration;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use crate::tui::action::{Action, Group};
use crate::tui::alerts;
use crate::tui::containers::model::ContainerRow;
use crate::tui::containers::words::{age, state};
use crate::tui::failure::Tone;
use crate::tui::key::show_strokes;
use crate::tui::keymap::{Binding, KeyContext};
use crate::tui::list::batch::Batch;
use crate::tui::model::titles::{READ_ONLY, Title, short_name};
use crate::tui::model::{Focus, Model};
use crate::tui::tasks::model::What;
use crate::tui::theme::Theme;
use crate::tui::view::texts;
use crate::tui::words::{amount, bytes, cell, size, spark, wrap};

/// Draws the first line: a summary of the engine, or the zoomed pane.
pub(crate) fn header(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    if model.is_zoomed { zoomed(frame, model, area) } else { summary(frame, model, area) }
}

/// Draws what the zoomed pane shows: its name on the left, its state on the right. The name is
/// shortened before the state.
fn zoomed(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    let right = model.container().map_or_else(Line::default, |row| now(model, row));
    let section = format!(" {} ", model.section.title());
    let gone = if model.gone().is_some() { "  removed" } else { "" };
    let taken = section.width() + gone.width() + right.width() + 4;
    let room = usize::from(area.width).saturating_sub(taken);
    let name = model.subject().map_or_else(String::new, |subject| short_name(model, &subject, room));
    let left = vec![
        Span::styled(section, theme.dim),
        Span::styled(format!("› {name}"), theme.accent.add_modifier(Modifier::BOLD)),
        Span::styled(gone, theme.warn),
    ];
    frame.render_widget(right.right_aligned(), area);
    frame.render_widget(Line::from(left), area);
}

/// Returns the state, age and usage of a container.
fn now(model: &Model, row: &ContainerRow) -> Line<'static> {
    let theme = &model.theme;
    let (glyph, word, style) = state(row, theme);
    let mut spans = vec![
        Span::styled(format!("{glyph} {word}"), style),
        Span::styled(format!("  {}", age(row, model.now)), theme.dim),
    ];
    if let Some(now) = model.series.get(&row.id).and_then(|series| series.now()).filter(|_| row.is_up()) {
        let is_stale = row.used.is_none_or(|used| used.is_stale(model.now));
        let style = if is_stale { theme.dim } else { Style::default() };
        spans.push(Span::styled(format!("  {:.0}% cpu  {}", now.cpu, bytes(now.memory)), style));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// Draws the name, how many containers there are, and what they and the disk use.
fn summary(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    let mut spans = vec![Span::styled(" hoist ", theme.accent.add_modifier(Modifier::BOLD))];
    let rows = model.containers.all();
    let up = rows.iter().filter(|row| row.is_up()).count();
    spans.push(Span::styled(format!(" {up}/{} up", rows.len()), theme.dim));
    if up > 0 {
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
    let count = if width >= WIDE { 20 } else { 10 };
    let (cpu, memory) = model.total.latest(count);
    let (Some(cpu_now), Some(memory_now)) = (cpu.last(), memory.last()) else { return Vec::new() };
    let highest = |values: &[f64], least: f64| values.iter().copied().fold(least, f64::max);
    let machine = model.machine;
    // Memory is shown relative to the machine's memory, if that is known.
    #[expect(clippy::cast_precision_loss, reason = "for a scale")]
    let memory_top = highest(&memory, machine.memory as f64);
    // Without news for several times as long as usual, they are not shown as current.
    let is_stale = model.total.expires().is_none_or(|expires| expires <= model.now);
    let told = |style: Style| if is_stale { theme.dim } else { style };
    // Charts are as wide from the start, so that the numbers stay in place.
    let chart = |values: &[f64], top: f64, style: Style| -> Vec<Span<'static>> {
        let missing = " ".repeat(count.saturating_sub(values.len()));
        let bar = |c: char| match c {
            ' ' => Span::styled("▁", theme.dim),
            c => Span::styled(c.to_string(), told(style)),
        };
        (missing + &spark(values, top)).chars().map(bar).collect()
    };
    let of =
        |text: String| if width >= 100 && machine.memory > 0 { format!("/{text}") } else { String::new() };
    let mut spans = vec![Span::styled("   cpu ", theme.dim)];
    // The scale is at least one CPU, so that less looks low.
    spans.extend(chart(&cpu, highest(&cpu, 100.0), theme.g1));
    spans.push(Span::styled(format!(" {cpu_now:>3.0}%"), told(Style::default())));
    spans.push(Span::styled(of(format!("{}%", machine.cpus * 100)), theme.dim));
    spans.push(Span::styled("   mem ", theme.dim));
    spans.extend(chart(&memory, memory_top, theme.g2));
    spans.push(Span::styled(format!(" {}", bytes(*memory_now)), told(Style::default())));
    spans.push(Span::styled(of(amount(machine.memory)), theme.dim));
    spans
}

/// Shows at the right of a line that hoist is read-only; returns the rest of the line.
pub(crate) fn mode(frame: &mut Frame<'_>, model: &Model, area: Rect) -> Rect {
    if !model.look.is_read_only {
        return area;
    }
    let text = READ_ONLY;
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

/// Draws the last line but one: the keys of this context in keymap order, `? help` last. Dialogs
/// name their keys themselves, where there is room: here is only the one that leaves them.
pub(crate) fn keys(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    if model.top().is_some_and(|top| !top.is_line()) {
        let leaves = |one: &&Binding| matches!(one.action, Action::Dismiss | Action::Background);
        if let Some(binding) = one_of(model, leaves) {
            let key =
                Span::styled(format!(" {}", model.signs(&show_strokes(&binding.keys))), model.theme.accent);
            frame.render_widget(Line::from(vec![key, Span::styled(" close", model.theme.text)]), area);
        }
        return;
    }
    let theme = &model.theme;
    let place = model.key_context();
    let help = model.keys_of(place, Action::Help);
    let has_help = model.layers.is_empty() && !help.is_empty();
    let help = if has_help { format!("{help} help ") } else { String::new() };
    let mut room = usize::from(area.width).saturating_sub(help.width() + 1);
    let mut spans = vec![Span::raw(" ")];
    let mut shown = Vec::new();
    // The keys of the list, which need a prefix on a page, come after its own. What is undone may be
    // in another list, so that comes last.
    let is_imported = |binding: &&Binding| model.keymap.imports(binding);
    let list = model.acted_section().key_context();
    let bindings = model.bindings(place);
    let is_undo = |binding: &&Binding| binding.action == Action::Undo;
    let own = bindings.iter().filter(|one| !is_imported(one) && !is_undo(one));
    let imported = bindings.iter().filter(|one| is_imported(one) && !is_undo(one));
    let first: Vec<_> = model
        .first_actions()
        .iter()
        .filter_map(|action| one_of(model, |one| one.action == *action))
        .collect();
    let count = first.len();
    let others = own.chain(imported).chain(bindings.iter().filter(is_undo));
    for (at, binding) in first.into_iter().chain(others).enumerate() {
        let is_general = matches!(binding.place, KeyContext::Global) && place != KeyContext::Global;
        let place = if is_imported(&binding) { list } else { place };
        let is_offered = at < count || !is_general && model.is_useful(place, binding.action);
        if !is_offered || shown.contains(&binding.action) {
            continue;
        }
        let (key, label) = (model.signs(&show_strokes(&binding.keys)), model.label_of(binding));
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

/// Returns the key in this context that is meant: Esc, if that is one of several.
fn one_of(model: &Model, is_meant: impl Fn(&&Binding) -> bool) -> Option<&Binding> {
    let mut keys = model.keymap.of(model.key_context()).iter().filter(is_meant).peekable();
    let first = keys.peek().copied();
    keys.find(|one| one.keys[0].code == KeyCode::Esc).or(first)
}

/// Draws the last line: an input line, or the notice and the running tasks.
/// `typed` is the line of a terminal's cursor.
pub(crate) fn status(frame: &mut Frame<'_>, model: &Model, area: Rect, typed: Option<u16>) {
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
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    // The hint about marks stays, so it gives way.
    let is_too_long =
        |text: &str| !goes_on.is_empty() && text.width() + width(&goes_on) > usize::from(area.width);
    let told = notice_line(model, typed).filter(|(text, _)| model.notice.is_some() || !is_too_long(text));
    let left = told.as_ref().map_or(0, |(text, _)| text.width());
    // A notice disappears soon; until then it takes precedence.
    let fits = |spans: &[Span<'_>]| left == 0 || left + width(spans) <= usize::from(area.width);
    while !goes_on.is_empty() && !fits(&goes_on) {
        goes_on.pop();
    }
    let room = usize::from(area.width).saturating_sub(goes_on.iter().map(Span::width).sum());
    let mut right: Vec<Span<'_>> = alert(model, room.saturating_sub(left)).into_iter().collect();
    right.extend(goes_on);
    let right = Line::from(right);
    let room = usize::from(area.width).saturating_sub(right.width());
    if let Some((text, style)) = told {
        let text = cell(&text, text.width().min(room), crate::tui::words::Align::Left);
        // A line would be underlined beyond its end.
        frame.render_widget(Span::styled(text, style), area);
    }
    frame.render_widget(Paragraph::new(right.right_aligned()), area);
}

/// Returns the progress of a verb on several objects, and how to cancel it.
fn batch_line(model: &Model, batch: &Batch) -> Span<'static> {
    let key = model.cancel_key();
    let can_cancel = model.focus == Focus::List && batch.can_be_cancelled();
    let cancel = if can_cancel { format!(" · {key} cancel") } else { String::new() };
    let text = format!("{} {}{cancel} ", texts::spinner(model.now), batch.progress());
    Span::styled(text, model.theme.accent)
}

/// Returns the notice, unless it has a box, or a hint about marks.
fn notice_line(model: &Model, typed: Option<u16>) -> Option<(String, Style)> {
    let theme = &model.theme;
    match &model.notice {
        None => about_marks(model).map(|text| (text, theme.mark)),
        Some(_) if notice_area(model, typed).is_some() => None,
        Some(notice) if model.is_long(notice) => {
            let tail = format!(" {}", model.details_words());
            let room = usize::from(model.size.0).saturating_sub(tail.width() + 1);
            let text = cell(&format!(" {}", model.sentence(notice)), room, crate::tui::words::Align::Left);
            Some((text + &tail, tone(theme, notice.tone)))
        }
        Some(notice) => Some((format!(" {}", model.sentence(notice)), tone(theme, notice.tone))),
    }
}

/// Returns the style of a tone.
fn tone(theme: &Theme, tone: Tone) -> Style {
    match tone {
        Tone::Good => theme.ok,
        Tone::Plain => theme.dim,
        Tone::Warning => theme.warn,
        Tone::Bad => theme.err,
    }
}

/// Returns the lines and the style of a notice that is too long for the last line.
fn long_notice(model: &Model) -> Option<(Vec<String>, Style)> {
    const MOST_LINES: usize = 4;
    let notice = model.notice.as_ref().filter(|notice| model.is_long(notice))?;
    let room = usize::from(model.size.0).saturating_sub(6);
    let mut lines = wrap(&model.sentence(notice), room, 2);
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        lines[MOST_LINES - 1] = format!("  … {}", model.details_words());
    }
    Some((lines, tone(&model.theme, notice.tone)))
}

/// Returns the area of the box of a notice that is too long for the last line, if there is one. A
/// box that would cover what is typed in a terminal is left out, and the notice is cut.
pub(crate) fn notice_area(model: &Model, typed: Option<u16>) -> Option<Rect> {
    let (lines, _) = long_notice(model).filter(|_| !model.layout().is_too_small)?;
    let area = overlay_area(model, (model.size.0.saturating_sub(2), lines.len()));
    typed.is_none_or(|y| !(area.top()..area.bottom()).contains(&y)).then_some(area)
}

/// Draws a notice that is too long for the last line in a box above it.
pub(crate) fn notice_box(frame: &mut Frame<'_>, model: &Model, typed: Option<u16>) {
    let (Some((lines, style)), Some(area)) = (long_notice(model), notice_area(model, typed)) else { return };
    let lines: Vec<Line<'_>> =
        lines.into_iter().map(|line| Line::styled(format!(" {line}"), style)).collect();
    overlay(frame, model, area, Line::default(), style, lines);
}

/// Returns the area of a box of this width and number of lines at the bottom right, inside the
/// border of the pane below it.
fn overlay_area(model: &Model, (width, lines): (u16, usize)) -> Rect {
    let (columns, rows) = model.size;
    let width = width.min(columns.saturating_sub(2));
    let height = u16::try_from(lines + 2).unwrap_or(u16::MAX).min(rows.saturating_sub(2));
    Rect { x: columns.saturating_sub(width + 1), y: rows.saturating_sub(3 + height), width, height }
}

/// Draws a box with lines.
fn overlay(
    frame: &mut Frame<'_>,
    model: &Model,
    area: Rect,
    title: Line<'static>,
    style: Style,
    lines: Vec<Line<'_>>,
) {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style)
        .style(model.theme.overlay.patch(model.theme.text))
        .title_top(title);
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
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
    let key = model.cancel_key();
    let hidden = if seen < all { format!(" ({} hidden)", all - seen) } else { String::new() };
    Some(format!(" {all} marked{hidden}: actions apply to all of them · {key} clear"))
}

/// Draws the possible continuations of a key sequence that was left unfinished.
pub(crate) fn which_key(frame: &mut Frame<'_>, model: &Model) {
    let opens = model.pending_since + SignedDuration::from_millis(250);
    if model.pending.is_empty() || model.now < opens || model.key_context() == KeyContext::Terminal {
        return;
    }
    let theme = &model.theme;
    let depth = model.pending.len();
    let chain = model.bindings(model.key_context());
    let follow = chain.iter().filter(|binding| binding.keys.starts_with(&model.pending));
    let list = model.acted_section().key_context();
    // A key of a list has to fit the object shown. Keys that copy are never in the line of keys.
    let fits = |binding: &&Binding| match binding.action.group() {
        group if group != Group::Copy && model.keymap.imports(binding) => {
            model.is_useful(list, binding.action)
        }
        _ => model.can(binding.action),
    };
    let mut follow: Vec<_> = follow.filter(fits).collect();
    // Orders and marks concern the list; where there are verbs as well, these are looked for.
    let is_verb = |binding: &&Binding| !matches!(binding.action.group(), Group::Sort | Group::List);
    if follow.iter().any(is_verb) {
        follow.retain(is_verb);
    }
    let screen = frame.area();
    let room = usize::from(screen.width).saturating_sub(10);
    let rows = usize::from(screen.height).saturating_sub(5);
    let lines = if follow.len() > MOST_SENTENCES.min(rows) {
        in_columns(model, &follow, (rows, usize::from(screen.width).saturating_sub(4)))
    } else {
        let line = |binding: &&Binding| {
            let keys = model.signs(&show_strokes(&binding.keys[depth..]));
            // If the sentence does not fit, use the label of the action bar.
            let help = model.keymap.help(binding);
            let text = if help.width() > room { model.label_of(binding) } else { help.to_owned() };
            Line::from(vec![Span::styled(format!(" {keys:<6}"), theme.accent), Span::raw(text)])
        };
        follow.iter().map(line).collect()
    };
    let width = lines.iter().map(Line::width).max().unwrap_or(0) + 4;
    let area = overlay_area(model, (u16::try_from(width).unwrap_or(u16::MAX), lines.len()));
    let title = Line::from(format!(" {} … ", model.signs(&show_strokes(&model.pending))));
    overlay(frame, model, area, title, theme.accent, lines);
}

/// Up to this number, each next key is explained by a sentence.
const MOST_SENTENCES: usize = 12;

/// Lists the possible next keys in short form and several columns, and counts those that do not
/// fit.
fn in_columns(model: &Model, follow: &[&Binding], (rows, room): (usize, usize)) -> Vec<Line<'static>> {
    const NARROW: usize = 12;
    const WIDE: usize = 18;
    // As wide as the labels need if they all fit, otherwise as many as fit.
    let wide = (room / WIDE).max(1);
    let columns = if follow.len() <= rows * wide { wide.min(4) } else { (room / NARROW).max(1) };
    let columns = columns.max(follow.len().div_ceil(rows).min((room / NARROW).max(1)));
    let rows = rows.min(follow.len().div_ceil(columns));
    let width = (room / columns).min(WIDE);
    let hidden = follow.len().saturating_sub(rows * columns);
    let mut shown: Vec<Line<'static>> = Vec::new();
    for (at, binding) in follow.iter().take(rows * columns).enumerate() {
        let keys = model.signs(&show_strokes(&binding.keys[model.pending.len()..]));
        let key = Span::styled(format!(" {keys:<2} "), model.theme.accent);
        let rest = width.saturating_sub(key.width());
        let text = cell(&model.label_of(binding), rest, crate::tui::words::Align::Left);
        match shown.get_mut(at % rows) {
            Some(row) => row.spans.extend([key, Span::raw(text)]),
            None => shown.push(Line::from(vec![key, Span::raw(text)])),
        }
    }
    if let Some(last) = shown.last_mut().filter(|_| hidden > 0) {
        let help = model.keys_of(KeyContext::Global, Action::Help);
        *last = Line::from(format!(" … {} more: press {help}", hidden + columns));
    }
    shown
}
