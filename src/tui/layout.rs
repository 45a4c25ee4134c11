//! The layout of the screen, as a function of its size and of the length of the list.
//!
//! The list is as high as its rows need, up to 60 % of the space that it shares with the panes.
//!
//! ```text
//!  80×24                     ≥ 100×30                      ≥ 160 wide
//!  header                    header                        header
//!  sections                  sections                      sections
//!  ┏ list ━━━━━━━━━━━━┓      ┏ list ━━━━━━━━━━━━━━━┓       ╭ navi ╮┏ list ━━━━━━━━━━┓╭ side ╮
//!  ┗━━━━━━━━━━━━━━━━━━┛      ┗━━━━━━━━━━━━━━━━━━━━━┛       │ gator│┗━━━━━━━━━━━━━━━━┛│charts│
//!  ╭ detail ──────────╮      ╭ detail ────╮╭ side ─╮       │      │╭ detail ────────╮│events│
//!  ╰──────────────────╯      ╰────────────╯╰───────╯       ╰──────╯╰────────────────╯╰──────╯
//!  keys, status              keys, status                  keys, status
//! ```
//! Below 60 columns or 18 rows, only the list is shown, or the zoomed panes. Below 40×12, a single
//! line.

use ratatui::layout::Rect;

use crate::config::Navigator;

/// The areas of the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// One line about the engine, or about the zoomed pane.
    pub header: Option<Rect>,
    /// The sections, or the tabs of the zoomed pane.
    pub tabs: Rect,
    /// Projects, tasks and alerts, including the border.
    pub navigator: Option<Rect>,
    /// The list, including its border.
    pub list: Option<Rect>,
    /// The panes, including their borders.
    pub detail: Option<Rect>,
    /// Charts.
    pub side: Option<Rect>,
    /// The line of keys.
    pub keys: Rect,
    /// Notices.
    pub status: Rect,
    /// Whether there is no room for anything else.
    pub is_too_small: bool,
}

/// The smallest terminal that shows more than one line.
pub const SMALLEST: (u16, u16) = (40, 12);

/// The width of the navigator, including the border.
pub const NAVIGATOR: u16 = 30;

/// What is shown beside the list and the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// Whether charts are shown if there is room.
    pub charts: bool,
    /// The navigator.
    pub navigator: Navigator,
}

/// The lines of the list's border and headings.
const AROUND_ROWS: u16 = 3;

/// The least number of rows of the list.
const FEWEST_ROWS: u16 = 4;

/// The number of lines of the text of an empty list.
const EMPTY_ROWS: u16 = 9;

/// Lays out a terminal of `size`, for a list of `rows` rows.
#[must_use]
pub fn layout(size: (u16, u16), is_zoomed: bool, beside: Beside, rows: usize) -> Layout {
    let (width, height) = size;
    let line = |y: u16| Rect::new(0, y, width, u16::from(y < height));
    if width < SMALLEST.0 || height < SMALLEST.1 {
        let status = line(height.saturating_sub(1));
        return Layout { status, is_too_small: true, ..Layout::default() };
    }
    let has_header = height >= 16;
    let top = u16::from(has_header) + 1;
    let body = Rect::new(0, top, width, height - top - 2);
    let mut layout = Layout {
        header: has_header.then(|| line(0)),
        tabs: line(top - 1),
        keys: line(height - 2),
        status: line(height - 1),
        ..Layout::default()
    };
    if is_zoomed {
        layout.detail = Some(body);
        return layout;
    }
    if width < 60 || height < 18 {
        layout.list = Some(body);
        return layout;
    }
    let mut main = body;
    let has_navigator = match beside.navigator {
        Navigator::Auto => width >= 160 && height >= 30,
        Navigator::On => width >= 100 && height >= 24,
        Navigator::Off => false,
    };
    if has_navigator {
        layout.navigator = Some(Rect { width: NAVIGATOR, ..main });
        (main.x, main.width) = (NAVIGATOR, main.width - NAVIGATOR);
    }
    let has_charts = beside.charts;
    if has_charts && width >= 160 && height >= 30 {
        let side = (width / 4).clamp(40, 60);
        main.width -= side;
        layout.side = Some(Rect::new(main.right(), body.y, side, body.height));
    }
    let rows = match u16::try_from(rows).unwrap_or(u16::MAX) {
        0 => EMPTY_ROWS,
        rows => rows.max(FEWEST_ROWS),
    };
    let list = rows.saturating_add(AROUND_ROWS).min(body.height * 3 / 5);
    layout.list = Some(Rect { height: list, ..main });
    let mut detail = Rect { y: main.y + list, height: main.height - list, ..main };
    if has_charts && layout.side.is_none() && main.width >= 100 && height >= 30 {
        let side = main.width / 3;
        detail.width -= side;
        layout.side = Some(Rect::new(detail.right(), detail.y, side, detail.height));
    }
    layout.detail = Some(detail);
    layout
}

/// Returns a rectangle of at most this size in the middle of the screen.
pub(crate) fn middle(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 3,
        width,
        height,
    }
}

impl Layout {
    /// Returns the number of rows of the list, without border and heading.
    #[must_use]
    pub fn list_rows(&self) -> usize {
        self.list.map_or(0, |list| usize::from(list.height.saturating_sub(AROUND_ROWS)))
    }

    /// Whether the list is wide enough for columns of resource usage.
    #[must_use]
    pub fn has_use_columns(&self) -> bool {
        self.list.is_some_and(|list| list.width >= 76)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_and_nothing_is_outside_at_any_size() {
        for width in 0..220 {
            for height in 0..70 {
                for (is_zoomed, charts, navigator, rows) in [
                    (false, true, Navigator::Auto, 0),
                    (true, true, Navigator::On, 12),
                    (false, false, Navigator::Auto, 12),
                    (false, false, Navigator::On, 100_000),
                    (false, true, Navigator::On, 20),
                    (false, true, Navigator::Off, 1),
                ] {
                    let all = layout((width, height), is_zoomed, Beside { charts, navigator }, rows);
                    let areas: Vec<Rect> = [all.header, Some(all.tabs), all.list, all.detail, all.side]
                        .into_iter()
                        .chain([all.navigator, Some(all.keys), Some(all.status)])
                        .flatten()
                        .filter(|area| area.area() > 0)
                        .collect();
                    for (at, area) in areas.iter().enumerate() {
                        assert!(area.right() <= width && area.bottom() <= height, "{width}x{height} {area}");
                        let free = areas[at + 1..].iter().all(|other| !area.intersects(*other));
                        assert!(free, "{width}x{height} {all:?}");
                    }
                    if !all.is_too_small {
                        let covered: u32 = areas.iter().map(|area| area.area()).sum();
                        assert_eq!(covered, u32::from(width) * u32::from(height), "{width}x{height}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_list_is_as_high_as_its_rows_need_up_to_three_fifths() {
        let beside = Beside { charts: true, navigator: Navigator::Off };
        let rows = |height, rows| layout((80, height), false, beside, rows).list_rows();
        assert_eq!([0, 2, 7, 9, 10, 1000].map(|all| rows(24, all)), [9, 4, 7, 9, 9, 9]);
        assert_eq!([2, 12, 30, 1000].map(|all| rows(60, all)), [4, 12, 30, 30]);
    }
}
