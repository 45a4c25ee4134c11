//! Aligns columns like Docker's lists: Go's tabwriter with a minimum width of 10 and a padding of
//! three spaces.

/// Minimum width of a column, including its padding.
const LEAST: usize = 10;
/// Spaces after the widest cell.
const PADDING: usize = 3;

/// Aligns lines of cells separated by tabs. The last cell of a line is not padded.
#[must_use]
pub fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for cells in &lines {
        for (column, cell) in cells[..cells.len() - 1].iter().enumerate() {
            let width = (cell.chars().count() + PADDING).max(LEAST);
            match widths.get_mut(column) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    let mut out = String::new();
    for cells in &lines {
        for (column, cell) in cells.iter().enumerate() {
            out += cell;
            if column + 1 < cells.len() {
                let missing = widths[column].saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', missing));
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_three() {
        let text = "ID\tA LONG HEADER\tNAME\nabcdefabcdef\tx\tweb\n1\t\tdb\n";
        insta::assert_snapshot!(align(text), @"
        ID             A LONG HEADER   NAME
        abcdefabcdef   x               web
        1                              db
        ");
    }
}
