//! Commands in containers, with the steps of the API: create, start, inspect, resize.

use hoist::engine::container::{AttachOptions, ExecRequest};
use hoist::engine::exec::{ExecStatus, ExecView};
use hoist::engine::{Attached, Engine, ErrorKind, Input, Output};
use hoist::internals::base::ExecId;

use crate::case::{ALL, Case, Said, hear, until};

fn request(command: &[&str]) -> ExecRequest {
    ExecRequest { command: command.iter().map(|&word| word.to_owned()).collect(), ..ExecRequest::default() }
}

fn create(case: &Case, target: &str, request: ExecRequest) -> ExecId {
    case.wait_for(case.engine.execs().create(target, request)).unwrap().id
}

fn inspect(case: &Case, id: &ExecId) -> ExecView {
    case.wait_for(case.engine.execs().inspect(id)).unwrap()
}

fn status(case: &Case, id: &ExecId) -> ExecStatus {
    inspect(case, id).status
}

#[test]
fn a_command_is_made_started_once_and_remembered() {
    let case = Case::new();
    let target = case.start(&["sleep", "1000"], |_| {});
    let asked = ExecRequest { user: Some("0".to_owned()), ..request(&["sh", "-c", "echo out; exit 7"]) };
    let id = create(&case, &target, asked);
    let made = inspect(&case, &id);
    assert_eq!((made.container.as_str(), made.status), (target.as_str(), ExecStatus::Created));
    assert_eq!((made.command[2].as_str(), made.user.as_deref()), ("echo out; exit 7", Some("0")));

    // Another engine starts the command, since the one that created it may have exited.
    let other = Engine::open(case.engine.settings().clone()).unwrap();
    let said =
        case.wait_for(async { hear(other.execs().start(&id, ALL, None).await.unwrap().attached).await });
    assert_eq!(said, Said { stdout: "out\n".to_owned(), stderr: String::new(), code: Some(7) });
    assert_eq!(status(&case, &id), ExecStatus::Exited(7));
    let again = case.wait_for(case.engine.execs().start(&id, ALL, None)).unwrap_err();
    assert_eq!(
        (again.kind(), again.causes().join(": ")),
        (ErrorKind::Conflict, "it has already run".to_owned())
    );

    // The client that starts the command decides whether it is attached.
    let id = create(&case, &target, ExecRequest { detach: true, ..request(&["echo", "seen"]) });
    let said = case.wait_for(async {
        hear(case.engine.execs().start(&id, ALL, None).await.unwrap().attached).await.stdout
    });
    assert_eq!((said.as_str(), inspect(&case, &id).detach), ("seen\n", false));

    let one_step = case.wait_for(case.engine.containers().exec(&target, request(&["true"]), ALL)).unwrap();
    let id = one_step.id.clone();
    assert_eq!(case.wait_for(hear(one_step.attached)).code, Some(0));
    assert_eq!(status(&case, &id), ExecStatus::Exited(0));
}

#[test]
fn of_many_who_start_a_command_one_does() {
    let case = Case::new();
    let target = case.start(&["sleep", "1000"], |_| {});
    let id = create(&case, &target, request(&["sh", "-c", "echo ran >> /runs; exec sleep 1000"]));
    let execs = case.engine.execs();
    let (results, seen) = case.wait_for(async {
        let start = || async { execs.start_detached(&id).await.map(drop) };
        // Each command reads all records.
        let others = async {
            let mut seen = Vec::new();
            for _ in 0..20 {
                execs.create(&target, request(&["true"])).await.unwrap();
                seen.push(execs.inspect(&id).await.unwrap().status);
            }
            seen
        };
        let (a, b, c, seen) = tokio::join!(start(), start(), start(), others);
        ([a, b, c], seen)
    });
    let refused: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert_eq!(refused.len(), 2, "{results:?}");
    for error in refused {
        let told = (error.kind(), error.causes().join(": "));
        assert_eq!(told, (ErrorKind::Conflict, "it is already running".to_owned()));
    }
    assert!(!seen.iter().any(|status| matches!(status, ExecStatus::Exited(_))), "{seen:?}");
    assert!(matches!(status(&case, &id), ExecStatus::Running(Some(_))));
    let runs = case.wait_for(async {
        let shown = case.engine.containers().exec(&target, request(&["cat", "/runs"]), ALL).await.unwrap();
        hear(shown.attached).await.stdout
    });
    assert_eq!(runs, "ran\n");
}

#[test]
fn a_program_that_is_not_there_has_ended_with_its_code() {
    let case = Case::new();
    let target = case.start(&["sleep", "1000"], |_| {});
    for (command, kind, code) in
        [(&["nope"][..], ErrorKind::ProgramNotFound, 127), (&["/etc"], ErrorKind::ProgramNotRunnable, 126)]
    {
        let id = create(&case, &target, request(command));
        let error = case.wait_for(case.engine.execs().start_detached(&id)).unwrap_err();
        assert_eq!((error.kind(), status(&case, &id)), (kind, ExecStatus::Exited(code)), "{command:?}");
    }
}

#[test]
fn a_terminal_is_resized_and_only_that_of_one_that_runs() {
    let case = Case::new();
    let target = case.start(&["sleep", "1000"], |_| {});
    let script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done";
    let id = create(&case, &target, ExecRequest { tty: true, ..request(&["sh", "-c", script]) });
    let resize = || case.wait_for(case.engine.execs().resize(&id, 33, 101));
    assert_eq!(resize().unwrap_err().kind(), ErrorKind::Conflict);
    let mut session = case.wait_for(case.engine.execs().start(&id, ALL, Some((20, 70)))).unwrap().attached;
    let mut shown = String::new();
    let mut read_until = |text: &str| {
        while !shown.contains(text) {
            match case.wait_for(session.output.recv()).unwrap() {
                Output::Bytes(_, bytes) => shown += &String::from_utf8_lossy(&bytes),
                other => panic!("{other:?} after {shown:?}"),
            }
        }
    };
    read_until("ready");
    resize().unwrap();
    read_until("33 101");
    until("it has ended", || status(&case, &id) == ExecStatus::Exited(0));
    assert_eq!(resize().unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn a_killed_monitor_leaves_a_command_of_which_nobody_saw_the_end() {
    let case = Case::new();
    let target = case.start(&["sleep", "1000"], |_| {});
    let id = create(&case, &target, ExecRequest { tty: true, ..request(&["sleep", "1000"]) });
    drop(case.wait_for(case.engine.execs().start_detached(&id)).unwrap());
    let ExecStatus::Running(Some(pid)) = status(&case, &id) else { panic!("it does not run") };
    let parent = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let parent: i32 = parent.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap();
    for pid in [parent, i32::try_from(pid).unwrap()] {
        let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(killed.success() || pid != parent);
    }
    until("both have ended", || status(&case, &id) == ExecStatus::Exited(255));
    // Creating the next command saves the result.
    let next = create(&case, &target, request(&["true"]));
    assert_eq!((status(&case, &id), status(&case, &next)), (ExecStatus::Exited(255), ExecStatus::Created));
}

#[test]
fn so_many_records_are_kept_and_none_beyond_the_run() {
    let case = Case::new();
    let target = case.start(&["sleep", "1000"], |_| {});
    let no_input = AttachOptions { stdin: false, ..ALL };
    let mut ids = Vec::new();
    for _ in 0..hoist::internals::container::exec::KEPT + 4 {
        let session = case.wait_for(case.engine.containers().exec(&target, request(&["true"]), no_input));
        let session = session.unwrap();
        ids.push(session.id.clone());
        assert_eq!(case.wait_for(hear(session.attached)).code, Some(0));
    }
    let first = case.wait_for(case.engine.execs().inspect(&ids[0])).unwrap_err();
    assert_eq!(first.kind(), ErrorKind::NotFound);
    assert_eq!(status(&case, ids.last().unwrap()), ExecStatus::Exited(0));
    drop(case.wait_for(case.engine.containers().stop(&target, None, Some(0))).unwrap());
    let last = case.wait_for(case.engine.execs().inspect(ids.last().unwrap())).unwrap_err();
    assert_eq!(last.causes().join(": "), format!("No such exec instance: {}", ids.last().unwrap()));
}

#[test]
fn what_runs_is_listed_attached_to_again_and_ended() {
    let case = Case::new();
    let target = case.start(&["sleep", "1000"], |_| {});
    let execs = case.engine.execs();
    let shown = || case.wait_for(case.engine.containers().get(&target)).unwrap();
    assert_eq!(shown().execs, []);

    let script = "trap 'stty size' WINCH; while :; do read word && echo got-$word; done";
    let asked = ExecRequest {
        tty: true,
        interactive: true,
        user: Some("0".to_owned()),
        ..request(&["sh", "-c", script])
    };
    let session = case.wait_for(case.engine.containers().exec(&target, asked, ALL)).unwrap();
    let id = session.id.clone();
    // Its client goes away, as when its terminal is closed.
    drop(session);
    // One that was not started is not listed.
    create(&case, &target, request(&["true"]));
    let listed = case.wait_for(execs.running()).unwrap();
    let [view] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!(
        (&view.id, view.user.as_deref(), view.command.last().unwrap().as_str()),
        (&id, Some("0"), script)
    );
    assert!(view.tty && matches!(view.status, ExecStatus::Running(Some(_))), "{view:?}");
    let age = jiff::Timestamp::now().duration_since(view.started.unwrap());
    assert!(age.as_secs().abs() < 60, "{age:?}");
    assert_eq!(shown().execs, listed);

    // Another engine continues where the first client left.
    let other = Engine::open(case.engine.settings().clone()).unwrap();
    let mut session = case.wait_for(other.execs().attach(&id, ALL, Some((31, 97)))).unwrap();
    let mut text = String::new();
    let mut read_until = |session: &mut Attached, word: &str| {
        while !text.contains(word) {
            match case.wait_for(session.output.recv()).unwrap() {
                Output::Bytes(_, bytes) => text += &String::from_utf8_lossy(&bytes),
                other => panic!("{other:?} after {text:?}"),
            }
        }
    };
    read_until(&mut session, "31 97");
    case.wait_for(session.input.send(Input::Bytes(b"word\n".to_vec()))).unwrap();
    read_until(&mut session, "got-word");
    case.wait_for(execs.kill(&id, libc::SIGHUP)).unwrap();
    assert_eq!(case.wait_for(hear(session)).code, Some(129));
    until("it has ended", || status(&case, &id) == ExecStatus::Exited(129));
    assert_eq!((case.wait_for(execs.running()).unwrap(), shown().execs), (Vec::new(), Vec::new()));
    for error in [
        case.wait_for(execs.kill(&id, libc::SIGTERM)).unwrap_err(),
        case.wait_for(execs.attach(&id, ALL, None)).unwrap_err(),
    ] {
        let told = (error.kind(), error.causes().join(": "));
        assert_eq!(told, (ErrorKind::Conflict, "it is not running".to_owned()));
    }
}
