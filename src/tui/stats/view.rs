//! Draws charts of resource use, beside the list or in the tab.

pub mod chart;
pub mod counters;

use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::tui::stats::view::chart::{Plot, Unit, binary_top, round_top};
use crate::tui::view::frame::{border, heading};

use crate::engine::{ContainerId, Sample};
use crate::tui::model::Model;
use crate::tui::model::wants::SIDE_WITH_EVENTS;
use crate::tui::model::window::Pane;
use crate::tui::section::Subject;
use crate::tui::stats::history::Range;
use crate::tui::stats::model::StatsPane;
use crate::tui::stats::series::{Part, Point, Series, Value};
use crate::tui::viewer::Seen;
use crate::tui::words::{Align, amount, bytes, cell, span, spark};

/// A chart: title, current values, lines and scale.
struct Graph {
    title: String,
    /// The current values in the colours of their lines, the most important one first. Values that
    /// do not fit are omitted.
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
    /// The range of time that is shown.
    range: Range,
    /// How long the container has been measured.
    measured: Option<SignedDuration>,
    /// The same if it is shorter than the range.
    since: Option<SignedDuration>,
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
    let Some(mut source) = source(model, pane, id, halves(area)[0].width) else {
        let text = match () {
            () if seen.is_gone => format!(
                " {} was removed: no stats were recorded",
                model.known(id).map_or("", |row| &row.name)
            ),
            () if model.is_up(id) => " measuring…".to_owned(),
            () => " not running: no stats were recorded".to_owned(),
        };
        frame.render_widget(Line::styled(text, theme.dim), area);
        return;
    };
    if area.height < 12 || area.width < 60 {
        source.dots = usize::from(area.width).saturating_sub(42).min(60);
        compact(frame, &source, area);
        return;
    }
    let panels = if area.height >= 24 { 7 } else { 0 };
    let [charts, numbers, foot] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(panels), Constraint::Length(1)])
            .areas(area);
    let [upper, lower] = Layout::vertical([Constraint::Fill(1); 2]).areas(charts);
    for (graph, place) in source.graphs().iter().zip([halves(upper), halves(lower)].concat()) {
        draw_open(frame, model, graph, place);
    }
    if panels > 0 {
        let has_pressure = source.last.pressure.iter().any(Option::is_some);
        let [left, right] = if has_pressure { halves(numbers) } else { [Rect::ZERO, numbers] };
        counters::pressure(frame, model, source.last, left);
        counters::limits(frame, model, source.last, right);
    }
    frame.render_widget(footer(&source), foot);
}

/// Divides an area in two, with a gap of two columns.
fn halves(area: Rect) -> [Rect; 2] {
    Layout::horizontal([Constraint::Fill(1); 2]).spacing(2).areas(area)
}

/// Returns the time that the charts of a pane span; `None` if there is nothing to draw.
pub(crate) fn measured(model: &Model, pane: &Pane) -> Option<SignedDuration> {
    match model.subject_of(pane)? {
        Subject::Container(id) => Some(source(model, &pane.stats, &id, 0)?.measured.unwrap_or_default()),
        _ => None,
    }
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
    let all: Vec<_> = [own].into_iter().chain(pane.beside.iter().filter_map(of)).collect();
    let dots = chart::capacity(width);
    let last = last?;
    let is_over = !model.is_up(id);
    let end = pane.end(if is_over { last.time } else { model.now });
    let begin = all.iter().filter_map(|(_, series)| series.begin()).min();
    let measured = begin.map(|begin| end.duration_since(begin));
    let range = measured.map_or(pane.range, |measured| pane.range.no_longer_than(measured));
    let since = measured.filter(|measured| measured.as_secs() < i64::from(range.seconds()));
    let point = point.unwrap_or_default();
    Some(Source { model, pane, all, point, last, end, is_over, range, measured, since, dots })
}

impl Source<'_> {
    fn colours(&self) -> [Style; 8] {
        let theme = &self.model.theme;
        [theme.g1, theme.g2, theme.g3, theme.g4, theme.accent, theme.ok, theme.warn, theme.info]
    }

    fn values(&self, series: &Series, value: Value) -> Vec<f64> {
        series.over(self.end, self.range, self.dots, value)
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
                    line(sum(values).unwrap_or_default(), style)
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
        let top = cpu_top(&values, quota);
        let mut now = vec![Span::styled(format!("{:.1}%", self.point.cpu), theme.g1)];
        let mut lines = vec![filled(values, theme.g1)];
        if let Some(cpus) = self.last.cpu_quota {
            let throttled = self.point.throttled;
            let style = if throttled >= 10.0 { theme.err } else { theme.dim };
            now.push(Span::styled(format!("throttled {throttled:.0}%"), style));
            now.push(Span::styled(format!("quota {cpus:.1}"), theme.warn));
            let cut = self.values(series, Value::Throttled);
            let share = cut.iter().map(|percent| percent / 100.0 * top).collect();
            lines.push(line(share, style));
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
        let text = format!("{} of {}", bytes(last.memory as f64), amount(last.memory_limit));
        let mut now = vec![Span::styled(text, theme.g2)];
        if last.is_limited && limit > 0.0 {
            let percent = last.memory as f64 / limit * 100.0;
            let (sign, style) = if percent >= 90.0 { (" !", theme.warn) } else { ("", theme.text) };
            now.push(Span::styled(format!("{percent:.0}%{sign}"), style));
        }
        if last.oom_kills > 0 {
            now.push(Span::styled(format!("OOM {}x", last.oom_kills), theme.err));
        }
        now.push(Span::styled(format!("cache {}", amount(last.file)), theme.g4));
        now.push(Span::styled(format!("anon {}", amount(last.anon)), theme.text));
        let lines = vec![filled(used, theme.g2), line(cache, theme.g4)];
        let limit = last.is_limited.then_some((limit, theme.warn));
        Graph { title: "Memory".to_owned(), now, lines, top, unit: Unit::Bytes, limit }
    }

    fn net(&self) -> Graph {
        if self.pane.is_split {
            return self.split("Network", Part::Interface);
        }
        let (rx, tx) = self.point.net;
        let now = [format!("rx {}/s", bytes(rx)), format!("tx {}/s", bytes(tx))];
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
        let now = [format!("read {}/s", bytes(read)), format!("write {}/s", bytes(written))];
        self.pair("Block I/O".to_owned(), now, Value::Read, Value::Written)
    }

    fn pair(&self, title: String, now: [String; 2], one: Value, other: Value) -> Graph {
        let (theme, series) = (&self.model.theme, self.all[0].1);
        let (one, other) = (self.values(series, one), self.values(series, other));
        let top = binary_top(&[one.as_slice(), &other].concat(), 1024.0);
        let lines = vec![filled(one, theme.g3), line(other, theme.g4)];
        let now = now.into_iter().zip([theme.g3, theme.g4]).map(|(text, style)| Span::styled(text, style));
        Graph { title, now: now.collect(), lines, top, unit: Unit::Bytes, limit: None }
    }

    /// Returns a chart with a line for each interface or disk.
    fn split(&self, title: &str, kind: Part) -> Graph {
        let series = self.all[0].1;
        let named = series.parts(kind).zip(self.colours());
        let (mut lines, mut now) = (Vec::new(), Vec::new());
        for (name, style) in named {
            let values = series.over_part(self.end, self.range, self.dots, kind, name);
            let newest = values.iter().rev().find(|value| !value.is_nan()).copied().unwrap_or(0.0);
            let name = cell(name, name.width().min(10), Align::Left);
            now.push(Span::styled(format!("{name} {}/s", bytes(newest)), style));
            lines.push(line(values, style));
        }
        let flat: Vec<f64> = lines.iter().flat_map(|line| line.values.iter().copied()).collect();
        let top = binary_top(&flat, 1024.0);
        Graph { title: title.to_owned(), now, lines, top: top.max(1.0), unit: Unit::Bytes, limit: None }
    }
}

/// Returns the end of the scale for CPU use in percent: at least the quota if use is near it.
fn cpu_top(values: &[f64], quota: Option<f64>) -> f64 {
    let most = values.iter().copied().fold(0.0, f64::max);
    let least = quota.filter(|quota| most * 4.0 > *quota);
    round_top(values, least.unwrap_or(5.0)) // below that, every program makes a mountain
}

fn line(values: Vec<f64>, style: Style) -> chart::Line {
    chart::Line { values, style, is_filled: false }
}

fn filled(values: Vec<f64>, style: Style) -> chart::Line {
    chart::Line { values, style, is_filled: true }
}

impl Graph {
    /// Returns the current values that fit into this width, at least one.
    fn legend(&self, width: usize) -> Vec<Span<'static>> {
        let (mut legend, mut taken) = (Vec::new(), 0);
        for part in &self.now {
            taken += part.width() + 2;
            if taken > width && !legend.is_empty() {
                break;
            }
            legend.extend([Span::raw("  "), part.clone()]);
        }
        legend
    }

    fn plot(&self, model: &Model) -> Plot<'_> {
        let Self { lines, top, unit, limit, .. } = self;
        Plot { lines, top: *top, unit: *unit, limit: *limit, scale: model.theme.dim }
    }
}

/// Draws a chart with a border.
fn draw_graph(frame: &mut Frame<'_>, model: &Model, graph: &Graph, area: Rect) {
    let legend = graph.legend(usize::from(area.width).saturating_sub(graph.title.width() + 6));
    let now = legend.into_iter().skip(1).chain([Span::raw(" ")]);
    let now = Line::from([Span::raw(" ")].into_iter().chain(now).collect::<Vec<_>>());
    let now = now.style(model.theme.text).alignment(Alignment::Right);
    let block = border(model, false, vec![Span::raw(graph.title.clone())]).title_top(now);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    chart::draw(frame.buffer_mut(), inner, &graph.plot(model));
}

/// Draws a chart below a heading.
fn draw_open(frame: &mut Frame<'_>, model: &Model, graph: &Graph, area: Rect) {
    let [head, plot] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let mut spans = vec![heading(model, &graph.title)];
    spans.extend(graph.legend(usize::from(area.width).saturating_sub(graph.title.width() + 2)));
    frame.render_widget(Line::from(spans), head);
    chart::draw(frame.buffer_mut(), plot, &graph.plot(model));
}

/// Returns the last line: `range: [1m] 5m 15m 1h 6h   scale x2   since 23s`, and the compared
/// containers.
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
        spans.push(Span::styled("   exited", theme.dim));
    }
    if let Some(since) = source.since {
        spans.push(Span::styled(format!("   since {}", span(since)), theme.dim));
    }
    if source.all.len() > 1 {
        for ((name, _), style) in source.all.iter().zip(source.colours()) {
            spans
                .push(Span::styled(format!("   ● {}", cell(name, name.width().min(20), Align::Left)), style));
        }
    }
    Line::from(spans)
}

/// Draws one line per value, for panes too low for charts.
fn compact(frame: &mut Frame<'_>, source: &Source<'_>, area: Rect) {
    let theme = &source.model.theme;
    let mut lines: Vec<Line<'_>> = Vec::new();
    if source.is_over {
        lines.push(Line::styled(" exited; the last values:", theme.dim));
    }
    for graph in source.graphs() {
        let shown = graph.lines.first();
        let values: Vec<f64> = shown.map(|line| line.values.clone()).unwrap_or_default();
        let values: Vec<f64> =
            values.into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect();
        let title = graph.title.split(' ').next().unwrap_or_default().to_owned();
        let mut spans = vec![Span::styled(format!(" {title:<8}"), theme.dim)];
        spans.extend(graph.legend(28));
        let taken: usize = spans.iter().map(Span::width).sum();
        spans.push(Span::raw(" ".repeat(38_usize.saturating_sub(taken))));
        spans.push(Span::styled(spark(&values, graph.top), shown.map_or(theme.g1, |line| line.style)));
        lines.push(Line::from(spans));
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
        frame.render_widget(Line::styled(" no events yet", theme.dim), inner);
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_of_the_cpu_follows_what_is_used_and_shows_a_quota_that_is_near() {
        for (values, quota, top) in [
            (&[0.3, f64::NAN, 0.1][..], None, 5.0),
            (&[3.0, 7.0], None, 10.0),
            (&[30.0, 110.0], None, 200.0),
            // 8 CPUs are far away, and half of one is near.
            (&[3.0], Some(800.0), 5.0),
            (&[20.0], Some(50.0), 50.0),
            (&[240.0], Some(800.0), 1000.0),
            (&[], Some(50.0), 5.0),
        ] {
            assert_eq!(cpu_top(values, quota).to_string(), top.to_string(), "{values:?} of {quota:?}");
        }
    }
}
