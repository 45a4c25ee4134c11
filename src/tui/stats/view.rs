//! Draws charts of resource use, beside the list or in the tab.

pub mod chart;
pub mod counters;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::tui::stats::view::chart::{Plot, Unit, binary_top, round_top};
use crate::tui::view::frame::border;

use crate::engine::{ContainerId, Sample};
use crate::tui::model::Model;
use crate::tui::model::wants::SIDE_WITH_EVENTS;
use crate::tui::section::Subject;
use crate::tui::stats::history::Range;
use crate::tui::stats::model::StatsPane;
use crate::tui::stats::series::{Part, Point, Series, Value};
use crate::tui::viewer::Seen;
use crate::tui::words::{Align, amount, bytes, cell, spark};

/// A chart: title, current values, lines and scale.
struct Graph {
    title: String,
    /// The most important value first. Values that do not fit are omitted.
    now: Vec<Span<'static>>,
    lines: Vec<chart::Line>,
    top: f64,
    unit: Unit,
    limit: Option<(f64, Style)>,
}

/// The data for charts.
struct Source<'a> {
    model: &'a Model,
    pane: &'a StatsPane,
    /// Names and histories, the pane's own container first.
    all: Vec<(&'a str, &'a Series)>,
    point: Point,
    last: &'a Sample,
    /// The time at the right end.
    end: Timestamp,
    /// Whether the container has exited. The charts show its last run.
    is_over: bool,
    /// The number of values per line.
    dots: usize,
}

/// Draws the charts beside the list, with the last events below them if there is room.
pub(crate) fn side(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    if model.has_charts_in_a_tab() {
        // The charts are in the tab.
        events(frame, model, area);
        return;
    }
    let pane = StatsPane::default();
    let charted = match model.charted() {
        Some(Subject::Container(id)) => model.containers.get(id.as_str()),
        _ => None,
    };
    let row = charted.filter(|row| row.status.is_up());
    let source = row.and_then(|row| source(model, &pane, &row.id, area.width.saturating_sub(2)));
    let graphs = source.as_ref().map(Source::graphs).unwrap_or_default();
    let wanted = usize::from(area.height / 8).clamp(1, 4).min(graphs.len().max(1));
    let with_events = area.height >= SIDE_WITH_EVENTS;
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
        let text = if charted.is_some() { " not running" } else { " no container" };
        frame.render_widget(
            Line::styled(text, model.theme.dim),
            Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: 1 },
        );
    }
}

/// Draws the tab: four charts, below them pressure and counters if there is room, and the range in
/// the last line.
pub(crate) fn draw(frame: &mut Frame<'_>, seen: &Seen<'_>, id: &ContainerId, area: Rect) {
    let (model, pane) = (seen.model, &seen.pane.stats);
    let theme = &model.theme;
    let Some(mut source) = source(model, pane, id, (area.width / 2).saturating_sub(2)) else {
        let text = match () {
            () if seen.is_gone => format!(
                " {} is gone: nothing was measured here before",
                model.known(id).map_or("", |row| &row.name)
            ),
            () if model.is_up(id) => " measuring…".to_owned(),
            () => " not running: no stats".to_owned(),
        };
        frame.render_widget(Line::styled(text, theme.dim), area);
        return;
    };
    if area.height < 12 || area.width < 60 {
        source.dots = usize::from(area.width).saturating_sub(42).min(60);
        compact(frame, &source, area);
        return;
    }
    let panels = if area.height >= 24 { 8 } else { 0 };
    let [charts, numbers, foot] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(panels), Constraint::Length(1)])
            .areas(area);
    let [upper, lower] = Layout::vertical([Constraint::Fill(1); 2]).areas(charts);
    let halves = |area| -> [Rect; 2] { Layout::horizontal([Constraint::Fill(1); 2]).areas(area) };
    let places = [halves(upper), halves(lower)].concat();
    for (graph, place) in source.graphs().iter().zip(places) {
        draw_graph(frame, model, graph, place);
    }
    if panels > 0 {
        let has_pressure = source.last.pressure.iter().any(Option::is_some);
        let [left, right] = if has_pressure { halves(numbers) } else { [Rect::ZERO, numbers] };
        counters::pressure(frame, model, source.last, left);
        counters::limits(frame, model, source.last, right);
    }
    frame.render_widget(footer(&source), foot);
}

/// Returns the data of a container for charts of this width; `None` before its first sample.
fn source<'a>(model: &'a Model, pane: &'a StatsPane, id: &ContainerId, width: u16) -> Option<Source<'a>> {
    let of = |id: &ContainerId| {
        let row = model.known(id)?;
        Some((row.name.as_str(), model.series.get(id)?))
    };
    let own = of(id)?;
    let (point, last) = match &pane.frozen {
        Some(frozen) => (frozen.point, frozen.last.as_ref()),
        None => (own.1.now().copied(), own.1.last.as_ref()),
    };
    let all = [own].into_iter().chain(pane.beside.iter().filter_map(of)).collect();
    let dots = chart::capacity(width);
    let last = last?;
    let is_over = !model.is_up(id);
    let end = pane.end(if is_over { last.time } else { model.now });
    Some(Source { model, pane, all, point: point.unwrap_or_default(), last, end, is_over, dots })
}

impl Source<'_> {
    fn colours(&self) -> [Style; 8] {
        let theme = &self.model.theme;
        [theme.g1, theme.g2, theme.g3, theme.g4, theme.accent, theme.ok, theme.warn, theme.info]
    }

    fn values(&self, series: &Series, value: Value) -> Vec<f64> {
        series.over(self.end, self.pane.range, self.dots, value)
    }

    fn graphs(&self) -> Vec<Graph> {
        let mut graphs = match self.all.len() {
            1 => vec![self.cpu(), self.memory(), self.net(), self.block()],
            _ => self.compared(),
        };
        for graph in &mut graphs {
            graph.top /= f64::from(self.pane.scale).exp2();
        }
        graphs
    }

    /// Returns charts with a line for each container.
    fn compared(&self) -> Vec<Graph> {
        let kinds: [(&str, &[Value], Unit); 4] = [
            ("CPU", &[Value::Cpu], Unit::Percent),
            ("Memory", &[Value::Memory], Unit::Bytes),
            ("Network", &[Value::Received, Value::Sent], Unit::Bytes),
            ("Block I/O", &[Value::Read, Value::Written], Unit::Bytes),
        ];
        let sum = |all: Vec<Vec<f64>>| {
            all.into_iter().reduce(|one, other| one.into_iter().zip(other).map(|(a, b)| a + b).collect())
        };
        let graph = |(title, kinds, unit): (&str, &[Value], Unit)| {
            let lines: Vec<chart::Line> = self
                .all
                .iter()
                .zip(self.colours())
                .map(|((_, series), style)| {
                    let values = kinds.iter().map(|kind| self.values(series, *kind)).collect();
                    chart::Line { values: sum(values).unwrap_or_default(), style }
                })
                .collect();
            let now = |line: &chart::Line| {
                let value = line.values.iter().rev().find(|value| !value.is_nan());
                let text = match (value, unit) {
                    (None, _) => "-".to_owned(),
                    (Some(value), Unit::Percent) => format!("{value:.0}%"),
                    (Some(value), Unit::Bytes) => bytes(*value),
                };
                Span::styled(text, line.style)
            };
            let now = lines.iter().map(now).collect();
            let flat: Vec<f64> = lines.iter().flat_map(|line| line.values.iter().copied()).collect();
            let top = match unit {
                Unit::Percent => round_top(&flat, 1.0),
                Unit::Bytes => binary_top(&flat, 1024.0),
            };
            Graph { title: title.to_owned(), now, lines, top, unit, limit: None }
        };
        kinds.into_iter().map(graph).collect()
    }

    fn cpu(&self) -> Graph {
        let (theme, series) = (&self.model.theme, self.all[0].1);
        let values = self.values(series, Value::Cpu);
        let quota = self.last.cpu_quota.map(|cpus| cpus * 100.0);
        let top = round_top(&values, quota.unwrap_or(100.0).max(1.0));
        let mut now = vec![Span::raw(format!("{:.1}%", self.point.cpu))];
        let mut lines = vec![chart::Line { values, style: theme.g1 }];
        if let Some(cpus) = self.last.cpu_quota {
            let throttled = self.point.throttled;
            let style = if throttled >= 10.0 { theme.warn } else { theme.text };
            now.push(Span::styled(format!("throttled {throttled:.0}%"), style));
            now.push(Span::raw(format!("quota {cpus:.1}")));
            let cut = self.values(series, Value::Throttled);
            let share = cut.iter().map(|percent| percent / 100.0 * top).collect();
            lines.insert(0, chart::Line { values: share, style: theme.dim });
        }
        let limit = quota.map(|quota| (quota, theme.warn));
        Graph { title: "CPU".to_owned(), now, lines, top, unit: Unit::Percent, limit }
    }

    #[expect(clippy::cast_precision_loss, reason = "for a scale")]
    fn memory(&self) -> Graph {
        let (theme, series, last) = (&self.model.theme, self.all[0].1, self.last);
        let used = self.values(series, Value::Memory);
        let cache = self.values(series, Value::Cache);
        let limit = last.memory_limit as f64;
        let most = used.iter().chain(&cache).copied().fold(last.memory as f64, f64::max);
        // The scale ends at the limit if memory use is near it, otherwise at a round number.
        let is_near = most * 4.0 > limit && limit > 0.0;
        let top = if is_near { limit } else { binary_top(&[most], 1_048_576.0) };
        let mut now =
            vec![Span::raw(format!("{} of {}", bytes(last.memory as f64), amount(last.memory_limit)))];
        if last.is_limited && limit > 0.0 {
            let percent = last.memory as f64 / limit * 100.0;
            let (sign, style) = if percent >= 90.0 { (" !", theme.warn) } else { ("", theme.text) };
            now.push(Span::styled(format!("{percent:.0}%{sign}"), style));
        }
        if last.oom_kills > 0 {
            now.push(Span::styled(format!("OOM {}x", last.oom_kills), theme.err));
        }
        now.push(Span::raw(format!("anon {} cache {}", amount(last.anon), amount(last.file))));
        let lines = vec![
            chart::Line { values: cache, style: theme.g4 },
            chart::Line { values: used, style: theme.g2 },
        ];
        let limit = last.is_limited.then_some((limit, theme.warn));
        Graph { title: "Memory".to_owned(), now, lines, top, unit: Unit::Bytes, limit }
    }

    fn net(&self) -> Graph {
        if self.pane.is_split {
            return self.split("Network", Part::Interface);
        }
        let (rx, tx) = self.point.net;
        let now = vec![Span::raw(format!("rx {}/s  tx {}/s", bytes(rx), bytes(tx)))];
        let title = match self.last.networks.as_slice() {
            [(name, ..)] => format!("Network {}", cell(name, name.width().min(15), Align::Left)),
            _ => "Network".to_owned(),
        };
        self.pair(title, now, Value::Received, Value::Sent)
    }

    fn block(&self) -> Graph {
        if self.pane.is_split {
            return self.split("Block I/O", Part::Disk);
        }
        let (read, written) = self.point.block;
        let now = vec![Span::raw(format!("r {}/s  w {}/s", bytes(read), bytes(written)))];
        self.pair("Block I/O".to_owned(), now, Value::Read, Value::Written)
    }

    fn pair(&self, title: String, now: Vec<Span<'static>>, one: Value, other: Value) -> Graph {
        let (theme, series) = (&self.model.theme, self.all[0].1);
        let (one, other) = (self.values(series, one), self.values(series, other));
        let top = binary_top(&[one.as_slice(), &other].concat(), 1024.0);
        let lines = vec![
            chart::Line { values: one, style: theme.g3 },
            chart::Line { values: other, style: theme.g4 },
        ];
        Graph { title, now, lines, top, unit: Unit::Bytes, limit: None }
    }

    /// Returns a chart with a line for each interface or disk.
    fn split(&self, title: &str, kind: Part) -> Graph {
        let series = self.all[0].1;
        let named = series.parts(kind).zip(self.colours());
        let (mut lines, mut now) = (Vec::new(), Vec::new());
        for (name, style) in named {
            let values = series.over_part(self.end, self.pane.range, self.dots, kind, name);
            let newest = values.iter().rev().find(|value| !value.is_nan()).copied().unwrap_or(0.0);
            let name = cell(name, name.width().min(10), Align::Left);
            now.push(Span::styled(format!("{name} {}/s", bytes(newest)), style));
            lines.push(chart::Line { values, style });
        }
        let flat: Vec<f64> = lines.iter().flat_map(|line| line.values.iter().copied()).collect();
        let top = binary_top(&flat, 1024.0);
        Graph { title: title.to_owned(), now, lines, top: top.max(1.0), unit: Unit::Bytes, limit: None }
    }
}

fn draw_graph(frame: &mut Frame<'_>, model: &Model, graph: &Graph, area: Rect) {
    let room = usize::from(area.width).saturating_sub(graph.title.width() + 8);
    let mut now = vec![Span::raw(" ")];
    let mut taken = 1;
    for part in &graph.now {
        taken += part.width() + 2;
        if taken > room && now.len() > 1 {
            break;
        }
        if now.len() > 1 {
            now.push(Span::raw("  "));
        }
        now.push(part.clone());
    }
    now.push(Span::raw(" "));
    let now = Line::from(now).style(model.theme.text).alignment(Alignment::Right);
    let block = border(model, false, vec![Span::raw(graph.title.clone())]).title_top(now);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let plot = Plot {
        lines: &graph.lines,
        top: graph.top,
        unit: graph.unit,
        limit: graph.limit,
        scale: model.theme.dim,
    };
    chart::draw(frame.buffer_mut(), inner, &plot);
}

/// Returns the last line: `range: [1m] 5m 15m 1h 6h   scale x2   frozen   history 6h (64K)`, and
/// the compared containers.
fn footer(source: &Source<'_>) -> Line<'static> {
    let (theme, pane) = (&source.model.theme, source.pane);
    let mut spans = vec![Span::styled(" range: ", theme.dim)];
    for range in Range::ALL {
        spans.push(match range == pane.range {
            true => Span::styled(format!("[{}]", range.label()), theme.accent.add_modifier(Modifier::BOLD)),
            false => Span::styled(format!(" {} ", range.label()), theme.dim),
        });
    }
    match pane.scale {
        0 => {}
        up @ 1.. => spans.push(Span::raw(format!("   scale x{}", 1_u32 << up))),
        down => spans.push(Span::raw(format!("   scale 1/{}", 1_u32 << -down))),
    }
    if source.is_over {
        spans.push(Span::styled("   it has ended", theme.dim));
    }
    if source.all.len() > 1 {
        for ((name, _), style) in source.all.iter().zip(source.colours()) {
            spans
                .push(Span::styled(format!("   ● {}", cell(name, name.width().min(20), Align::Left)), style));
        }
    } else {
        let kept = source.all[0].1.bytes();
        spans.push(Span::styled(format!("   history 6h ({})", bytes(kept as f64)), theme.dim));
    }
    Line::from(spans)
}

/// Draws one line per value, for panes too low for charts.
fn compact(frame: &mut Frame<'_>, source: &Source<'_>, area: Rect) {
    let theme = &source.model.theme;
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (graph, style) in source.graphs().iter().zip([theme.g1, theme.g2, theme.g3, theme.g4]) {
        let now: Vec<&str> = graph.now.iter().map(|span| span.content.as_ref()).collect();
        let values: Vec<f64> = graph.lines.last().map(|line| line.values.clone()).unwrap_or_default();
        let values: Vec<f64> =
            values.into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect();
        let title = graph.title.split(' ').next().unwrap_or_default().to_owned();
        lines.push(Line::from(vec![
            Span::styled(format!(" {title:<10}"), theme.dim),
            Span::raw(cell(&now.join("  "), 26, Align::Left)),
            Span::styled(format!(" {}", spark(&values, graph.top)), style),
        ]));
    }
    lines.extend(
        counters::lines(source.last, theme)
            .into_iter()
            .take(usize::from(area.height).saturating_sub(lines.len())),
    );
    frame.render_widget(Paragraph::new(lines), area);
}

fn events(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    let theme = &model.theme;
    let block = border(model, false, vec![Span::raw("Events")]);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let newest = model.journal.all().iter().take(inner.height.into());
    let lines: Vec<Line<'_>> = newest
        .map(|event| {
            let time = event.time.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string();
            Line::from(vec![
                Span::styled(format!(" {time} "), theme.dim),
                Span::raw(cell(&event.name, 14, Align::Left)),
                Span::raw(cell(
                    &format!(
                        " {}{}",
                        event.action,
                        event.exit().map_or_else(String::new, |code| format!(" exit {code}"))
                    ),
                    usize::from(inner.width).saturating_sub(24),
                    Align::Left,
                )),
            ])
        })
        .collect();
    if lines.is_empty() {
        frame.render_widget(Line::styled(" nothing yet", theme.dim), inner);
    }
    frame.render_widget(Paragraph::new(lines), inner);
}
