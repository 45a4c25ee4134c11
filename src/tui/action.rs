//! Everything a key can do, in one table. The enum, the help screen, the action bar, the check of
//! every keymap, and the list of actions that read-only mode refuses are all derived from it.

/// Whether an action may write to the engine's state, to a program in a container, or to a file of
/// this machine. Copying to the clipboard does not count: the clipboard belongs to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Never writes.
    Looks,
    /// Writes, at once or after a confirmation; read-only mode refuses it.
    Writes,
    /// Depends on what the user types or confirms; read-only mode checks the resulting effect.
    Either,
}

/// Generates the enum and its methods from the table.
macro_rules! actions {
    ($($group:literal { $($variant:ident $reach:ident $name:literal $label:literal $help:literal;)* })*) => {
        /// What a key does, independent of which key is bound to it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(clippy::enum_variant_names, reason = "one is the actions themselves")]
        #[allow(missing_docs, reason = "the table's last column says it")]
        pub enum Action { $($($variant,)*)* }

        impl Action {
            /// All actions, in table order.
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];

            /// Returns the heading that lists this action in the help.
            #[must_use]
            pub fn group(self) -> &'static str {
                match self { $($(Self::$variant => $group,)*)* }
            }

            /// Returns whether this action may write.
            #[must_use]
            pub fn reach(self) -> Reach {
                match self { $($(Self::$variant => Reach::$reach,)*)* }
            }

            /// Returns the action's name in the keymap.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// Returns the action's label for the action bar: one or two words.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $($(Self::$variant => $label,)*)* }
            }

            /// Returns the action's help text: one sentence.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $($(Self::$variant => $help,)*)* }
            }
        }
    };
}

actions! {
    "Look" {
        Open         Looks  "open"          "open"     "Open what is selected, in the whole window";
        Logs         Looks  "logs"          "logs"     "Show its log";
        Stats        Looks  "stats"         "stats"    "Show what it uses";
        Top          Looks  "top"           "top"      "Show its processes";
        Inspect      Looks  "inspect"       "inspect"  "Show everything known about it";
        Ports        Looks  "ports"         "ports"    "Show where its ports can be reached";
    }
    "Files" {
        Files        Looks  "files"         "files"    "Browse its files, beside those of this machine";
        Layers       Looks  "layers"        "layers"   "Show what each layer of the image adds, changes and removes";
        CopyFiles    Writes "copy-files"    "copy"     "Copy the marked files to the other side; asks, and says how much and where to";
        EditFile     Writes "edit-file"     "edit"     "Edit the file in your editor, and write it back";
        MakeFolder   Writes "make-folder"   "folder…"  "Make a folder here";
        RenameFile   Writes "rename-file"   "rename…"  "Give the file another name";
        Extract      Writes "extract"       "extract…" "Copy the marked files to a folder of this machine; asks the same";
        CompareFiles Looks  "compare-files" "compare"  "Show how the file differs from the one on the other side";
        ToggleAdded  Looks  "toggle-added"  "added"    "Show what is added, or leave it out";
        ToggleModified Looks  "toggle-modified" "modified" "Show what is changed, or leave it out";
        ToggleRemoved Looks  "toggle-removed" "removed" "Show what is removed, or leave it out";
        LayerForm    Looks  "layer-form"    "form"     "Show what the layer changes, or all files up to it";
        CompareImages Looks  "compare-images" "diff"   "Show how two marked images differ, or the shown one from the marked one";
        CompareForm  Looks  "compare-form"  "form"     "Show what differs as a tree, or whole paths with the largest first";
        SwapImages   Looks  "swap-images"   "swap"     "Compare the other way round: what was added is removed";
    }
    "Act" {
        StartStop    Writes "start-stop"    "stop"     "Stop the container, or start it";
        Restart      Writes "restart"       "restart"  "Stop the container and start it again";
        Pause        Writes "pause"         "pause"    "Pause the container, or resume it";
        Kill         Writes "kill"          "kill…"    "Send the container a signal";
        Shell        Writes "shell"         "shell"    "Open a shell in the container";
        Exec         Writes "exec"          "exec…"    "Run a command in the container, in a terminal";
        Attach       Writes "attach"        "attach"   "Attach a terminal to the container's own process";
        Rename       Writes "rename"        "rename…"  "Give the container another name";
    }
    "Make" {
        Run          Writes "run"           "run…"     "Run a container of this image";
        RunAgain     Writes "run-again"     "again…"   "Run a container like this one";
        Pull         Writes "pull"          "pull…"    "Fetch an image from a registry";
        FromHost     Writes "from-host"     "from host" "Make an image of this machine's shell and core tools; asks first";
        Load         Writes "load"          "load…"    "Load an image archive";
        Import       Writes "import"        "import…"  "Make an image of a root file system's tar";
        Tag          Writes "tag"           "tag…"     "Give the image one more name";
    }
    "Delete" {
        Remove       Writes "remove"        "remove"   "Remove it; asks, and names what goes";
        RemoveForce  Writes "remove-force"  "remove!"  "Remove it even while it runs; asks, and names what goes";
        Purge        Writes "purge"         "delete"   "Delete it for good; asks, and names what goes";
        EmptyTrash   Writes "empty-trash"   "empty"    "Delete everything in the trash for good; asks first";
        DeleteFile   Writes "delete-file"   "delete"   "Delete the marked files for good; asks, and names what goes";
        ClearTasks   Looks  "clear-tasks"   "clear"    "Drop the finished tasks from the list";
    }
    "Undo" {
        Undo         Writes "undo"          "undo"     "Undo the last removal, stop, start, pause, rename or tag";
        Restore      Writes "restore"       "restore"  "Take it out of the trash, as it was";
        RestoreAs    Writes "restore-as"    "restore as…" "Take it out of the trash under a new name";
        SkipTrash    Writes "skip-trash"    "skip trash" "In the question: delete for good instead";
    }
    "Move" {
        Down         Looks  "down"          "down"     "Select the next row";
        Up           Looks  "up"            "up"       "Select the previous row";
        First        Looks  "first"         "top"      "Go to the first row";
        Last         Looks  "last"          "end"      "Go to the last row; a log follows again";
        HalfDown     Looks  "half-down"     "half down"   "Go half a page down";
        HalfUp       Looks  "half-up"       "half up"  "Go half a page up";
        PageDown     Looks  "page-down"     "page down" "Go a page down";
        PageUp       Looks  "page-up"       "page up"  "Go a page up";
        Left         Looks  "left"          "left"     "Scroll to the left";
        Right        Looks  "right"         "right"    "Scroll to the right";
        NextPane     Looks  "next-pane"     "pane"     "Go to the next pane";
        PreviousPane Looks  "previous-pane" "pane"     "Go to the previous pane";
        NextTab      Looks  "next-tab"      "tab"      "Show the next tab of the pane";
        PreviousTab  Looks  "previous-tab"  "tab"      "Show the previous tab of the pane";
        Tab1         Looks  "tab-1"         "tab 1"    "Show the first tab";
        Tab2         Looks  "tab-2"         "tab 2"    "Show the second tab";
        Tab3         Looks  "tab-3"         "tab 3"    "Show the third tab";
        Tab4         Looks  "tab-4"         "tab 4"    "Show the fourth tab";
        Tab5         Looks  "tab-5"         "tab 5"    "Show the fifth tab";
        Tab6         Looks  "tab-6"         "tab 6"     "Show the sixth tab";
        Tab7         Looks  "tab-7"         "tab 7"     "Show the seventh tab";
        Tab8         Looks  "tab-8"         "tab 8"     "Show the eighth tab";
        Tab9         Looks  "tab-9"         "tab 9"     "Show the ninth tab";
        Back         Looks  "back"          "back"     "Go back; first clears a filter or a search";
    }
    "Window" {
        Zoom         Looks  "zoom"          "zoom"     "Give the panes the whole window, then this one alone, then show the list again";
        SplitRight   Looks  "split-right"   "split |"  "Split the pane, side by side";
        SplitDown    Looks  "split-down"    "split -"  "Split the pane, one above the other";
        PaneLeft     Looks  "pane-left"     "left"     "Go to the pane on the left";
        PaneDown     Looks  "pane-down"     "down"     "Go to the pane below";
        PaneUp       Looks  "pane-up"       "up"       "Go to the pane above, or to the list";
        PaneRight    Looks  "pane-right"    "right"    "Go to the pane on the right";
        Wider        Looks  "wider"         "wider"    "Make the pane wider";
        Narrower     Looks  "narrower"      "narrower" "Make the pane narrower";
        Taller       Looks  "taller"        "taller"   "Make the pane taller";
        Shorter      Looks  "shorter"       "shorter"  "Make the pane shorter";
        EqualPanes   Looks  "equal-panes"   "equal"    "Make all panes the same size";
        ExchangePanes Looks  "exchange-panes" "exchange" "Exchange the pane with the next one";
        ClosePane    Looks  "close-pane"    "close"    "Close the pane; its session goes on";
        OnlyPane     Looks  "only-pane"     "only"     "Close all other panes";
        Navigator    Looks  "navigator"     "navigator" "Show the navigator beside the list, or hide it";
        PinPane      Looks  "pin-pane"      "pin"      "Keep what the pane shows, or let it follow the list again";
    }
    "Go" {
        GoContainers Looks  "go-containers" "containers" "Show the containers";
        GoImages     Looks  "go-images"     "images"   "Show the images";
        GoVolumes    Looks  "go-volumes"    "volumes"  "Show the volumes";
        GoNetworks   Looks  "go-networks"   "networks" "Show the networks";
        GoTrash      Looks  "go-trash"      "trash"    "Show what was removed and can be taken back";
        GoTasks      Looks  "go-tasks"      "tasks"    "Show what runs in the background: pulls, terminals";
        GoEvents     Looks  "go-events"     "events"   "Show what happened";
        GoAlert      Looks  "go-alert"      "alert"    "Go to what is ill, the newest first; it is seen then";
        SeeAlerts    Looks  "see-alerts"    "seen"     "Take every alert as seen";
        JumpBack     Looks  "jump-back"     "back"     "Jump back to where you were before";
        JumpForward  Looks  "jump-forward"  "forward"  "Jump forward again";
    }
    "Find" {
        Search       Looks  "search"        "filter"   "Filter the list, or search in the text";
        NextMatch    Looks  "next-match"    "next"     "Go to the next match";
        PreviousMatch Looks  "previous-match" "previous" "Go to the previous match";
        ShowAll      Looks  "show-all"      "all"      "Show only running containers, or all";
    }
    "List" {
        Mark         Looks  "mark"          "mark"     "Mark the row, or take its mark away: all keys act on the marked rows";
        RangeMark    Looks  "range-mark"    "range"    "Begin a range of marks here, or end it";
        MarkAll      Looks  "mark-all"      "mark all" "Mark every row that is shown, or none";
        Columns      Looks  "columns"       "columns…" "Choose which columns are shown, and in which order";
        ColumnLater  Looks  "column-later"  "move down" "Move the column further to the right";
        ColumnSooner Looks  "column-sooner" "move up"  "Move the column further to the left";
        ColumnReset  Looks  "column-reset"  "usual"    "Take the usual columns again";
        Repeat       Looks  "repeat"        "repeat"   "Do the last verb again, to what is selected";
        Group        Looks  "group"         "group"    "Group containers by project, or not";
    }
    "Order" {
        OrderNone    Looks  "order-none"    "unsorted" "Do not sort: in the order they came";
        OrderName    Looks  "order-name"    "name"     "Sort by name; the same keys again: the other way round";
        OrderState   Looks  "order-state"   "state"    "Sort by state, what is ill first";
        OrderImage   Looks  "order-image"   "image"    "Sort by image";
        OrderCpu     Looks  "order-cpu"     "cpu"      "Sort by CPU use";
        OrderMemory  Looks  "order-memory"  "memory"   "Sort by memory";
        OrderReceived Looks  "order-received" "received" "Sort by bytes received a second";
        OrderSent    Looks  "order-sent"    "sent"     "Sort by bytes sent a second";
        OrderPids    Looks  "order-pids"    "pids"     "Sort by the number of processes";
        OrderUp      Looks  "order-up"      "up"       "Sort by how long it is up, or since when it is not";
        OrderPorts   Looks  "order-ports"   "ports"    "Sort by port";
        OrderProject Looks  "order-project" "project"  "Sort by project";
        OrderNetwork Looks  "order-network" "network"  "Sort by network";
        OrderAddress Looks  "order-address" "address"  "Sort by address";
        OrderId      Looks  "order-id"      "id"       "Sort by id";
        OrderCreated Looks  "order-created" "created"  "Sort by when it was made";
        OrderCommand Looks  "order-command" "command"  "Sort by command";
        OrderSize    Looks  "order-size"    "size"     "Sort by size";
        OrderPlatform Looks  "order-platform" "platform" "Sort by platform";
        OrderUsers   Looks  "order-users"   "users"    "Sort by how many containers use it";
        OrderDriver  Looks  "order-driver"  "driver"   "Sort by driver";
        OrderFolder  Looks  "order-folder"  "path"     "Sort by path";
        OrderSubnet  Looks  "order-subnet"  "subnet"   "Sort by subnet";
        OrderMembers Looks  "order-members" "members"  "Sort by how many containers are connected";
        OrderTime    Looks  "order-time"    "time"     "Sort by time";
        OrderKind    Looks  "order-kind"    "kind"     "Sort by the kind of object";
        OrderAction  Looks  "order-action"  "action"   "Sort by what happened";
        OrderRemoved Looks  "order-removed" "removed"  "Sort by when it was removed";
        OrderLeft    Looks  "order-left"    "left"     "Sort by how long it is kept";
        OrderSpent   Looks  "order-spent"   "time"     "Sort by how long it took";
    }
    "Log" {
        Follow       Looks  "follow"        "follow"   "Follow the log, or stop following";
        Wrap         Looks  "wrap"          "wrap"     "Wrap long lines, or not";
        FilterLines  Looks  "filter-lines"  "filter"   "Show only lines with a text; !text hides them";
        MoreContext  Looks  "more-context"  "context"  "Show one more line around each that passes the filter";
        LessContext  Looks  "less-context"  "less"     "Show one line less around each that passes the filter";
        NextGrave    Looks  "next-grave"    "error"    "Go to the next error or warning";
        PreviousGrave Looks  "previous-grave" "error up" "Go to the previous error or warning";
        MinimumLevel Looks  "minimum-level" "level"    "Show lines of every level, or from debug, info, warn or error on";
        Times        Looks  "times"         "times"    "Show no times, or local, UTC, relative ones, or the time between lines";
        Json         Looks  "json"          "json"     "Show JSON as it is, in one line, or unfolded";
        MergeLogs    Looks  "merge-logs"    "merge"    "Show the logs of the marked containers, or of one more, as one";
        MarkLine     Looks  "mark-line"     "line"     "Draw a line below the newest line";
        SelectLines  Looks  "select-lines"  "select"   "Select lines, or select none";
        CopyLines    Looks  "copy-lines"    "copy"     "Copy the selected lines, or the one found";
        SaveLog      Writes "save-log"      "save…"    "Save the log, or what the filter shows of it, to a file";
        Streams      Looks  "streams"       "streams"  "Show both streams, only output, or only errors";
        Clear        Looks  "clear"         "clear"    "Clear the view; the log itself stays";
    }
    "Charts" {
        RangeShorter Looks  "range-shorter" "shorter"  "Show less of the past: 6h, 1h, 15m, 5m, 1m";
        RangeLonger  Looks  "range-longer"  "longer"   "Show more of the past: 1m, 5m, 15m, 1h, 6h";
        ScaleUp      Looks  "scale-up"      "scale"    "Draw the charts twice as high";
        ScaleDown    Looks  "scale-down"    "scale"    "Draw the charts half as high";
        Freeze       Looks  "freeze"        "freeze"   "Let the charts stand still, or go on";
        Compare      Looks  "compare"       "compare"  "Put the marked containers into the same charts, or take them away";
        SaveCsv      Writes "save-csv"      "save…"    "Save what the charts show as CSV";
        EachPart     Looks  "each-part"     "parts"    "Draw a line an interface and a disk, or their sums";
    }
    "Processes" {
        TopPid       Looks  "top-pid"       "pid"      "Sort by number; the same keys again: the other way round";
        TopUser      Looks  "top-user"      "user"     "Sort by user";
        TopCpu       Looks  "top-cpu"       "cpu"      "Sort by CPU use";
        TopMemory    Looks  "top-memory"    "memory"   "Sort by memory";
        TopTime      Looks  "top-time"      "time"     "Sort by CPU time";
        TopCommand   Looks  "top-command"   "command"  "Sort by command";
        ProcessTree  Looks  "process-tree"  "tree"     "Show the processes as a tree, or flat";
        SignalProcess Writes "signal-process" "signal…" "Send the process a signal";
        ProcessPage  Looks  "process-page"  "details"  "Show everything known of the process: environment, files, limits";
    }
    "Inspect" {
        Fold         Looks  "fold"          "fold"     "Fold the branch; a folded one: go to its parent";
        Unfold       Looks  "unfold"        "unfold"   "Unfold the branch; an open one: go to its first line";
        FoldAll      Looks  "fold-all"      "fold all" "Fold everything";
        UnfoldAll    Looks  "unfold-all"    "unfold all" "Unfold everything";
        NextForm     Looks  "next-form"     "form"     "Show it as a tree, YAML, JSON, or the command that makes it";
        EditShown    Writes "edit-shown"    "editor"   "Open what is shown in $VISUAL or $EDITOR, to read";
        CopyValue    Looks  "copy-value"    "value"    "Copy the value under the cursor; of a text, all of it";
        CopyPath     Looks  "copy-path"     "path"     "Copy the path of the value under the cursor";
    }
    "Since" {
        SinceTail    Looks  "since-tail"    "tail"     "Show only the last thousand lines";
        SinceMinute  Looks  "since-1m"      "1 minute" "Show only what was written within a minute";
        SinceMinutes Looks  "since-5m"      "5 minutes" "Show only what was written within five minutes";
        SinceHour    Looks  "since-1h"      "1 hour"   "Show only what was written within an hour";
        SinceMoment  Looks  "since-moment"  "when…"    "Show only what was written since a moment that is typed";
        SinceAll     Looks  "since-all"     "all"      "Show the log from its beginning again";
    }
    "Copy" {
        CopyName     Looks  "copy-name"     "name"     "Copy the name";
        CopyId       Looks  "copy-id"       "id"       "Copy the id";
        CopyImage    Looks  "copy-image"    "image"    "Copy the image's name";
        CopyJson     Looks  "copy-json"     "json"     "Copy everything known about it, as JSON";
        CopyUrl      Looks  "copy-url"      "url"      "Copy the address it is reached at from this machine";
        Browse       Looks  "browse"        "open web" "Open that address in a browser";
        CopyCommand  Looks  "copy-command"  "command"  "Copy the command that makes a container like this one";
    }
    "Task" {
        Cancel       Looks  "cancel"        "cancel"   "Cancel the task in front; twice leaves";
        CancelTask   Looks  "cancel-task"   "cancel"   "Cancel the selected task, or end the terminal";
        RetryTask    Writes "retry-task"    "retry"    "Do the same work again";
        TaskOutput   Looks  "task-output"   "output"   "Show what the task said";
        RunWhenDone  Writes "run-when-done" "run then" "Open the run form when the image is there";
    }
    "Terminal" {
        Release      Looks  "release"       "release"  "Give the keys back to hoist; twice sends the key itself";
        Detach       Looks  "detach"        "detach"   "Detach from the session; the container goes on";
        ScrollUp     Looks  "scroll-up"     "scroll up" "Look at what has scrolled away";
        ScrollDown   Looks  "scroll-down"   "scroll down" "Go back down to the newest line";
        CopyMode     Looks  "copy-mode"     "copy mode" "Walk over the terminal's text to search and copy";
        WordLeft     Looks  "word-left"     "word left" "Go to the word before";
        WordRight    Looks  "word-right"    "word"     "Go to the next word";
        LineStart    Looks  "line-start"    "start"    "Go to the line's start";
        LineEnd      Looks  "line-end"      "end"      "Go to the line's end";
        MarkText     Looks  "mark-text"     "mark"     "Mark text from here on, or stop marking";
        MarkLines    Looks  "mark-lines"    "lines"    "Mark whole lines from here on, or stop marking";
        MarkBlock    Looks  "mark-block"    "block"    "Mark a rectangle from here on, or stop marking";
        CopyMarked   Looks  "copy-marked"   "copy"     "Copy what is marked, or the line, and leave copy mode";
        CloseTab     Looks  "close-tab"     "close"    "Close the tab of a session that has ended";
    }
    "Dialog" {
        Accept       Either "accept"        "ok"       "Do it";
        Dismiss      Looks  "dismiss"       "cancel"   "Close without doing anything";
        Background   Looks  "background"    "background" "Close; the work goes on and is listed in Tasks";
        NextField    Looks  "next-field"    "next"     "Go to the next field";
        PreviousField Looks  "previous-field" "previous" "Go to the previous field";
        Complete     Looks  "complete"      "complete" "Complete the word";
        Older        Looks  "older"         "older"    "Take the previous entry of the history";
        Newer        Looks  "newer"         "newer"    "Take the next entry of the history";
        Toggle       Looks  "toggle"        "toggle"   "Switch the option on or off";
        CopyShown    Looks  "copy-shown"    "copy"     "Copy the command that is shown";
        CompleteBack Looks  "complete-back" "previous" "Take the candidate before";
    }
    "Form" {
        NextSection  Looks  "next-section"  "section"  "Show the next group of fields";
        TakeOffer    Looks  "take-offer"    "next"     "Take what is offered for the field, else go on";
        NextChoice   Looks  "next-choice"   "choice"   "Take the next value";
        PreviousChoice Looks  "previous-choice" "choice" "Take the value before";
        EditText     Looks  "edit-text"     "as text"  "Edit the whole command as a line";
        SavePreset   Writes "save-preset"   "keep"     "Keep the command under a name";
        Presets      Looks  "presets"       "presets"  "Take a command that was kept";
        DropPreset   Writes "drop-preset"   "drop"     "Forget this preset";
    }
    "Yours" {
        Custom       Either "custom"        "yours"    "Run a command of yours";
        Host         Writes "host"          "shell…"   "Run a command on this machine: {name} {id} {image} {ip} are what is selected";
    }
    "App" {
        Help         Looks  "help"          "help"     "Show what the keys do here";
        Palette      Either "palette"       "palette"  "Search everything that can be done";
        Command      Either "command"       "command"  "Type a command, as on the command line";
        Details      Looks  "details"       "details"  "Show the whole last error";
        Theme        Looks  "theme"         "theme"    "Choose how hoist looks";
        Refresh      Looks  "refresh"       "refresh"  "Read everything again";
        Redraw       Looks  "redraw"        "redraw"   "Redraw the whole screen";
        Suspend      Looks  "suspend"       "suspend"  "Suspend hoist; containers keep running";
        Quit         Looks  "quit"          "quit"     "Leave; containers keep running";
    }
}

impl Action {
    /// Returns how many rows this action moves down, negative for up, in a window of `page` rows;
    /// `None` if it is not such a movement.
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

    /// Returns the index of the tab that this action shows, starting at 0.
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

    /// Returns the action called `name` in the keymap.
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
