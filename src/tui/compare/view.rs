//! Two images side by side: a summary, and the tree of differences.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::engine::files::{FileKind, Mark, shown};
use crate::engine::layers::{Difference, ImageDiff};
use crate::tui::compare::model::{ComparePane, SummaryLine, is_double};
use crate::tui::model::Model;
use crate::tui::pathtree;
use crate::tui::pathtree::model::TreeRow;
use crate::tui::pathtree::view::heading;
use crate::tui::view::texts;
use crate::tui::words::{Align, cell, size};

/// Draws the comparison of a pane.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, pane: &ComparePane, area: Rect, has_keys: bool) {
    let theme = &model.theme;
    if area.height == 0 {
        return;
    }
    if let Some(failure) = &pane.failure {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme, area.width)), area);
        return;
    }
    let Some(diff) = &pane.diff else {
        let text = format!(" {} comparing images… {}", texts::spinner(model.now), pane.progress);
        frame.render_widget(Line::styled(text, theme.dim), area);
        return;
    };
    if !is_double(area.width) {
        match pane.in_summary {
            true => summary(frame, model, pane, area, has_keys),
            false => tree(frame, model, pane, diff, area, has_keys),
        }
        return;
    }
    let width = (area.width * 40 / 100).min(72);
    let edge = Rect { x: area.x + width, width: 1, ..area };
    summary(frame, model, pane, Rect { width, ..area }, has_keys && pane.in_summary);
    frame.render_widget(Paragraph::new(vec![Line::styled("│", theme.dim); area.height.into()]), edge);
    let right = Rect { x: edge.right(), width: area.right() - edge.right(), ..area };
    tree(frame, model, pane, diff, right, has_keys && !pane.in_summary);
}

/// Returns the title: `acme/app:2.4.0 → acme/app:2.4.1`.
pub(crate) fn title(pane: &ComparePane, room: usize) -> String {
    let Some([before, after]) = &pane.of else { return String::new() };
    let each = room.saturating_sub(5) / 2;
    let name = |name: &str| cell(name, unicode_width::UnicodeWidthStr::width(name).min(each), Align::Left);
    format!(" {} → {} ", name(before), name(after))
}

fn summary(frame: &mut Frame<'_>, model: &Model, pane: &ComparePane, area: Rect, has_keys: bool) {
    let all = pane.summary();
    let below = all.len().saturating_sub(pane.summary_top + pane.height());
    let right = if below > 0 { format!("{below} more below") } else { String::new() };
    let mut lines = vec![heading(model, "Summary", &right, area.width, has_keys)];
    let window = all.iter().skip(pane.summary_top).take(pane.height());
    lines.extend(window.map(|line| summary_line(model, line, area.width)));
    frame.render_widget(Paragraph::new(lines), area);
}

/// Returns a line of the summary: ` + env PATH     /usr/bin:/bin`.
fn summary_line(model: &Model, line: &SummaryLine, width: u16) -> Line<'static> {
    let theme = &model.theme;
    if line.is_heading {
        return Line::styled(format!(" {}", line.name), theme.accent);
    }
    let (sign, style) = sign(model, line.mark);
    let names = (usize::from(width) / 3).clamp(8, 22);
    let room = usize::from(width).saturating_sub(names + 5);
    Line::from(vec![
        Span::styled(format!("  {}", cell(&line.name, names, Align::Left)), theme.dim),
        Span::styled(format!(" {sign} "), style),
        Span::styled(cell(&line.text, room, Align::Left), theme.text),
    ])
}

fn sign(model: &Model, mark: Option<Mark>) -> (&'static str, Style) {
    match mark {
        Some(Mark::Added) => ("+", model.theme.ok),
        Some(Mark::Changed) => ("~", model.theme.warn),
        Some(Mark::Deleted) => ("-", model.theme.err),
        None => (" ", model.theme.text),
    }
}

fn tree(
    frame: &mut Frame<'_>,
    model: &Model,
    pane: &ComparePane,
    diff: &ImageDiff,
    area: Rect,
    has_keys: bool,
) {
    let form = if pane.tree.is_flat { "largest first" } else { "tree" };
    let title = heading(model, "Differences", &pathtree::view::words(&pane.tree, form), area.width, has_keys);
    let none = match (diff.has_same_files(), diff.config.is_empty()) {
        (true, true) => "the files and the configuration are identical",
        (true, false) => "the files are identical",
        (false, _) => "nothing to show",
    };
    let text = |row: &TreeRow| (grown(row), about(model, pane, row));
    pathtree::view::draw(frame, model, &pane.tree, (&diff.files.paths, title, none), area, has_keys, text);
}

/// Returns the change in size: `+4.0M`, `-9.0K`.
fn grown(row: &TreeRow) -> String {
    match row.size.cmp(&row.before) {
        std::cmp::Ordering::Less => format!("-{}", size(row.before - row.size)),
        std::cmp::Ordering::Equal => "=".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", size(row.size - row.before)),
    }
}

/// Returns what differs in a file, or how much differs in a folder.
fn about(model: &Model, pane: &ComparePane, row: &TreeRow) -> Line<'static> {
    let theme = &model.theme;
    let change = row.path.and_then(|path| pane.change(path));
    let mut spans = Vec::new();
    if let Some(change) = change.filter(|change| !change.what.is_empty()) {
        let words: Vec<String> = change.what.iter().map(difference).collect();
        spans.push(Span::styled(words.join(", "), theme.dim));
    }
    if row.kind == FileKind::Folder || row.is_open.is_some() {
        for (mark, count) in [Mark::Added, Mark::Changed, Mark::Deleted].into_iter().zip(row.counts) {
            if count > 0 {
                let (sign, style) = sign(model, Some(mark));
                let gap = if spans.is_empty() { "" } else { " " };
                spans.push(Span::styled(format!("{gap}{sign}{count}"), style));
            }
        }
    }
    if !spans.is_empty() {
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

fn difference(difference: &Difference) -> String {
    match difference {
        Difference::Kind(before, after) => format!("{}, was {}", after.words(), before.words()),
        Difference::Mode(before, after) => format!("mode {before:03o} → {after:03o}"),
        Difference::Owner(before, after) => {
            format!("owner {}:{} → {}:{}", before.0, before.1, after.0, after.1)
        }
        Difference::Content => "content".to_owned(),
        Difference::Target => "link target".to_owned(),
        Difference::Device => "device".to_owned(),
        Difference::Attributes => "attributes".to_owned(),
    }
}

/// Returns the text for the lower border.
pub(crate) fn note(model: &Model, pane: &ComparePane) -> (String, Style) {
    let Some(diff) = &pane.diff else { return (String::new(), model.theme.dim) };
    let (added, changed, removed) =
        (diff.files.added.files, diff.files.changed.files, diff.files.removed.files);
    let text = format!(" {added} added · {changed} changed · {removed} removed ");
    let text = pathtree::view::without(&pane.tree, text);
    if diff.files.is_cut {
        return (format!(" more differences than shown ·{text}"), model.theme.warn);
    }
    (shown(text), model.theme.dim)
}

#[cfg(test)]
mod tests {
    use crate::engine::files::Place;
    use crate::engine::layers::{FileDiff, ImageDiff};
    use crate::tui::compare::model::tests::diff;
    use crate::tui::effect::Effect;
    use crate::tui::event::Event;
    use crate::tui::failure::Failure;
    use crate::tui::files::model::{FilesDone, FilesWish};
    use crate::tui::fixture::{full, press, screen, wide_shot, write};
    use crate::tui::model::Model;
    use crate::tui::reading::{Answer, LayersNews, Want};
    use crate::tui::tab::Tab;
    use crate::tui::update::update;

    const BOTH: [&str; 2] = ["debian:13", "acme/app:2.4.1"];

    fn compared(width: u16, height: u16) -> Model {
        let mut model = full(width, height);
        press(&mut model, "2 space space D");
        let (serial, want) = model.wants().read(Tab::Compare).remove(0);
        assert_eq!(want, Want::Compare(BOTH.map(str::to_owned)));
        update(
            &mut model,
            Event::Answer(serial, Answer::Compare(LayersNews::Progress("9 files".to_owned()))),
        );
        update(&mut model, Event::Answer(serial, Answer::Compare(LayersNews::Report(Box::new(diff())))));
        model
    }

    #[test]
    fn the_comparison() {
        for (name, keys) in [("compare", "j l"), ("compare_summary", "j l F tab")] {
            wide_shot(name, |width, height| {
                let mut model = compared(width, height);
                press(&mut model, keys);
                model
            });
        }
    }

    #[test]
    fn the_comparison_while_it_reads_when_it_cannot_and_when_nothing_differs() {
        let mut model = full(80, 24);
        press(&mut model, "2 space space D");
        let serial = model.pane().compare.serial;
        update(
            &mut model,
            Event::Answer(serial, Answer::Compare(LayersNews::Progress("4096 files".to_owned()))),
        );
        assert!(screen(&model).contains("comparing images… 4096 files"));
        let failure = Failure { what: "cannot compare `x` with `y`".to_owned(), ..Failure::default() };
        update(&mut model, Event::Answer(serial, Answer::Compare(LayersNews::Failed(failure))));
        assert!(screen(&model).contains("✗ cannot compare `x` with `y`"));
        assert!(model.wants().read(Tab::Compare).is_empty(), "it is not asked again and again");
        press(&mut model, "q D");
        assert_eq!(model.wants().read(Tab::Compare).len(), 1, "but when it is wished for again");
        let same = ImageDiff { files: FileDiff::default(), config: Vec::new(), ..diff() };
        let serial = model.pane().compare.serial;
        update(&mut model, Event::Answer(serial, Answer::Compare(LayersNews::Report(Box::new(same)))));
        assert!(screen(&model).contains("the files and the configuration are identical"));
    }

    #[test]
    fn what_is_to_be_marked_is_said() {
        for (keys, text) in [
            ("2 D", "no image is marked → mark one with Space, select the other one, then compare"),
            ("2 space k D", "only the selected image is marked → select another image, then compare"),
            ("2 * D", "3 images are marked → mark only two of them"),
            ("2 enter =", "no other image is marked → mark one in the list with Space, then compare again"),
            ("2 * enter =", "2 other images are marked → mark only one of them"),
        ] {
            let mut model = full(120, 40);
            press(&mut model, keys);
            assert!(screen(&model).contains(text), "{keys}\n{}", screen(&model));
            assert!(model.wants().read(Tab::Compare).is_empty(), "{keys}");
        }
    }

    #[test]
    fn one_marked_image_is_compared_with_the_one_under_the_cursor() {
        let mut model = full(120, 40);
        let names: Vec<String> = model.images.all().iter().map(|row| row.target().to_owned()).collect();
        press(&mut model, "2 space D");
        assert_eq!(model.shown_tab(model.pane()), Tab::Compare);
        let mut of = model.pane().compare.of.clone().unwrap();
        of.sort();
        assert_eq!(of, names[..2]);
    }

    #[test]
    fn the_shown_image_is_compared_with_the_marked_one() {
        let mut model = full(120, 40);
        press(&mut model, "2 j space k k enter =");
        assert_eq!(model.shown_tab(model.pane()), Tab::Compare);
        let (_, want) = model.wants().read(Tab::Compare).remove(0);
        assert_eq!(
            want,
            Want::Compare(BOTH.map(str::to_owned)),
            "as old as each other: from the marked one to the shown one"
        );
        press(&mut model, "q j enter");
        assert!(screen(&model).contains("4 Compare"), "each of the two has it");
        press(&mut model, "q j enter");
        assert!(!screen(&model).contains("Compare"), "a third has not");
    }

    #[test]
    fn a_file_is_looked_into_taken_out_and_searched_for() {
        let mut model = compared(120, 40);
        press(&mut model, "j j j l j");
        let effects = press(&mut model, "enter");
        let image = |at: usize| Place::Image(BOTH[at].to_owned());
        let path = std::path::PathBuf::from("/etc/passwd");
        let wish = FilesWish::Compare([(image(0), path.clone()), (image(1), path)]);
        assert_eq!(effects, [Effect::Files(wish.clone())]);
        let lines = ["@@ -1 +1 @@", "-root", "+toor"].map(str::to_owned).to_vec();
        update(&mut model, Event::FilesDone(wish, Ok(FilesDone::Page(String::new(), lines))));
        let text = screen(&model);
        assert!(text.contains("/etc/passwd in debian:13 (-) and acme/app:2.4.1 (+)"), "{text}");
        press(&mut model, "q k k k l j");
        let path = "/srv/app".into();
        assert_eq!(press(&mut model, "enter"), [Effect::Files(FilesWish::View(image(1), path))]);
        press(&mut model, "x");
        let effects = press(&mut model, "enter");
        let [Effect::Files(FilesWish::Copy(request))] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!((&request.from, request.names[0].to_str()), (&image(1), Some("app")));
        press(&mut model, "/");
        write(&mut model, "motd");
        press(&mut model, "enter");
        assert!(screen(&model).contains("link target"), "{}", screen(&model));
        press(&mut model, "esc S");
        assert!(screen(&model).contains("1 added · 2 changed · 2 removed"), "{}", screen(&model));
        press(&mut model, "a m");
        assert!(screen(&model).contains("hidden: added, changed"));
    }
}
