//! Charts of what a container uses: beside the list, or as the tab.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::border;
use super::chart::{self, binary_top, round_top};
use super::words::{bytes, cell, size, spark};
use crate::engine::Sample;
use crate::tui::model::series::{Point, Series};
use crate::tui::model::{Model, Tab};

/// One chart: what it is called, what it says now, its lines, its scale.
struct Graph {
    title: &'static str,
    now: String,
    lines: Vec<chart::Line>,
    top: f64,
    label: String,
}

/// Draws the charts beside the list, and the last events below them where there is room.
pub(super) fn side(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    if model.shown_tab() == Tab::Stats {
        // The tab has the charts.
        events(frame, model, area);
        return;
    }
    let graphs = graphs(model, area.width);
    let wanted = usize::from(area.height / 8).clamp(1, 4).min(graphs.len().max(1));
    let with_events = area.height >= 44;
    let mut rows = vec![Constraint::Fill(1); wanted];
    if with_events {
        rows.push(Constraint::Fill(1));
    }
    let places = Layout::vertical(rows).split(area);
    for (at, place) in places.iter().enumerate() {
        match graphs.get(at).filter(|_| at < wanted) {
            Some(graph) => draw_graph(frame, model, graph, *place),
            None if with_events && at == wanted => events(frame, model, *place),
            None => frame.render_widget(border(model, false, vec![Span::raw("Charts")]), *place),
        }
    }
    if graphs.is_empty() && area.height > 2 {
        let text = if model.container().is_some() { " it is not up" } else { " no container" };
        frame.render_widget(
            Line::styled(text, model.theme.dim),
            Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: 1 },
        );
    }
}

/// Draws the tab: four charts, and the counters below where there is room.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    let Some(row) = model.container() else { return };
    if !row.status.is_up() {
        frame.render_widget(Line::styled(" it is not up: it uses nothing", theme.dim), area);
        return;
    }
    let Some(last) = model.series.get(&row.id).and_then(|series| series.last.as_ref()) else {
        frame.render_widget(Line::styled(" measuring…", theme.dim), area);
        return;
    };
    if area.height < 12 || area.width < 60 {
        compact(frame, model, last, area);
        return;
    }
    let counters = counters(last);
    let below = u16::try_from(counters.len() + 1).unwrap_or(0).min(area.height.saturating_sub(12));
    let [charts, numbers] = Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(area);
    let [upper, lower] = Layout::vertical([Constraint::Fill(1); 2]).areas(charts);
    let halves = |area| -> [Rect; 2] { Layout::horizontal([Constraint::Fill(1); 2]).areas(area) };
    let places = [halves(upper), halves(lower)].concat();
    for (graph, place) in graphs(model, area.width / 2).iter().zip(places) {
        draw_graph(frame, model, graph, place);
    }
    let lines: Vec<Line<'_>> = counters
        .into_iter()
        .map(|(name, value)| {
            Line::from(vec![Span::styled(format!(" {name:<14}"), theme.dim), Span::raw(value)])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), numbers);
}

fn graphs(model: &Model, width: u16) -> Vec<Graph> {
    let Some((series, last)) = model
        .container()
        .filter(|row| row.status.is_up())
        .and_then(|row| model.series.get(&row.id))
        .and_then(|series| Some((series, series.last.as_ref()?)))
    else {
        return Vec::new();
    };
    let theme = &model.theme;
    let count = chart::capacity(width.saturating_sub(2));
    let values = |value: fn(&Point) -> f64| series.latest(count, value);
    let now = series.now().copied().unwrap_or_default();
    let cpu = values(|point| point.cpu);
    let memory = values(|point| point.memory);
    let (rx, tx) = (values(|point| point.net.0), values(|point| point.net.1));
    let (read, written) = (values(|point| point.block.0), values(|point| point.block.1));
    let memory_top = memory_top(series, last);
    let cpu_top = round_top(&cpu, 100.0);
    let net_top = binary_top(&[rx.as_slice(), &tx].concat(), 1024.0);
    let block_top = binary_top(&[read.as_slice(), &written].concat(), 1024.0);
    let line = |values: Vec<f64>, style| chart::Line { values, style };
    vec![
        Graph {
            title: "CPU",
            now: format!("{:.1}%", now.cpu),
            label: format!("{cpu_top:.0}%"),
            top: cpu_top,
            lines: vec![line(cpu, theme.g1)],
        },
        Graph {
            title: "Memory",
            now: format!("{} of {}", size(last.memory), size(last.memory_limit)),
            label: bytes(memory_top),
            top: memory_top,
            lines: vec![line(memory, theme.g2)],
        },
        Graph {
            title: "Network",
            now: format!("↓ {}/s  ↑ {}/s", bytes(now.net.0), bytes(now.net.1)),
            label: bytes(net_top),
            top: net_top,
            lines: vec![line(rx, theme.g3), line(tx, theme.g4)],
        },
        Graph {
            title: "Block I/O",
            now: format!("r {}/s  w {}/s", bytes(now.block.0), bytes(now.block.1)),
            label: bytes(block_top),
            top: block_top,
            lines: vec![line(read, theme.g3), line(written, theme.g4)],
        },
    ]
}

/// The limit, where memory comes near it; else a round number above what is used.
#[expect(clippy::cast_precision_loss, reason = "for a scale")]
fn memory_top(series: &Series, last: &Sample) -> f64 {
    let most = series.latest(usize::MAX, |point| point.memory).into_iter().fold(last.memory as f64, f64::max);
    let limit = last.memory_limit as f64;
    if most * 4.0 > limit && limit > 0.0 {
        return limit;
    }
    binary_top(&[most], 1_048_576.0)
}

fn draw_graph(frame: &mut Frame<'_>, model: &Model, graph: &Graph, area: Rect) {
    let now = Line::styled(format!(" {} ", graph.now), model.theme.text).alignment(Alignment::Right);
    let block = border(model, false, vec![Span::raw(graph.title)]).title_top(now);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    chart::draw(frame.buffer_mut(), inner, &graph.lines, graph.top, &graph.label, model.theme.dim);
}

fn counters(last: &Sample) -> Vec<(String, String)> {
    let pids =
        last.pids_limit.map_or_else(|| last.pids.to_string(), |limit| format!("{} of {limit}", last.pids));
    let throttled = super::words::span(jiff::SignedDuration::from_nanos(
        i64::try_from(last.throttled_nanos).unwrap_or(i64::MAX),
    ));
    let mut rows = vec![
        ("pids".to_owned(), pids),
        (
            "memory".to_owned(),
            format!(
                "{} used, {} cache, limit {}, killed {} times",
                size(last.memory),
                size(last.cache),
                size(last.memory_limit),
                last.oom_kills
            ),
        ),
        ("cpu throttled".to_owned(), throttled),
        ("block total".to_owned(), format!("read {}, written {}", size(last.block.0), size(last.block.1))),
    ];
    for (name, rx, tx) in &last.networks {
        rows.push((format!("{name} total"), format!("received {}, sent {}", size(*rx), size(*tx))));
    }
    rows
}

/// One line a kind, for panes too low for charts.
fn compact(frame: &mut Frame<'_>, model: &Model, last: &Sample, area: Rect) {
    let theme = &model.theme;
    let width = usize::from(area.width).saturating_sub(42).min(60);
    let styles = [theme.g1, theme.g2, theme.g3, theme.g4];
    let graphs = graphs(model, area.width);
    let mut lines: Vec<Line<'_>> = graphs
        .iter()
        .zip(styles)
        .map(|(graph, style)| {
            let values = graph.lines.first().map(|line| line.values.as_slice()).unwrap_or_default();
            let skip = values.len().saturating_sub(width);
            Line::from(vec![
                Span::styled(format!(" {:<10}", graph.title), theme.dim),
                Span::raw(cell(&graph.now, 26, super::words::Align::Left)),
                Span::styled(spark(&values[skip..], graph.top), style),
            ])
        })
        .collect();
    lines.extend(counters(last).into_iter().take(1).map(|(name, value)| {
        Line::from(vec![Span::styled(format!(" {name:<10}"), theme.dim), Span::raw(value)])
    }));
    frame.render_widget(Paragraph::new(lines), area);
}

fn events(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    let block = border(model, false, vec![Span::raw("Events")]);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let newest = model.events.iter().rev().take(inner.height.into());
    let lines: Vec<Line<'_>> = newest
        .map(|event| {
            let time = jiff::Timestamp::from_second(event.time).unwrap_or_default();
            let time = time.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string();
            let name = event.actor.attributes.get("name").unwrap_or(&event.actor.id);
            let code = event
                .actor
                .attributes
                .get("exitCode")
                .map_or_else(String::new, |code| format!(" exit {code}"));
            Line::from(vec![
                Span::styled(format!(" {time} "), theme.dim),
                Span::raw(cell(name, 14, super::words::Align::Left)),
                Span::raw(cell(
                    &format!(" {}{code}", event.action),
                    usize::from(inner.width).saturating_sub(24),
                    super::words::Align::Left,
                )),
            ])
        })
        .collect();
    if lines.is_empty() {
        frame.render_widget(Line::styled(" nothing yet", theme.dim), inner);
    }
    frame.render_widget(Paragraph::new(lines), inner);
}
