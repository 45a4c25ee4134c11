//! Draws the run form, with one line per field if the screen is low, and blank lines otherwise.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};
use unicode_width::UnicodeWidthStr;

use crate::command::split;
use crate::tui::action::Action;
use crate::tui::form::model::{FIELDS, Mark, Note, RunForm, Section, masked, shown_words};
use crate::tui::form::presets::Presets;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::theme::Theme;
use crate::tui::view::dialog::{keys, note_fits, open};
use crate::tui::view::frame::selected;
use crate::tui::words::{Align, cell, wrap};

const TITLE: &str = "Run a container";

/// Draws the form.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, form: &RunForm) {
    let (width, height) = model.size;
    let is_wide = width >= 100 && height >= 30;
    let fields = form.section.fields();
    let (switches, typed): (Vec<usize>, Vec<usize>) = fields.iter().partition(|at| FIELDS[**at].is_switch());
    let wanted = if is_wide { width.saturating_sub(8).min(130) } else { 72 };
    let inside = usize::from(wanted.min(width)).saturating_sub(4);
    let switched = switch_lines(model, form, &switches, inside);
    let spread = u16::from(is_wide && typed.len() <= 9);
    let lines = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let command = if is_wide { 4 } else { 2 };
    // Borders, groups, keys, and four blank lines between the parts.
    let wish = |fields: usize, spread, switches| lines(fields) * (1 + spread) + lines(switches) + command + 8;
    // The height is that of the largest group, so that the dialog keeps its size.
    let most = Section::ALL.iter().map(|section| {
        let (switches, typed): (Vec<usize>, Vec<usize>) =
            section.fields().iter().partition(|at| FIELDS[**at].is_switch());
        let switches = switch_lines(model, form, &switches, inside).len();
        wish(typed.len(), u16::from(is_wide && typed.len() <= 9), switches)
    });
    let most = most.max().unwrap_or(0).min(height.saturating_sub(2));
    let note = keys_note(model);
    let inner = open(frame, model, TITLE, &note, wanted, most);
    let mut rest = Rows(inner);
    let is_low = inner.height + 2 < wish(typed.len(), spread, switched.len());
    if let Some(area) = rest.top(1) {
        frame.render_widget(sections(model, form, inside), area);
    }
    if !is_low {
        rest.top(1);
    }
    // The problems and the keys are at the bottom, the command above them. A long problem takes
    // lines of the command.
    let footer = footer(model, form, inside);
    let command = if is_low { 1 } else { command };
    let block = command + if is_low { 1 } else { 2 };
    let footed = lines(footer.len()).min(block);
    let foot = rest.bottom(footed);
    let commanded = command.min(block - footed);
    rest.bottom(block - footed - commanded);
    let command = rest.bottom(commanded);
    if !is_low {
        rest.bottom(1);
    }
    let switched =
        if is_low && rest.0.height < 6 { short_switches(model, form, &switches) } else { switched };
    let below = rest.bottom(lines(switched.len()).min(rest.0.height.saturating_sub(2)));
    if !is_low {
        rest.bottom(1);
    }
    rows(frame, model, form, &typed, rest.0, 1 + spread);
    if let Some(area) = below {
        frame.render_widget(Paragraph::new(switched), area);
    }
    if let Some(area) = command {
        equivalent(frame, model, form, area, is_wide);
    }
    if let Some(area) = foot {
        frame.render_widget(Paragraph::new(footer), area);
    }
}

/// The remaining area, while parts are taken from its ends.
struct Rows(Rect);

impl Rows {
    fn top(&mut self, height: u16) -> Option<Rect> {
        let area = Rect { height: height.min(self.0.height), ..self.0 };
        self.0 = Rect { y: self.0.y + area.height, height: self.0.height - area.height, ..self.0 };
        (area.height > 0).then_some(area)
    }

    fn bottom(&mut self, height: u16) -> Option<Rect> {
        let height = height.min(self.0.height);
        self.0.height -= height;
        (height > 0).then(|| Rect { y: self.0.bottom(), height, ..self.0 })
    }
}

fn keys_note(model: &Model) -> String {
    let key = |action| model.keys_of(KeyContext::Form, action);
    format!("{} run · {} cancel", key(Action::Accept), key(Action::Dismiss))
}

/// Returns the line of groups or, if they do not fit, the current one and the key for the next.
fn sections(model: &Model, form: &RunForm, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let next = model.keys_of(KeyContext::Form, Action::NextSection);
    let all: usize = Section::ALL.iter().map(|section| section.title().width() + 1).sum();
    let mut spans = Vec::new();
    if all + 1 > width {
        let title = format!("[{}]", form.section.title());
        spans.push(Span::styled(title, theme.accent.add_modifier(Modifier::BOLD)));
        let rest: Vec<&str> =
            Section::ALL.iter().filter(|other| **other != form.section).map(|other| other.title()).collect();
        let hint = format!("  {next}: {}", rest.join(", ").to_lowercase());
        spans.push(Span::styled(cell(&hint, width.saturating_sub(12), Align::Left), theme.dim));
    } else {
        let is_wide = shows_next(model, width);
        for section in Section::ALL {
            if !is_wide && !spans.is_empty() {
                spans.push(Span::raw(" "));
            }
            spans.push(match (section == form.section, is_wide) {
                (true, _) => {
                    Span::styled(format!("[{}]", section.title()), theme.accent.add_modifier(Modifier::BOLD))
                }
                (false, true) => Span::styled(format!(" {} ", section.title()), theme.dim),
                (false, false) => Span::styled(section.title(), theme.dim),
            });
        }
        if is_wide {
            spans.push(Span::styled(format!("  {next} next"), theme.dim));
        }
    }
    Line::from(spans)
}

/// Whether the key for the next group fits into the line of groups, separated by two blanks.
fn shows_next(model: &Model, width: usize) -> bool {
    let all: usize = Section::ALL.iter().map(|section| section.title().width() + 2).sum();
    let next = model.keys_of(KeyContext::Form, Action::NextSection);
    all + next.width() + 7 <= width
}

/// Draws the input fields, or those around the cursor if not all fit.
fn rows(frame: &mut Frame<'_>, model: &Model, form: &RunForm, fields: &[usize], area: Rect, step: u16) {
    let room = usize::from(area.height.div_ceil(step)).max(1);
    let at = fields.iter().position(|field| *field == form.field).unwrap_or(0);
    let is_above = fields.contains(&form.field);
    let top = if is_above { (at + 1).saturating_sub(room) } else { fields.len().saturating_sub(room) };
    for (line, field) in fields.iter().skip(top).take(room).enumerate() {
        let y = area.y + u16::try_from(line).unwrap_or(u16::MAX).saturating_mul(step);
        let place = Rect { y, height: 1, ..area }.intersection(area);
        if !place.is_empty() {
            row(frame, model, form, *field, place);
        }
    }
}

fn row(frame: &mut Frame<'_>, model: &Model, form: &RunForm, field: usize, area: Rect) {
    let theme = &model.theme;
    let (Some(spec), Some(input)) = (FIELDS.get(field), form.input(field)) else { return };
    let is_here = form.field == field;
    let bar = if is_here { "▌" } else { " " };
    let head =
        vec![Span::styled(bar, theme.accent), Span::styled(format!("{:<12}│ ", spec.label), theme.dim)];
    frame.render_widget(Line::from(head), area);
    let (note, style) = side(model, form, field);
    let side = match area.width {
        90.. => 34,
        64.. => 22,
        54.. => 16,
        _ => u16::try_from(note.width().min(12)).unwrap_or(0),
    };
    let place =
        Rect { x: area.x + 15, width: area.width.saturating_sub(16 + side), ..area }.intersection(area);
    if is_here {
        frame.buffer_mut().set_style(place, theme.sel);
        frame.render_widget(input.area(), place);
        if input.is_proposed() {
            // Typing replaces it.
            frame.buffer_mut().set_style(place, Style::new().add_modifier(Modifier::ITALIC));
        }
        if form.text(field).is_empty() {
            // After the cursor.
            let hint = Rect { x: place.x + 1, width: place.width.saturating_sub(1), ..place };
            let text = cell(spec.hint, hint.width.into(), Align::Left);
            frame.render_widget(Line::styled(text, theme.dim), hint.intersection(area));
        }
    } else if form.text(field).is_empty() {
        frame.render_widget(Line::styled(cell(spec.hint, place.width.into(), Align::Left), theme.dim), place);
    } else {
        let text = shown(input.text());
        frame.render_widget(Line::raw(cell(&text, place.width.into(), Align::Left)), place);
    }
    let beside = Rect { x: place.right() + 1, width: side, ..area }.intersection(area);
    frame.render_widget(Line::styled(cell(&note, side.into(), Align::Left), style), beside);
}

/// Masks secrets in a value for display.
fn shown(text: &str) -> String {
    match split(text) {
        Ok(words) if words.iter().any(|word| masked(word) != *word) => shown_words(&words),
        _ => text.to_owned(),
    }
}

/// Returns the note beside a field.
fn side(model: &Model, form: &RunForm, field: usize) -> (String, Style) {
    match form.notes.get(field).and_then(Option::as_ref) {
        Some(note) => note_line(note, &model.theme),
        None if form.field == field && form.is_choice() => ("← → ▾".to_owned(), model.theme.dim),
        None => (String::new(), model.theme.dim),
    }
}

/// Formats a note with its symbol and colour.
pub(crate) fn note_line(note: &Note, theme: &Theme) -> (String, Style) {
    let (sign, style) = match note.mark {
        Mark::Good => ("✓", theme.ok),
        Mark::Plain => ("·", theme.dim),
        Mark::Warn => ("!", theme.warn),
        Mark::Bad => ("✗", theme.err),
    };
    (format!("{sign} {}", note.text).trim_end().to_owned(), style)
}

/// Formats switches side by side, as many as fit on each line.
fn switch_lines(model: &Model, form: &RunForm, switches: &[usize], width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Vec<Span<'static>>> = vec![Vec::new()];
    let mut used = 0;
    for field in switches {
        let label = FIELDS.get(*field).map_or("", |field| field.label);
        let text = format!("[{}] {label}", if form.is_on(*field) { "x" } else { " " });
        let wide = text.width() + 3;
        if used + wide > width && used > 0 {
            lines.push(Vec::new());
            used = 0;
        }
        used += wide;
        let is_here = form.field == *field;
        let (bar, style) = if is_here { ("▌", model.theme.sel) } else { (" ", Style::default()) };
        if let Some(line) = lines.last_mut() {
            line.push(Span::styled(bar, model.theme.accent));
            line.push(Span::styled(text, style));
            line.push(Span::raw("  "));
        }
    }
    lines.into_iter().filter(|line| !line.is_empty()).map(Line::from).collect()
}

/// Returns one line with the switch under the cursor, or with the switches that are on.
fn short_switches(model: &Model, form: &RunForm, switches: &[usize]) -> Vec<Line<'static>> {
    let here: Vec<usize> = switches.iter().copied().filter(|field| *field == form.field).collect();
    if !here.is_empty() {
        return switch_lines(model, form, &here, usize::MAX);
    }
    let on = switches.iter().filter(|field| form.is_on(**field));
    let names: Vec<&str> = on.filter_map(|field| FIELDS.get(*field)).map(|field| field.label).collect();
    let text = if names.is_empty() { "no options enabled".to_owned() } else { names.join(", ") };
    vec![Line::styled(format!(" {text}"), model.theme.dim)]
}

/// Draws the equivalent command.
fn equivalent(frame: &mut Frame<'_>, model: &Model, form: &RunForm, area: Rect, is_wide: bool) {
    let theme = &model.theme;
    let has_border = is_wide && area.height >= 3;
    let edge = if has_border { 2 } else { 0 };
    let (width, height) = (area.width.saturating_sub(edge).into(), area.height.saturating_sub(edge).into());
    let mut lines = wrap(&format!("$ {}", form.line), width, 2);
    if lines.len() > height {
        lines.truncate(height);
        if let Some(last) = lines.last_mut() {
            *last = cell(&format!("{last}{}", " ".repeat(width)), width.saturating_sub(1), Align::Left);
            *last = format!("{}…", last.trim_end_matches(['…', ' ']));
        }
    }
    let lines: Vec<Line<'_>> = lines.into_iter().map(|line| Line::styled(line, theme.accent)).collect();
    let text = Paragraph::new(lines);
    if !has_border {
        frame.render_widget(text, area);
        return;
    }
    let key = |action| model.keys_of(KeyContext::Form, action);
    let note = format!(" {} copy · {} edit ", key(Action::CopyShown), key(Action::EditText));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.dim)
        .title_top(Line::styled("─ Equivalent command ", theme.text))
        .title_top(Line::styled(note, theme.dim).right_aligned());
    frame.render_widget(text.block(block), area);
}

/// Returns the problems or, if there are none, the keys.
fn footer(model: &Model, form: &RunForm, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let wrapped = |text: &str, style: Style| -> Vec<Line<'static>> {
        wrap(text, width, 2).into_iter().map(|line| Line::styled(line, style)).collect()
    };
    if form.is_leaving {
        let key = model.keys_of(KeyContext::Form, Action::Dismiss);
        return wrapped(&format!("! press {key} again to close the form and discard your input"), theme.warn);
    }
    let problems: Vec<_> = form.problems().collect();
    let here = problems.iter().find(|(field, _)| *field == form.field).or(problems.first());
    if let Some((field, note)) = here {
        let label = FIELDS.get(*field).map_or("", |field| field.label).to_lowercase();
        let count = if problems.len() > 1 { format!("1 of {}: ", problems.len()) } else { String::new() };
        let enter = model.keys_of(KeyContext::Form, Action::TakeOffer);
        let offer = note
            .offer
            .as_ref()
            .map_or_else(String::new, |_| format!("  press {enter} in the field to accept"));
        return wrapped(&format!("✗ {count}{label}: {}{offer}", note.text), theme.err);
    }
    if let Some(error) = &form.error {
        return wrapped(&format!("✗ {error}"), theme.err);
    }
    // Each key is shown once, if possible; the upper border shows the one that runs the command.
    let room = u16::try_from(width).unwrap_or(u16::MAX);
    let first = match note_fits(room.saturating_add(4), TITLE, &keys_note(model)) {
        true if !shows_next(model, width) => (Action::NextSection, "section"),
        _ => (Action::Accept, "run"),
    };
    let actions = [
        first,
        (Action::CopyShown, "copy"),
        (Action::EditText, "as text"),
        (Action::SavePreset, "save"),
        (Action::Presets, "presets"),
    ];
    vec![keys(model, KeyContext::Form, &actions, width)]
}

/// Draws the choice of saved commands.
pub(crate) fn presets(frame: &mut Frame<'_>, model: &Model, shown: &Presets) {
    let theme = &model.theme;
    let height = u16::try_from(shown.names.len() + 4).unwrap_or(u16::MAX).min(model.size.1.saturating_sub(2));
    let inner = open(frame, model, "Presets", "", 76, height);
    let rows = usize::from(inner.height.saturating_sub(2)).max(1);
    let top = (shown.cursor + 1).saturating_sub(rows);
    let width = usize::from(inner.width).saturating_sub(20);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (at, name) in shown.names.iter().enumerate().skip(top).take(rows) {
        let words = model.saved.presets.get(name).map(Vec::as_slice).unwrap_or_default();
        let bar = if at == shown.cursor { "▌ " } else { "  " };
        let line = Line::from(vec![
            Span::styled(bar, theme.accent),
            Span::raw(cell(name, 16, Align::Left) + "  "),
            Span::styled(cell(&shown_words(words), width, Align::Left), theme.dim),
        ]);
        lines.push(if at == shown.cursor { selected(line, theme) } else { line });
    }
    lines.push(Line::default());
    let actions = [(Action::Accept, "use"), (Action::DropPreset, "delete"), (Action::Dismiss, "close")];
    lines.push(keys(model, KeyContext::Presets, &actions, inner.width.into()));
    frame.render_widget(Paragraph::new(lines), inner);
}

#[cfg(test)]
mod tests {
    use crate::tui::fixture::{empty, full, over_shot, press, write};
    use crate::tui::model::Model;

    fn filled(width: u16, height: u16) -> Model {
        let mut model = full(width, height);
        press(&mut model, "2 r");
        write(&mut model, "web");
        press(&mut model, "tab tab");
        write(&mut model, "DB_PASSWORD=abc MODE=x");
        press(&mut model, "tab tab right");
        model
    }

    #[test]
    fn the_form() {
        over_shot("form", filled);
        over_shot("form_advanced", |width, height| {
            let mut model = filled(width, height);
            press(&mut model, "ctrl-n ctrl-n ctrl-n ctrl-n ctrl-n ctrl-n ctrl-n up");
            model
        });
        over_shot("form_as_text", |width, height| {
            let mut model = filled(width, height);
            press(&mut model, "ctrl-e");
            write(&mut model, " --nonsense");
            press(&mut model, "home");
            write(&mut model, "fly ");
            model
        });
        over_shot("presets", |width, height| {
            let mut model = filled(width, height);
            press(&mut model, "f2");
            write(&mut model, "-dev");
            press(&mut model, "enter f3");
            model
        });
    }

    #[test]
    fn the_palette() {
        over_shot("palette", |width, height| {
            let mut model = full(width, height);
            press(&mut model, "ctrl-p");
            write(&mut model, "re we");
            model
        });
        over_shot("palette_nothing", |width, height| {
            let mut model = full(width, height);
            press(&mut model, "ctrl-p");
            write(&mut model, "xyzzy");
            model
        });
    }

    #[test]
    fn the_line() {
        over_shot("line", |width, height| {
            let mut model = full(width, height);
            press(&mut model, ":");
            write(&mut model, "run --c");
            press(&mut model, "tab tab");
            model
        });
        over_shot("pull", |width, height| {
            let mut model = empty(width, height);
            press(&mut model, "2 p");
            write(&mut model, "alpine:3");
            model
        });
    }
}
