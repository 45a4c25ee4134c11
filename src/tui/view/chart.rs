//! Lines over time in braille: two by four dots a character.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Columns left of the plot, for the scale.
const SCALE: u16 = 5;

/// Dots of a braille character by column and row, from the top.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// One line of a chart: its values, oldest first, and its colour.
#[derive(Debug)]
pub struct Line {
    /// The newest is drawn at the right.
    pub values: Vec<f64>,
    /// The colour.
    pub style: Style,
}

/// How many values a chart of this width shows.
#[must_use]
pub fn capacity(width: u16) -> usize {
    usize::from(width.saturating_sub(SCALE)) * 2
}

/// Draws `lines` into `area`, the top being `top`, which `label` names.
pub fn draw(buf: &mut Buffer, area: Rect, lines: &[Line], top: f64, label: &str, dim: Style) {
    if area.width <= SCALE || area.height == 0 {
        return;
    }
    buf.set_stringn(area.x, area.y, format!("{label:>4}"), 4, dim);
    if area.height > 1 {
        buf.set_stringn(area.x, area.bottom() - 1, "   0", 4, dim);
    }
    let plot = Rect { x: area.x + SCALE, width: area.width - SCALE, ..area };
    for line in lines {
        trace(buf, plot, line, top);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the plot")]
fn trace(buf: &mut Buffer, plot: Rect, line: &Line, top: f64) {
    let (columns, rows) = (usize::from(plot.width) * 2, usize::from(plot.height) * 4);
    let skip = line.values.len().saturating_sub(columns);
    let values = &line.values[skip..];
    let first = columns - values.len();
    let highest = (rows - 1) as f64;
    let row_of = |value: f64| {
        let share = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
        rows - 1 - (share * highest).round() as usize
    };
    let mut before: Option<usize> = None;
    for (at, value) in values.iter().enumerate() {
        let (column, row) = (first + at, row_of(*value));
        // A steep line has no holes: the dots between are this column's.
        let from = before
            .map_or(row, |before| if before < row { before + 1 } else { before.saturating_sub(1).max(row) });
        for row in from.min(row)..=from.max(row) {
            dot(buf, plot, column, row, line.style);
        }
        before = Some(row);
    }
}

fn dot(buf: &mut Buffer, plot: Rect, column: usize, row: usize, style: Style) {
    let (Ok(x), Ok(y)) = (u16::try_from(column / 2), u16::try_from(row / 4)) else { return };
    let Some(cell) = buf.cell_mut((plot.x + x, plot.y + y)) else { return };
    let old = cell.symbol().chars().next().map_or(0, u32::from);
    let old = if (0x2800..0x2900).contains(&old) { old } else { 0x2800 };
    let dots = old | u32::from(DOTS[column % 2][row % 4]);
    if let Some(c) = char::from_u32(dots) {
        cell.set_char(c).set_style(style);
    }
}

/// A round number not below any of `values` and `least`: 1, 2 or 5 times a power of ten.
#[must_use]
pub fn round_top(values: &[f64], least: f64) -> f64 {
    let highest = values.iter().copied().fold(least, f64::max).max(1.0);
    let power = 10_f64.powf(highest.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= highest).unwrap_or(highest)
}

/// A power of two not below any of `values` and `least`: for bytes.
#[must_use]
pub fn binary_top(values: &[f64], least: f64) -> f64 {
    let highest = values.iter().copied().fold(least, f64::max).max(1.0);
    highest.log2().ceil().exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_rises_from_left_to_right() {
        let area = Rect::new(0, 0, 9, 2);
        let mut buf = Buffer::empty(area);
        let values = (0..8).map(f64::from).collect();
        draw(&mut buf, area, &[Line { values, style: Style::default() }], 7.0, "7", Style::default());
        let rows: Vec<String> =
            (0..2).map(|y| (0..9).map(|x| buf[(x, y)].symbol().to_owned()).collect()).collect();
        assert_eq!(rows, ["   7   ⡠⠊", "   0 ⡠⠊  "]);
    }

    #[test]
    fn any_values_in_any_area_are_survived() {
        for (width, height) in [(0, 0), (5, 1), (6, 1), (40, 10)] {
            let area = Rect::new(0, 0, width, height);
            let mut buf = Buffer::empty(area);
            for values in [vec![], vec![f64::NAN, -1.0, f64::INFINITY, 1e300], vec![3.0; 1000]] {
                draw(
                    &mut buf,
                    area,
                    &[Line { values, style: Style::default() }],
                    0.0,
                    "top",
                    Style::default(),
                );
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
