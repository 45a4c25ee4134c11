//! Containers in the list.

use ratatui::style::{Modifier, Style};

use crate::base::units::counted;
use crate::tui::action::Action;
use crate::tui::containers::model::{ContainerRow, Used};
use crate::tui::containers::words::{age, state};
use crate::tui::list::columns::{Column, USE};
use crate::tui::list::view::empty::{Said, plain};
use crate::tui::list::view::{Cell, ago, or_dash};
use crate::tui::model::Model;
use crate::tui::theme::Theme;
use crate::tui::words::{bytes, image_name, spark};

/// Returns a row's text in a column. Usage without news for too long is not shown as current.
pub(crate) fn cell(model: &Model, row: &ContainerRow, column: Option<Column>, width: usize) -> Cell {
    let (text, style) = fresh_cell(model, row, column, width);
    let is_usage = column.is_some_and(|column| USE.contains(&column));
    let is_stale = is_usage && row.used.is_some_and(|used| used.is_stale(model.now));
    (text, if is_stale { model.theme.dim } else { style })
}

fn fresh_cell(model: &Model, row: &ContainerRow, column: Option<Column>, width: usize) -> Cell {
    use Column as C;
    let theme = &model.theme;
    let (glyph, word, style) = state(row, theme);
    let text = if row.is_up() { theme.text } else { theme.dim };
    let used = row.used.as_ref().filter(|_| row.status.is_up());
    let rate = |of: fn(&Used) -> f64| used.map_or_else(|| "-".to_owned(), |used| bytes(of(used)));
    match column {
        None => (glyph.to_owned(), style),
        Some(C::Name) => (row.name.clone(), text.add_modifier(Modifier::BOLD)),
        Some(C::State) if model.flashes.has(&row.id) => (word, style.add_modifier(Modifier::REVERSED)),
        Some(C::State) => (word, style),
        Some(C::Image | C::Command) if let Some(why) = &row.damaged => (why.clone(), theme.err),
        Some(C::Up | C::Created) if row.damaged.is_some() => ("-".to_owned(), theme.dim),
        Some(C::Image) => (image_name(&row.image, width), text),
        Some(C::Chart) => {
            let series = model.series.get(&row.id).filter(|_| used.is_some());
            let chart = series.map(|series| spark(&series.latest(width, |point| point.cpu), 100.0));
            (chart.unwrap_or_default(), theme.g1)
        }
        Some(C::Cpu) => {
            let load = if used.is_some_and(|used| used.cpu >= 90.0) { theme.warn } else { text };
            (used.map_or_else(|| "-".to_owned(), |used| format!("{:.1}%", used.cpu)), load)
        }
        Some(C::Memory) => memory(theme, used, width, text),
        Some(C::NetIn) => (rate(|used| used.net_in), text),
        Some(C::NetOut) => (rate(|used| used.net_out), text),
        Some(C::Pids) => (used.map_or_else(|| "-".to_owned(), |used| format!("{:.0}", used.pids)), text),
        Some(C::Up) => (age(row, model.now), theme.dim),
        Some(C::Ports) => (or_dash(&row.ports.join(" ")), theme.dim),
        Some(C::Project) => (or_dash(&row.project), theme.dim),
        Some(C::Network) => (row.network.clone(), theme.dim),
        Some(C::Address) => (or_dash(&row.address), theme.dim),
        Some(C::Id) => (row.id.short().to_owned(), theme.dim),
        Some(C::Created) => (ago(model, Some(row.created)), theme.dim),
        Some(C::Command) => (row.command.clone(), theme.dim),
        Some(_) => (String::new(), text),
    }
}

/// Returns the memory use, as `498M/512M` if there is a limit and enough room; highlighted near the
/// limit.
fn memory(theme: &Theme, used: Option<&Used>, width: usize, text: Style) -> Cell {
    let Some(used) = used else { return ("-".to_owned(), text) };
    let shown = bytes(used.memory);
    let Some(limit) = used.limit else { return (shown, text) };
    let style = if used.memory >= 0.9 * limit { theme.warn } else { text };
    if width >= 9 { (format!("{shown}/{}", bytes(limit)), style) } else { (shown, style) }
}

/// Returns the text of the empty list.
pub(crate) fn empty(model: &Model) -> Said {
    if model.images.all().is_empty() {
        let offers = vec![
            plain(Action::FromHost, "create an image from this machine's shell and core tools"),
            (Action::Run, "run an image from a registry", "(alpine, debian, nginx)".to_owned()),
            plain(Action::GoImages, "go to images: pull, load or import one"),
        ];
        return ("No containers yet, and no image to run.", offers);
    }
    let images = counted(model.images.all().len() as u64, "image");
    let mut offers = vec![(Action::Run, "run a container from an image", try_these(model))];
    offers.push((Action::GoImages, "go to images", format!("({images})")));
    offers.push(plain(Action::FromHost, "create another image from this machine's tools"));
    ("No containers yet.", offers)
}

/// Lists a few image names and the number of presets.
fn try_these(model: &Model) -> String {
    let named = model.images.all().iter().filter(|row| !row.name.is_empty());
    let names: Vec<&str> = named.take(3).map(|row| row.name.trim_end_matches(":latest")).collect();
    let presets = match model.saved.presets.len() {
        0 => String::new(),
        count => format!("; {}", counted(count as u64, "preset")),
    };
    if names.is_empty() { String::new() } else { format!("(try: {}{presets})", names.join(", ")) }
}
