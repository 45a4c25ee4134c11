//! Stories of terminals: read-only mode, and what becomes of programs when hoist has to leave.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{ENTER, PATIENCE, RELEASE, Seen, Tui};
use crate::support::{self, Home};
use portable_pty::CommandBuilder;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

fn with_box() -> Home {
    let home = Home::with_busybox();
    home.hoist(["run", "-d", "--name", "box", "--network", "none", "busybox", "sleep", "1000"]).ok();
    home
}

#[test]
fn in_read_only_mode_no_key_reaches_a_terminal_and_its_output_goes_on() {
    let home = with_box();
    let mut tui = Tui::open(&home, 80, 24);
    tui.see("● box");
    tui.press("e");
    tui.see("# ");
    tui.press(&format!("while [ ! -e /go ]; do sleep 0.1; done; echo went-$((40+2)){ENTER}"));
    tui.see("went-$((40+2))");
    tui.press(&format!("{RELEASE}:set read-only on{ENTER}"));
    tui.see("read-only mode is on");
    tui.see("read-only: the program gets no keys");
    // Neither a way to type nor another terminal.
    for keys in [ENTER, "i", &format!("{RELEASE}{RELEASE}"), ",e"] {
        tui.press(&format!("{keys}aaa"));
        tui.see("! read-only");
    }
    home.hoist(["exec", "box", "touch", "/go"]).ok();
    let shown = tui.see("went-42");
    assert!(!shown.contains("aaa"), "{shown}");
    tui.press("d");
    tui.see("detached from box: shell");
    tui.press(&format!(":set read-only off{ENTER}"));
    tui.see("read-only mode is off");
    tui.press(&format!("5{ENTER}"));
    tui.see("keys released");
    tui.press(&format!("{ENTER}echo again-$((40+3)){ENTER}"));
    tui.see("again-43");
    tui.press(&format!("{RELEASE}Qy"));
    assert_eq!(tui.end(), 0);
}

/// A process that is not a child.
struct Process(OwnedFd);

impl Process {
    /// Returns the process whose pid is in a file.
    fn of(file: &Path) -> Self {
        let pid = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        Self(pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap())
    }

    fn signal(&self, signal: Signal) {
        pidfd_send_signal(&self.0, signal).unwrap();
    }

    #[track_caller]
    fn wait_for_exit(&self, what: &str) {
        let timeout = PATIENCE.try_into().unwrap();
        let ready = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&timeout)).unwrap();
        assert_eq!(ready, 1, "it never exited: {what}");
    }
}

/// Returns a line for the shell that writes its pid to a file and becomes hoist, and a command with
/// hoist's environment.
fn line_of_hoist(home: &Home, shell: &str) -> (String, CommandBuilder) {
    let words = home.command::<_, &str>([]);
    let line: Vec<_> = words.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let run = format!("echo $$ > {}; exec {} {}", home.path("own").display(), support::HOIST, line.join(" "));
    let mut command = CommandBuilder::new(shell);
    command.cwd(home.path("."));
    for (name, value) in words.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    (run, command)
}

/// Opens hoist in a terminal of its own, which can be closed: that of `script`, which is returned
/// together with hoist.
fn open_in_script(home: &Home) -> (Tui, Process, Process) {
    let (outer, own) = (home.path("outer"), home.path("own"));
    let (run, mut command) = line_of_hoist(home, "sh");
    let whole = format!("echo $$ > {}; exec script -qec \"$0\" /dev/null", outer.display());
    command.args(["-c", &whole, &run]);
    let tui = Tui::spawn(command, 80, 24);
    tui.see("● box");
    (tui, Process::of(&outer), Process::of(&own))
}

#[test]
fn when_its_terminal_is_closed_it_leaves_although_programs_do_not_read() {
    let home = with_box();
    let text = "[[command]]\nname = \"stuck\"\nkey = \"X\"\nplace = \"containers\"\npane = true\n\
                run = \"echo $$ > PID; stty raw -echo; echo host-$((40+2)); exec sleep 1000\"\n";
    let stuck = home.path("stuck");
    std::fs::write(home.path("config.toml"), text.replace("PID", stuck.to_str().unwrap())).unwrap();
    let paste = format!("\x1b[200~{}\x1b[201~", "x".repeat(200 << 10));
    for closes_terminal in [true, false] {
        let (mut tui, script, own) = open_in_script(&home);
        tui.press("e");
        tui.see("# ");
        tui.press(&format!("stty raw -echo; echo raw-$((40+2)); sleep 2000{ENTER}"));
        tui.see("raw-42");
        tui.press(&paste);
        tui.press(&format!("{RELEASE}q"));
        tui.see("[1 Containers 1]");
        tui.press("X");
        tui.see("host-42");
        let program = Process::of(&stuck);
        tui.press(&paste);
        tui.press(&format!("{RELEASE}q"));
        tui.see("[1 Containers 1]");
        let began = Instant::now();
        if closes_terminal {
            script.signal(Signal::KILL)
        } else {
            own.signal(Signal::TERM)
        }
        own.wait_for_exit("hoist");
        // A second is promised; the machine may be busy.
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        program.wait_for_exit("the program of its pane");
    }
    // What runs in the container lives on, and is listed.
    let mut tui = Tui::open(&home, 80, 24);
    tui.press("5");
    tui.wait("two shells", |seen| seen.text().matches("□ box: ").count() == 2);
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

#[test]
fn programs_of_this_machine_end_with_hoist_and_so_do_those_that_they_start() {
    let home = with_box();
    let [pane, guest] = ["pane", "guest"].map(|name| home.path(name));
    // Each shell waits for the next one.
    let command = |name: &str, key: &str, pid: &Path, pane: bool| {
        format!(
            "[[command]]\nname = \"{name}\"\nkey = \"{key}\"\nplace = \"containers\"\npane = {pane}\n\
             run = \"sh -c 'echo $$ > {}; echo {name}-$((40+2)); exec sleep 1000'; true\"\n",
            pid.display()
        )
    };
    let text = command("pane", "X", &pane, true) + &command("guest", "g 1", &guest, false);
    std::fs::write(home.path("config.toml"), text).unwrap();
    for signal in [Signal::TERM, Signal::HUP] {
        let (mut tui, _script, own) = open_in_script(&home);
        tui.press("X");
        tui.see("pane-42");
        let pane = Process::of(&pane);
        tui.press(&format!("{RELEASE}q"));
        tui.see("[1 Containers 1]");
        // The terminal's keys are for the program alone.
        tui.press("g1");
        tui.see("guest-42");
        tui.press("\x03");
        tui.see("press Enter to return to hoist");
        tui.press(ENTER);
        tui.see("[1 Containers 1]");
        tui.press("g1");
        tui.wait("its second output", |seen| seen.text().matches("guest-42").count() == 2);
        let guest = Process::of(&guest);
        own.signal(signal);
        own.wait_for_exit("hoist");
        pane.wait_for_exit("the program of its pane");
        guest.wait_for_exit("the program that had the terminal");
    }
}

/// As under `nohup`, and in the background of a script.
#[test]
fn programs_do_not_ignore_what_hoist_was_told_to_ignore() {
    let home = with_box();
    let script = home.path("guest.sh");
    // Signals 32 and 33 belong to the C library.
    let program = "while read -r name mask; do
        if [ $name = SigIgn: ]; then echo ignored-$((0x$mask & 0x7fffffff)); fi
        done </proc/$$/status; read -r line";
    std::fs::write(&script, program).unwrap();
    let command = |name: &str, key: &str, pane: bool| {
        format!(
            "[[command]]\nname = \"{name}\"\nkey = \"{key}\"\nplace = \"containers\"\npane = {pane}\n\
             run = \"exec sh {}\"\n",
            script.display()
        )
    };
    let text = command("pane", "X", true) + &command("guest", "g 1", false);
    std::fs::write(home.path("config.toml"), text).unwrap();
    let (run, mut command) = line_of_hoist(&home, "sh");
    command.args(["-c", &format!("trap '' HUP INT QUIT USR1 TERM TSTP TTIN TTOU; {run}")]);
    let mut tui = Tui::spawn(command, 80, 24);
    tui.see("● box");
    for key in ["g1", "X"] {
        tui.press(key);
        tui.see("ignored-0");
        tui.press(ENTER);
        if key == "X" {
            tui.press(&format!("{RELEASE}q"));
        } else {
            tui.see("press Enter to return to hoist");
            tui.press(ENTER);
        }
        tui.see("[1 Containers 1]");
    }
    tui.press("Q");
    assert_eq!(tui.end(), 0);
}

/// The shell sets modes of its own while hoist is stopped.
#[test]
fn a_hoist_that_another_process_has_stopped_takes_the_terminal_anew() {
    let home = with_box();
    let (own, script) = (home.path("own"), home.path("guest.pl"));
    let program = r#"$| = 1; $SIG{CONT} = sub { print "back-42\n" }; print "guest-42\n";
        while (<STDIN>) { print "line-$_" }"#;
    std::fs::write(&script, program).unwrap();
    let text = format!(
        "[[command]]\nname = \"guest\"\nkey = \"g 1\"\nplace = \"containers\"\nrun = \"exec perl {}\"\n",
        script.display()
    );
    std::fs::write(home.path("config.toml"), text).unwrap();
    let (run, mut command) = line_of_hoist(&home, "bash");
    command.args(["--norc", "--noprofile", "-i", "-b"]);
    command.env("PS1", "shell> ");
    let mut tui = Tui::spawn(command, 80, 24);
    tui.see("shell>");
    tui.press(&format!("sh -c '{run}'{ENTER}"));
    tui.see("● box");
    let hoist = Process::of(&own);
    for (signal, section, name) in [(Signal::TSTP, "4", "[4 Networks"), (Signal::STOP, "1", "[1 Containers")]
    {
        hoist.signal(signal);
        tui.see("Stopped");
        tui.press(&format!("fg{ENTER}"));
        tui.see("1/1 up");
        tui.press(section);
        tui.see(name);
    }
    tui.press("g1");
    tui.see("guest-42");
    hoist.signal(Signal::TSTP);
    tui.wait("the shell", |seen| {
        let text = seen.text();
        text.rsplit("guest-42").next().is_some_and(|after| after.contains("Stopped"))
    });
    let before = tui.see("shell>").matches("back-42").count();
    tui.press(&format!("fg{ENTER}"));
    tui.wait("the program", |seen| seen.text().matches("back-42").count() > before);
    tui.press(&format!("typed{ENTER}"));
    tui.see("line-typed");
    tui.press("\x03");
    tui.see("press Enter to return to hoist");
    tui.press(ENTER);
    tui.see("1/1 up");
    tui.press("Q");
    tui.see("shell>");
    tui.press(&format!("exec sh -c 'exit 7'{ENTER}"));
    assert_eq!(tui.end(), 7);
}

#[test]
fn a_suspended_hoist_leaves_the_terminal_to_the_shell() {
    let home = with_box();
    let (wrapper, own, guest) = (home.path("wrapper"), home.path("own"), home.path("guest"));
    let script = home.path("guest.pl");
    let program = r#"$| = 1; $SIG{CONT} = sub { print "back-42\n" }; print "guest-42\n"; sleep while 1"#;
    std::fs::write(&script, program).unwrap();
    let text = format!(
        "[[command]]\nname = \"guest\"\nkey = \"g 1\"\nplace = \"containers\"\n\
         run = \"echo $$ > {}; exec perl {}\"\n",
        guest.display(),
        script.display()
    );
    std::fs::write(home.path("config.toml"), text).unwrap();
    let (run, mut command) = line_of_hoist(&home, "bash");
    std::fs::write(&wrapper, format!("sh -c '{run}'\necho wrapper-$((40+2))\n")).unwrap();
    // With -b, the shell reports the state of jobs at once.
    command.args(["--norc", "--noprofile", "-i", "-b"]);
    command.env("PS1", "shell> ");
    let mut tui = Tui::spawn(command, 80, 24);
    tui.see("shell>");
    // The wrapper is in the same job, and has to be suspended too.
    tui.press(&format!("sh {}{ENTER}", wrapper.display()));
    tui.see("● box");
    tui.press("\x1a");
    tui.see("Stopped");
    tui.press(&format!("bg{ENTER}"));
    tui.wait("hoist suspended again", |seen| seen.text().matches("Stopped").count() == 2);
    tui.press(&format!("echo shell-$((40+2)){ENTER}"));
    tui.see("shell-42");
    tui.press(&format!("fg{ENTER}"));
    tui.see("● box");

    tui.press("g1");
    tui.see("guest-42");
    tui.press("\x1a");
    let stopped = |seen: &Seen, count| {
        let text = seen.text();
        let after = text.rsplit("^Z").next().unwrap_or_default();
        text.matches("^Z").count() == count && after.contains("Stopped")
    };
    tui.wait("the shell", |seen| stopped(seen, 1));
    tui.press(&format!("bg{ENTER}echo shell-$((40+3)){ENTER}"));
    let before = tui.see("shell-43").matches("back-42").count();
    tui.press(&format!("fg{ENTER}"));
    tui.wait("the program", |seen| seen.text().matches("back-42").count() > before);
    tui.press("\x03");
    tui.see("press Enter to return to hoist");
    tui.press(ENTER);
    tui.see("● box");

    tui.press("g1");
    tui.wait("its second output", |seen| seen.text().matches("guest-42").count() == 2);
    let (own, guest) = (Process::of(&own), Process::of(&guest));
    tui.press("\x1a");
    tui.wait("the shell", |seen| stopped(seen, 2));
    tui.press(&format!("kill %1{ENTER}"));
    own.wait_for_exit("hoist");
    guest.wait_for_exit("the program that had the terminal");
    tui.press(&format!("echo shell-$((40+4)){ENTER}"));
    let shown = tui.see("shell-44");
    assert!(!shown.contains("wrapper-42"), "{shown}");
    // bash does not exit if it missed the end of a job that was killed just after it stopped.
    tui.press(&format!("exec sh -c 'exit 7'{ENTER}"));
    assert_eq!(tui.end(), 7);
}
