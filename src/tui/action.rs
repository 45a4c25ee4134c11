//! Everything a key can do: one table, from which come the enum, the help screen, the
//! action bar and the check of every keymap.

/// The table as an enum.
macro_rules! actions {
    ($($group:literal { $($variant:ident $name:literal $label:literal $help:literal;)* })*) => {
        /// What a key asks for, whatever key it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the table's third column says it")]
        pub enum Action { $($($variant,)*)* }

        impl Action {
    /// How many rows it moves down, or up below zero, where a window shows `page` of them;
    /// `None` when it is no such movement.
    #[must_use]
    pub fn steps(self, page: isize) -> Option<isize> {
        Some(match self {
            Self::Down => 1,
            Self::Up => -1,
            Self::HalfDown => page / 2,
            Self::HalfUp => -page / 2,
            Self::PageDown => page - 1,
            Self::PageUp => 1 - page,
            Self::First => isize::MIN / 2,
            Self::Last => isize::MAX / 2,
            _ => return None,
        })
    }

            /// Every action, in the order of the table.
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];

            /// The heading it stands under in the help.
            #[must_use]
            pub fn group(self) -> &'static str {
                match self { $($(Self::$variant => $group,)*)* }
            }

            /// The word of the keymap.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// One or two words for the action bar.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $($(Self::$variant => $label,)*)* }
            }

            /// One sentence for the help.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $($(Self::$variant => $help,)*)* }
            }
        }
    };
}

actions! {
    "Look" {
        Open         "open"          "open"     "Open what is selected, in the whole window";
        Logs         "logs"          "logs"     "Show its log";
        Stats        "stats"         "stats"    "Show what it uses";
        Top          "top"           "top"      "Show its processes";
        Inspect      "inspect"       "inspect"  "Show everything known about it";
        Ports        "ports"         "ports"    "Show where its ports can be reached";
    }
    "Files" {
        Files        "files"         "files"    "Browse its files, beside those of this machine";
        Layers       "layers"        "layers"   "Show what each layer of the image adds, changes and removes";
        CopyFiles    "copy-files"    "copy"     "Copy the marked files to the other side; asks before anything is replaced";
        EditFile     "edit-file"     "edit"     "Edit the file in your editor, and write it back";
        MakeFolder   "make-folder"   "folder…"  "Make a folder here";
        RenameFile   "rename-file"   "rename…"  "Give the file another name";
        Extract      "extract"       "extract…" "Copy the marked files to a folder of this machine";
        CompareFiles "compare-files" "compare"  "Show how the file differs from the one on the other side";
        ToggleAdded  "toggle-added"  "added"    "Show what is added, or leave it out";
        ToggleModified "toggle-modified" "modified" "Show what is changed, or leave it out";
        ToggleRemoved "toggle-removed" "removed" "Show what is removed, or leave it out";
        LayerForm    "layer-form"    "form"     "Show what the layer changes, or all files up to it";
        CompareImages "compare-images" "diff"   "Show how two marked images differ, or the shown one from the marked one";
        CompareForm  "compare-form"  "form"     "Show what differs as a tree, or whole paths with the largest first";
        SwapImages   "swap-images"   "swap"     "Compare the other way round: what was added is removed";
    }
    "Act" {
        StartStop    "start-stop"    "stop"     "Stop the container, or start it";
        Restart      "restart"       "restart"  "Stop the container and start it again";
        Pause        "pause"         "pause"    "Pause the container, or resume it";
        Kill         "kill"          "kill…"    "Send the container a signal";
        Shell        "shell"         "shell"    "Open a shell in the container";
        Exec         "exec"          "exec…"    "Run a command in the container, in a terminal";
        Attach       "attach"        "attach"   "Attach a terminal to the container's own process";
        Rename       "rename"        "rename…"  "Give the container another name";
    }
    "Make" {
        Run          "run"           "run…"     "Run a container of this image";
        RunAgain     "run-again"     "again…"   "Run a container like this one";
        Pull         "pull"          "pull…"    "Fetch an image from a registry";
        FromHost     "from-host"     "from host" "Make an image of this machine's shell and core tools";
        Load         "load"          "load…"    "Load an image archive";
        Import       "import"        "import…"  "Make an image of a root file system's tar";
        Tag          "tag"           "tag…"     "Give the image one more name";
    }
    "Delete" {
        Remove       "remove"        "remove"   "Remove it; asks, and names what goes";
        RemoveForce  "remove-force"  "remove!"  "Remove it even while it runs; asks, and names what goes";
        Purge        "purge"         "delete"   "Delete it for good; asks, and names what goes";
        EmptyTrash   "empty-trash"   "empty"    "Delete everything in the trash for good; asks first";
        DeleteFile   "delete-file"   "delete"   "Delete the marked files for good; asks, and names what goes";
        ClearTasks   "clear-tasks"   "clear"    "Drop the finished tasks from the list";
    }
    "Undo" {
        Undo         "undo"          "undo"     "Undo the last removal, stop, start, pause, rename or tag";
        Restore      "restore"       "restore"  "Take it out of the trash, as it was";
        RestoreAs    "restore-as"    "restore as…" "Take it out of the trash under a new name";
        SkipTrash    "skip-trash"    "skip trash" "In the question: delete for good instead";
    }
    "Move" {
        Down         "down"          "down"     "Select the next row";
        Up           "up"            "up"       "Select the previous row";
        First        "first"         "top"      "Go to the first row";
        Last         "last"          "end"      "Go to the last row; a log follows again";
        HalfDown     "half-down"     "half down"   "Go half a page down";
        HalfUp       "half-up"       "half up"  "Go half a page up";
        PageDown     "page-down"     "page down" "Go a page down";
        PageUp       "page-up"       "page up"  "Go a page up";
        Left         "left"          "left"     "Scroll to the left";
        Right        "right"         "right"    "Scroll to the right";
        NextPane     "next-pane"     "pane"     "Go to the next pane";
        PreviousPane "previous-pane" "pane"     "Go to the previous pane";
        NextTab      "next-tab"      "tab"      "Show the next tab of the pane";
        PreviousTab  "previous-tab"  "tab"      "Show the previous tab of the pane";
        Tab1         "tab-1"         "tab 1"    "Show the first tab";
        Tab2         "tab-2"         "tab 2"    "Show the second tab";
        Tab3         "tab-3"         "tab 3"    "Show the third tab";
        Tab4         "tab-4"         "tab 4"    "Show the fourth tab";
        Tab5         "tab-5"         "tab 5"    "Show the fifth tab";
        Tab6         "tab-6"         "tab 6"     "Show the sixth tab";
        Tab7         "tab-7"         "tab 7"     "Show the seventh tab";
        Tab8         "tab-8"         "tab 8"     "Show the eighth tab";
        Tab9         "tab-9"         "tab 9"     "Show the ninth tab";
        Back         "back"          "back"     "Go back; first clears a filter or a search";
    }
    "Window" {
        Zoom         "zoom"          "zoom"     "Give the panes the whole window, then this one alone, then show the list again";
        SplitRight   "split-right"   "split |"  "Part the pane in two, side by side";
        SplitDown    "split-down"    "split -"  "Part the pane in two, one above the other";
        PaneLeft     "pane-left"     "left"     "Go to the pane on the left";
        PaneDown     "pane-down"     "down"     "Go to the pane below";
        PaneUp       "pane-up"       "up"       "Go to the pane above, or to the list";
        PaneRight    "pane-right"    "right"    "Go to the pane on the right";
        Wider        "wider"         "wider"    "Make the pane wider";
        Narrower     "narrower"      "narrower" "Make the pane narrower";
        Taller       "taller"        "taller"   "Make the pane taller";
        Shorter      "shorter"       "shorter"  "Make the pane shorter";
        EqualPanes   "equal-panes"   "equal"    "Give panes that lie side by side the same room";
        ExchangePanes "exchange-panes" "exchange" "Exchange the pane with the next one";
        ClosePane    "close-pane"    "close"    "Close the pane; its session goes on";
        OnlyPane     "only-pane"     "only"     "Close all other panes";
        Navigator    "navigator"     "navigator" "Show the navigator beside the list, or hide it";
        PinPane      "pin-pane"      "pin"      "Keep what the pane shows, or let it follow the list again";
    }
    "Go" {
        GoContainers "go-containers" "containers" "Show the containers";
        GoImages     "go-images"     "images"   "Show the images";
        GoVolumes    "go-volumes"    "volumes"  "Show the volumes";
        GoNetworks   "go-networks"   "networks" "Show the networks";
        GoTrash      "go-trash"      "trash"    "Show what was removed and can be taken back";
        GoTasks      "go-tasks"      "tasks"    "Show what runs in the background: pulls, terminals";
        GoEvents     "go-events"     "events"   "Show what happened";
        GoAlert      "go-alert"      "alert"    "Go to what is ill, the newest first; it is seen then";
        SeeAlerts    "see-alerts"    "seen"     "Take every alert as seen";
        JumpBack     "jump-back"     "back"     "Jump back to where you were before";
        JumpForward  "jump-forward"  "forward"  "Jump forward again";
    }
    "Find" {
        Search       "search"        "filter"   "Filter the list, or search in the text";
        NextMatch    "next-match"    "next"     "Go to the next match";
        PreviousMatch "previous-match" "previous" "Go to the previous match";
        ShowAll      "show-all"      "all"      "Show only running containers, or all";
    }
    "List" {
        Mark         "mark"          "mark"     "Mark the row, or take its mark away: all keys act on the marked rows";
        RangeMark    "range-mark"    "range"    "Begin a range of marks here, or end it";
        MarkAll      "mark-all"      "mark all" "Mark every row that is shown, or none";
        Columns      "columns"       "columns…" "Choose which columns are shown, and in which order";
        ColumnLater  "column-later"  "move down" "Move the column further to the right";
        ColumnSooner "column-sooner" "move up"  "Move the column further to the left";
        ColumnReset  "column-reset"  "usual"    "Take the usual columns again";
        Repeat       "repeat"        "repeat"   "Do the last verb again, to what is selected";
        Group        "group"         "group"    "Gather containers by their project, or not";
    }
    "Order" {
        OrderNone    "order-none"    "unsorted" "Sort no more: as they came";
        OrderName    "order-name"    "name"     "Sort by name; the same keys again: the other way round";
        OrderState   "order-state"   "state"    "Sort by state, what is ill first";
        OrderImage   "order-image"   "image"    "Sort by image";
        OrderCpu     "order-cpu"     "cpu"      "Sort by CPU use";
        OrderMemory  "order-memory"  "memory"   "Sort by memory";
        OrderReceived "order-received" "received" "Sort by bytes received a second";
        OrderSent    "order-sent"    "sent"     "Sort by bytes sent a second";
        OrderPids    "order-pids"    "pids"     "Sort by the number of processes";
        OrderUp      "order-up"      "up"       "Sort by how long it is up, or since when it is not";
        OrderPorts   "order-ports"   "ports"    "Sort by port";
        OrderProject "order-project" "project"  "Sort by project";
        OrderNetwork "order-network" "network"  "Sort by network";
        OrderAddress "order-address" "address"  "Sort by address";
        OrderId      "order-id"      "id"       "Sort by id";
        OrderCreated "order-created" "created"  "Sort by when it was made";
        OrderCommand "order-command" "command"  "Sort by command";
        OrderSize    "order-size"    "size"     "Sort by size";
        OrderPlatform "order-platform" "platform" "Sort by platform";
        OrderUsers   "order-users"   "users"    "Sort by how many containers use it";
        OrderDriver  "order-driver"  "driver"   "Sort by driver";
        OrderFolder  "order-folder"  "place"    "Sort by where its files are";
        OrderSubnet  "order-subnet"  "subnet"   "Sort by subnet";
        OrderMembers "order-members" "members"  "Sort by how many containers are connected";
        OrderTime    "order-time"    "time"     "Sort by time";
        OrderKind    "order-kind"    "kind"     "Sort by the kind of object";
        OrderAction  "order-action"  "action"   "Sort by what happened";
        OrderRemoved "order-removed" "removed"  "Sort by when it was removed";
        OrderLeft    "order-left"    "left"     "Sort by how long it is kept";
        OrderSpent   "order-spent"   "time"     "Sort by how long it took";
    }
    "Log" {
        Follow       "follow"        "follow"   "Follow the log, or stop following";
        Wrap         "wrap"          "wrap"     "Wrap long lines, or not";
        FilterLines  "filter-lines"  "filter"   "Show only lines with a text; !text hides them";
        MoreContext  "more-context"  "context"  "Show one more line around each that passes the filter";
        LessContext  "less-context"  "less"     "Show one line less around each that passes the filter";
        NextGrave    "next-grave"    "error"    "Go to the next error or warning";
        PreviousGrave "previous-grave" "error up" "Go to the previous error or warning";
        MinimumLevel "minimum-level" "level"    "Show lines of every level, or from debug, info, warn or error on";
        Times        "times"         "times"    "Show no times, or local, UTC, relative ones, or the time between lines";
        Json         "json"          "json"     "Show JSON as it is, in one line, or unfolded";
        MergeLogs    "merge-logs"    "merge"    "Show the logs of the marked containers, or of one more, as one";
        MarkLine     "mark-line"     "line"     "Draw a line below the newest line";
        SelectLines  "select-lines"  "select"   "Select lines, or select none";
        CopyLines    "copy-lines"    "copy"     "Copy the selected lines, or the one found";
        SaveLog      "save-log"      "save…"    "Save the log, or what the filter shows of it, to a file";
        Streams      "streams"       "streams"  "Show both streams, only output, or only errors";
        Clear        "clear"         "clear"    "Clear the view; the log itself stays";
    }
    "Charts" {
        RangeShorter "range-shorter" "shorter"  "Show less of the past: 6h, 1h, 15m, 5m, 1m";
        RangeLonger  "range-longer"  "longer"   "Show more of the past: 1m, 5m, 15m, 1h, 6h";
        ScaleUp      "scale-up"      "scale"    "Draw the charts twice as high";
        ScaleDown    "scale-down"    "scale"    "Draw the charts half as high";
        Freeze       "freeze"        "freeze"   "Let the charts stand still, or go on";
        Compare      "compare"       "compare"  "Put the marked containers into the same charts, or take them away";
        SaveCsv      "save-csv"      "save…"    "Save what the charts show as CSV";
        EachPart     "each-part"     "parts"    "Draw a line an interface and a disk, or their sums";
    }
    "Processes" {
        TopPid       "top-pid"       "pid"      "Sort by number; the same keys again: the other way round";
        TopUser      "top-user"      "user"     "Sort by user";
        TopCpu       "top-cpu"       "cpu"      "Sort by CPU use";
        TopMemory    "top-memory"    "memory"   "Sort by memory";
        TopTime      "top-time"      "time"     "Sort by CPU time";
        TopCommand   "top-command"   "command"  "Sort by command";
        ProcessTree  "process-tree"  "tree"     "Show the processes as a tree, or flat";
        SignalProcess "signal-process" "signal…" "Send the process a signal";
        ProcessPage  "process-page"  "details"  "Show everything known of the process: environment, files, limits";
    }
    "Inspect" {
        Fold         "fold"          "fold"     "Fold the branch; a folded one: go to its parent";
        Unfold       "unfold"        "unfold"   "Unfold the branch; an open one: go to its first line";
        FoldAll      "fold-all"      "fold all" "Fold everything";
        UnfoldAll    "unfold-all"    "unfold all" "Unfold everything";
        NextForm     "next-form"     "form"     "Show it as a tree, YAML, JSON, or the command that makes it";
        EditShown    "edit-shown"    "editor"   "Open what is shown in $VISUAL or $EDITOR, to read";
        CopyValue    "copy-value"    "value"    "Copy the value under the cursor; of a text, all of it";
        CopyPath     "copy-path"     "path"     "Copy the path of the value under the cursor";
    }
    "Since" {
        SinceTail    "since-tail"    "tail"     "Show only the last thousand lines";
        SinceMinute  "since-1m"      "1 minute" "Show only what was written within a minute";
        SinceMinutes "since-5m"      "5 minutes" "Show only what was written within five minutes";
        SinceHour    "since-1h"      "1 hour"   "Show only what was written within an hour";
        SinceMoment  "since-moment"  "when…"    "Show only what was written since a moment that is typed";
        SinceAll     "since-all"     "all"      "Show the log from its beginning again";
    }
    "Copy" {
        CopyName     "copy-name"     "name"     "Copy the name";
        CopyId       "copy-id"       "id"       "Copy the id";
        CopyImage    "copy-image"    "image"    "Copy the image's name";
        CopyJson     "copy-json"     "json"     "Copy everything known about it, as JSON";
        CopyUrl      "copy-url"      "url"      "Copy the address it is reached at from this machine";
        Browse       "browse"        "open web" "Open that address in a browser";
        CopyCommand  "copy-command"  "command"  "Copy the command that makes a container like this one";
    }
    "Task" {
        Cancel       "cancel"        "cancel"   "Cancel the task in front; twice leaves";
        CancelTask   "cancel-task"   "cancel"   "Cancel the selected task, or end the terminal";
        RetryTask    "retry-task"    "retry"    "Do the same work again";
        TaskOutput   "task-output"   "output"   "Show what the task said";
        RunWhenDone  "run-when-done" "run then" "Open the run form when the image is there";
    }
    "Terminal" {
        Release      "release"       "release"  "Give the keys back to hoist; twice sends the key itself";
        Detach       "detach"        "detach"   "Detach from the session; the container goes on";
        ScrollUp     "scroll-up"     "scroll up" "Look at what has scrolled away";
        ScrollDown   "scroll-down"   "scroll down" "Go back down to the newest line";
        CopyMode     "copy-mode"     "copy mode" "Walk over the terminal's text to search and copy";
        WordLeft     "word-left"     "word left" "Go to the word before";
        WordRight    "word-right"    "word"     "Go to the next word";
        LineStart    "line-start"    "start"    "Go to the line's start";
        LineEnd      "line-end"      "end"      "Go to the line's end";
        MarkText     "mark-text"     "mark"     "Mark text from here on, or stop marking";
        MarkLines    "mark-lines"    "lines"    "Mark whole lines from here on, or stop marking";
        MarkBlock    "mark-block"    "block"    "Mark a rectangle from here on, or stop marking";
        CopyMarked   "copy-marked"   "copy"     "Copy what is marked, or the line, and leave copy mode";
        CloseTab     "close-tab"     "close"    "Close the tab of a session that has ended";
    }
    "Dialog" {
        Accept       "accept"        "ok"       "Do it";
        Dismiss      "dismiss"       "cancel"   "Close without doing anything";
        Background   "background"    "background" "Close; the work goes on and is listed in Tasks";
        NextField    "next-field"    "next"     "Go to the next field";
        PreviousField "previous-field" "previous" "Go to the previous field";
        Complete     "complete"      "complete" "Complete the word";
        Older        "older"         "older"    "Take the previous entry of the history";
        Newer        "newer"         "newer"    "Take the next entry of the history";
        Toggle       "toggle"        "toggle"   "Switch the option on or off";
        CopyShown    "copy-shown"    "copy"     "Copy the command that is shown";
        CompleteBack "complete-back" "previous" "Take the candidate before";
    }
    "Form" {
        NextSection  "next-section"  "section"  "Show the next group of fields";
        TakeOffer    "take-offer"    "next"     "Take what is offered for the field, else go on";
        NextChoice   "next-choice"   "choice"   "Take the next value";
        PreviousChoice "previous-choice" "choice" "Take the value before";
        EditText     "edit-text"     "as text"  "Edit the whole command as a line";
        SavePreset   "save-preset"   "keep"     "Keep the command under a name";
        Presets      "presets"       "presets"  "Take a command that was kept";
        DropPreset   "drop-preset"   "drop"     "Forget this preset";
    }
    "Yours" {
        Custom       "custom"        "yours"    "Run a command of yours";
        Host         "host"          "shell…"   "Run a command on this machine: {name} {id} {image} {ip} are what is selected";
    }
    "App" {
        Help         "help"          "help"     "Show what the keys do here";
        Palette      "palette"       "palette"  "Search everything that can be done";
        Command      "command"       "command"  "Type a command, as on the command line";
        Details      "details"       "details"  "Show the whole last error";
        Theme        "theme"         "theme"    "Choose how hoist looks";
        Refresh      "refresh"       "refresh"  "Read everything anew";
        Redraw       "redraw"        "redraw"   "Draw the whole screen anew";
        Suspend      "suspend"       "suspend"  "Suspend hoist; containers keep running";
        Quit         "quit"          "quit"     "Leave; containers keep running";
    }
}

impl Action {
    /// Whether it may change something: an object, what a program in a container does, or
    /// this machine. What only asks for more is judged by what it is asked for in the end.
    #[must_use]
    pub fn changes(self) -> bool {
        match self {
            // Nothing goes but lines of a list.
            Self::ClearTasks => false,
            Self::Host | Self::SignalProcess => true,
            Self::EditFile | Self::MakeFolder | Self::RenameFile => true,
            _ => matches!(self.group(), "Act" | "Make" | "Delete" | "Undo"),
        }
    }

    /// Which tab it shows, from 0.
    #[must_use]
    pub fn tab(self) -> Option<usize> {
        let tabs = [
            Self::Tab1,
            Self::Tab2,
            Self::Tab3,
            Self::Tab4,
            Self::Tab5,
            Self::Tab6,
            Self::Tab7,
            Self::Tab8,
            Self::Tab9,
        ];
        tabs.iter().position(|tab| *tab == self)
    }

    /// The action a keymap calls `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_action_has_its_own_name_and_a_sentence_of_help() {
        let names: BTreeSet<_> = Action::ALL.iter().map(|action| action.name()).collect();
        assert_eq!(names.len(), Action::ALL.len());
        for action in Action::ALL {
            assert_eq!(Action::named(action.name()), Some(*action));
            assert!(!action.label().is_empty() && action.help().len() > 4, "{action:?}");
            assert!(!action.help().ends_with('.'), "{action:?}");
        }
    }
}
