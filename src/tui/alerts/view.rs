//! The texts of alerts: in full for the status line, in short for the navigator.

use jiff::SignedDuration;
use ratatui::style::Style;

use crate::tui::alerts::model::{Alert, Ill};
use crate::tui::model::Model;
use crate::tui::words::{bytes, exit, size, span};

/// Returns the text for the status line: `seed: OOM-killed 18m ago`.
pub(crate) fn whole(model: &Model, alert: &Alert) -> String {
    let (name, ago) = (name(model, alert), span(since(model, alert)));
    match alert.ill {
        Ill::Oom => format!("{name}: OOM-killed {ago} ago"),
        Ill::Exit(code) => format!("{name}: {}, {ago} ago", exit(code, false)),
        Ill::Restarts(count) => format!("{name}: restarted {count} times"),
        Ill::Memory(share) => {
            let used = alert.cause.container().and_then(|id| model.containers.get(id.as_str())?.used);
            let limit = used.and_then(|used| used.limit);
            let of = limit.map_or_else(String::new, |limit| format!(" of {}", bytes(limit)));
            format!("{name}: memory {:.0}%{of}", share * 100.0)
        }
        Ill::Disk(free, _) => format!("disk {}% free ({})", percent(alert.ill), size(free)),
    }
}

/// Returns the name and the text for the navigator: `seed OOM 18m`.
pub(crate) fn short(model: &Model, alert: &Alert) -> (String, String) {
    let ago = span(since(model, alert));
    let what = match alert.ill {
        Ill::Oom => format!("OOM {ago}"),
        Ill::Exit(code) => format!("exit {code} {ago}"),
        Ill::Restarts(count) => format!("{count} restarts"),
        Ill::Memory(share) => format!("mem {:.0}%", share * 100.0),
        Ill::Disk(..) => format!("{}% free", percent(alert.ill)),
    };
    (name(model, alert), what)
}

/// A container that has ended is worse than a warning.
pub(crate) fn style(model: &Model, ill: Ill) -> Style {
    match ill {
        Ill::Oom | Ill::Exit(_) => model.theme.err,
        Ill::Restarts(_) | Ill::Memory(_) | Ill::Disk(..) => model.theme.warn,
    }
}

fn name(model: &Model, alert: &Alert) -> String {
    let Some(id) = alert.cause.container() else { return "disk".to_owned() };
    model.containers.get(id.as_str()).map_or_else(|| id.short().to_owned(), |row| row.name.clone())
}

fn since(model: &Model, alert: &Alert) -> SignedDuration {
    model.now.duration_since(alert.since)
}

fn percent(ill: Ill) -> u64 {
    match ill {
        Ill::Disk(free, total) => free.saturating_mul(100).checked_div(total).unwrap_or(0),
        _ => 0,
    }
}
