//! Selecting lines, and their text.

use crate::tui::logs::model::{LogPane, Times, text};

/// The maximum number of selected lines.
const MOST_SELECTED: i64 = 3000;

impl LogPane {
    /// Starts a selection at the last match or the lowest visible line, or ends it.
    pub fn select(&mut self) {
        if self.selected.take().is_some() || self.buffer.is_empty() {
            return;
        }
        let hit = self.hit.as_ref().and_then(|hit| self.buffer.find(hit.source, hit.place));
        let at = hit.unwrap_or_else(|| self.bottom());
        self.pause();
        self.anchor = None;
        self.selected = Some((at, at));
        self.reveal_lazily(at);
    }

    /// Moves the end of the selection.
    pub fn select_by(&mut self, by: i64) {
        let Some((from, to)) = self.selected else { return };
        let last = self.buffer.end() - 1;
        let to = to.saturating_add(by).clamp(self.buffer.first(), last.max(self.buffer.first()));
        let to = to.clamp(from - MOST_SELECTED, from + MOST_SELECTED);
        self.selected = Some((from, to));
        self.reveal_lazily(to);
    }

    /// Returns the first and the last selected line.
    #[must_use]
    pub fn selected_range(&self) -> Option<(i64, i64)> {
        self.selected.map(|(one, other)| (one.min(other), one.max(other)))
    }

    /// Returns the selected lines, or the last match, as text with their number.
    #[must_use]
    pub fn copied(&self) -> Option<(usize, String)> {
        let hit = || {
            let hit = self.hit.as_ref()?;
            let seq = self.buffer.find(hit.source, hit.place)?;
            Some((seq, seq))
        };
        let (first, last) = self.selected_range().or_else(hit)?;
        let lines = (first..=last).filter_map(|seq| self.buffer.get(seq)).map(|line| {
            let time = if self.times == Times::Off { String::new() } else { format!("{:.3} ", line.time) };
            let name = match self.of.get(line.source) {
                Some(shown) if self.of.len() > 1 => format!("{} | ", shown.name),
                _ => String::new(),
            };
            format!("{time}{name}{}", text::plain(&line.bytes, self.json))
        });
        let lines: Vec<String> = lines.collect();
        (!lines.is_empty()).then(|| (lines.len(), lines.join("\n")))
    }
}
