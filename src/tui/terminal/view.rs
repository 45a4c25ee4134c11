//! Draws the cells of a terminal.

use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::{Color as TermColor, CursorShape, NamedColor};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Wrap};

use crate::base::text;
use crate::command::join;
use crate::engine::ExecStatus;

use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::section::TaskId;
use crate::tui::tasks::model::{TaskRow, TaskState};
use crate::tui::terminal::screen::{Emulator, Screens};
use crate::tui::view::texts;
use crate::tui::viewer::Seen;
use crate::tui::words::span;

/// Draws a terminal in a pane; describes a command that hoist is not attached to.
pub(crate) fn draw(frame: &mut Frame<'_>, seen: &Seen<'_>, id: TaskId, area: Rect) {
    let (model, has_keys) = (seen.model, seen.has_keys);
    let Some(task) = model.task(id) else { return };
    if task.is_unseen() {
        frame.render_widget(Paragraph::new(unseen(seen, task)).wrap(Wrap { trim: false }), area);
        return;
    }
    let Some(screen) = seen.screens.get(id) else {
        frame.render_widget(Line::styled(" opening…", model.theme.dim), area);
        return;
    };
    let cursor = cells(frame, &screen.lock(), area);
    let types = model.typing == Some(id) || model.copying == Some(id);
    if let Some(at) = cursor.filter(|_| has_keys && types) {
        frame.set_cursor_position(at);
    }
    // How it exited is in the border, so that all of its output can be read.
    let lines = match &task.state {
        TaskState::Failed(failure) => texts::failure(failure, &model.theme, area.width),
        _ => return,
    };
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
    let at = Rect { y: area.bottom() - height, height, ..area };
    frame.render_widget(Clear, at);
    frame.render_widget(Paragraph::new(lines).style(crate::tui::view::frame::base(model)), at);
}

/// Returns the line of the screen with the cursor of the terminal that has the keys.
pub(crate) fn cursor_line(model: &Model, screens: &Screens) -> Option<u16> {
    let id = match model.key_context() {
        KeyContext::Terminal => model.typing?,
        KeyContext::Copy => model.copying?,
        _ => return None,
    };
    let screen = screens.get(id)?;
    let area = model.pane_inner()?;
    cursor(&screen.lock(), area).map(|at| at.y)
}

/// Returns the position of the emulator's cursor, if it is visible.
fn cursor(emulator: &Emulator, area: Rect) -> Option<Position> {
    let content = emulator.term().renderable_content();
    let (mode, cursor) = (content.mode, content.cursor);
    let is_shown =
        mode.intersects(TermMode::SHOW_CURSOR | TermMode::VI) && cursor.shape != CursorShape::Hidden;
    let offset = i32::try_from(content.display_offset).unwrap_or(i32::MAX);
    place(area, cursor.point.line.0.saturating_add(offset), cursor.point.column.0).filter(|_| is_shown)
}

/// Returns the cell of the screen with this line and column of a terminal.
fn place(area: Rect, line: i32, column: usize) -> Option<Position> {
    let y = u16::try_from(line).ok()?;
    let x = u16::try_from(column).ok()?;
    (x < area.width && y < area.height).then(|| Position::new(area.x + x, area.y + y))
}

/// Describes a command to which hoist is not attached.
fn unseen(seen: &Seen<'_>, task: &TaskRow) -> Vec<Line<'static>> {
    let (model, theme) = (seen.model, &seen.model.theme);
    let Some(exec) = task.session().and_then(|session| session.exec.as_ref()) else { return Vec::new() };
    let fact = |name: &str, value: String| {
        Line::from(vec![
            Span::styled(format!(" {name:<9}"), theme.dim),
            Span::raw(text::line(&value).into_owned()),
        ])
    };
    let since = model.now.duration_since(task.since);
    let mut lines = vec![
        Line::styled(" Not attached to this command.", theme.text),
        Line::default(),
        fact("command", join(&exec.command)),
        fact("user", exec.user.clone().unwrap_or_else(|| "container default".to_owned())),
        fact("running", span(since)),
        fact("exec", exec.id.as_str().chars().take(12).collect()),
    ];
    if let ExecStatus::Running(Some(pid)) = exec.status {
        lines.push(fact("host PID", pid.to_string()));
    }
    lines.push(Line::default());
    if model.look.is_read_only {
        lines.push(Line::styled(" Read-only: it cannot be attached to.", theme.dim));
        return lines;
    }
    // The list of tasks has keys for it too; other lists do not.
    let (place, attach) = match (seen.has_focus(), model.key_context_below()) {
        (true, _) => (KeyContext::Released, Action::Type),
        (false, KeyContext::Tasks) => (KeyContext::Tasks, Action::Open),
        _ => {
            lines.extend((!exec.tty).then(|| Line::styled(" It has no terminal to attach to.", theme.dim)));
            return lines;
        }
    };
    let (attach, end) = (model.keys_of(place, attach), model.keys_of(place, Action::CancelTask));
    // The narrowest pane has room for each line.
    let text = match exec.tty {
        true => format!(" {attach} attach to its terminal · {end} end it"),
        false => {
            lines.push(Line::styled(" It has no terminal to attach to.", theme.dim));
            format!(" {end} end it")
        }
    };
    lines.push(Line::styled(text, theme.dim));
    lines
}

/// Draws the emulator's window, and returns the position of its cursor.
fn cells(frame: &mut Frame<'_>, emulator: &Emulator, area: Rect) -> Option<Position> {
    let content = emulator.term().renderable_content();
    let offset = i32::try_from(content.display_offset).unwrap_or(i32::MAX);
    let selection = content.selection;
    let buffer = frame.buffer_mut();
    for indexed in content.display_iter {
        let line = indexed.point.line.0.saturating_add(offset);
        let Some(at) = place(area, line, indexed.point.column.0) else { continue };
        let cell = indexed.cell;
        let Some(target) = buffer.cell_mut(at) else { continue };
        if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
            target.set_symbol("");
            continue;
        }
        let is_hidden = cell.flags.contains(Flags::HIDDEN);
        let c = match cell.c {
            c if is_hidden || c.is_control() => ' ',
            c if text::is_harmful(c) => '·',
            c => c,
        };
        match cell.zerowidth() {
            Some(marks) if !is_hidden => {
                let symbol: String = std::iter::once(c)
                    .chain(marks.iter().copied().filter(|mark| !text::is_harmful(*mark)))
                    .collect();
                target.set_symbol(&symbol);
            }
            _ => {
                target.set_char(c);
            }
        }
        target.set_style(style(cell.fg, cell.bg, cell.flags));
        let is_marked = selection.is_some_and(|range| range.contains(indexed.point));
        if is_marked || emulator.is_marked(indexed.point) {
            let modifier = target.modifier ^ Modifier::REVERSED;
            target.modifier = modifier;
        }
    }
    cursor(emulator, area)
}

fn style(fg: TermColor, bg: TermColor, flags: Flags) -> Style {
    let mut style = Style { fg: color(fg), bg: color(bg), ..Style::default() };
    for (flag, modifier) in [
        (Flags::BOLD, Modifier::BOLD),
        (Flags::DIM, Modifier::DIM),
        (Flags::ITALIC, Modifier::ITALIC),
        (Flags::INVERSE, Modifier::REVERSED),
        (Flags::STRIKEOUT, Modifier::CROSSED_OUT),
    ] {
        if flags.contains(flag) {
            style = style.add_modifier(modifier);
        }
    }
    if flags.intersects(Flags::ALL_UNDERLINES) {
        style = style.add_modifier(Modifier::UNDERLINED);
    }
    style
}

/// Converts a colour; the default ones become those of the pane.
fn color(color: TermColor) -> Option<Color> {
    let index = match color {
        TermColor::Spec(rgb) => return Some(Color::Rgb(rgb.r, rgb.g, rgb.b)),
        TermColor::Indexed(index) => index,
        TermColor::Named(named) => match named {
            NamedColor::DimBlack => 0,
            NamedColor::DimRed => 1,
            NamedColor::DimGreen => 2,
            NamedColor::DimYellow => 3,
            NamedColor::DimBlue => 4,
            NamedColor::DimMagenta => 5,
            NamedColor::DimCyan => 6,
            NamedColor::DimWhite => 7,
            _ => u8::try_from(named as usize).ok().filter(|index| *index < 16)?,
        },
    };
    Some(Color::Indexed(index))
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::tui::terminal::screen::Screen;

    #[test]
    fn what_a_terminal_shows_nothing_for_takes_its_cell_as_a_dot() {
        let screen = Screen::new(8, 1);
        screen.lock().feed("a\u{600}b\u{6dd}c\u{110bd}e\u{301}\u{200d}".as_bytes());
        let mut terminal = Terminal::new(TestBackend::new(8, 1)).unwrap();
        terminal
            .draw(|frame| {
                cells(frame, &screen.lock(), frame.area());
            })
            .unwrap();
        let cells = &terminal.backend().buffer().content;
        let shown: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert!(!shown.chars().any(text::is_harmful), "{shown:?}");
        assert_eq!(shown, "a·b·c·e\u{301} ");
    }
}
