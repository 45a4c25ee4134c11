//! Draws a tree of paths, for the layer explorer and the comparison of images.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::engine::files::{FileKind, Mark, shown};
use crate::engine::layers::LayerPath;
use crate::tui::model::Model;
use crate::tui::pathtree::model::{PathTree, TreeRow};
use crate::tui::view::frame::select;
use crate::tui::words::{Align, cell, wrap};

/// Returns the heading of a section, with its title on the left and other text on the right.
pub(crate) fn heading(model: &Model, text: &str, right: &str, width: u16, has_keys: bool) -> Line<'static> {
    let theme = &model.theme;
    let style = if has_keys { theme.accent.add_modifier(Modifier::BOLD) } else { theme.text };
    let room = usize::from(width).saturating_sub(right.chars().count() + 3);
    Line::from(vec![
        Span::raw(" "),
        Span::styled(cell(text, room, Align::Left), style),
        Span::styled(format!(" {right} "), theme.dim),
    ])
}

/// Returns the filter and the form of the tree.
pub(crate) fn words(tree: &PathTree, form: &str) -> String {
    if tree.filter.is_empty() { form.to_owned() } else { shown(format!("/{} · {form}", tree.filter)) }
}

/// Appends to a text which changes are hidden.
pub(crate) fn without(tree: &PathTree, text: String) -> String {
    let word = |mark: &Mark| match mark {
        Mark::Added => "added",
        Mark::Changed => "changed",
        Mark::Deleted => "removed",
    };
    let hidden: Vec<_> = tree.hidden.iter().map(word).collect();
    if hidden.is_empty() { text } else { format!(" hidden: {} ·{text}", hidden.join(", ")) }
}

/// Draws the rows of a tree below its heading, or `none` if there are none. `text` returns a row's
/// amount, and the text at its right end.
pub(crate) fn draw(
    frame: &mut Frame<'_>,
    model: &Model,
    tree: &PathTree,
    (paths, heading, none): (&[LayerPath], Line<'static>, &str),
    area: Rect,
    has_keys: bool,
    text: impl Fn(&TreeRow) -> (String, Line<'static>),
) {
    let theme = &model.theme;
    let mut lines = vec![heading];
    if tree.rows.is_empty() {
        let rows = wrap(&format!("  {none}"), area.width.into(), 2);
        lines.extend(rows.into_iter().map(|row| Line::styled(row, theme.dim)));
    }
    let window = tree.rows.iter().enumerate().skip(tree.top);
    for (at, row) in window.take(usize::from(area.height.saturating_sub(1))) {
        let name = match row.path {
            Some(path) if tree.is_flat => whole(paths, path),
            Some(path) => paths.get(path as usize).map_or_else(String::new, |path| shown(&path.name)),
            None => String::new(),
        };
        let is_under = has_keys && at == tree.cursor;
        let (amount, right) = if row.path.is_some() { text(row) } else { <_>::default() };
        lines.push(line(model, row, (&name, &amount, right), area.width, is_under));
    }
    frame.render_widget(Paragraph::new(lines), area);
    if has_keys && !tree.rows.is_empty() {
        let y = area.y + 1 + u16::try_from(tree.cursor.saturating_sub(tree.top)).unwrap_or(0);
        let under = Rect { y, height: 1, ..area };
        select(frame, model, under.intersection(area));
    }
}

/// Returns the full path: `srv/app/index.js`.
fn whole(paths: &[LayerPath], at: u32) -> String {
    let (mut names, mut at) = (Vec::new(), at);
    while let Some(path) = paths.get(at as usize).filter(|_| at != 0) {
        names.push(shown(&path.name));
        at = path.parent;
    }
    names.reverse();
    names.join("/")
}

/// Returns a row: ` +  41.2M     ▸ typescript/            3 added`.
fn line(
    model: &Model,
    row: &TreeRow,
    (name, amount, right): (&str, &str, Line<'static>),
    width: u16,
    is_under: bool,
) -> Line<'static> {
    let theme = &model.theme;
    let bar = Span::styled(if is_under { "▌" } else { " " }, theme.accent);
    let indent = "  ".repeat(row.depth.min(40));
    if row.path.is_none() {
        let text = format!("          {indent}  … {} more", row.more);
        return Line::from(vec![bar, Span::styled(text, theme.dim)]);
    }
    let (sign, style) = match row.mark {
        Some(Mark::Added) => ("+", theme.ok),
        Some(Mark::Changed) => ("~", theme.warn),
        Some(Mark::Deleted) => ("-", theme.err),
        None => (" ", theme.text),
    };
    let arrow = match row.is_open {
        Some(true) => "▾ ",
        Some(false) => "▸ ",
        None => "  ",
    };
    let end = if row.kind == FileKind::Folder { "/" } else { "" };
    let text = format!("{indent}{arrow}{name}{end}");
    let style = if row.mark.is_none() && row.kind == FileKind::Folder { theme.accent } else { style };
    let wide = if right.width() > 0 { right.width() + 2 } else { 0 };
    let room = usize::from(width).saturating_sub(12);
    // The text on the right is shown only if there is enough room after the name.
    let is_told = wide > 0 && unicode_width::UnicodeWidthStr::width(text.as_str()) + wide <= room;
    let room = if is_told { room - wide } else { room };
    let mut line = Line::from(vec![
        bar,
        Span::styled(format!("{sign} {amount:>7} "), style),
        Span::styled(cell(&text, room, Align::Left), style),
    ]);
    if is_told {
        line.push_span("  ");
        line.spans.extend(right.spans);
    }
    line
}
