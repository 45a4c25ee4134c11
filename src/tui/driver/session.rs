//! Terminals. Each has a task, which feeds the emulator and sends keys to the program.
//!
//! A hidden terminal still parses output. Changes are reported at most once per frame, with a flag
//! and a bell.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alacritty_terminal::term::TermMode;
use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEventKind};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use super::pty;
use super::verb::notice;
use super::work::resolved;
use crate::command::{World, join};
use crate::engine::{
    AttachOptions, Attached, ContainerId, Doing as _, Engine, ErrorKind, ExecId, ExecRequest, Input, Output,
    Result,
};
use crate::tui::effect::{Pointer, Program, Target};
use crate::tui::event::Event;
use crate::tui::failure::Failure;
use crate::tui::key::Key;
use crate::tui::reader::EventSender;
use crate::tui::section::TaskId;
use crate::tui::terminal::encode;
use crate::tui::terminal::screen::{Screen, Screens, history};
use crate::tui::terminal::walk::{Kind, Walk};

/// Attaches a pane with input and all output. It may miss output of a container, rather than slow
/// the container down.
const PANE: AttachOptions = AttachOptions { stdin: true, stdout: true, stderr: true, lossless: false };

/// A program that was started for a pane waits for the pane, as for any terminal.
const OWN: AttachOptions = AttachOptions { lossless: true, ..PANE };

/// The byte that Ctrl-c sends.
const CTRL_C: u8 = 3;

/// All terminals.
#[derive(Default)]
pub(super) struct Sessions {
    /// The emulators, for the view.
    pub(super) screens: Screens,
    tasks: HashMap<TaskId, Session>,
    /// Notified when the screen of a terminal changes.
    pub(super) bell: Arc<Notify>,
}

struct Session {
    input: mpsc::UnboundedSender<Input>,
    has_changed: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sessions {
    /// Opens a terminal of `size` (columns, rows).
    pub(super) fn open(
        &mut self,
        engine: &Engine,
        tell: &EventSender,
        id: TaskId,
        world: &World,
        target: Target,
        size: (u16, u16),
    ) {
        let screen = Screen::new(size.0, size.1);
        if let Target::Host(line) | Target::In(_, Program::Words(line)) = &target {
            let typed = crate::base::text::line(&line.typed);
            screen.lock().feed(format!("\x1b[2m$ {typed}\x1b[0m\r\n").as_bytes());
        }
        self.screens.put(id, screen.clone());
        let (input, keys) = mpsc::unbounded_channel();
        let has_changed = Arc::new(AtomicBool::new(false));
        let pane = Pane { screen, has_changed: has_changed.clone(), bell: self.bell.clone() };
        let (engine, tell, answers) = (engine.clone(), tell.clone(), input.clone());
        let world = world.clone();
        let task = tokio::spawn(async move {
            let size = (size.1, size.0);
            let opened = match target {
                Target::Host(line) => pty::start(&world, &line.words, size).map(|host| (None, host)),
                Target::In(container, program) => {
                    open(&engine, &world, &container, program, size).await.map_err(Failure::from)
                }
            };
            let ended = match opened {
                Ok((exec, attached)) => {
                    if let Some(exec) = exec {
                        // If it has exited already, its record may be gone.
                        if let Ok(view) = engine.execs().inspect(&exec).await {
                            tell.send(Event::Opened(id, Box::new(view))).await;
                        }
                    }
                    if let Some(notice) = notice(&attached.warnings) {
                        tell.send(notice).await;
                    }
                    Ok(carry(attached, keys, &answers, &pane).await)
                }
                Err(failure) => Err(failure),
            };
            tell.send(Event::Ended(id, ended)).await;
        });
        self.tasks.insert(id, Session { input, has_changed, task: task.abort_handle() });
        self.bound();
    }

    /// Divides the memory for scrollback among all terminals.
    fn bound(&self) {
        let count = self.screens.all().count();
        for screen in self.screens.all() {
            let mut emulator = screen.lock();
            let (columns, _) = emulator.size();
            emulator.keep(history(columns, count));
        }
    }

    /// Sends input to a program. It is ignored if the program has exited.
    pub(super) fn send(&self, id: TaskId, input: Input) {
        if let Some(session) = self.tasks.get(&id) {
            let _ = session.input.send(input);
        }
    }

    /// Sends a signal, by name, to a program of this machine.
    pub(super) fn signal(&self, id: TaskId, name: &str) {
        // The menu has only names of signals.
        if let Ok(signal) = name.parse::<nix::sys::signal::Signal>() {
            self.send(id, Input::Signal(signal as i32));
        }
    }

    /// Sends a key to a program, and shows the newest lines of its terminal.
    pub(super) fn press(&self, id: TaskId, key: Key) {
        let mode = self.screens.get(id).map(|screen| {
            let mut emulator = screen.lock();
            emulator.unscroll();
            emulator.mode()
        });
        self.send(id, Input::Bytes(encode::key(key, mode.unwrap_or_default())));
    }

    /// Pastes a text into a program.
    pub(super) fn paste(&self, id: TaskId, text: &str) {
        let mode = self.screens.get(id).map(|screen| screen.lock().mode());
        self.send(id, Input::Bytes(encode::paste(text, mode.unwrap_or_default())));
    }

    /// Resizes a terminal, if its size differs.
    pub(super) fn resize(&self, id: TaskId, columns: u16, rows: u16) {
        if let Some(screen) = self.screens.get(id)
            && screen.lock().resize(columns, rows)
        {
            self.send(id, Input::Resize(rows, columns));
            self.bound();
        }
    }

    /// Whether a terminal has changed since it was last drawn.
    pub(super) fn has_changed(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|session| session.has_changed.load(Ordering::Acquire))
    }

    /// Records that a terminal is being drawn, so that its next change rings the bell. A hidden
    /// terminal does not ring it; it is drawn when it is shown.
    pub(super) fn draws(&self, id: TaskId) {
        if let Some(session) = self.tasks.get(&id) {
            session.has_changed.store(false, Ordering::Release);
        }
    }

    /// Handles the mouse over a terminal. It is for the program if that requested it; otherwise it
    /// scrolls and selects text. Returns the selected text.
    pub(super) fn point(&self, id: TaskId, pointer: Pointer) -> Option<String> {
        let screen = self.screens.get(id)?;
        let mut emulator = screen.lock();
        let mode = emulator.mode();
        let Pointer { kind, held, column, row, is_for_program } = pointer;
        let may_ask = is_for_program && !emulator.is_copying();
        let is_asked = mode.intersects(TermMode::MOUSE_MODE) && may_ask;
        // With Shift, the mouse is always hoist's, as in other terminals.
        if is_asked && !held.contains(KeyModifiers::SHIFT) {
            let (_, lines) = emulator.size();
            let row = u16::try_from(row.max(0)).unwrap_or(u16::MAX).min(lines.saturating_sub(1));
            let bytes = encode::mouse(kind, held, (column, row), mode);
            if !bytes.is_empty() {
                self.send(id, Input::Bytes(bytes));
            }
            return None;
        }
        let turns = is_for_program && mode.contains(TermMode::ALT_SCREEN | TermMode::ALTERNATE_SCROLL);
        match kind {
            // A full-screen program without mouse support scrolls with the arrow keys.
            MouseEventKind::ScrollUp | MouseEventKind::ScrollDown if turns => {
                let code = if kind == MouseEventKind::ScrollUp { KeyCode::Up } else { KeyCode::Down };
                let bytes = encode::key(Key { code, held: KeyModifiers::NONE }, mode);
                self.send(id, Input::Bytes(bytes.repeat(3)));
            }
            MouseEventKind::ScrollUp => emulator.scroll(3),
            MouseEventKind::ScrollDown => emulator.scroll(-3),
            MouseEventKind::Down(MouseButton::Left) => {
                let kind = if held.contains(KeyModifiers::ALT) { Kind::Block } else { Kind::Characters };
                emulator.press(column, u16::try_from(row).unwrap_or(0), kind);
            }
            MouseEventKind::Drag(MouseButton::Left) => emulator.drag(column, row),
            MouseEventKind::Up(MouseButton::Left) => return emulator.marked_text(),
            MouseEventKind::Down(_) => emulator.unmark(),
            _ => {}
        }
        None
    }

    /// Performs a movement of copy mode. Returns the text to copy.
    ///
    /// # Errors
    ///
    /// Returns a message for the user: nothing was found, or nothing is selected.
    pub(super) fn walk(&self, id: TaskId, walk: Walk) -> std::result::Result<Option<String>, String> {
        let Some(screen) = self.screens.get(id) else { return Ok(None) };
        let mut emulator = screen.lock();
        let found = |found: bool| if found { Ok(None) } else { Err("no match".to_owned()) };
        match walk {
            Walk::Begin => emulator.begin_copy(),
            Walk::Move(step) => emulator.step(step),
            Walk::Mark(kind) => emulator.mark(kind),
            Walk::Search(text) => {
                emulator.search_for(&text)?;
                return found(emulator.next_match(true));
            }
            Walk::Next { up } => return found(emulator.next_match(up)),
            Walk::Copy => {
                let text = emulator.marked_text();
                emulator.end_copy();
                return text.map(Some).ok_or_else(|| "nothing to copy".to_owned());
            }
            Walk::End => emulator.end_copy(),
        }
        Ok(None)
    }

    /// Detaches from a program, and drops its screen.
    pub(super) fn close(&mut self, id: TaskId) {
        self.tasks.remove(&id);
        self.screens.take(id);
        self.bound();
    }
}

/// The screen of a session's task.
struct Pane {
    screen: Screen,
    has_changed: Arc<AtomicBool>,
    bell: Arc<Notify>,
}

impl Pane {
    fn feed(&self, bytes: &[u8]) -> Vec<u8> {
        let asked = self.screen.lock().feed(bytes);
        if !self.has_changed.swap(true, Ordering::AcqRel) {
            self.bell.notify_one();
        }
        asked.answers
    }
}

/// Opens a session; returns the id of its command in the container, unless it is the main program.
async fn open(
    engine: &Engine,
    world: &World,
    container: &ContainerId,
    program: Program,
    size: (u16, u16),
) -> Result<(Option<ExecId>, Attached)> {
    let containers = engine.containers();
    let start = async |request: ExecRequest| {
        let session = containers.exec(container.as_str(), request, OWN).await?;
        Ok((Some(session.id), session.attached))
    };
    let exec = async |command: Vec<String>| {
        let request = ExecRequest {
            command,
            env: vec!["TERM=xterm-256color".to_owned()],
            tty: true,
            interactive: true,
            size: Some(size),
            ..ExecRequest::default()
        };
        start(request).await
    };
    match program {
        Program::Attach => {
            let attached = containers.attach(container.as_str(), PANE).await?;
            // A program redraws itself only if the size changes, here to the pane's.
            let _ = attached.input.send(Input::Resize(size.0.saturating_add(1), size.1)).await;
            Ok((None, attached))
        }
        Program::Start => Ok((None, containers.start_attached(container.as_str(), PANE, Some(size)).await?)),
        Program::Running(id) => {
            let attached = engine.execs().attach(&id, OWN, Some(size)).await?;
            Ok((Some(id), attached))
        }
        Program::Words(line) => exec(line.words).await,
        Program::Exec(asked) => {
            let doing = format!("exec {} {}", asked.target, join(&asked.request.command));
            let request = resolved(world, |world| asked.resolve(world)).await.doing(|| doing)?.request;
            let mut env = vec!["TERM=xterm-256color".to_owned()];
            env.extend(request.env);
            start(ExecRequest { env, size: request.tty.then_some(size), ..request }).await
        }
        Program::Shell => match exec(vec!["bash".to_owned()]).await {
            Err(error) if error.kind() == ErrorKind::ProgramNotFound => exec(vec!["sh".to_owned()]).await,
            other => other,
        },
    }
}

/// Transfers bytes in both directions until the program exits, and returns its exit code.
async fn carry(
    attached: Attached,
    keys: mpsc::UnboundedReceiver<Input>,
    answers: &mpsc::UnboundedSender<Input>,
    pane: &Pane,
) -> Option<u8> {
    let Attached { input, output, tty, .. } = attached;
    tokio::select! {
        code = carry_output(output, tty, answers, pane) => code,
        // A program that does not read blocks only its own input.
        () = carry_input(input, tty, keys, pane) => None,
    }
}

async fn carry_output(
    mut output: mpsc::Receiver<Output>,
    tty: bool,
    answers: &mpsc::UnboundedSender<Input>,
    pane: &Pane,
) -> Option<u8> {
    loop {
        match output.recv().await {
            Some(Output::Bytes(_, bytes)) => {
                let answer = if tty { pane.feed(&bytes) } else { pane.feed(&with_returns(&bytes)) };
                if !answer.is_empty() && tty {
                    let _ = answers.send(Input::Bytes(answer));
                }
            }
            Some(Output::Skipped(count)) => {
                pane.feed(format!("\r\n\x1b[7m skipped {count} bytes \x1b[0m\r\n").as_bytes());
            }
            Some(Output::Exited(code)) => return Some(code),
            Some(Output::Closed) | None => return None,
        }
    }
}

/// Sends input for as long as output can arrive; after a failure, only the output is waited for.
async fn carry_input(
    to: mpsc::Sender<Input>,
    tty: bool,
    mut keys: mpsc::UnboundedReceiver<Input>,
    pane: &Pane,
) {
    let (columns, rows) = pane.screen.lock().size();
    let _ = to.send(Input::Resize(rows, columns)).await;
    while let Some(input) = keys.recv().await {
        let input = match input {
            // Without a terminal, nothing else makes a signal of it.
            Input::Bytes(bytes) if !tty && bytes == [CTRL_C] => Input::Signal(libc::SIGINT),
            Input::Bytes(bytes) if !tty => Input::Bytes(lines(bytes, pane)),
            other => other,
        };
        if to.send(input).await.is_err() {
            break;
        }
    }
    // How the program ended comes with its output.
    std::future::pending().await
}

/// Prepares typed input for a program without a terminal: line ends become line feeds, and the pane
/// shows the input, because nothing else echoes it.
fn lines(bytes: Vec<u8>, pane: &Pane) -> Vec<u8> {
    let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == b'\r' { b'\n' } else { byte }).collect();
    if bytes.iter().all(|byte| *byte == b'\n' || !byte.is_ascii_control()) {
        pane.feed(&with_returns(&bytes));
    }
    bytes
}

/// Prepares output of a program without a terminal for the screen: each line starts at the left
/// edge, as with a terminal driver.
fn with_returns(bytes: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => shown.extend([text, b"\r\n"].concat()),
            None => shown.extend(line),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    const ID: TaskId = TaskId(1);

    /// Returns sessions with one terminal, and the receiver of its program's input.
    fn rig() -> (Sessions, Pane, mpsc::UnboundedReceiver<Input>) {
        let mut sessions = Sessions::default();
        let screen = Screen::new(20, 4);
        sessions.screens.put(ID, screen.clone());
        let (input, sent) = mpsc::unbounded_channel();
        let has_changed = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
        sessions.tasks.insert(ID, Session { input, has_changed: has_changed.clone(), task });
        let pane = Pane { screen, has_changed, bell: sessions.bell.clone() };
        (sessions, pane, sent)
    }

    fn bytes(sent: &mut mpsc::UnboundedReceiver<Input>) -> String {
        let mut all = String::new();
        while let Ok(Input::Bytes(bytes)) = sent.try_recv() {
            all += &String::from_utf8(bytes).unwrap();
        }
        all
    }

    fn pointer(kind: MouseEventKind, held: KeyModifiers) -> Pointer {
        Pointer { kind, held, column: 2, row: 1, is_for_program: true }
    }

    #[tokio::test]
    async fn however_much_is_written_it_rings_once_until_it_is_drawn() {
        let (sessions, pane, _sent) = rig();
        let rung = || sessions.bell.notified();
        for text in ["a", "b", "c"] {
            pane.feed(text.as_bytes());
        }
        rung().await;
        assert!(sessions.has_changed(ID));
        let mut again = std::pin::pin!(rung());
        let mut idle = Context::from_waker(Waker::noop());
        assert!(again.as_mut().poll(&mut idle).is_pending(), "it has rung for all of them");
        sessions.draws(ID);
        assert!(!sessions.has_changed(ID));
        pane.feed(b"d");
        again.await;
    }

    #[tokio::test]
    async fn the_mouse_is_the_programs_where_it_asked_for_it() {
        use MouseEventKind as M;
        let (click, none, shift) = (M::Down(MouseButton::Left), KeyModifiers::NONE, KeyModifiers::SHIFT);
        // (what the program requested, the mouse event, what the program receives, lines scrolled)
        let cases = [
            ("", M::ScrollUp, none, "", 3),
            ("", click, none, "", 0),
            ("\x1b[?1000h\x1b[?1006h", M::ScrollUp, none, "\x1b[<64;3;2M", 0),
            ("\x1b[?1000h\x1b[?1006h", click, none, "\x1b[<0;3;2M", 0),
            // With Shift it is hoist's nevertheless.
            ("\x1b[?1000h\x1b[?1006h", M::ScrollUp, shift, "", 3),
            // A full-screen program without mouse support scrolls with the arrow keys.
            ("\x1b[?1049h\x1b[?1007h", M::ScrollUp, none, "\x1b[A\x1b[A\x1b[A", 0),
            ("\x1b[?1049h\x1b[?1007h", M::ScrollDown, none, "\x1b[B\x1b[B\x1b[B", 0),
        ];
        for (asked, kind, held, told, scrolled) in cases {
            let (sessions, pane, mut sent) = rig();
            pane.feed("line\r\n".repeat(30).as_bytes());
            pane.feed(asked.as_bytes());
            assert_eq!(sessions.point(ID, pointer(kind, held)), None);
            let is = (bytes(&mut sent), pane.screen.lock().scrolled());
            assert_eq!(is, (told.to_owned(), scrolled), "{asked:?} {kind:?} {held:?}");
        }
    }

    #[tokio::test]
    async fn in_read_only_mode_the_mouse_is_never_the_programs() {
        for asked in ["\x1b[?1000h\x1b[?1006h", "\x1b[?1049h\x1b[?1007h"] {
            let (sessions, pane, mut sent) = rig();
            pane.feed(asked.as_bytes());
            for kind in [MouseEventKind::ScrollUp, MouseEventKind::Down(MouseButton::Left)] {
                let held = KeyModifiers::NONE;
                sessions.point(ID, Pointer { is_for_program: false, ..pointer(kind, held) });
            }
            assert_eq!(bytes(&mut sent), "", "{asked:?}");
        }
    }

    #[tokio::test]
    async fn what_the_mouse_marks_is_copied_when_it_goes_up() {
        let (sessions, pane, mut sent) = rig();
        pane.feed(b"zero\r\nfirst second");
        let at = |kind, column| Pointer { column, ..pointer(kind, KeyModifiers::NONE) };
        assert_eq!(sessions.point(ID, at(MouseEventKind::Down(MouseButton::Left), 0)), None);
        assert_eq!(sessions.point(ID, at(MouseEventKind::Drag(MouseButton::Left), 4)), None);
        let marked = sessions.point(ID, at(MouseEventKind::Up(MouseButton::Left), 4));
        assert_eq!((marked.as_deref(), bytes(&mut sent).as_str()), (Some("first"), ""));
    }

    #[tokio::test]
    async fn copy_mode_says_what_it_does_not_find() {
        let (sessions, pane, _sent) = rig();
        pane.feed(b"one two");
        let cases = [
            (Walk::Begin, Ok(None)),
            (Walk::Search("two".to_owned()), Ok(None)),
            (Walk::Next { up: false }, Ok(None)),
            (Walk::Search("three".to_owned()), Err("no match".to_owned())),
            (Walk::End, Ok(None)),
        ];
        for (walk, expected) in cases {
            assert_eq!(sessions.walk(ID, walk.clone()), expected, "{walk:?}");
        }
        assert_eq!(sessions.walk(TaskId(2), Walk::Begin), Ok(None), "there is no such terminal");
    }

    #[tokio::test]
    async fn output_of_a_program_that_does_not_read_is_shown() {
        let (_sessions, pane, _sent) = rig();
        let (input, _unread) = mpsc::channel(1);
        let (outputs, output) = mpsc::channel(1);
        let attached = Attached { input, output, tty: true, warnings: Default::default() };
        let (press, keys) = mpsc::unbounded_channel();
        for _ in 0..9 {
            press.send(Input::Bytes(b"x".to_vec())).unwrap();
        }
        let program = async {
            for byte in b"abcdef" {
                let output = Output::Bytes(crate::engine::Stream::Stdout, vec![*byte]);
                outputs.send(output).await.unwrap();
            }
            outputs.send(Output::Exited(3)).await.unwrap();
        };
        let (code, ()) = tokio::join!(carry(attached, keys, &press, &pane), program);
        let line = alacritty_terminal::index::Line(0);
        let shown = pane.screen.lock().term().grid()[line][alacritty_terminal::index::Column(5)].c;
        assert_eq!((code, shown), (Some(3), 'f'));
    }

    #[tokio::test]
    async fn a_size_is_told_once_and_a_closed_terminal_is_told_nothing() {
        let (mut sessions, _pane, mut sent) = rig();
        for _ in 0..2 {
            sessions.resize(ID, 30, 10);
        }
        assert_eq!(sent.try_recv(), Ok(Input::Resize(10, 30)));
        assert!(sent.try_recv().is_err());
        sessions.close(ID);
        sessions.send(ID, Input::Bytes(b"x".to_vec()));
        assert!(sent.recv().await.is_none() && sessions.screens.get(ID).is_none());
    }

    #[tokio::test]
    async fn what_is_typed_without_a_terminal_is_echoed_and_ends_in_line_feeds() {
        let (_sessions, pane, _sent) = rig();
        assert_eq!(lines(b"ls\r".to_vec(), &pane), b"ls\n");
        let shown = |pane: &Pane| {
            pane.screen.lock().term().grid()[alacritty_terminal::index::Line(0)]
                [alacritty_terminal::index::Column(1)]
            .c
        };
        assert_eq!(shown(&pane), 's');
        // A key that is not text is sent but not shown.
        assert_eq!(lines(b"\x1b[A".to_vec(), &pane), b"\x1b[A");
    }

    #[test]
    fn each_line_of_a_program_without_a_terminal_begins_at_the_left_edge() {
        assert_eq!(with_returns(b"one\ntwo\r\n\nthree"), b"one\r\ntwo\r\r\n\r\nthree");
        assert_eq!(with_returns(b""), b"");
    }
}
