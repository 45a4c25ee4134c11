//! Reads a log for a pane. It keeps a log view of the engine open as long as the pane is shown, and
//! answers the pane's requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::engine::{LogFrom, LogPlace, LogState, LogView, PageAsk};
use crate::tui::logs::model::{LogAsk, LogNews, LogWant};
use crate::tui::reader::{ReadTask, Reader};
use crate::tui::reading::{Answer, Want};

/// The minimum time between news about the progress.
const PACE: Duration = Duration::from_millis(30);

/// Reads a log for as long as it is shown. The requests may change in the meantime.
pub(crate) fn read(reader: Reader, want: LogWant) -> ReadTask<Want> {
    let (asks, asked) = watch::channel(want);
    ReadTask::spawn(follow(reader, asked)).following(move |want| {
        let Want::Logs(want) = want else { return false };
        asks.send_replace(want.clone());
        true
    })
}

/// Answers the requests in `wants`, until it is dropped.
async fn follow(reader: Reader, mut wants: watch::Receiver<LogWant>) {
    let containers = wants.borrow().containers.clone();
    let view = match reader.engine.containers().log_view(&containers).await {
        Ok(view) => Arc::new(view),
        Err(error) => return reader.answer(Answer::Logs(LogNews::Failed(error.into()))).await,
    };
    let desk = Desk { view, reader };
    let mut state = desk.view.state();
    let (mut query, mut asked, mut ranked) = (None, 0, None);
    let (mut work, mut ranking): (Option<Part>, Option<Part>) = (None, None);
    loop {
        let want = wants.borrow_and_update().clone();
        if query != Some(want.query.0) {
            query = Some(want.query.0);
            if let Err(error) = desk.view.look_for(want.query.0, &want.query.1) {
                desk.tell(LogNews::Failed(error.into())).await;
            }
        }
        match want.ask {
            // The previous request is outdated, so its search stops.
            Some((number, ask)) if number != asked => {
                asked = number;
                work = Some(Part::spawn(desk.clone().answer(number, ask)));
            }
            Some(_) => {}
            None => work = None,
        }
        let now = state.borrow().clone();
        if now.serial == want.query.0 && now.is_searched && want.ranked.is_some() && ranked != want.ranked {
            ranked.clone_from(&want.ranked);
            ranking = want.ranked.map(|after| Part::spawn(desk.clone().rank(after)));
        } else if want.ranked.is_none() {
            (ranked, ranking) = (None, None);
        }
        tokio::select! {
            changed = wants.changed() => if changed.is_err() { break },
            changed = state.changed() => {
                if changed.is_err() {
                    break;
                }
                let now: LogState = state.borrow_and_update().clone();
                desk.tell(LogNews::State(Box::new(now))).await;
                tokio::time::sleep(PACE).await;
            }
        }
    }
    drop((work, ranking));
}

/// An answer in progress.
type Part = ReadTask<()>;

/// Where answers come from and go to.
#[derive(Clone)]
struct Desk {
    view: Arc<LogView>,
    reader: Reader,
}

impl Desk {
    async fn tell(&self, news: LogNews) {
        self.reader.answer(Answer::Logs(news)).await;
    }

    async fn answer(self, number: u64, ask: LogAsk) {
        let news = match ask {
            LogAsk::Page(ask) => LogNews::Page(number, self.view.page(ask).await.map_err(Into::into)),
            LogAsk::Find(ask, around) => {
                let found = async {
                    let Some(hit) = self.view.find(ask).await? else { return Ok(None) };
                    let from = LogFrom::Place(hit.at.clone());
                    let page = self.view.page(PageAsk { from, up: around, down: around }).await?;
                    Ok(Some((hit, page)))
                };
                LogNews::Found(number, found.await.map_err(|error: crate::engine::Error| error.into()))
            }
        };
        self.tell(news).await;
    }

    async fn rank(self, after: LogPlace) {
        if let Ok(Some(rank)) = self.view.rank(after.clone()).await {
            self.tell(LogNews::Rank(after, rank)).await;
        }
    }
}
