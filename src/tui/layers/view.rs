//! Draws the layer explorer: the history with sizes, wasted space, facts, and a layer's tree.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::base::units::counted;
use crate::engine::files::{Mark, shown};
use crate::engine::layers::{LayerInfo, LayerReport, Waste};
use crate::tui::layers::model::{DOUBLE, LayersPane};
use crate::tui::model::Model;
use crate::tui::pathtree;
use crate::tui::pathtree::model::TreeRow;
use crate::tui::pathtree::view::heading;
use crate::tui::view::frame::select;
use crate::tui::view::texts;
use crate::tui::words::{Align, cell, size, span, wrap};

/// The widest bar for a layer's size.
const BAR: usize = 12;

/// Draws the explorer of a pane.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, pane: &LayersPane, area: Rect, has_keys: bool) {
    let theme = &model.theme;
    if area.height == 0 {
        return;
    }
    if let Some(failure) = &pane.failure {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme, area.width)), area);
        return;
    }
    let Some(report) = &pane.report else {
        let text = format!(" {} reading the layers… {}", texts::spinner(model.now), pane.progress);
        frame.render_widget(Line::styled(text, theme.dim), area);
        return;
    };
    if area.width < DOUBLE {
        match pane.in_tree {
            true => tree(frame, model, pane, report, area, has_keys),
            false => left(frame, model, pane, report, area, has_keys),
        }
        return;
    }
    let width = area.width * 46 / 100;
    let edge = Rect { x: area.x + width, width: 1, ..area };
    left(frame, model, pane, report, Rect { width, ..area }, has_keys && !pane.in_tree);
    frame.render_widget(Paragraph::new(vec![Line::styled("│", theme.dim); area.height.into()]), edge);
    let right = Rect { x: edge.right(), width: area.right() - edge.right(), ..area };
    tree(frame, model, pane, report, right, has_keys && pane.in_tree);
}

/// Draws the history and, if there is room, the wasted space and facts about the image below it.
fn left(
    frame: &mut Frame<'_>,
    model: &Model,
    pane: &LayersPane,
    report: &LayerReport,
    area: Rect,
    has_keys: bool,
) {
    let count = counted(report.layers.len() as u64, "step");
    let mut lines = vec![heading(model, "Layers", &count, area.width, has_keys)];
    let height = pane.height;
    let biggest = report.layers.iter().map(|layer| layer.size).max().unwrap_or(0).max(1);
    for (at, info) in report.layers.iter().enumerate().skip(pane.layer_top).take(height) {
        lines.push(layer(model, info, biggest, (at == pane.layer, has_keys), area.width));
    }
    let under = u16::try_from(pane.layer - pane.layer_top.min(pane.layer)).unwrap_or(0) + 1;
    let rest = usize::from(area.height).saturating_sub(lines.len());
    if rest >= 4 {
        lines.push(Line::default());
        lines.extend(waste(model, report, area.width, rest));
    }
    let rest = usize::from(area.height).saturating_sub(lines.len());
    if rest >= 4 {
        lines.push(Line::default());
        lines.extend(facts(model, report, area.width).into_iter().take(rest - 1));
    }
    frame.render_widget(Paragraph::new(lines), area);
    if has_keys {
        let row = Rect { y: area.y + under, height: 1, ..area };
        select(frame, model, row.intersection(area));
    }
}

/// Returns a line of the history: ` 5  148M ████████████ RUN npm ci`.
fn layer(
    model: &Model,
    info: &LayerInfo,
    biggest: u64,
    (is_selected, has_keys): (bool, bool),
    width: u16,
) -> Line<'static> {
    let theme = &model.theme;
    let number = if info.number == 0 { String::new() } else { info.number.to_string() };
    let share = info.size.saturating_mul(1000) / biggest;
    let bar = if width >= 50 { BAR } else { BAR / 2 };
    let full = texts::meter(share, bar).replace('░', " ");
    let room = usize::from(width).saturating_sub(bar + 14);
    let command = if info.command.is_empty() { "(no history)" } else { &info.command };
    let style = match (is_selected, info.number) {
        (true, _) => theme.text.add_modifier(Modifier::BOLD),
        (false, 0) => theme.dim,
        (false, _) => theme.text,
    };
    Line::from(vec![
        Span::styled(if is_selected && has_keys { "▌" } else { " " }, theme.accent),
        Span::styled(format!("{number:>3} "), theme.dim),
        Span::styled(format!("{:>6} ", size(info.size)), theme.text),
        Span::styled(full, theme.g1),
        Span::styled(format!(" {}", cell(command, room, Align::Left)), style),
    ])
}

fn waste(model: &Model, report: &LayerReport, width: u16, room: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let efficiency = report.efficiency();
    let right = format!("{} · efficiency {}.{}%", size(report.wasted), efficiency / 10, efficiency % 10);
    let mut lines = vec![heading(model, "Wasted space", &right, width, false)];
    if report.waste.is_empty() {
        let rows = wrap("   none: no layer hides files of another layer", width.into(), 3);
        lines.extend(rows.into_iter().map(|row| Line::styled(row, theme.dim)));
    }
    let most = (room / 2).clamp(2, 12);
    lines.extend(report.waste.iter().take(most).map(|line| wasted(model, line, width)));
    lines
}

fn wasted(model: &Model, line: &Waste, width: u16) -> Line<'static> {
    let theme = &model.theme;
    let how = match line.mark {
        Mark::Deleted => format!("deleted in {}", line.by),
        _ => format!("rewritten in {}", line.by),
    };
    let mut path = shown(&line.path);
    if line.files > 1 {
        path = format!("{}/* ({} files)", path.trim_end_matches('/'), line.files);
    }
    let room = usize::from(width).saturating_sub(how.len() + 12);
    Line::from(vec![
        Span::styled(format!("  {:>6} ", size(line.bytes)), theme.warn),
        Span::styled(cell(&path, room, Align::Left), theme.text),
        Span::styled(format!(" {how}"), theme.dim),
    ])
}

fn facts(model: &Model, report: &LayerReport, width: u16) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut facts: Vec<(&str, String)> = Vec::new();
    let users = match report.used_by.len() {
        0 => "no containers".to_owned(),
        count => format!("{} ({count})", report.used_by.join(", ")),
    };
    facts.push(("used by", users));
    if let Some(created) = report.created {
        let ago = span(model.now.duration_since(created));
        facts.push(("created", format!("{} ({ago} ago)", created.strftime("%Y-%m-%d %H:%M"))));
    }
    facts.push(("size", format!("{} in {}", size(report.total), counted(layers_of(report) as u64, "layer"))));
    facts.push(("platform", report.platform.to_string()));
    facts.extend(report.config.iter().map(|(name, value)| (*name, shown(value))));
    let id = report.id.to_string();
    let mut lines = vec![heading(model, "Image", id.get(..19).unwrap_or(&id), width, false)];
    lines.extend(facts.into_iter().map(|(name, value)| {
        let room = usize::from(width).saturating_sub(15);
        Line::from(vec![
            Span::styled(format!("   {name:<10} "), theme.dim),
            Span::styled(cell(&value, room, Align::Left), theme.text),
        ])
    }));
    lines
}

fn layers_of(report: &LayerReport) -> usize {
    report.layers.iter().filter(|layer| layer.number > 0).count()
}

fn tree(
    frame: &mut Frame<'_>,
    model: &Model,
    pane: &LayersPane,
    report: &LayerReport,
    area: Rect,
    has_keys: bool,
) {
    let title = match pane.info() {
        Some(info) if info.number > 0 => format!("Files · layer {}", info.number),
        _ => "Files".to_owned(),
    };
    let form = if pane.is_aggregated { "all up to this layer" } else { "changes only" };
    let title = heading(model, &title, &pathtree::view::words(&pane.tree, form), area.width, has_keys);
    let is_bare = pane.info().is_some_and(|info| info.number == 0) && !pane.is_aggregated;
    let none = if is_bare { "this step only changed the image's configuration" } else { "nothing to show" };
    let text = |row: &TreeRow| (size(row.size), Line::default());
    pathtree::view::draw(frame, model, &pane.tree, (&report.paths, title, none), area, has_keys, text);
}

/// Returns the text for the lower border.
pub(crate) fn note(model: &Model, pane: &LayersPane) -> (String, Style) {
    let Some(info) = pane.info() else { return (String::new(), model.theme.dim) };
    let text = format!(" {} added · {} changed · {} removed ", info.added, info.changed, info.removed);
    let text = pathtree::view::without(&pane.tree, text);
    if pane.report.as_ref().is_some_and(|report| report.is_cut) {
        return (format!(" more files than shown ·{text}"), model.theme.warn);
    }
    (text, model.theme.dim)
}

#[cfg(test)]
mod tests {
    use crate::engine::files::FileKind;
    use crate::tui::effect::Effect;
    use crate::tui::event::Event;
    use crate::tui::failure::Failure;
    use crate::tui::files::model::FilesWish;
    use crate::tui::fixture::{full, press, screen, wide_shot, write};
    use crate::tui::layers::model::tests::report;
    use crate::tui::model::Model;
    use crate::tui::reading::{Answer, LayersNews, Want};
    use crate::tui::tab::Tab;
    use crate::tui::update::update;

    fn explorer(width: u16, height: u16) -> Model {
        let mut model = full(width, height);
        press(&mut model, "2 enter");
        let (serial, want) = model.wants().read(Tab::Layers).remove(0);
        assert_eq!(want, Want::Layers("acme/app:2.4.1".to_owned()));
        update(
            &mut model,
            Event::Answer(serial, Answer::Layers(LayersNews::Progress("layer 1 of 3".to_owned()))),
        );
        update(&mut model, Event::Answer(serial, Answer::Layers(LayersNews::Report(Box::new(report())))));
        model
    }

    #[test]
    fn the_explorer() {
        for (name, keys) in [("layers", "k k k"), ("layers_tree", "k k k tab j l")] {
            wide_shot(name, |width, height| {
                let mut model = explorer(width, height);
                press(&mut model, keys);
                model
            });
        }
    }

    #[test]
    fn the_explorer_while_it_reads_and_when_it_cannot() {
        let mut model = full(80, 24);
        press(&mut model, "2 enter");
        let (serial, _) = model.wants().read(Tab::Layers).remove(0);
        update(
            &mut model,
            Event::Answer(serial, Answer::Layers(LayersNews::Progress("layer 2 of 9".to_owned()))),
        );
        assert!(screen(&model).contains("reading the layers… layer 2 of 9"));
        let failure = Failure { what: "cannot read the layers of `x`".to_owned(), ..Failure::default() };
        update(&mut model, Event::Answer(serial, Answer::Layers(LayersNews::Failed(failure))));
        assert!(screen(&model).contains("✗ cannot read the layers of `x`"));
        assert!(model.wants().read(Tab::Layers).is_empty(), "it is not asked again and again");
    }

    #[test]
    fn keys_of_the_tree_show_it_where_only_one_half_is_visible() {
        for key in ["a", "m", "r", "F", "/"] {
            let mut model = explorer(80, 24);
            assert!(!screen(&model).contains("Files · layer"), "{key}");
            press(&mut model, key);
            assert!(screen(&model).contains("Files · layer"), "{key}: {}", screen(&model));
            assert!(screen(&model).matches('▌').count() < 2, "{key}: {}", screen(&model));
        }
        let mut model = explorer(80, 24);
        press(&mut model, "r");
        let pane = &mut model.pane_mut().layers;
        pane.show(Some(&crate::tui::section::Subject::Image("redis:8".to_owned())));
        assert!(pane.tree.hidden.is_empty(), "kinds are hidden for one image");
    }

    #[test]
    fn keys_that_have_nothing_to_unfold_or_to_go_to_say_so() {
        let mut model = explorer(120, 40);
        let said = |model: &Model| model.notice.as_ref().unwrap().text.clone();
        press(&mut model, "left");
        assert_eq!(said(&model), "nothing to the left of the list of layers");
        // The root is unfolded for good.
        press(&mut model, "k k k tab enter");
        assert_eq!(said(&model), "there is nothing to unfold here");
        press(&mut model, "j right right");
        assert_eq!(model.pane().layers.tree.current().unwrap().kind, FileKind::File);
        model.notice = None;
        press(&mut model, "right");
        assert_eq!(said(&model), "there is nothing to unfold here");
    }

    #[test]
    fn what_is_shown_of_a_layer_is_chosen_and_a_file_is_taken_out() {
        let mut model = explorer(120, 40);
        assert!(screen(&model).contains("- "), "the last layer removes something");
        press(&mut model, "r");
        assert!(screen(&model).contains("hidden: removed"));
        press(&mut model, "r F");
        assert!(screen(&model).contains("all up to this layer"));
        press(&mut model, "F k k k x");
        assert!(model.layers.is_empty(), "the layer itself is no file");
        press(&mut model, "tab j x");
        let effects = press(&mut model, "enter");
        let [Effect::Files(FilesWish::Copy(request))] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(request.names, ["srv"]);
        press(&mut model, "/");
        write(&mut model, "lib");
        press(&mut model, "enter");
        assert_eq!(model.pane().layers.tree.rows.len(), 3);
        press(&mut model, "esc esc");
        assert!(model.wants().read(Tab::Layers).is_empty());
    }
}
