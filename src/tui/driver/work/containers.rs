//! Requests on containers.

use super::{only_printed, said, told, unsupported};
use crate::base::error::one_line;
use crate::command::container::Request;
use crate::engine::{CreateRequest, Engine, ErrorKind, Removal, Reporter, Result, Running, Warnings};
use crate::tui::containers::model::ContainerRow;
use crate::tui::event::Finish;

/// Performs a request.
pub(super) async fn perform(engine: &Engine, request: Request, reporter: Reporter) -> Result<Finish> {
    match request {
        Request::Run(run) => {
            let tty = run.create.request.options.process.tty && !run.detach;
            create(engine, run.create.request, Then::start(tty), reporter).await
        }
        Request::Create(asked) => create(engine, asked.request, Then::Nothing, reporter).await,
        Request::Export(it) => {
            let Some(path) = it.output else { return unsupported("export to standard output", "-o FILE") };
            let text = format!("exported {} to {}", it.target, path.display());
            let warnings = engine.containers().export_to(&it.target, path, reporter).await?;
            Ok(said(text + &told(&warnings)))
        }
        other => verb(engine, other, reporter).await,
    }
}

/// Performs a verb on existing containers.
async fn verb(engine: &Engine, request: Request, reporter: Reporter) -> Result<Finish> {
    let on = |told: &'static str, targets| On { told, targets, reporter };
    // A task's future must be `Send`, so each owns its data.
    let of = || engine.clone();
    match request {
        Request::Start(it) => {
            let work =
                |engine: Engine, target: String| async move { engine.containers().start(&target).await };
            on("started", it.targets).each(|target| work(of(), target)).await
        }
        Request::Stop(it) => {
            let (signal, secs) = (it.signal, it.timeout);
            let work = |engine: Engine, signal: Option<String>, target: String| async move {
                engine.containers().stop(&target, signal.as_deref(), secs).await
            };
            on("stopped", it.targets).each(|target| work(of(), signal.clone(), target)).await
        }
        Request::Restart(it) => {
            let (signal, secs) = (it.signal, it.timeout);
            let work = |engine: Engine, signal: Option<String>, target: String| async move {
                engine.containers().restart(&target, signal.as_deref(), secs).await
            };
            on("restarted", it.targets).each(|target| work(of(), signal.clone(), target)).await
        }
        Request::Kill(it) => {
            let signal = it.signal;
            let work = |engine: Engine, signal: String, target: String| async move {
                engine.containers().kill(&target, &signal).await
            };
            on("signaled", it.targets).each(|target| work(of(), signal.clone(), target)).await
        }
        Request::Pause(it) => {
            let work =
                |engine: Engine, target: String| async move { engine.containers().pause(&target).await };
            on("paused", it.targets).each(|target| work(of(), target)).await
        }
        Request::Unpause(it) => {
            let work =
                |engine: Engine, target: String| async move { engine.containers().unpause(&target).await };
            on("unpaused", it.targets).each(|target| work(of(), target)).await
        }
        Request::Rm(it) => {
            let force = it.force;
            let running = if force { Running::Kill } else { Running::Refuse };
            let removal = Removal::for_good(running);
            let work = |engine: Engine, target: String| async move {
                match engine.containers().remove(&target, removal).await {
                    // With force, a missing container is not an error.
                    Err(error) if force && error.kind() == ErrorKind::NotFound => Ok(Warnings::default()),
                    other => other.map(|gone| gone.warnings),
                }
            };
            on("removed", it.targets).each(|target| work(of(), target)).await
        }
        Request::Rename(it) => {
            let warnings = engine.containers().rename(&it.target, it.name).await?;
            Ok(said(format!("renamed {}{}", it.target, told(&warnings))))
        }
        _ => only_printed(),
    }
}

/// The targets of a verb.
struct On {
    told: &'static str,
    targets: Vec<String>,
    reporter: Reporter,
}

impl On {
    /// Calls `work` for each target, one after the other, and continues after failures, as the
    /// command line does. Returns the first failure; the others are reported as notes.
    async fn each<T: Into<Warnings>, F: Future<Output = Result<T>>>(
        self,
        work: impl Fn(String) -> F,
    ) -> Result<Finish> {
        let mut warnings = Warnings::default();
        let mut done = Vec::new();
        let mut failed = None;
        for target in self.targets {
            match work(target.clone()).await {
                Ok(more) => {
                    warnings.0.extend(more.into().0);
                    done.push(target);
                }
                Err(error) => {
                    self.reporter.note(one_line(&error));
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            None => Ok(said(format!("{} {}{}", self.told, done.join(", "), told(&warnings)))),
            Some(error) => Err(error),
        }
    }
}

/// What happens after a container was created.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Start,
    /// The TUI starts it, with a terminal.
    Open,
}

impl Then {
    fn start(tty: bool) -> Self {
        if tty { Self::Open } else { Self::Start }
    }
}

async fn create(engine: &Engine, request: CreateRequest, then: Then, reporter: Reporter) -> Result<Finish> {
    let created = engine.containers().create(request, reporter).await?;
    let id = created.id.as_str();
    let mut warnings = created.warnings;
    if then == Then::Start {
        warnings.0.extend(engine.containers().start(id).await?.0);
    }
    let container = engine.containers().get(id).await?;
    let word = if then == Then::Start { "started" } else { "created" };
    Ok(Finish {
        text: format!("{word} {}{}", created.name, told(&warnings)),
        made: Some(Box::new(ContainerRow::new(&container))),
        image: None,
        opens: then == Then::Open,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::engine::{Error, Progress, Status, Verb};

    /// Runs the verb for these targets: `!name` fails, `?name` warns. Returns the result and the
    /// notes.
    async fn done(targets: &str) -> (std::result::Result<String, String>, Vec<String>) {
        let notes: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = notes.clone();
        let reporter = Reporter::new(move |news| {
            if let Progress::Note(text) = news {
                noted.lock().unwrap().push(text);
            }
        });
        let targets = targets.split(' ').map(str::to_owned).collect();
        let on = On { told: "stopped", targets, reporter };
        let result = on.each(|target| async move {
            match target.chars().next() {
                Some('!') => {
                    let why = Status::Exited.after(Verb::Pause).unwrap_err();
                    Err(Error::new(format!("stop `{target}`"), why))
                }
                Some('?') => Ok(Warnings(vec![format!("{target} was slow")])),
                _ => Ok(Warnings::default()),
            }
        });
        let result = result.await.map(|finish| finish.text).map_err(|error| error.to_string());
        let notes = notes.lock().unwrap().clone();
        (result, notes)
    }

    #[tokio::test]
    async fn a_failure_stops_no_other_and_the_first_one_is_told() {
        assert_eq!(done("a b").await, (Ok("stopped a, b".to_owned()), vec![]));
        assert_eq!(done("a ?b").await, (Ok("stopped a, ?b · ?b was slow".to_owned()), vec![]));
        let (result, notes) = done("a !b c !d").await;
        assert_eq!(result, Err("cannot stop `!b`".to_owned()));
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("`!b`") && notes[1].contains("`!d`"), "{notes:?}");
    }

    #[test]
    fn a_container_with_a_terminal_is_started_by_the_pane_that_shows_it() {
        assert!(Then::start(true) == Then::Open && Then::start(false) == Then::Start);
    }
}
