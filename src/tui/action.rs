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
    ($($group:ident $title:literal { $($variant:ident $reach:ident $name:literal $label:literal $help:literal;)* })*) => {
        /// What a key does, independent of which key is bound to it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(clippy::enum_variant_names, reason = "one is the actions themselves")]
        #[allow(missing_docs, reason = "the table's last column says it")]
        pub enum Action { $($($variant,)*)* }

        /// The headings of the help, each with the actions of one kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the table's second column says it")]
        pub enum Group { $($group,)* }

        impl Group {
            /// Returns the heading as the help shows it.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$group => $title,)* }
            }
        }

        impl Action {
            /// All actions, in table order.
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];

            /// Returns the heading that lists this action in the help.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $($(Self::$variant => Group::$group,)*)* }
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
    View "View" {
        Open         Looks  "open"          "open"     "Open the selection, or show the tab in the full window";
        Logs         Looks  "logs"          "logs"     "Show its logs";
        Stats        Looks  "stats"         "stats"    "Show its resource usage";
        Top          Looks  "top"           "top"      "Show its processes";
        Inspect      Looks  "inspect"       "inspect"  "Show all its details";
        Ports        Looks  "ports"         "ports"    "Show its addresses and ports";
    }
    Files "Files" {
        Files        Looks  "files"         "files"    "Browse its files, next to this machine's";
        Layers       Looks  "layers"        "layers"   "Show what each layer of the image adds, changes and removes";
        CopyFiles    Writes "copy-files"    "copy"     "Copy the marked files to the other side; asks first";
        EditFile     Writes "edit-file"     "edit"     "Edit the file in your editor, and save it back";
        MakeFolder   Writes "make-folder"   "folder…"  "Create a folder here";
        RenameFile   Writes "rename-file"   "rename…"  "Rename the file";
        Extract      Writes "extract"       "extract…" "Copy the marked files to a folder on this machine; asks first";
        CompareFiles Looks  "compare-files" "compare"  "Compare the file with the one on the other side";
        ToggleAdded  Looks  "toggle-added"  "added"    "Show or hide added files";
        ToggleModified Looks  "toggle-modified" "modified" "Show or hide changed files";
        ToggleRemoved Looks  "toggle-removed" "removed" "Show or hide removed files";
        LayerForm    Looks  "layer-form"    "view"     "Show only this layer's changes, or all files up to it";
        CompareImages Looks  "compare-images" "compare"   "Compare two marked images, or this one with the marked one";
        CompareForm  Looks  "compare-form"  "view"     "Show the differences as a tree, or as full paths, largest first";
        SwapImages   Looks  "swap-images"   "swap"     "Swap the two images";
    }
    Act "Actions" {
        StartStop    Writes "start-stop"    "stop"     "Start or stop the container";
        Restart      Writes "restart"       "restart"  "Restart the container";
        Pause        Writes "pause"         "pause"    "Pause or unpause the container";
        Kill         Writes "kill"          "kill…"    "Send a signal to the container";
        Shell        Writes "shell"         "shell"    "Open a shell in the container";
        Exec         Writes "exec"          "exec…"    "Run a command in a terminal in the container";
        Attach       Writes "attach"        "attach"   "Attach to the container's main process";
        Rename       Writes "rename"        "rename…"  "Rename the container";
    }
    Create "Create" {
        Run          Writes "run"           "run…"     "Run a container from this image";
        RunAgain     Writes "run-again"     "run again…" "Run a container with the same options, or edit them first";
        Pull         Writes "pull"          "pull…"    "Pull an image from a registry";
        FromHost     Writes "from-host"     "from host" "Create an image from this machine's shell and core tools; asks first";
        Load         Writes "load"          "load…"    "Load images from an archive";
        Import       Writes "import"        "import…"  "Import a root file system archive as an image";
        Tag          Writes "tag"           "tag…"     "Give the image another name";
    }
    Remove "Remove" {
        Remove       Writes "remove"        "remove"   "Remove it; asks first";
        RemoveForce  Writes "remove-force"  "force remove" "Remove it even if it is running or in use; asks first";
        Purge        Writes "purge"         "delete"   "Delete it permanently; asks first";
        EmptyTrash   Writes "empty-trash"   "empty trash" "Delete everything in the trash permanently; asks first";
        DeleteFile   Writes "delete-file"   "delete"   "Delete the marked files permanently; asks first";
        ClearTasks   Looks  "clear-tasks"   "clear"    "Remove finished tasks from the list";
    }
    Undo "Undo" {
        Undo         Writes "undo"          "undo"     "Undo the last removal, stop, start, pause, rename or tag";
        Restore      Writes "restore"       "restore"  "Restore it from the trash";
        RestoreAs    Writes "restore-as"    "restore as…" "Restore it from the trash under a new name";
        SkipTrash    Writes "skip-trash"    "skip trash" "In the dialog: delete permanently instead of moving to the trash";
    }
    Move "Move" {
        Down         Looks  "down"          "down"     "Select the next row";
        Up           Looks  "up"            "up"       "Select the previous row";
        First        Looks  "first"         "top"      "Go to the first row";
        Last         Looks  "last"          "end"      "Go to the last row; in a log, resume following";
        HalfDown     Looks  "half-down"     "half down"   "Move half a page down";
        HalfUp       Looks  "half-up"       "half up"  "Move half a page up";
        PageDown     Looks  "page-down"     "page down" "Move a page down";
        PageUp       Looks  "page-up"       "page up"  "Move a page up";
        Left         Looks  "left"          "left"     "Scroll left";
        Right        Looks  "right"         "right"    "Scroll right";
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
        Back         Looks  "back"          "back"     "Go back; clears a filter or search first";
    }
    Window "Window" {
        Zoom         Looks  "zoom"          "zoom"     "Maximize the panes, then only this one, then show the list again";
        SplitRight   Looks  "split-right"   "split |"  "Split the pane side by side";
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
        ExchangePanes Looks  "exchange-panes" "swap" "Swap the pane with the next one";
        ClosePane    Looks  "close-pane"    "close"    "Close the pane; its session keeps running";
        OnlyPane     Looks  "only-pane"     "only"     "Close all other panes";
        Navigator    Looks  "navigator"     "navigator" "Show or hide the navigator";
        PinPane      Looks  "pin-pane"      "pin"      "Pin the pane to what it shows, or let it follow the list again";
    }
    Go "Go to" {
        GoContainers Looks  "go-containers" "containers" "Go to containers";
        GoImages     Looks  "go-images"     "images"   "Go to images";
        GoVolumes    Looks  "go-volumes"    "volumes"  "Go to volumes";
        GoNetworks   Looks  "go-networks"   "networks" "Go to networks";
        GoTrash      Looks  "go-trash"      "trash"    "Go to the trash";
        GoTasks      Looks  "go-tasks"      "tasks"    "Go to background tasks: pulls, terminals";
        GoEvents     Looks  "go-events"     "events"   "Go to events";
        GoAlert      Looks  "go-alert"      "alert"    "Go to the next alert and mark it as seen";
        SeeAlerts    Looks  "see-alerts"    "seen"     "Mark all alerts as seen";
        JumpBack     Looks  "jump-back"     "back"     "Go back to the previous position";
        JumpForward  Looks  "jump-forward"  "forward"  "Go forward to the next position";
    }
    Find "Find" {
        Search       Looks  "search"        "filter"   "Filter the list, or search the text";
        NextMatch    Looks  "next-match"    "next"     "Go to the next match";
        PreviousMatch Looks  "previous-match" "previous" "Go to the previous match";
        ShowAll      Looks  "show-all"      "all"      "Show all containers, or only running ones";
    }
    List "List" {
        Mark         Looks  "mark"          "mark"     "Mark or unmark the row; keys then act on all marked rows";
        RangeMark    Looks  "range-mark"    "range"    "Start or end a range of marks here";
        MarkAll      Looks  "mark-all"      "mark all" "Mark or unmark all shown rows";
        Columns      Looks  "columns"       "columns…" "Choose the columns and their order";
        ColumnLater  Looks  "column-later"  "move down" "Move the column further to the right";
        ColumnSooner Looks  "column-sooner" "move up"  "Move the column further to the left";
        ColumnReset  Looks  "column-reset"  "reset"    "Reset to the default columns";
        Repeat       Looks  "repeat"        "repeat"   "Repeat the last action on the selection";
        Group        Looks  "group"         "group"    "Group containers by project, or ungroup them";
    }
    Sort "Sort" {
        OrderNone    Looks  "order-none"    "unsorted" "Do not sort";
        OrderName    Looks  "order-name"    "name"     "Sort by name; again to reverse";
        OrderState   Looks  "order-state"   "state"    "Sort by state, failures first";
        OrderImage   Looks  "order-image"   "image"    "Sort by image";
        OrderCpu     Looks  "order-cpu"     "cpu"      "Sort by CPU usage";
        OrderMemory  Looks  "order-memory"  "memory"   "Sort by memory usage";
        OrderReceived Looks  "order-received" "received" "Sort by bytes received per second";
        OrderSent    Looks  "order-sent"    "sent"     "Sort by bytes sent per second";
        OrderPids    Looks  "order-pids"    "pids"     "Sort by the number of processes";
        OrderUp      Looks  "order-up"      "up"       "Sort by uptime, or time since it stopped";
        OrderPorts   Looks  "order-ports"   "ports"    "Sort by port";
        OrderProject Looks  "order-project" "project"  "Sort by project";
        OrderNetwork Looks  "order-network" "network"  "Sort by network";
        OrderAddress Looks  "order-address" "address"  "Sort by address";
        OrderId      Looks  "order-id"      "id"       "Sort by id";
        OrderCreated Looks  "order-created" "created"  "Sort by creation time";
        OrderCommand Looks  "order-command" "command"  "Sort by command";
        OrderSize    Looks  "order-size"    "size"     "Sort by size";
        OrderPlatform Looks  "order-platform" "platform" "Sort by platform";
        OrderUsers   Looks  "order-users"   "used by"  "Sort by the number of containers using it";
        OrderDriver  Looks  "order-driver"  "driver"   "Sort by driver";
        OrderFolder  Looks  "order-folder"  "path"     "Sort by path";
        OrderSubnet  Looks  "order-subnet"  "subnet"   "Sort by subnet";
        OrderMembers Looks  "order-members" "members"  "Sort by the number of connected containers";
        OrderTime    Looks  "order-time"    "time"     "Sort by time";
        OrderKind    Looks  "order-kind"    "kind"     "Sort by the kind of object";
        OrderAction  Looks  "order-action"  "action"   "Sort by action";
        OrderRemoved Looks  "order-removed" "removed"  "Sort by removal time";
        OrderLeft    Looks  "order-left"    "left"     "Sort by time left";
        OrderSpent   Looks  "order-spent"   "time"     "Sort by duration";
    }
    Log "Log" {
        Follow       Looks  "follow"        "follow"   "Follow the log, or stop following it";
        Wrap         Looks  "wrap"          "wrap"     "Wrap or truncate long lines";
        FilterLines  Looks  "filter-lines"  "filter"   "Show only lines that match a filter; !text hides them";
        MoreContext  Looks  "more-context"  "context +" "Show one more line of context around each match";
        LessContext  Looks  "less-context"  "context -" "Show one fewer line of context around each match";
        NextGrave    Looks  "next-grave"    "next error" "Go to the next error or warning";
        PreviousGrave Looks  "previous-grave" "prev error" "Go to the previous error or warning";
        MinimumLevel Looks  "minimum-level" "level"    "Set the minimum level: all, debug, info, warn or error";
        Times        Looks  "times"         "timestamps" "Show timestamps: off, local, UTC, relative, or between lines";
        Json         Looks  "json"          "json"     "Show JSON unchanged, on one line, or pretty-printed";
        MergeLogs    Looks  "merge-logs"    "merge"    "Merge the logs of the marked containers, or of another one";
        MarkLine     Looks  "mark-line"     "separator" "Draw a separator below the newest line";
        SelectLines  Looks  "select-lines"  "select"   "Select lines, or clear the selection";
        CopyLines    Looks  "copy-lines"    "copy"     "Copy the selected lines, or the match";
        SaveLog      Writes "save-log"      "save…"    "Save the log to a file, as shown";
        Streams      Looks  "streams"       "streams"  "Show both streams, only stdout, or only stderr";
        Clear        Looks  "clear"         "clear"    "Clear the view; the log is kept";
    }
    Charts "Charts" {
        RangeShorter Looks  "range-shorter" "shorter"  "Show a shorter range: 6h, 1h, 15m, 5m, 1m";
        RangeLonger  Looks  "range-longer"  "longer"   "Show a longer range: 1m, 5m, 15m, 1h, 6h";
        ScaleUp      Looks  "scale-up"      "scale up" "Double the scale of the charts";
        ScaleDown    Looks  "scale-down"    "scale down" "Halve the scale of the charts";
        Freeze       Looks  "freeze"        "freeze"   "Freeze or unfreeze the charts";
        Compare      Looks  "compare"       "compare"  "Compare the marked containers in the same charts";
        SaveCsv      Writes "save-csv"      "save…"    "Save the charts' data as CSV";
        EachPart     Looks  "each-part"     "per device" "Show one line per interface and disk, or their totals";
    }
    Processes "Processes" {
        TopPid       Looks  "top-pid"       "pid"      "Sort by PID; again to reverse";
        TopUser      Looks  "top-user"      "user"     "Sort by user";
        TopCpu       Looks  "top-cpu"       "cpu"      "Sort by CPU usage";
        TopMemory    Looks  "top-memory"    "memory"   "Sort by memory usage";
        TopTime      Looks  "top-time"      "time"     "Sort by CPU time";
        TopCommand   Looks  "top-command"   "command"  "Sort by command";
        ProcessTree  Looks  "process-tree"  "tree"     "Show the processes as a tree or a list";
        SignalProcess Writes "signal-process" "signal…" "Send a signal to the process";
        ProcessPage  Looks  "process-page"  "details"  "Show details of the process: environment, files, limits";
    }
    Inspect "Inspect" {
        Fold         Looks  "fold"          "fold"     "Fold the entry, or go to its parent";
        Unfold       Looks  "unfold"        "unfold"   "Unfold the entry, or go to its first child";
        FoldAll      Looks  "fold-all"      "fold all" "Fold everything";
        UnfoldAll    Looks  "unfold-all"    "unfold all" "Unfold everything";
        NextForm     Looks  "next-form"     "format"   "Switch between tree, YAML, JSON, and the command that creates it";
        EditShown    Writes "edit-shown"    "editor"   "View it in $VISUAL or $EDITOR, read-only";
        CopyValue    Looks  "copy-value"    "value"    "Copy the value under the cursor, or the whole text";
        CopyPath     Looks  "copy-path"     "path"     "Copy the path of the value under the cursor";
    }
    Since "Log since" {
        SinceTail    Looks  "since-tail"    "tail"     "Show only the last 1,000 lines";
        SinceMinute  Looks  "since-1m"      "1 minute" "Show only the last minute";
        SinceMinutes Looks  "since-5m"      "5 minutes" "Show only the last five minutes";
        SinceHour    Looks  "since-1h"      "1 hour"   "Show only the last hour";
        SinceMoment  Looks  "since-moment"  "time…"    "Show only lines since a given time";
        SinceAll     Looks  "since-all"     "all"      "Show the whole log again";
    }
    Copy "Copy" {
        CopyName     Looks  "copy-name"     "name"     "Copy the name";
        CopyId       Looks  "copy-id"       "id"       "Copy the id";
        CopyImage    Looks  "copy-image"    "image"    "Copy the image's name";
        CopyJson     Looks  "copy-json"     "json"     "Copy all its details as JSON";
        CopyUrl      Looks  "copy-url"      "url"      "Copy the URL that reaches it from this machine";
        Browse       Looks  "browse"        "browser"  "Open the URL in a browser";
        CopyCommand  Looks  "copy-command"  "command"  "Copy the command that creates a container like this one";
    }
    Tasks "Tasks" {
        Cancel       Looks  "cancel"        "cancel"   "Cancel the current task; press twice to quit";
        CancelTask   Either "cancel-task"   "cancel"   "Cancel the selected task, or end a terminal's program";
        RetryTask    Writes "retry-task"    "retry"    "Run the task, or a terminal's program, again";
        TaskOutput   Looks  "task-output"   "output"   "Show the output of the task";
        RunWhenDone  Writes "run-when-done" "run when done" "Open the run form when the pull completes";
    }
    Terminal "Terminal" {
        Release      Looks  "release"       "release"  "Return the keyboard to hoist; press twice to send the key itself";
        Type         Either "type"          "type"     "Type into the terminal";
        Detach       Looks  "detach"        "detach"   "Detach from the session; its program keeps running";
        ScrollUp     Looks  "scroll-up"     "scroll up" "Scroll up";
        ScrollDown   Looks  "scroll-down"   "scroll down" "Scroll down";
        CopyMode     Looks  "copy-mode"     "copy mode" "Search and copy text in the terminal";
        WordLeft     Looks  "word-left"     "word left" "Go to the previous word";
        WordRight    Looks  "word-right"    "word"     "Go to the next word";
        LineStart    Looks  "line-start"    "start"    "Go to the start of the line";
        LineEnd      Looks  "line-end"      "end"      "Go to the end of the line";
        MarkText     Looks  "mark-text"     "select"   "Start or stop selecting text";
        MarkLines    Looks  "mark-lines"    "lines"    "Start or stop selecting lines";
        MarkBlock    Looks  "mark-block"    "block"    "Start or stop selecting a block";
        CopyMarked   Looks  "copy-marked"   "copy"     "Copy the selected text, or the line, and leave copy mode";
        CloseTab     Looks  "close-tab"     "close"    "Close the tab of an ended session";
    }
    Dialog "Dialog" {
        Accept       Either "accept"        "ok"       "Confirm";
        Dismiss      Looks  "dismiss"       "cancel"   "Cancel and close";
        Background   Looks  "background"    "background" "Continue in the background; Tasks lists it";
        NextField    Looks  "next-field"    "next"     "Go to the next field";
        PreviousField Looks  "previous-field" "previous" "Go to the previous field";
        Complete     Looks  "complete"      "complete" "Complete the word";
        Older        Looks  "older"         "older"    "Show the previous history entry";
        Newer        Looks  "newer"         "newer"    "Show the next history entry";
        Toggle       Looks  "toggle"        "toggle"   "Turn the option on or off";
        CopyShown    Looks  "copy-shown"    "copy"     "Copy the command shown";
        CompleteBack Looks  "complete-back" "previous" "Show the previous completion";
    }
    Form "Form" {
        NextSection  Looks  "next-section"  "section"  "Go to the next section";
        TakeOffer    Looks  "take-offer"    "next"     "Accept the suggestion, or go to the next field";
        NextChoice   Looks  "next-choice"   "choice"   "Select the next value";
        PreviousChoice Looks  "previous-choice" "choice" "Select the previous value";
        EditText     Looks  "edit-text"     "as text"  "Edit the whole command as text";
        SavePreset   Writes "save-preset"   "save"     "Save the command as a preset";
        Presets      Looks  "presets"       "presets"  "Show the presets";
        DropPreset   Writes "drop-preset"   "delete"   "Delete the preset";
    }
    Custom "Custom" {
        Custom       Either "custom"        "custom"   "Run a custom command";
        Host         Writes "host"          "shell…"   "Run a command on this machine; {name} {id} {image} {ip} stand for the selection";
    }
    App "App" {
        Help         Looks  "help"          "help"     "Show the keys available here";
        Palette      Either "palette"       "palette"  "Search all actions";
        Command      Either "command"       "command"  "Type a command, as on the command line";
        Details      Looks  "details"       "details"  "Show the last error and the last long message";
        Theme        Looks  "theme"         "theme"    "Choose the theme";
        Refresh      Looks  "refresh"       "refresh"  "Reload everything";
        Redraw       Looks  "redraw"        "redraw"   "Redraw the screen";
        Suspend      Looks  "suspend"       "suspend"  "Suspend hoist; containers keep running";
        Quit         Looks  "quit"          "quit"     "Quit; containers keep running";
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
