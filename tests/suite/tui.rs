//! Tests of the TUI as users run it: the real binary in a real terminal with a real engine.
//!
//! A test types keys and waits for screens; it never sleeps. The terminal is an emulator on a
//! pseudo-terminal, so assertions see what a user would see. Needs root, or a user namespace.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

mod terminals;

use crate::support::{self, Home};
use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::test::TermSize;
use alacritty_terminal::term::{Config, Term, TermMode};
use alacritty_terminal::vte::ansi::Processor;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// A longer wait indicates a bug.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last copied text (OSC 52).
#[derive(Clone, Default)]
struct Clipboard(Arc<Mutex<String>>);

impl EventListener for Clipboard {
    fn send_event(&self, event: Event) {
        if let Event::ClipboardStore(_, text) = event {
            *self.0.lock().unwrap() = text;
        }
    }
}

/// The current screen, and whether the program has exited.
struct Seen {
    term: Term<Clipboard>,
    clipboard: Clipboard,
    parser: Processor,
    is_over: bool,
}

impl Seen {
    fn text(&self) -> String {
        let grid = self.term.grid();
        let row = |line: usize| -> String {
            let cells =
                (0..grid.columns()).map(|column| grid[Line(i32::try_from(line).unwrap())][Column(column)].c);
            cells.collect::<String>().trim_end().to_owned()
        };
        (0..grid.screen_lines()).map(row).collect::<Vec<_>>().join("\n")
    }
}

/// hoist running in a terminal.
struct Tui {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Tui {
    fn open(home: &Home, columns: u16, rows: u16) -> Self {
        let words = home.command::<_, &str>([]);
        let mut command = CommandBuilder::new(words.get_program());
        command.args(words.get_args());
        for (name, value) in words.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        Self::spawn(command, columns, rows)
    }

    fn spawn(mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR");
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let size = TermSize::new(columns.into(), rows.into());
        let clipboard = Clipboard::default();
        let term = Term::new(Config::default(), &size, clipboard.clone());
        let seen = Seen { term, clipboard, parser: Processor::new(), is_over: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let (mut reader, theirs) = (pty.master.try_clone_reader().unwrap(), seen.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 16 << 10];
            loop {
                let count = reader.read(&mut bytes).unwrap_or(0);
                let mut seen = theirs.0.lock().unwrap();
                let Seen { term, parser, is_over, .. } = &mut *seen;
                parser.advance(term, &bytes[..count]);
                *is_over = count == 0;
                theirs.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { child, master: pty.master, keys, seen }
    }

    /// Waits for a screen that matches, and returns it.
    #[track_caller]
    fn wait(&self, what: &str, is_it: impl Fn(&Seen) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while !is_it(&seen) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || seen.is_over {
                let screen = seen.text();
                drop(seen);
                panic!("never came: {what}\n{screen}");
            }
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
        seen.text()
    }

    /// Waits until the screen contains `text`.
    #[track_caller]
    fn see(&self, text: &str) -> String {
        self.wait(text, |seen| seen.text().contains(text))
    }

    /// Waits until the screen no longer contains `text`.
    #[track_caller]
    fn miss(&self, text: &str) -> String {
        self.wait(&format!("a screen without `{text}`"), |seen| !seen.text().contains(text))
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits for hoist to exit, and returns the exit code. The terminal must be restored.
    #[track_caller]
    fn end(&mut self) -> u32 {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while !seen.is_over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let screen = seen.text();
                drop(seen);
                panic!("it never ended\n{screen}");
            }
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
        let code = self.child.wait().unwrap().exit_code();
        let ours = TermMode::ALT_SCREEN | TermMode::BRACKETED_PASTE | TermMode::MOUSE_MODE;
        assert!(!seen.term.mode().intersects(ours), "{:?}", seen.term.mode());
        assert!(seen.term.mode().contains(TermMode::SHOW_CURSOR));
        code
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.seen.0.lock().unwrap().term.resize(TermSize::new(columns.into(), rows.into()));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).unwrap();
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CTRL_C: &str = "\x03";
const CTRL_E: &str = "\x05";
const CTRL_P: &str = "\x10";
const CTRL_Q: &str = "\x11";
const CTRL_S: &str = "\x13";
const CTRL_W: &str = "\x17";
const RELEASE: &str = "\x1d";
const HOME: &str = "\x1b[H";
const RIGHT: &str = "\x1b[C";
const ESC: &str = "\x1b";
const ENTER: &str = "\r";
const TAB: &str = "\t";

#[test]
fn a_first_hour_from_an_empty_store_to_an_empty_store() {
    let home = Home::new();
    let mut tui = Tui::open(&home, 100, 28);
    tui.see("No containers yet");
    // Creates an image from this machine with one key and an answer.
    tui.press("M");
    tui.see("Create an image from this machine's tools?");
    tui.press("y");
    tui.see("created host:latest");
    tui.see("[2 Images 1]");
    // Runs a container from it, with a terminal.
    tui.press("r");
    tui.see("Run a container");
    tui.press(&format!("web{TAB}sh{TAB}{TAB}{TAB}none"));
    tui.see("$ hoist run -dit --name web --network none host:latest sh");
    // Switches to the text form and back.
    tui.press(CTRL_E);
    tui.see("Edit the command");
    tui.press(&format!("{HOME}{}--stop-timeout 1 {ENTER}", RIGHT.repeat(4)));
    tui.miss("Edit the command");
    tui.see("--network none --stop-timeout 1");
    tui.press(CTRL_S);
    tui.see("web: attach");
    tui.see("# ");
    // The program answers what is typed.
    tui.press(&format!("echo hello-$((40+2)){ENTER}"));
    tui.see("hello-42");
    tui.press(&format!("stty size{ENTER}"));
    tui.see("22 98");
    // It keeps running when detached.
    tui.press(&format!("{CTRL_P}{CTRL_Q}"));
    tui.see("detached from web: attach");
    tui.see("running");
    assert_eq!(home.hoist(["ps", "--format", "{{.Names}} {{.State}}"]).ok(), "web running");
    // The log contains its output.
    tui.press("l");
    tui.see("[1 Logs]");
    tui.see("hello-42");
    tui.press("4");
    tui.see("Status      running");
    tui.press("FF");
    tui.see("\"Status\": \"running\"");
    tui.press("3");
    tui.see("COMMAND");
    tui.press("2");
    tui.see("Memory");
    tui.press("q");
    tui.see("[1 Containers 1]");
    // Stops and removes it: the dialog names the container.
    tui.press("s");
    tui.see("stopped web");
    tui.see("exit 137 KILL");
    tui.press("dd");
    tui.see("Remove 1 container?");
    tui.press(ENTER);
    tui.miss("Remove 1 container?");
    tui.press("dd");
    tui.see("Moved to the trash for 24h; u restores it");
    tui.press("y");
    tui.see("removed web");
    tui.see("No containers yet.");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
    assert_eq!(home.hoist(["ps", "-aq"]).ok(), "");
}

#[test]
fn several_shells_live_beside_each_other_and_go_on_unseen() {
    let home = Home::with_busybox();
    home.hoist(["run", "-d", "--name", "box", "--network", "none", "busybox", "sleep", "1000"]).ok();
    let mut tui = Tui::open(&home, 80, 24);
    tui.see("● box");
    tui.press("e");
    tui.see("[6 shell]");
    tui.see("# ");
    tui.press(&format!("X=first; (sleep 0.2; echo late-$X){ENTER}"));
    tui.press(&format!("{RELEASE},e"));
    tui.see("[7 shell 2]");
    tui.press(&format!("echo second; tty{ENTER}"));
    tui.see("/dev/pts/");
    // Pressing the key twice sends it to the program.
    tui.press(&format!("{RELEASE}{RELEASE}"));
    tui.see("[7 shell 2]");
    tui.press(&format!("{CTRL_C}{ENTER}echo $?{ENTER}"));
    tui.see("130");
    // The keys are hoist's until they are given back, and the list is one key further.
    tui.press(RELEASE);
    tui.see("keys released");
    tui.press("q");
    tui.see("[1 Containers 1]");
    // The first terminal received output while it was not shown.
    tui.press(&format!("5j{ENTER}"));
    tui.see("[6 shell]");
    tui.press("1");
    tui.see("[1 Logs]");
    tui.press("6");
    tui.see("late-first");
    // A terminal follows the size of its pane.
    tui.resize(120, 40);
    tui.wait("a wide border", |seen| seen.text().lines().any(|line| line.chars().count() == 120));
    tui.press(&format!("{ENTER}stty size{ENTER}"));
    tui.wait("another size", |seen| {
        seen.text().lines().any(|line| {
            let words: Vec<_> = line.trim_matches(['│', '┃', ' ']).split(' ').collect();
            matches!(words.as_slice(), [rows, columns] if *rows != "18" && rows.parse::<u16>().is_ok() && columns.parse::<u16>().is_ok())
        })
    });
    // An exited program is reported, and its terminal closed.
    tui.press(&format!("exit 3{ENTER}"));
    tui.see("box: shell · exit 3");
    tui.press("x");
    tui.miss("exit 3");
    tui.press("Q");
    tui.see("Quit hoist?");
    tui.press("y");
    assert_eq!(tui.end(), 0);
    assert_eq!(home.hoist(["ps", "--format", "{{.State}}"]).ok(), "running");
}

#[test]
fn a_shell_that_outlives_hoist_is_found_attached_to_again_and_ended() {
    let home = Home::with_busybox();
    home.hoist(["run", "-d", "--name", "box", "--network", "none", "busybox", "sleep", "1000"]).ok();
    let mut tui = Tui::open(&home, 80, 24);
    tui.see("● box");
    tui.press("e");
    tui.see("# ");
    tui.press(&format!("X=kept; echo ready-$((40+2)){ENTER}"));
    tui.see("ready-42");
    tui.signal(nix::sys::signal::Signal::SIGKILL);
    drop(tui);
    home.hoist(["exec", "-d", "-u", "0", "box", "sleep", "3000"]).ok();
    let ids = || home.hoist(["inspect", "--format", "{{len .ExecIDs}}", "box"]).ok();
    assert_eq!(ids(), "2");
    let mut tui = Tui::open(&home, 80, 24);
    tui.press("5");
    tui.see("box: sleep 3000 (0)");
    tui.press(&format!("/sh{ENTER}"));
    tui.miss("sleep 3000");
    tui.see("box: sh");
    tui.press(ENTER);
    tui.see("keys released");
    tui.press(&format!("{ENTER}echo still-$X{ENTER}"));
    tui.see("still-kept");
    tui.press(&format!("{RELEASE}K"));
    tui.see("Send a signal to box: sh");
    tui.press(ENTER);
    tui.see("box: sh · exit 129");
    tui.press("x");
    tui.see("[5 Tasks");
    // The other one does not belong to this hoist, and is not asked about.
    tui.press("Q");
    assert_eq!(tui.end(), 0);
    assert_eq!(ids(), "1");
}

#[test]
fn a_command_of_the_user_runs_in_a_pane_and_stays_until_it_is_closed() {
    let home = Home::with_busybox();
    let text = "[[command]]\nname = \"sizes\"\nkey = \"X\"\nplace = \"containers\"\npane = true\n\
                run = \"stty size; echo {name} >> RUNS; echo runs-$(wc -l < RUNS); exit 3\"\n";
    let text = text.replace("RUNS", home.path("runs").to_str().unwrap());
    std::fs::write(home.path("config.toml"), text).unwrap();
    home.hoist(["run", "-d", "--name", "box", "--network", "none", "busybox", "sleep", "1000"]).ok();
    let mut tui = Tui::open(&home, 80, 24);
    tui.see("● box");
    tui.press("X");
    tui.see("$ stty size; echo box >> ");
    let shown = tui.see("box: sizes · exit 3");
    assert!(shown.contains("18 78") && shown.contains("runs-1"), "{shown}");
    // Anything it wrote can be read until it is closed; it can also be run again.
    tui.press("r");
    tui.see("runs-2");
    tui.see("box: sizes · exit 3");
    tui.press("x");
    tui.see("[1 Containers 1]");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

#[test]
fn a_page_keeps_what_was_read_of_a_container_that_another_process_removes() {
    let home = Home::with_busybox();
    let script = "echo kept-$((40+2)); exec sleep 1000";
    home.hoist(["run", "-d", "--name", "web", "--network", "none", "busybox", "sh", "-c", script]).ok();
    home.hoist(["run", "-d", "--name", "other", "--network", "none", "busybox", "sleep", "2000"]).ok();
    let mut tui = Tui::open(&home, 100, 28);
    tui.see("● other");
    tui.press(&format!("/web{ENTER}"));
    tui.miss("● other");
    tui.press("l");
    tui.see("kept-42");
    tui.press("3");
    tui.see("sleep 1000");
    tui.press("4");
    tui.see("Status ");
    tui.press("1");
    tui.see("kept-42");
    home.hoist(["rm", "-f", "web"]).ok();
    tui.see("› web  removed");
    tui.see("1 line kept");
    tui.see("kept-42");
    tui.press("3");
    tui.see("sleep 1000");
    tui.press("4");
    tui.see("Status ");
    // A key that needs the container reports why it does nothing, and affects no other container.
    tui.press(",s");
    tui.see("`web` was removed");
    tui.press("q");
    tui.see("[1 Containers");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
    assert_eq!(home.hoist(["ps", "--format", "{{.Names}} {{.State}}"]).ok(), "other running");
}

#[test]
fn what_one_key_removed_comes_back_by_one_key_and_runs_again() {
    let home = Home::with_busybox();
    for number in 0..40 {
        home.hoist(["create", "--name", &format!("c{number}"), "--network", "none", "busybox", "true"]).ok();
    }
    let script = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
    home.hoist(["run", "-d", "--name", "web", "--network", "none", "busybox", "sh", "-c", script]).ok();
    let mut tui = Tui::open(&home, 100, 28);
    tui.see("● web");
    tui.press("*dd");
    tui.see("Remove 41 containers?");
    tui.press("y");
    tui.see("removed 41 · u undo");
    assert_eq!(home.hoist(["ps", "-aq"]).ok(), "");
    tui.press("u");
    tui.see("restored 41");
    assert_eq!(home.hoist(["ps", "-aq"]).ok().lines().count(), 41);
    assert_eq!(home.hoist(["ps", "--format", "{{.Names}}"]).ok(), "web", "what ran runs again");
    tui.press("u");
    tui.see("nothing to undo");
    // What has not begun can be cancelled, and what was done is undone.
    tui.see("1/41 up");
    tui.press("*dd");
    tui.see("Remove 41 containers?");
    tui.press(&format!("y{ESC}"));
    tui.see("removed 32 of 41, then cancelled · u undo");
    assert_eq!(home.hoist(["ps", "-aq"]).ok().lines().count(), 9);
    tui.press("u");
    tui.see("restored 32");
    assert_eq!(home.hoist(["ps", "-aq"]).ok().lines().count(), 41);
    tui.see("1/41 up");
    // What cannot be undone is in the way of what was done before.
    tui.press(&format!("/web{ENTER}"));
    tui.see("● web");
    tui.press("s");
    tui.see("stopped web · u undo");
    tui.see("■ web");
    tui.press("s");
    tui.see("started web · u undo");
    tui.see("● web");
    tui.press("r");
    tui.see("restarted web");
    tui.press("u");
    tui.see("the restart of web cannot be undone");
    tui.press("u");
    tui.see("stopped web");
    tui.press("u");
    tui.see("started web");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

#[test]
fn esc_cancels_what_has_not_begun_and_otherwise_takes_the_marks_away() {
    let home = Home::with_busybox();
    for name in ["one", "two"] {
        let script = "trap '' TERM; while :; do sleep 0.1; done";
        let run = ["run", "-d", "--name", name, "--stop-timeout", "600", "--network", "none", "busybox"];
        home.hoist(run.into_iter().chain(["sh", "-c", script])).ok();
    }
    let mut tui = Tui::open(&home, 100, 28);
    tui.see("● two");
    tui.press("*s");
    tui.see("Stop 2 containers?");
    tui.see("n leave them running");
    tui.press("y");
    tui.see("stopping 0 of 2 · Esc cancel");
    tui.see("2 marked");
    tui.press(ESC);
    tui.miss("2 marked");
    tui.miss("Esc cancel");
    tui.see("stopping 0 of 2");
    // What was killed by hand is no failure.
    tui.press("*K");
    tui.see("Send a signal to 2 containers");
    tui.press(&format!("j{ENTER}"));
    tui.wait("both killed", |seen| seen.text().matches("exit 137 KILL").count() == 2);
    tui.see("■ one");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

#[test]
fn what_could_not_be_undone_is_undone_by_the_next_key() {
    let home = Home::with_busybox();
    let create = |name: &str| {
        home.hoist(["create", "--name", name, "--network", "none", "busybox", "true"]).ok();
    };
    ["one", "two", "three"].into_iter().for_each(create);
    let mut tui = Tui::open(&home, 100, 28);
    tui.see("○ one");
    tui.press("*dd");
    tui.see("n keep them");
    tui.press("y");
    tui.see("removed 3 · u undo");
    create("two");
    tui.see("○ two");
    tui.press("u");
    tui.see("restored 2, 1 of 3 failed");
    tui.see("press u to try again");
    home.hoist(["rm", "two"]).ok();
    tui.miss("○ two");
    tui.press("u");
    tui.see("restored two");
    // They stand in the order in which they were created.
    let shown = tui.see("○ two");
    let lines = ["○ three", "○ two", "○ one"].map(|name| shown.lines().position(|line| line.contains(name)));
    assert!(lines.is_sorted() && lines[0].is_some(), "{shown}");
    tui.press("u");
    tui.see("nothing to undo");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

#[test]
fn panes_stand_beside_each_other_and_a_layout_comes_back() {
    let home = Home::with_busybox();
    for name in ["one", "two"] {
        home.hoist(["run", "-d", "--name", name, "--network", "none", "busybox", "sleep", "1000"]).ok();
    }
    let mut tui = Tui::open(&home, 120, 40);
    tui.see("● two");
    tui.press("e");
    tui.see("# ");
    tui.press(&format!("for i in $(seq 1 90); do echo n$i-; done; echo ready-$((1+1)){ENTER}"));
    tui.see("ready-2");
    // A second shell beside the first; then the focus moves from one to the other.
    tui.press(&format!("{RELEASE}{CTRL_W}v,e"));
    tui.wait("two shells", |seen| seen.text().matches(": shell").count() == 2);
    tui.press(&format!("echo here-$((40+2)){ENTER}"));
    tui.see("here-42");
    tui.press(&format!("{RELEASE}h{ENTER}echo there-$((40+3)){ENTER}"));
    tui.see("there-43");
    // The scrollback can be searched, marked and copied.
    tui.press(&format!("{RELEASE}[/n5-{ENTER}"));
    tui.see("copy mode");
    tui.wait("what scrolled away", |seen| {
        seen.text().lines().any(|line| line.trim_matches(['│', '┃', ' ']).split(' ').next() == Some("n5-"))
    });
    tui.press("Vjjy");
    tui.see("copied 3 lines");
    tui.wait("the clipboard", |seen| *seen.clipboard.0.lock().unwrap() == "n5-\nn6-\nn7-");
    // The other pane shows the container under the list's cursor again.
    tui.press(&format!(":layout save two{ENTER}"));
    tui.see("saved layout two");
    tui.press("Qy");
    assert_eq!(tui.end(), 0);
    let mut tui = Tui::open(&home, 120, 40);
    tui.see("● two");
    tui.press(&format!(":layout two{ENTER}"));
    tui.wait("two shells again", |seen| seen.text().matches(": shell").count() == 2);
    tui.press(&format!("echo again-$((40+4)){ENTER}"));
    tui.see("again-44");
    tui.press(&format!("{RELEASE}Qy"));
    assert_eq!(tui.end(), 0);
}

#[test]
fn what_others_do_beside_it_appears_at_once() {
    let home = Home::with_busybox();
    let mut tui = Tui::open(&home, 80, 24);
    tui.see("No containers yet.");
    home.hoist([
        "run",
        "-d",
        "--name",
        "other",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "echo ready; sleep 1000",
    ])
    .ok();
    tui.see("● other");
    tui.see("ready");
    home.hoist(["pause", "other"]).ok();
    tui.see("‖ other");
    tui.press("p");
    tui.see("● other");
    assert_eq!(home.hoist(["ps", "--format", "{{.State}}"]).ok(), "running");
    tui.press("K");
    tui.see("Send a signal to other");
    tui.press(&format!("j{ENTER}"));
    tui.see("exit 137 KILL");
    home.hoist(["rm", "other"]).ok();
    tui.see("No containers yet.");
    home.hoist(["tag", "busybox", "second:name"]).ok();
    tui.press("2");
    tui.see("second:name");
    // The commands of the command line.
    tui.press(&format!(":create --name made --network none busybox true{ENTER}"));
    tui.see("created made");
    tui.press(&format!(":rm made{ENTER}"));
    tui.see("Remove 1 container?");
    tui.press("y");
    tui.see("removed made");
    tui.see("undo (23h5"); // a minute may have passed
    tui.press("1");
    tui.see("No containers yet.");
}

#[test]
fn what_a_start_warns_of_is_a_notice() {
    if hoist::internals::sys::selinux::is_enabled() {
        support::skipped("SELinux is on");
        return;
    }
    let home = Home::with_busybox();
    let label = ["--security-opt", "label=type:x_t"];
    let words = ["create", "--name", "labelled", "--network", "none", label[0], label[1]];
    home.hoist([&words[..], &["busybox", "sleep", "1000"]].concat()).ok();
    let mut tui = Tui::open(&home, 160, 24);
    tui.see("○ labelled");
    tui.press("s");
    tui.see("SELinux is disabled on this machine: label=type:x_t does not confine the container");
    tui.see("● labelled");
}

/// Runs this script, and then hoist on a separate disk with both folders of an engine, an image and
/// a container. The disk is removed with the mount namespace, and that with the program.
fn open_on_a_small_disk(home: &Home, script: &str) -> Tui {
    support::busybox_tar(&home.path("busybox.tar"));
    let whole = format!(
        r#"set -e
        mkdir disk
        mount -t tmpfs -o size=24m,mode=700 none disk
        hoist="{} --root $PWD/disk/root --run-root $PWD/disk/run"
        $hoist import busybox.tar busybox >/dev/null
        $hoist create --name one busybox true >/dev/null
        {script}
        XDG_STATE_HOME=$PWD/disk/state exec $hoist"#,
        support::HOIST
    );
    let words = home.command::<_, &str>([]);
    let mut command = CommandBuilder::new("unshare");
    command.args(["-m", "sh", "-c", &whole]);
    command.cwd(home.path("."));
    for (name, value) in words.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    Tui::spawn(command, 80, 24)
}

#[test]
fn a_full_or_read_only_data_folder_is_looked_at() {
    let fill = "cat /dev/zero > disk/ballast 2>/dev/null || true
        ! printf x >> disk/ballast 2>/dev/null";
    let read_only = "mount --bind disk/root disk/root; mount -o remount,ro,bind disk/root";
    for script in [fill, read_only] {
        let home = Home::new();
        let mut tui = open_on_a_small_disk(&home, script);
        tui.see("○ one");
        tui.press("2");
        tui.see("busybox");
        tui.press("Q");
        assert_eq!(tui.end(), 0, "{script}");
    }
}

#[test]
fn a_log_is_searched_filtered_followed_and_saved() {
    let home = Home::with_busybox();
    let words = "i=0; while [ $i -lt 3000 ]; do echo INFO line $i; i=$((i + 1)); done; \
                 while true; do sleep 0.2; echo beat; done";
    home.hoist(["run", "-d", "--name", "chatter", "--network", "none", "busybox", "sh", "-c", words]).ok();
    let mut tui = Tui::open(&home, 100, 24);
    tui.see("● chatter");
    tui.press("l");
    tui.see("follow ●");
    tui.see("beat");
    // The first line is one key away. New lines are counted and do not move it.
    tui.press("gg");
    tui.see("line 1 of");
    tui.see(" INFO line 0 ");
    tui.see("new ↓G");
    tui.press(&format!("/line 777{ENTER}"));
    tui.see("»INFO line 777 ");
    tui.see("1 of 1");
    tui.press(&format!("&re:line 12[0-9]$ & !re:5$ & !line 127{ENTER}"));
    tui.miss("INFO line 777");
    let screen = tui.see(" INFO line 129");
    for (number, is_shown) in
        [(119, false), (120, true), (124, true), (125, false), (127, false), (130, false)]
    {
        assert_eq!(screen.contains(&format!("INFO line {number}")), is_shown, "{number}\n{screen}");
    }
    let path = home.path("saved.log");
    tui.press(&format!("W{}{}{ENTER}", "\x7f".repeat("chatter.log".len()), path.display()));
    tui.see("saved 8 lines");
    let saved = std::fs::read_to_string(&path).unwrap();
    assert_eq!(saved.lines().next(), Some("INFO line 120"));
    // Clears the search first, then the filter.
    tui.press("\x1b");
    tui.miss("/line 777");
    tui.press("\x1b");
    tui.miss("&re:");
    tui.press("G");
    tui.see("follow ●");
    tui.see("beat");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

#[test]
fn a_pull_that_cannot_be_says_why_and_leaves_nothing() {
    let home = Home::new();
    let mut tui = Tui::open(&home, 80, 24);
    tui.see("No containers yet");
    tui.press("2p");
    tui.see("Pull an image");
    tui.press(&format!("localhost:9/none{ENTER}"));
    tui.see("because");
    // The page has said it; it can be read again.
    tui.press(ESC);
    tui.miss("because");
    tui.press("g!");
    tui.see("because");
    tui.press(ESC);
    tui.miss("because");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

#[test]
fn what_could_not_be_saved_at_the_end_is_told_after_it() {
    let home = Home::new();
    let mut tui = Tui::open(&home, 80, 24);
    tui.see("No containers yet");
    let folder = home.path("state/hoist");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(folder.join("tui.json.lock")).unwrap();
    lock.lock().unwrap();
    // The line is to be remembered.
    tui.press(&format!(":quit{ENTER}"));
    assert_eq!(tui.end(), 0);
    tui.see("hoist: the layout and settings cannot be saved: another hoist is still saving");
}

#[test]
fn the_terminal_is_given_back_on_a_signal() {
    use nix::sys::signal::Signal;
    let home = Home::new();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let mut tui = Tui::open(&home, 80, 24);
        tui.see("No containers yet");
        tui.signal(signal);
        assert_eq!(tui.end(), code);
    }
}

/// Tells this program to show a TUI with unreadable files, which must not panic.
const PANIC: &str = "HOIST_TEST_PANIC";

#[test]
#[expect(clippy::disallowed_methods, reason = "a role of this test program")]
fn role_of_the_test_below() {
    use hoist::config::{Environment, Ui};
    use hoist::engine::{Engine, Settings};
    let Some(dir) = std::env::var_os(PANIC) else { return };
    let dir = Path::new(&dir);
    let paths = hoist::internals::base::Paths::new(dir.join("root"), dir.join("run"));
    let engine = Engine::open(Settings::new(paths)).unwrap();
    let ui = Ui { no_color: true, ..Ui::default() };
    let read = |path: &Path| -> std::io::Result<String> { panic!("cannot bear {}", path.display()) };
    let world =
        hoist::internals::command::World { environment: Environment::default(), folder: "/".into(), read };
    let settings =
        hoist::internals::tui::TuiSettings { ui, warnings: Vec::new(), flags: Default::default(), world };
    let ended = hoist::internals::tui::run(engine, settings);
    std::process::exit(if ended.is_err() { 77 } else { 0 });
}

#[test]
fn the_terminal_is_given_back_before_a_panic_is_told() {
    let home = Home::new();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tui::role_of_the_test_below", "--nocapture", "--test-threads", "1"]);
    command.env("RUST_BACKTRACE", "0");
    command.env(PANIC, home.root().parent().unwrap());
    let mut tui = Tui::spawn(command, 80, 24);
    tui.see("No containers yet");
    tui.press(&format!(":create --env-file nowhere image{ENTER}"));
    assert_eq!(tui.end(), 77);
    let screen = tui.seen.0.lock().unwrap().text();
    assert!(screen.contains("cannot bear /nowhere"), "{screen}");
}

#[test]
fn a_file_of_variables_that_is_a_pipe_is_refused_at_once() {
    let home = Home::with_busybox();
    let pipe = home.path("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    home.hoist(["run", "-d", "--name", "web", "--network", "none", "busybox", "sleep", "1000"]).ok();
    let mut tui = Tui::open(&home, 160, 24);
    tui.see("● web");
    let file = pipe.display();
    let why = "regular file";
    tui.press(&format!(":create --env-file {file} busybox{ENTER}"));
    tui.see(why);
    tui.press("\x1b");
    tui.miss(why);
    tui.press(&format!(":exec -it --env-file {file} web sh{ENTER}"));
    tui.see(why);
}

#[test]
fn a_key_that_comes_together_with_a_resize_is_not_lost() {
    let home = Home::new();
    let mut tui = Tui::open(&home, 80, 24);
    tui.see("Containers");
    // Whether both become ready together is up to the kernel: of so many, some do.
    for columns in (81..121).chain((81..121).rev()) {
        tui.resize(columns, 24);
        tui.press("?");
        tui.see("type to search");
        tui.press("\x1b");
        tui.miss("type to search");
    }
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

#[test]
fn it_works_on_small_terminals() {
    let home = Home::with_busybox();
    home.hoist([
        "run",
        "-d",
        "--name",
        "box",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "echo tiny; sleep 1000",
    ])
    .ok();
    let mut tui = Tui::open(&home, 40, 12);
    tui.see("● box");
    tui.press("l");
    tui.see("tiny");
    tui.press("q");
    tui.resize(30, 5);
    tui.see("resize, or press");
    tui.resize(200, 60);
    tui.see("Block I/O");
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}
