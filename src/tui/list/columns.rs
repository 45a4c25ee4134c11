//! The columns of lists: their names and widths, and which of them are shown.
//!
//! [`Columns`] stores which columns the user wants and in which order; [`fit`] determines how many
//! of them there is room for.

use std::collections::BTreeMap;

use crate::tui::section::Section;

/// The number of blanks between two columns.
pub const GAP: usize = 2;

/// Columns up to this rank get their preferred width before any other column is shown.
const ESSENTIAL: u8 = 7;

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
                match self { $(Self::$variant => Width { least: $least, good: $good, most: $most, rank: $rank },)* }
            }
        }
    };
}

/// The minimum, preferred and maximum width of a column, and its rank: columns with a smaller rank
/// get their width first.
struct Width {
    least: usize,
    good: usize,
    most: usize,
    rank: u8,
}

// Widths: minimum, preferred, maximum; rank; alignment.
columns! {
    Name       "name"       "NAME"       12 12 24 0  Left;
    Task       "task"       "TASK"       12 24 60 0  Left;
    Time       "time"       "TIME"       8  8  8  1  Left;
    State      "state"      "STATE"      12 13 16 1  Left;
    Left       "left"       "LEFT"       6  6  7  1  Right;
    Removed    "removed"    "REMOVED"    10 10 11 2  Left;
    Action     "action"     "ACTION"     10 12 20 2  Left;
    Driver     "driver"     "DRIVER"     7  7  8  2  Left;
    Image      "image"      "IMAGE"      12 18 48 3  Left;
    Subnet     "subnet"     "SUBNET"     16 16 18 3  Left;
    Folder     "folder"     "PATH"       12 20 60 3  Left;
    Kind       "kind"       "KIND"       9  9  9  4  Left;
    Cpu        "cpu"        "CPU%"       6  6  6  4  Right;
    Size       "size"       "SIZE"       6  6  7  4  Right;
    Spent      "for"        "FOR"        6  6  7  4  Right;
    Containers "containers" "CONTAINERS" 10 18 40 5  Left;
    Attributes "attributes" "ATTRIBUTES" 12 20 90 5  Left;
    Memory     "memory"     "MEM"        5  11 11 5  Right;
    Chart      "chart"      "CPU"        5  9  12 6  Left;
    Up         "up"         "UP"         9  9  10 7  Left;
    UsedBy     "used-by"    "USED BY"    8  12 40 7  Left;
    Ports      "ports"      "PORTS"      8  8  18 8  Left;
    Id         "id"         "ID"         12 12 12 9  Left;
    Created    "created"    "CREATED"    10 10 11 9  Left;
    NetIn      "net-in"     "NET↓"       5  5  6  10 Right;
    NetOut     "net-out"    "NET↑"       5  5  6  11 Right;
    Platform   "platform"   "PLATFORM"   8  8  9  10 Left;
    Pids       "pids"       "PIDS"       5  5  5  12 Right;
    Project    "project"    "PROJECT"    8  8  16 12 Left;
    Address    "address"    "ADDRESS"    15 15 15 13 Left;
    Network    "network"    "NETWORK"    8  8  14 13 Left;
    Command    "command"    "COMMAND"    12 20 60 14 Left;
}

/// Columns that can take up the remaining width.
const ELASTIC: [Column; 8] = [
    Column::Image,
    Column::Attributes,
    Column::Folder,
    Column::Task,
    Column::Command,
    Column::UsedBy,
    Column::Containers,
    Column::Name,
];

/// Columns of resource usage.
pub const USE: [Column; 6] =
    [Column::Chart, Column::Cpu, Column::Memory, Column::NetIn, Column::NetOut, Column::Pids];

impl Column {
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

/// Returns the width before the columns: cursor, mark, symbol, and a blank.
#[must_use]
pub fn gutter(section: Section) -> usize {
    3 + usize::from(section.has_glyph())
}

/// The user's columns for each list, in order. They are stored by name, so that files of other
/// versions can be read as far as possible.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Columns(BTreeMap<String, Vec<String>>);

impl Columns {
    /// Returns the columns of a section.
    #[must_use]
    pub fn of(&self, section: Section) -> Vec<Column> {
        let (usual, more) = section.columns();
        let Some(names) = self.0.get(section.title()) else { return usual.to_vec() };
        let all = || usual.iter().chain(more);
        let chosen: Vec<Column> =
            names.iter().filter_map(|name| all().copied().find(|column| column.name() == name)).collect();
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

    /// Shows or hides the column under the cursor; at least one column remains.
    pub fn toggle(&mut self) {
        let is_last = self.shown().len() == 1;
        if let Some((_, is_shown)) =
            self.items.get_mut(self.cursor).filter(|(_, is_shown)| !(*is_shown && is_last))
        {
            *is_shown = !*is_shown;
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
/// always shown; `left` of the others are scrolled off.
#[must_use]
pub fn fit(columns: &[Column], width: usize, left: usize) -> Vec<(Column, usize)> {
    let Some((first, rest)) = columns.split_first() else { return Vec::new() };
    let rest = &rest[left.min(rest.len().saturating_sub(1))..];
    let wished: Vec<Column> = [*first].into_iter().chain(rest.iter().copied()).collect();
    let mut ranked = wished.clone();
    // When scrolling, show the columns in their order, whatever their rank.
    if left == 0 {
        ranked.sort_by_key(|column| column.width().rank);
    }
    let mut taken: BTreeMap<Column, usize> = BTreeMap::new();
    let mut room = (width + GAP).max(first.width().least + GAP);
    let (essential, further): (Vec<Column>, Vec<Column>) =
        ranked.into_iter().partition(|column| column.width().rank <= ESSENTIAL || left > 0);
    take(&mut taken, &mut room, &essential);
    grow(&mut taken, &mut room, &essential, |width| width.good);
    take(&mut taken, &mut room, &further);
    grow(&mut taken, &mut room, &further, |width| width.good);
    grow(&mut taken, &mut room, &essential, |width| width.most);
    grow(&mut taken, &mut room, &further, |width| width.most);
    let elastic = ELASTIC.iter().find(|column| taken.contains_key(column));
    if let Some(width) = elastic.and_then(|column| taken.get_mut(column)) {
        *width += room;
    }
    wished.into_iter().filter_map(|column| Some((column, *taken.get(&column)?))).collect()
}

fn take(taken: &mut BTreeMap<Column, usize>, room: &mut usize, columns: &[Column]) {
    for column in columns {
        let least = column.width().least;
        // A column is not shown while one with a smaller rank has no room.
        let Some(rest) = room.checked_sub(least + GAP) else { return };
        *room = rest;
        taken.insert(*column, least);
    }
}

fn grow(
    taken: &mut BTreeMap<Column, usize>,
    room: &mut usize,
    columns: &[Column],
    to: impl Fn(Width) -> usize,
) {
    for column in columns {
        if let Some(width) = taken.get_mut(column) {
            let more = to(column.width()).saturating_sub(*width).min(*room);
            *width += more;
            *room -= more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(width: usize, left: usize) -> String {
        let columns = Section::Containers.columns().0;
        let fitted = fit(columns, width, left);
        let used: usize = fitted.iter().map(|(_, width)| width + GAP).sum();
        assert!(used <= (width + GAP).max(14), "{width}: {used}");
        fitted
            .iter()
            .map(|(column, width)| format!("{}:{width}", column.name()))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn columns_come_and_grow_with_the_width() {
        for (width, columns) in [
            (8, "name:12"),
            (34, "name:19 state:13"),
            (74, "name:12 state:13 image:12 chart:5 cpu:6 memory:5 up:9"),
            (114, "name:12 state:13 image:18 chart:9 cpu:6 memory:11 net-in:5 net-out:5 up:9 ports:8"),
            (194, "name:24 state:16 image:67 chart:12 cpu:6 memory:11 net-in:6 net-out:6 up:10 ports:18"),
        ] {
            assert_eq!(told(width, 0), columns, "{width}");
        }
        for width in 0..300 {
            told(width, width % 12);
        }
    }

    #[test]
    fn scrolling_keeps_the_first_column_and_always_one_more() {
        assert_eq!(told(40, 2), "name:12 chart:9 cpu:6 memory:7");
        assert_eq!(told(40, 99), "name:24 ports:14");
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
    fn each_column_has_its_own_name() {
        for column in Column::ALL {
            assert_eq!(Column::named(column.name()), Some(*column));
        }
    }
}
