//! The columns of lists: their names and widths, and which of them are shown.
//!
//! [`Columns`] stores which columns the user wants and in which order; [`fit`] determines how many
//! of them there is room for. A column of texts is as wide as its longest text, within its bounds.

use std::collections::BTreeMap;

use crate::tui::section::Section;

/// The number of blanks between two columns.
pub const GAP: usize = 2;

/// Columns up to this rank get their preferred width before any other column is shown.
const ESSENTIAL: u8 = 7;

/// The rank after that of all other columns.
const LAST: u8 = u8::MAX;

/// How a text is aligned in its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Align {
    Left,
    Right,
}

macro_rules! columns {
    ($($variant:ident $name:literal $heading:literal $least:literal $good:literal $most:literal $rank:literal $align:ident;)*) => {
        /// A column of a list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the headings say it")]
        pub enum Column { $($variant,)* }

        impl Column {
            /// All columns.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the name, as saved and as shown in messages.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the heading.
            #[must_use]
            pub fn heading(self) -> &'static str {
                match self { $(Self::$variant => $heading,)* }
            }

            /// Returns the alignment.
            #[must_use]
            pub fn align(self) -> Align {
                match self { $(Self::$variant => Align::$align,)* }
            }

            fn width(self) -> Width {
                match self { $(Self::$variant => Width { least: $least, good: $good, most: $most, whole: $most, rank: $rank },)* }
            }
        }
    };
}

/// The minimum, preferred and maximum width of a column, and its rank: columns with a smaller rank
/// get their width first.
#[derive(Clone, Copy)]
struct Width {
    least: usize,
    good: usize,
    most: usize,
    /// The width of the longest text: room that is left over goes to texts that would be cut.
    whole: usize,
    rank: u8,
}

// Widths: minimum, preferred, maximum; rank; alignment.
columns! {
    Name       "name"       "NAME"       12 22 48 0  Left;
    Task       "task"       "TASK"       12 24 60 0  Left;
    Time       "time"       "TIME"       8  8  8  1  Left;
    State      "state"      "STATE"      13 13 20 1  Left;
    Left       "left"       "LEFT"       6  6  7  1  Right;
    Removed    "removed"    "REMOVED"    10 10 11 2  Left;
    Action     "action"     "ACTION"     10 12 20 2  Left;
    Driver     "driver"     "DRIVER"     7  7  8  2  Left;
    Image      "image"      "IMAGE"      12 20 60 3  Left;
    Subnet     "subnet"     "SUBNET"     16 16 18 3  Left;
    Folder     "folder"     "PATH"       12 20 60 3  Left;
    Kind       "kind"       "KIND"       9  9  9  4  Left;
    Cpu        "cpu"        "CPU%"       6  6  6  4  Right;
    Size       "size"       "SIZE"       6  6  7  4  Right;
    Spent      "for"        "TIME"       6  6  7  4  Right;
    Containers "containers" "CONTAINERS" 10 18 40 5  Left;
    Attributes "attributes" "ATTRIBUTES" 12 20 90 5  Left;
    Memory     "memory"     "MEM"        5  5  11 5  Right;
    Up         "up"         "UP"         9  9  10 7  Left;
    UsedBy     "used-by"    "USED BY"    8  12 40 7  Left;
    Ports      "ports"      "PORTS"      8  8  18 8  Left;
    Chart      "chart"      "CPU"        5  9  12 9  Left;
    Id         "id"         "ID"         12 12 12 10 Left;
    Created    "created"    "CREATED"    10 10 11 10 Left;
    NetIn      "net-in"     "NET↓"       5  5  6  11 Right;
    NetOut     "net-out"    "NET↑"       5  5  6  12 Right;
    Platform   "platform"   "PLATFORM"   8  8  9  11 Left;
    Pids       "pids"       "PIDS"       5  5  5  13 Right;
    Project    "project"    "PROJECT"    8  8  16 13 Left;
    Address    "address"    "ADDRESS"    15 15 15 14 Left;
    Network    "network"    "NETWORK"    8  8  14 14 Left;
    Command    "command"    "COMMAND"    12 20 60 15 Left;
}

/// The number of columns by which each column is widened at most where room is left over.
const SPREAD: usize = 2;

/// Columns of resource usage.
pub const USE: [Column; 6] =
    [Column::Chart, Column::Cpu, Column::Memory, Column::NetIn, Column::NetOut, Column::Pids];

impl Column {
    /// Whether it names the object of a row, so that it cannot be hidden.
    #[must_use]
    pub fn names_the_row(self) -> bool {
        matches!(self, Self::Name | Self::Task)
    }

    /// Returns the column with a saved name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|column| column.name() == name)
    }

    /// Whether sorting by it starts with the largest or newest row.
    #[must_use]
    pub fn is_largest_first(self) -> bool {
        use Column as C;
        USE.contains(&self)
            || matches!(
                self,
                C::Up | C::Created | C::Size | C::UsedBy | C::Containers | C::Spent | C::Time | C::Removed
            )
    }
}

impl Column {
    /// Returns the bounds of the width for a longest text of `longest` columns; see [`fit`].
    fn width_for(self, longest: usize) -> Width {
        let width = self.width();
        if longest == 0 {
            return width;
        }
        // The heading may have an arrow.
        let whole = longest.max(self.heading().len() + 1);
        let wanted = whole.min(width.most);
        let least = match self {
            // A state that is cut may read as another one.
            Self::State => wanted.max(width.least),
            _ => wanted.min(width.least),
        };
        // A column of dashes comes last.
        let rank = if self == Self::Ports && longest == 1 { LAST } else { width.rank };
        Width { least, good: wanted.min(width.good).max(least), most: wanted.max(least), whole, rank }
    }
}

/// The indentation of rows below the heading of their group.
pub const INDENT: usize = 2;

/// Returns the width before the columns: cursor, mark, indentation, symbol, and a blank.
#[must_use]
pub fn gutter(section: Section, is_grouped: bool) -> usize {
    3 + usize::from(section.has_glyph()) + if is_grouped { INDENT } else { 0 }
}

/// The maximum number of names that are looked at: a list asks for its columns in each frame.
const MOST: usize = 100;

/// The user's columns for each list, in order. They are stored by name, so that files of other
/// versions can be read as far as possible.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Columns(BTreeMap<String, Vec<String>>);

impl Columns {
    /// Returns the columns of a section, each once.
    #[must_use]
    pub fn of(&self, section: Section) -> Vec<Column> {
        let (usual, more) = section.columns();
        let Some(names) = self.0.get(section.title()) else { return usual.to_vec() };
        let all = || usual.iter().chain(more);
        let names = names.iter().take(MOST);
        let named = names.filter_map(|name| all().copied().find(|column| column.name() == name));
        let mut chosen = Vec::new();
        for column in named {
            if !chosen.contains(&column) {
                chosen.push(column);
            }
        }
        if chosen.is_empty() { usual.to_vec() } else { chosen }
    }

    /// Sets the columns of a section; the default is not stored.
    pub fn choose(&mut self, section: Section, columns: &[Column]) {
        let title = section.title();
        if columns.is_empty() || columns == section.columns().0 {
            self.0.remove(title);
        } else {
            self.0.insert(title.to_owned(), columns.iter().map(|column| column.name().to_owned()).collect());
        }
    }
}

/// The dialog for choosing columns.
#[derive(Debug)]
pub struct Choice {
    /// The list.
    pub section: Section,
    /// All columns in the chosen order, each with whether it is shown.
    pub items: Vec<(Column, bool)>,
    /// The position of the cursor.
    pub cursor: usize,
    before: Vec<Column>,
}

impl Choice {
    /// Returns a dialog that starts with the shown columns.
    #[must_use]
    pub fn new(section: Section, shown: Vec<Column>) -> Self {
        let mut choice = Self { section, items: Vec::new(), cursor: 0, before: shown.clone() };
        choice.take(&shown);
        choice
    }

    /// Shows these columns, and lists the others after them.
    fn take(&mut self, shown: &[Column]) {
        let (usual, more) = self.section.columns();
        let others = usual.iter().chain(more).filter(|column| !shown.contains(column));
        self.items =
            shown.iter().map(|column| (*column, true)).chain(others.map(|column| (*column, false))).collect();
    }

    /// Moves the cursor.
    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.items.len().saturating_sub(1));
    }

    /// Moves the column under the cursor, together with the cursor.
    pub fn shift(&mut self, by: isize) {
        let to = self.cursor.saturating_add_signed(by).min(self.items.len().saturating_sub(1));
        self.items.swap(self.cursor, to);
        self.cursor = to;
    }

    /// Shows or hides the column under the cursor; `false` if it cannot be hidden.
    pub fn toggle(&mut self) -> bool {
        match self.items.get_mut(self.cursor) {
            Some((column, true)) if column.names_the_row() => false,
            Some((_, is_shown)) => {
                *is_shown = !*is_shown;
                true
            }
            None => true,
        }
    }

    /// Restores the default columns.
    pub fn reset(&mut self) {
        self.take(self.section.columns().0);
        self.cursor = 0;
    }

    /// Returns the chosen columns.
    #[must_use]
    pub fn shown(&self) -> Vec<Column> {
        self.items.iter().filter(|(_, is_shown)| *is_shown).map(|(column, _)| *column).collect()
    }

    /// Returns the columns that were shown before.
    #[must_use]
    pub fn before(&self) -> &[Column] {
        &self.before
    }
}

/// Returns as many of the columns as fit into `width`, with their widths. The first column is
/// always shown; `left` of the others are scrolled off. `longest` returns the width of the longest
/// text in a column, or 0 if all its texts have about the same width.
#[must_use]
pub fn fit(
    columns: &[Column],
    width: usize,
    left: usize,
    longest: impl Fn(Column) -> usize,
) -> Vec<(Column, usize)> {
    let Some((first, rest)) = columns.split_first() else { return Vec::new() };
    let rest = &rest[left.min(rest.len().saturating_sub(1))..];
    let wished: Vec<Column> = [*first].into_iter().chain(rest.iter().copied()).collect();
    let widths: BTreeMap<Column, Width> =
        wished.iter().map(|column| (*column, column.width_for(longest(*column)))).collect();
    let mut ranked = wished.clone();
    // When scrolling, show the columns in their order, whatever their rank.
    if left == 0 {
        ranked.sort_by_key(|column| widths[column].rank);
    }
    let least = widths[first].least;
    let mut fitted = Fitted { widths, taken: BTreeMap::new(), room: (width + GAP).max(least + GAP) };
    let (essential, further): (Vec<Column>, Vec<Column>) =
        ranked.into_iter().partition(|column| fitted.widths[column].rank <= ESSENTIAL || left > 0);
    // An essential column is not shown while one with a smaller rank has no room; further columns
    // fill what room there is.
    let _ = essential.iter().all(|column| fitted.take(*column));
    fitted.grow(&essential, |width| width.good);
    for column in &further {
        fitted.take(*column);
    }
    fitted.grow(&further, |width| width.good);
    fitted.grow(&essential, |width| width.most);
    fitted.grow(&further, |width| width.most);
    fitted.grow(&essential, |width| width.whole);
    fitted.grow(&further, |width| width.whole);
    fitted.spread();
    wished.into_iter().filter_map(|column| Some((column, *fitted.taken.get(&column)?))).collect()
}

/// The columns that have got a width so far, and the width that is left.
struct Fitted {
    widths: BTreeMap<Column, Width>,
    taken: BTreeMap<Column, usize>,
    room: usize,
}

impl Fitted {
    /// Adds a column with its minimum width. Returns whether there is room for it.
    fn take(&mut self, column: Column) -> bool {
        let least = self.widths[&column].least;
        let Some(rest) = self.room.checked_sub(least + GAP) else { return false };
        self.room = rest;
        self.taken.insert(column, least);
        true
    }

    fn grow(&mut self, columns: &[Column], to: impl Fn(Width) -> usize) {
        for column in columns {
            if let Some(width) = self.taken.get_mut(column) {
                let more = to(self.widths[column]).saturating_sub(*width).min(self.room);
                *width += more;
                self.room -= more;
            }
        }
    }

    /// Widens all columns alike, so that a wide list has wider gaps instead of a single hole.
    fn spread(&mut self) {
        let more = (self.room / self.taken.len().max(1)).min(SPREAD);
        self.taken.values_mut().for_each(|width| *width += more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fits the columns of containers whose longest name and image have these widths.
    fn told(width: usize, left: usize, (name, image): (usize, usize)) -> String {
        told_with(width, left, (name, image, 1))
    }

    /// Likewise, with the width of the longest ports, which is 1 for a dash.
    fn told_with(width: usize, left: usize, (name, image, ports): (usize, usize, usize)) -> String {
        let columns = Section::Containers.columns().0;
        let longest = |column| match column {
            Column::Name => name,
            Column::Image => image,
            Column::State => 7,
            Column::Ports => ports,
            _ => 0,
        };
        let fitted = fit(columns, width, left, longest);
        let used: usize = fitted.iter().map(|(_, width)| width + GAP).sum();
        assert!(used <= (width + GAP).max(14), "{width}: {used}");
        fitted
            .iter()
            .map(|(column, width)| format!("{}:{width}", column.name()))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn columns_come_and_grow_with_the_width_and_their_texts() {
        for (width, longest, columns) in [
            (8, (30, 60), "name:12"),
            (34, (30, 60), "name:19 state:13"),
            (74, (30, 60), "name:19 state:13 image:12 cpu:6 memory:5 up:9"),
            (74, (9, 7), "name:9 state:13 image:7 chart:6 cpu:6 memory:5 net-in:5 up:9"),
            (
                114,
                (30, 60),
                "name:22 state:13 image:20 chart:5 cpu:6 memory:5 net-in:5 net-out:5 up:9 ports:6",
            ),
            (
                114,
                (9, 7),
                "name:10 state:14 image:8 chart:13 cpu:7 memory:12 net-in:7 net-out:7 up:11 ports:7",
            ),
            (
                194,
                (30, 60),
                "name:31 state:14 image:61 chart:13 cpu:7 memory:12 net-in:7 net-out:7 up:11 ports:7",
            ),
            (
                194,
                (9, 7),
                "name:11 state:15 image:9 chart:14 cpu:8 memory:13 net-in:8 net-out:8 up:12 ports:8",
            ),
        ] {
            assert_eq!(told(width, 0, longest), columns, "{width} {longest:?}");
        }
        for width in 0..300 {
            told(width, width % 12, (width % 70, 0));
        }
    }

    #[test]
    fn ports_come_before_the_chart_and_dashes_last() {
        for (width, ports, columns) in [
            (78, 9, "name:9 state:13 image:9 chart:5 cpu:6 memory:5 up:9 ports:8"),
            (72, 9, "name:9 state:13 image:9 cpu:6 memory:6 up:9 ports:8"),
            (69, 9, "name:9 state:13 image:9 chart:6 cpu:6 memory:5 up:9"),
            (78, 1, "name:9 state:13 image:9 chart:8 cpu:6 memory:5 net-in:5 up:9"),
        ] {
            assert_eq!(told_with(width, 0, (9, 9, ports)), columns, "{width} {ports}");
        }
    }

    #[test]
    fn free_room_goes_to_texts_that_are_cut() {
        let longest = |column| match column {
            Column::Name => 20,
            Column::UsedBy => 90,
            _ => 0,
        };
        let used_by = |width| {
            let fitted = fit(&[Column::Name, Column::UsedBy], width, 0, longest);
            fitted.iter().find(|(column, _)| *column == Column::UsedBy).map(|(_, width)| *width)
        };
        assert_eq!(used_by(60), Some(38));
        assert_eq!(used_by(100), Some(78));
        assert_eq!(used_by(150), Some(92), "all of it, and a wider gap");
    }

    #[test]
    fn a_state_is_never_cut() {
        let longest = |column| if column == Column::State { 16 } else { 0 };
        let fitted = fit(Section::Containers.columns().0, 40, 0, longest);
        assert!(fitted.contains(&(Column::State, 16)), "{fitted:?}");
    }

    #[test]
    fn scrolling_keeps_the_first_column_and_always_one_more() {
        assert_eq!(told(40, 2, (30, 60)), "name:18 chart:5 cpu:6 memory:5");
        assert_eq!(told(40, 99, (30, 60)), "name:31 ports:7");
    }

    #[test]
    fn a_choice_is_kept_by_name_and_unknown_names_are_passed_over() {
        let mut columns = Columns::default();
        assert_eq!(columns.of(Section::Tasks), Section::Tasks.columns().0);
        columns.choose(Section::Images, &[Column::Size, Column::Name]);
        let text = serde_json::to_string(&columns).unwrap();
        assert_eq!(text, r#"{"Images":["size","name"]}"#);
        let text = r#"{"Images":["size","weight","name"],"Moons":[],"Tasks":["cpu"]}"#;
        let columns: Columns = serde_json::from_str(text).unwrap();
        assert_eq!(columns.of(Section::Images), [Column::Size, Column::Name]);
        assert_eq!(columns.of(Section::Tasks), Section::Tasks.columns().0);
    }

    #[test]
    fn a_column_that_is_named_repeatedly_is_shown_once() {
        let columns: Columns =
            serde_json::from_str(r#"{"Images":["size","name","size","name","name"]}"#).unwrap();
        assert_eq!(columns.of(Section::Images), [Column::Size, Column::Name]);
    }

    #[test]
    fn each_column_has_its_own_name() {
        for column in Column::ALL {
            assert_eq!(Column::named(column.name()), Some(*column));
        }
    }
}
