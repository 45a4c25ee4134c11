//! Charts over time in braille characters, with two by four dots each: filled areas, and lines over
//! them.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::tui::words::bytes;

/// The columns for the scale, left of the plot.
const SCALE: u16 = 5;

/// The dots of a braille character by column and row, from the top.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// A line of a chart: its values, oldest first, and its style.
#[derive(Debug)]
pub struct Line {
    /// The values, the newest at the right; NaN is a gap.
    pub values: Vec<f64>,
    /// The style.
    pub style: Style,
    /// Whether the area below it is filled.
    pub is_filled: bool,
}

/// The unit of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    Percent,
    Bytes,
}

/// The content of a chart.
#[derive(Debug)]
pub struct Plot<'a> {
    /// Its lines, the last one on top.
    pub lines: &'a [Line],
    /// The value at its upper end.
    pub top: f64,
    /// The unit of the scale.
    pub unit: Unit,
    /// A value shown as a dotted line, if it is below the top.
    pub limit: Option<(f64, Style)>,
    /// The style of the scale.
    pub scale: Style,
}

/// Returns the number of values in a chart of this width.
#[must_use]
pub fn capacity(width: u16) -> usize {
    usize::from(width.saturating_sub(SCALE)) * 2
}

/// Draws a chart into `area`.
pub fn draw(buf: &mut Buffer, area: Rect, plot: &Plot<'_>) {
    if area.width <= SCALE || area.height == 0 {
        return;
    }
    for (row, value) in marks(area.height, plot.top) {
        let text = label(value, plot.top, plot.unit);
        buf.set_stringn(area.x, area.y + row, format!("{text:>4}"), 4, plot.scale);
    }
    let place = Rect { x: area.x + SCALE, width: area.width - SCALE, ..area };
    if let Some((limit, style)) = plot.limit.filter(|(limit, _)| *limit > 0.0 && *limit < plot.top) {
        let row = row_of(limit, plot.top, place);
        for column in (0..usize::from(place.width) * 2).step_by(3) {
            dot(buf, place, column, row, style);
        }
    }
    for line in plot.lines.iter().filter(|line| line.is_filled) {
        trace(buf, place, line, plot.top);
    }
    // A line takes its cells from the areas below it, so that it stays visible as a line.
    let areas: Vec<Position> = place.positions().filter(|at| has_dots(&buf[*at])).collect();
    for line in plot.lines.iter().filter(|line| !line.is_filled) {
        for at in cells(place, line, plot.top).filter(|at| areas.contains(at)) {
            buf[at].set_char(' ');
        }
    }
    for line in plot.lines.iter().filter(|line| !line.is_filled) {
        trace(buf, place, line, plot.top);
    }
}

/// Returns the labelled rows of the scale: both ends, and as many between them as fit.
fn marks(height: u16, top: f64) -> Vec<(u16, f64)> {
    let parts: u16 = match height {
        0 => return Vec::new(),
        1 => return vec![(0, top)],
        2..=5 => 1,
        6..=9 => 2,
        _ => 4,
    };
    let last = height - 1;
    let mark = |part: u16| {
        let row = (u32::from(last) * u32::from(part) + u32::from(parts) / 2) / u32::from(parts);
        (u16::try_from(row).unwrap_or(last), top * (1.0 - f64::from(part) / f64::from(parts)))
    };
    (0..=parts).map(mark).collect()
}

/// Returns a label. Only the top one has a unit, which applies to all.
fn label(value: f64, top: f64, unit: Unit) -> String {
    let is_top = value >= top;
    match unit {
        _ if value <= 0.0 => "0".to_owned(),
        Unit::Percent if is_top => format!("{value:.0}%"),
        Unit::Percent => format!("{value:.0}"),
        Unit::Bytes => {
            let (text, whole) = (bytes(value), bytes(top));
            let letter = |text: &str| text.chars().last().filter(char::is_ascii_alphabetic);
            match letter(&text) {
                Some(c) if !is_top && letter(&whole) == Some(c) => text.trim_end_matches(c).to_owned(),
                _ => text,
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the plot")]
fn row_of(value: f64, top: f64, plot: Rect) -> usize {
    let highest = usize::from(plot.height) * 4 - 1;
    let share = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
    highest - (share * highest as f64).round() as usize
}

fn trace(buf: &mut Buffer, plot: Rect, line: &Line, top: f64) {
    let bottom = usize::from(plot.height) * 4 - 1;
    for (column, from, to) in strokes(plot, line, top) {
        let last = if line.is_filled { bottom } else { to };
        for row in from..=last {
            dot(buf, plot, column, row, line.style);
        }
    }
}

/// Returns the columns of dots of a line, each with its highest and its lowest row. A steep line has
/// no gaps: its column contains the dots in between.
fn strokes(plot: Rect, line: &Line, top: f64) -> Vec<(usize, usize, usize)> {
    let columns = usize::from(plot.width) * 2;
    let values = &line.values[line.values.len().saturating_sub(columns)..];
    let first = columns - values.len();
    let mut before: Option<usize> = None;
    let mut strokes = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        if value.is_nan() {
            before = None;
            continue;
        }
        let row = row_of(*value, top, plot);
        let from = before
            .map_or(row, |before| if before < row { before + 1 } else { before.saturating_sub(1).max(row) });
        strokes.push((first + at, from.min(row), from.max(row)));
        before = Some(row);
    }
    strokes
}

/// Returns the cells that a line crosses.
fn cells(plot: Rect, line: &Line, top: f64) -> impl Iterator<Item = Position> {
    strokes(plot, line, top)
        .into_iter()
        .flat_map(move |(column, from, to)| (from / 4..=to / 4).map(move |row| (column / 2, row)))
        .filter_map(move |(x, y)| {
            let at = Position { x: plot.x + u16::try_from(x).ok()?, y: plot.y + u16::try_from(y).ok()? };
            plot.contains(at).then_some(at)
        })
}

fn has_dots(cell: &Cell) -> bool {
    cell.symbol().chars().next().is_some_and(|sign| ('\u{2801}'..'\u{2900}').contains(&sign))
}

fn dot(buf: &mut Buffer, plot: Rect, column: usize, row: usize, style: Style) {
    let (Ok(x), Ok(y)) = (u16::try_from(column / 2), u16::try_from(row / 4)) else { return };
    let Some(cell) = buf.cell_mut((plot.x + x, plot.y + y)) else { return };
    let old = if has_dots(cell) { cell.symbol().chars().next().map_or(0, u32::from) } else { 0x2800 };
    let dots = old | u32::from(DOTS[column % 2][row % 4]);
    if let Some(c) = char::from_u32(dots) {
        cell.set_char(c).set_style(style);
    }
}

/// Returns a round number (1, 2 or 5 times a power of ten) not below any of `values` and `least`.
#[must_use]
pub fn round_top(values: &[f64], least: f64) -> f64 {
    let highest = values.iter().copied().fold(least, f64::max).max(1.0);
    let power = 10_f64.powf(highest.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= highest).unwrap_or(highest)
}

/// Returns a power of two not below any of `values` and `least`, for bytes.
#[must_use]
pub fn binary_top(values: &[f64], least: f64) -> f64 {
    let highest = values.iter().copied().fold(least, f64::max).max(1.0);
    highest.log2().ceil().exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(width: u16, height: u16, plot: &Plot<'_>) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        draw(&mut buf, area, plot);
        (0..height).map(|y| (0..width).map(|x| buf[(x, y)].symbol().to_owned()).collect()).collect()
    }

    fn plot(lines: &[Line], top: f64, unit: Unit) -> Plot<'_> {
        Plot { lines, top, unit, limit: None, scale: Style::default() }
    }

    fn line(values: Vec<f64>) -> Line {
        Line { values, style: Style::default(), is_filled: false }
    }

    #[test]
    fn an_area_is_filled_and_a_line_over_it_stays_a_line() {
        let area = Line { is_filled: true, ..line((0..8).map(f64::from).collect()) };
        assert_eq!(
            rows(9, 2, &plot(std::slice::from_ref(&area), 7.0, Unit::Percent)),
            ["  7%   ⣠⣾", "   0 ⣠⣾⣿⣿"]
        );
        let over = line(vec![1.0; 8]);
        assert_eq!(rows(9, 2, &plot(&[over, area], 7.0, Unit::Percent)), ["  7%   ⣠⣾", "   0 ⠤⠤⠤⠤"]);
    }

    #[test]
    fn a_chart_rises_from_left_to_right() {
        let lines = [line((0..8).map(f64::from).collect())];
        assert_eq!(rows(9, 2, &plot(&lines, 7.0, Unit::Percent)), ["  7%   ⡠⠊", "   0 ⡠⠊  "]);
    }

    #[test]
    fn what_was_not_measured_is_a_gap() {
        let lines = [line(vec![0.0, 0.0, f64::NAN, f64::NAN, 7.0, 7.0])];
        assert_eq!(rows(8, 1, &plot(&lines, 7.0, Unit::Percent)), ["  7% ⣀ ⠉"]);
    }

    #[test]
    fn a_limit_is_a_dotted_line_below_the_top() {
        let mut plot = plot(&[], 8.0, Unit::Bytes);
        plot.limit = Some((4.0, Style::default()));
        assert_eq!(rows(11, 1, &plot), ["   8 ⠂⠐ ⠂⠐ "]);
        plot.limit = Some((8.0, Style::default()));
        assert_eq!(rows(8, 1, &plot), ["   8    "]);
    }

    #[test]
    fn the_scale_names_its_unit_once() {
        for (height, top, unit, want) in [
            (1, 100.0, Unit::Percent, &["100%"][..]),
            (3, 100.0, Unit::Percent, &["100%", "0"]),
            (7, 100.0, Unit::Percent, &["100%", "50", "0"]),
            (11, 512.0 * 1_048_576.0, Unit::Bytes, &["512M", "384", "256", "128", "0"]),
            (11, 1_048_576.0, Unit::Bytes, &["1.0M", "768K", "512K", "256K", "0"]),
        ] {
            let all: Vec<_> = marks(height, top).iter().map(|(_, value)| label(*value, top, unit)).collect();
            assert_eq!(all, want);
            let rows: Vec<u16> = marks(height, top).iter().map(|(row, _)| *row).collect();
            assert!(rows.windows(2).all(|pair| pair[0] < pair[1]) && rows.iter().all(|row| *row < height));
        }
    }

    #[test]
    fn any_values_in_any_area_are_survived() {
        for (width, height) in [(0, 0), (5, 1), (6, 1), (40, 10)] {
            for values in [vec![], vec![f64::NAN, -1.0, f64::INFINITY, 1e300], vec![3.0; 1000]] {
                for top in [0.0, f64::NAN, f64::INFINITY] {
                    let lines = [line(values.clone())];
                    let plot = Plot {
                        limit: Some((f64::INFINITY, Style::default())),
                        ..plot(&lines, top, Unit::Bytes)
                    };
                    rows(width, height, &plot);
                }
            }
        }
    }

    #[test]
    fn the_top_of_a_chart_is_round() {
        for (values, least, top) in
            [(&[12.0, 98.0][..], 100.0, 100.0), (&[130.0], 100.0, 200.0), (&[3e6], 1.0, 5e6), (&[], 0.0, 1.0)]
        {
            assert!((round_top(values, least) - top).abs() < 0.001);
        }
    }
}
