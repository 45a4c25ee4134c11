//! The columns of lists: what they are called, how wide they are, and which are shown where.
//!
//! Which ones a user wants, and in which order, is kept by [`Columns`]; [`fit`] says how much
//! of that there is room for.

use super::Section;

/// Where a text stands in its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Align {
    Left,
    Right,
}

/// One thing that lists show of objects.
macro_rules! columns {
    ($($variant:ident $name:literal $heading:literal $width:literal..$most:literal $rank:literal $align:ident;)*) => {
        /// One thing that lists show of objects.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the headings say it")]
        pub enum Column { $($variant,)* }

        impl Column {
            /// Every column.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is saved, and chosen by `:columns`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What stands above it.
            #[must_use]
            pub fn heading(self) -> &'static str {
                match self { $(Self::$variant => $heading,)* }
            }

            /// Its least width, and the one that it is given where there is room.
            #[must_use]
            pub fn width(self) -> (usize, usize) {
                match self { $(Self::$variant => ($width, $most),)* }
            }

            /// Where it goes first when there is no room: the largest number.
            fn rank(self) -> u8 {
                match self { $(Self::$variant => $rank,)* }
            }

            /// Where its text stands.
            #[must_use]
            pub fn align(self) -> Align {
                match self { $(Self::$variant => Align::$align,)* }
            }
        }
    };
}

// The width is the least..the most; then the rank, and where the text stands.
columns! {
    Name       "name"       "NAME"       12..22 0  Left;
    State      "state"      "STATE"      13..13 1  Left;
    Image      "image"      "IMAGE"      12..48 3  Left;
    Chart      "chart"      "CPU"         5..12 6  Left;
    Cpu        "cpu"        "CPU%"        6..6  4  Right;
    Memory     "memory"     "MEM"         5..11 5  Right;
    NetIn      "net-in"     "NET↓"        6..6  10 Right;
    NetOut     "net-out"    "NET↑"        6..6  11 Right;
    Pids       "pids"       "PIDS"        5..5  13 Right;
    Up         "up"         "UP"         10..10 7  Left;
    Ports      "ports"      "PORTS"       8..18 8  Left;
    Project    "project"    "PROJECT"     8..16 12 Left;
    Id         "id"         "ID"         12..12 9  Left;
    Created    "created"    "CREATED"    10..11 9  Left;
    Command    "command"    "COMMAND"    12..40 14 Left;
    Address    "ip"         "IP"         15..15 12 Left;
    Network    "network"    "NETWORK"     8..14 13 Left;
    Size       "size"       "SIZE"        5..6  4  Right;
    Platform   "platform"   "PLATFORM"    8..9  10 Left;
    UsedBy     "used-by"    "USED BY"     8..24 8  Left;
    Driver     "driver"     "DRIVER"      7..8  2  Left;
    Folder     "folder"     "PLACE"      12..60 3  Left;
    Subnet     "subnet"     "SUBNET"     16..18 3  Left;
    Containers "containers" "CONTAINERS" 10..24 4  Left;
    Task       "task"       "TASK"       12..60 0  Left;
    Spent      "for"        "FOR"         6..7  2  Right;
    Time       "time"       "TIME"        8..8  1  Left;
    Kind       "kind"       "KIND"        9..9  2  Left;
    Action     "action"     "ACTION"     10..16 1  Left;
    Attributes "attributes" "ATTRIBUTES" 12..90 5  Left;
}

impl Column {
    /// The column that is saved as `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|column| column.name() == name)
    }

    /// Whether the first sorting shows the largest, or the newest, first.
    #[must_use]
    pub fn is_largest_first(self) -> bool {
        use Column as C;
        matches!(
            self,
            C::Chart
                | C::Cpu
                | C::Memory
                | C::NetIn
                | C::NetOut
                | C::Pids
                | C::Up
                | C::Created
                | C::Size
                | C::UsedBy
                | C::Containers
                | C::Spent
                | C::Time
        )
    }

    /// Whether it shows what a container uses, so that this must be measured.
    #[must_use]
    pub fn is_use(self) -> bool {
        use Column as C;
        matches!(self, C::Chart | C::Cpu | C::Memory | C::NetIn | C::NetOut | C::Pids)
    }
}

/// Columns that show what a container uses.
pub const USE: [Column; 6] =
    [Column::Chart, Column::Cpu, Column::Memory, Column::NetIn, Column::NetOut, Column::Pids];

/// Every column of a section, those that are shown at first before the others.
#[must_use]
pub fn of(section: Section) -> (&'static [Column], &'static [Column]) {
    use Column as C;
    match section {
        Section::Containers => (
            &[C::Name, C::State, C::Image, C::Chart, C::Cpu, C::Memory, C::NetIn, C::NetOut, C::Up, C::Ports],
            &[C::Pids, C::Project, C::Network, C::Address, C::Id, C::Created, C::Command],
        ),
        Section::Images => (&[C::Name, C::Id, C::Created, C::Size, C::Platform, C::UsedBy], &[]),
        Section::Volumes => (&[C::Name, C::Driver, C::Folder], &[]),
        Section::Networks => (&[C::Name, C::Driver, C::Subnet, C::Containers, C::Created], &[C::Id]),
        Section::Tasks => (&[C::Task, C::State, C::Spent], &[]),
    }
}

/// Which columns a list shows, in their order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Columns(Vec<String>);
