//! The window through which a list is seen.

/// Returns the first line of a window of `height` lines over `count` lines. The window moves from
/// `top` only as far as needed to contain the cursor and to avoid empty lines at its end.
#[must_use]
pub fn into_view(top: usize, cursor: usize, height: usize, count: usize) -> usize {
    let height = height.max(1);
    let lowest = (cursor + 1).saturating_sub(height);
    top.clamp(lowest, cursor).min(count.saturating_sub(height).max(lowest))
}

#[cfg(test)]
mod tests {
    use super::into_view;

    #[test]
    fn a_window_follows_its_cursor_and_is_filled() {
        for (top, cursor, height, count, want) in [
            (0, 0, 5, 3, 0),
            (0, 4, 5, 9, 0),
            (0, 5, 5, 9, 1),
            (4, 2, 5, 9, 2),
            // The window has grown, or lines were removed.
            (3, 6, 10, 7, 0),
            (6, 6, 4, 8, 4),
            // The window has no height, or the list no lines.
            (2, 3, 0, 9, 3),
            (7, 0, 5, 0, 0),
        ] {
            assert_eq!(into_view(top, cursor, height, count), want, "{top} {cursor} {height} {count}");
        }
    }
}
