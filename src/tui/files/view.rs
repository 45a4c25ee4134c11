//! The file browser: the files of a container or an image, those of this machine, and a preview.
//!
//! ```text
//!  ▌api:/srv              container │ ~/work/acme         host │ config.toml
//!    ../                            │   ../                    │ [server]
//!  ▌ A config.toml  1.2K app rw-r--r│   config.toml    1.1K  ≠ │ port = 80
//! ```
//! If there is only room for one side, it shows the focused one.

use std::path::Path;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::engine::files::{Entry, FileKind, Mark, Place, shown};
use crate::tui::ansi;
use crate::tui::files::model::{DOUBLE, EntryFacts as _, FilesPane, Reader, Side};
use crate::tui::files::words::whose_word;
use crate::tui::model::Model;
use crate::tui::view::frame::select;
use crate::tui::view::texts;
use crate::tui::viewer::Seen;
use crate::tui::words::{Align, cell, size};

/// Draws the browser of a pane.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, pane: &FilesPane, area: Rect, has_keys: bool) {
    if area.height == 0 {
        return;
    }
    if let Some(reader) = &pane.reader {
        return read(frame, model, reader, area);
    }
    let columns = columns(pane, area);
    for (at, column) in columns.iter().enumerate() {
        let is_last = at + 1 == columns.len();
        let inner = Rect { width: column.area.width.saturating_sub(u16::from(!is_last)), ..column.area };
        match column.what {
            What::Side(which) => side(frame, model, pane, which, inner, has_keys),
            What::Preview => preview(frame, model, pane, inner),
        }
        if !is_last {
            let lines = vec![Line::styled("│", model.theme.dim); column.area.height.into()];
            let edge = Rect { x: inner.right(), width: 1, ..column.area };
            frame.render_widget(Paragraph::new(lines), edge);
        }
    }
}

enum What {
    Side(usize),
    Preview,
}

struct Column {
    what: What,
    area: Rect,
}

/// Returns the columns that are shown, with their areas.
fn columns(pane: &FilesPane, area: Rect) -> Vec<Column> {
    let shares: Vec<(What, u16)> = match area.width {
        width if width < DOUBLE => vec![(What::Side(pane.active), 100)],
        _ if pane.has_preview() => vec![(What::Side(0), 40), (What::Side(1), 28), (What::Preview, 32)],
        _ => vec![(What::Side(0), 54), (What::Side(1), 46)],
    };
    let count = shares.len();
    let mut x = area.x;
    let mut columns = Vec::new();
    for (at, (what, share)) in shares.into_iter().enumerate() {
        let wanted = u16::try_from(u32::from(area.width) * u32::from(share) / 100).unwrap_or(area.width);
        let width = if at + 1 == count { area.right() - x } else { wanted };
        columns.push(Column { what, area: Rect { x, width, ..area } });
        x += width;
    }
    columns
}

fn side(frame: &mut Frame<'_>, model: &Model, pane: &FilesPane, which: usize, area: Rect, has_keys: bool) {
    let theme = &model.theme;
    let side = &pane.sides[which];
    let is_active = has_keys && pane.active == which;
    let mut lines = vec![heading(model, side, area.width, is_active)];
    let room = usize::from(area.height.saturating_sub(1));
    match (&side.failure, &side.listing) {
        (Some(failure), _) => lines.extend(texts::failure(failure, theme, area.width)),
        (None, None) => lines.push(Line::styled(" reading…", theme.dim)),
        (None, Some(_)) if side.is_empty() => lines.push(Line::styled(" empty folder", theme.dim)),
        (None, Some(_)) => {
            let rows = (side.top..side.len()).take(room);
            let facts = Facts::for_names(side, area.width.into());
            lines.extend(rows.map(|row| line(model, pane, which, (row, facts), area.width, is_active)));
        }
    }
    frame.render_widget(Paragraph::new(lines), area);
    if is_active && side.failure.is_none() && side.cursor >= side.top {
        let y = area.y + 1 + u16::try_from(side.cursor - side.top).unwrap_or(u16::MAX - area.y - 1);
        let under = Rect { y, height: 1, ..area };
        select(frame, model, under.intersection(area));
    }
}

/// `▌api:/srv              container`
fn heading(model: &Model, side: &Side, width: u16, is_active: bool) -> Line<'static> {
    let theme = &model.theme;
    let kind = match side.place {
        Place::Host => "host",
        Place::Container(_) => "container",
        Place::Image(_) | Place::Layers(..) => "image",
    };
    let name = match side.place {
        Place::Host => home(model, &side.folder),
        _ => format!("{}:{}", whose_word(model, &side.place), shown(&side.folder)),
    };
    let words = if side.filter.is_empty() { kind.to_owned() } else { format!("/{} · {kind}", side.filter) };
    let words = shown(words);
    let room = usize::from(width).saturating_sub(words.chars().count() + 3);
    let style = match is_active {
        true => theme.accent.add_modifier(Modifier::BOLD),
        false => theme.text,
    };
    let bar = if is_active { "▌" } else { " " };
    // The end of a long path is more useful than its beginning.
    let count = name.chars().count();
    let name = match count > room {
        true => format!("…{}", name.chars().skip(count + 1 - room.max(1)).collect::<String>()),
        false => name,
    };
    Line::from(vec![
        Span::styled(bar, theme.accent),
        Span::styled(cell(&name, room, Align::Left), style),
        Span::styled(format!(" {words} "), theme.dim),
    ])
}

/// Formats a folder of this machine, with `~` for the user's home.
fn home(model: &Model, folder: &Path) -> String {
    let home = model.world.environment.text("HOME").filter(|home| home.len() > 1);
    match home.as_deref().and_then(|home| folder.strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", shown(rest)),
        None => shown(folder),
    }
}

fn line(
    model: &Model,
    pane: &FilesPane,
    which: usize,
    (row, facts): (usize, Facts),
    width: u16,
    is_active: bool,
) -> Line<'static> {
    let theme = &model.theme;
    let side = &pane.sides[which];
    let is_under = is_active && side.cursor == row;
    let bar = Span::styled(if is_under { "▌" } else { " " }, theme.accent);
    let Some(entry) = side.entry(row) else {
        return Line::from(vec![bar, Span::styled("    ../", theme.accent)]);
    };
    let is_marked = side.marks.contains(&entry.name);
    let (flag, flag_style) = match entry.mark {
        Some(Mark::Added) => ("A", theme.ok),
        Some(Mark::Changed) => ("C", theme.warn),
        Some(Mark::Deleted) => ("D", theme.err),
        None => (" ", theme.dim),
    };
    let details = details(pane, which, entry, facts);
    let used = AROUND + details.chars().count();
    let room = usize::from(width).saturating_sub(used);
    let mut spans = vec![
        bar,
        if is_marked { Span::styled("+", theme.mark) } else { Span::raw(" ") },
        Span::styled(format!(" {flag} "), flag_style),
    ];
    spans.extend(name(model, entry, room));
    let differs = details.contains('≠');
    spans.push(Span::styled(details, if differs { theme.warn } else { theme.dim }));
    Line::from(spans)
}

/// The facts beside the names: the further down, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Facts {
    Nothing,
    Size,
    Owner,
    Everything,
}

/// The columns before a name, and after it.
const AROUND: usize = 5;
/// Names up to this length are not cut to show more than the size beside them.
const A_NAME: usize = 40;
/// The number of names that are looked at.
const LOOKED_AT: usize = 1000;

impl Facts {
    /// Returns the facts for which there is room beside the names of a folder. As in the columns of a
    /// list, the longest one counts, within its bounds.
    fn for_names(side: &Side, width: usize) -> Self {
        let names = side.listing.iter().flat_map(|listing| &listing.entries).take(LOOKED_AT);
        // A folder has a sign behind its name.
        let longest = names.map(|entry| shown(&entry.name).width() + 1).max().unwrap_or(0).min(A_NAME);
        let fits = |least, facts| width >= least && width >= longest + AROUND + facts;
        match () {
            () if fits(70, 54) => Self::Everything,
            () if fits(46, 26) => Self::Owner,
            () if width >= 26 => Self::Size,
            () => Self::Nothing,
        }
    }
}

/// Returns size, owner and mode, as far as they fit.
fn details(pane: &FilesPane, which: usize, entry: &Entry, facts: Facts) -> String {
    let bytes = match entry.kind {
        FileKind::File => size(entry.size),
        _ => "-".to_owned(),
    };
    let sign = if pane.differs(which, entry) { '≠' } else { ' ' };
    match facts {
        Facts::Nothing => String::new(),
        Facts::Size => format!(" {bytes:>6} {sign}"),
        Facts::Owner => {
            format!(" {bytes:>6} {sign} {} {}", cell(&entry.owner, 6, Align::Left), bits(entry.mode))
        }
        Facts::Everything => {
            let time = entry.changed.map_or_else(String::new, |time| {
                time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
            });
            let (owner, group) = (cell(&entry.owner, 8, Align::Left), cell(&entry.group, 8, Align::Left));
            format!(" {bytes:>6} {sign} {owner} {group} {} {time:16}", bits(entry.mode))
        }
    }
}

/// `rwxr-xr-x`
fn bits(mode: u32) -> String {
    let letter = |at: u32| match (mode & (1 << (8 - at)) != 0, at % 3) {
        (false, _) => '-',
        (true, 0) => 'r',
        (true, 1) => 'w',
        (true, _) => 'x',
    };
    let mut text: Vec<char> = (0..9).map(letter).collect();
    for (bit, at, low, high) in [(0o4000, 2, 's', 'S'), (0o2000, 5, 's', 'S'), (0o1000, 8, 't', 'T')] {
        if mode & bit != 0 {
            text[at] = if text[at] == 'x' { low } else { high };
        }
    }
    text.into_iter().collect()
}

fn name(model: &Model, entry: &Entry, room: usize) -> Vec<Span<'static>> {
    let theme = &model.theme;
    let end = match entry.kind {
        FileKind::Folder => "/",
        FileKind::Pipe => "|",
        FileKind::Socket => "=",
        FileKind::Device | FileKind::File | FileKind::Link => "",
    };
    let style = match entry.kind {
        _ if entry.is_deleted() => theme.dim.add_modifier(Modifier::CROSSED_OUT),
        _ if entry.is_folder() => theme.accent,
        FileKind::Pipe | FileKind::Socket | FileKind::Device => theme.warn,
        _ => theme.text,
    };
    let name = format!("{}{end}", shown(&entry.name));
    let more = match (&entry.mount, &entry.target) {
        (Some(mount), _) => format!(" {mount}"),
        (None, Some(target)) => format!(" → {}", shown(target)),
        (None, None) => String::new(),
    };
    let long = name.width();
    if long >= room {
        return vec![Span::styled(cell(&name, room, Align::Left), style)];
    }
    let tail = if entry.mount.is_some() { theme.info } else { theme.dim };
    vec![Span::styled(name, style), Span::styled(cell(&more, room - long, Align::Left), tail)]
}

fn preview(frame: &mut Frame<'_>, model: &Model, pane: &FilesPane, area: Rect) {
    let theme = &model.theme;
    let preview = &pane.preview;
    let Some((_, path)) = &preview.of else { return };
    let title = shown(path.file_name().unwrap_or_default());
    let mut lines =
        vec![Line::styled(cell(&format!(" {title}"), area.width.into(), Align::Left), theme.text)];
    match (&preview.failure, &preview.lines) {
        (Some(failure), _) => lines.extend(texts::failure(failure, theme, area.width)),
        (None, None) => {}
        (None, Some(text)) if text.is_empty() => lines.push(Line::styled(" empty file", theme.dim)),
        (None, Some(text)) => {
            let window = text.iter().take(usize::from(area.height.saturating_sub(1)));
            lines.extend(window.map(|line| text_line(line, 0, area.width, theme.text)));
        }
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// Returns a line of a file, starting at a column.
fn text_line(line: &str, left: usize, width: u16, style: Style) -> Line<'static> {
    use unicode_width::UnicodeWidthChar as _;
    let room = left + usize::from(width.saturating_sub(1));
    let (mut column, mut row) = (0, vec![Span::raw(" ")]);
    for span in ansi::spans(line.as_bytes(), style) {
        let mut text = String::new();
        for c in span.content.chars() {
            if column >= left && column + c.width().unwrap_or(0) <= room {
                text.push(c);
            }
            column += c.width().unwrap_or(0);
        }
        row.push(Span::styled(text, span.style));
    }
    Line::from(row)
}

/// Draws a text that covers the browser.
fn read(frame: &mut Frame<'_>, model: &Model, reader: &Reader, area: Rect) {
    let theme = &model.theme;
    let title = cell(&format!("▌{}", shown(&reader.title)), usize::from(area.width), Align::Left);
    let mut lines = vec![Line::styled(title, theme.accent.add_modifier(Modifier::BOLD))];
    let window = reader.lines.iter().skip(reader.top).take(usize::from(area.height.saturating_sub(1)));
    let is_diff = reader.of.is_none();
    lines.extend(window.map(|line| {
        let style = match line.as_bytes().first() {
            Some(b'+') if is_diff => theme.ok,
            Some(b'-') if is_diff => theme.err,
            Some(b'@') if is_diff => theme.info,
            _ => theme.text,
        };
        text_line(line, reader.left, area.width, style)
    }));
    frame.render_widget(Paragraph::new(lines), area);
}

/// Returns the text in the lower border.
pub(crate) fn note(seen: &Seen<'_>) -> (String, Style) {
    let (model, pane) = (seen.model, &seen.pane.files);
    if let Some(reader) = &pane.reader {
        let close = if seen.has_keys { format!(" · {} close", model.cancel_key()) } else { String::new() };
        let text = format!(" line {} of {}{close} ", reader.top + 1, reader.lines.len().max(1));
        return (text, model.theme.dim);
    }
    let side = pane.side();
    let count = side.rows.len();
    let mut words = vec![format!("{count} {}", if count == 1 { "item" } else { "items" })];
    if !side.marks.is_empty() {
        words.push(format!("{} marked", side.marks.len()));
    }
    let listing = side.listing.as_ref();
    if listing.is_some_and(|listing| listing.has_more) {
        words.push("list incomplete".to_owned());
    }
    if listing.is_some_and(|listing| listing.is_read_only) {
        words.push("read-only".to_owned());
    }
    let style =
        if listing.is_some_and(|listing| listing.has_more) { model.theme.warn } else { model.theme.dim };
    (format!(" {} ", words.join(" · ")), style)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::engine::files::{CopyRequest, Existing, Weight};
    use crate::tui::effect::{Effect, Job};
    use crate::tui::event::Event;
    use crate::tui::failure::Failure;
    use crate::tui::files::model::tests::{entry, listing};
    use crate::tui::files::model::{FilesAnswer, FilesAsk, FilesDone, FilesWish};
    use crate::tui::fixture::{full, over_shot, press, screen, shot, wide_shot, write};
    use crate::tui::reading::Answer;
    use crate::tui::section::TaskId;
    use crate::tui::tab::Tab;
    use crate::tui::update::update;

    /// Answers all requests of the browsers, as a small container and a small host would.
    fn answer(model: &mut Model) {
        for (serial, ask) in model.wants().files() {
            let answer = match ask {
                FilesAsk::Folder(Place::Host, _) => {
                    let mut entries = vec![
                        entry("src", FileKind::Folder, 0),
                        entry("compose.yaml", FileKind::File, 2150),
                        entry("config.toml", FileKind::File, 1100),
                    ];
                    entries[2].owner = "me".to_owned();
                    FilesAnswer::Folder(listing("/home/me/work/acme", entries))
                }
                FilesAsk::Folder(_, folder) => {
                    let mut entries = vec![
                        Entry { mark: Some(Mark::Added), ..entry("config.toml", FileKind::File, 1230) },
                        Entry { mark: Some(Mark::Changed), ..entry("index.js", FileKind::File, 18_000) },
                        Entry { mark: Some(Mark::Deleted), ..entry("old.js", FileKind::File, 700) },
                        entry("node_modules", FileKind::Folder, 0),
                        Entry { mount: Some("tmpfs".to_owned()), ..entry("secrets", FileKind::Folder, 0) },
                        Entry {
                            mount: Some("→ /srv/up".to_owned()),
                            ..entry("uploads", FileKind::Folder, 0)
                        },
                        entry("pipe", FileKind::Pipe, 0),
                        entry("e\u{1b}[31mvil\n", FileKind::File, 9),
                    ];
                    entries.push(Entry {
                        target: Some("../lib/latest".into()),
                        leads_to_folder: true,
                        ..entry("lib", FileKind::Link, 0)
                    });
                    FilesAnswer::Folder(listing(folder.to_str().unwrap(), entries))
                }
                FilesAsk::File(..) => {
                    FilesAnswer::File(vec!["[server]".to_owned(), "port = 80 # \u{202e}".to_owned()])
                }
            };
            update(model, Event::Answer(serial, Answer::Files(Ok(answer))));
        }
    }

    fn browser(width: u16, height: u16) -> Model {
        let mut model = full(width, height);
        press(&mut model, "f");
        answer(&mut model);
        press(&mut model, "j j j j");
        answer(&mut model);
        model
    }

    fn shown_name(model: &Model) -> String {
        model.pane().files.side().current().map_or_else(|| "..".to_owned(), |entry| shown(&entry.name))
    }

    #[test]
    fn names_are_not_cut_for_facts_beside_them() {
        let facts = |name: &str, width: usize| {
            let mut side = Side::default();
            // One name decides, however many others are short.
            let names = (0..20).map(|at| format!("{at:02}")).chain([format!("20{name}")]);
            let entries = names.map(|name| entry(&name, FileKind::File, 1)).collect();
            side.listing = Some(listing("/", entries));
            Facts::for_names(&side, width)
        };
        for (length, width, wanted) in [
            (2, 20, Facts::Nothing),
            (2, 40, Facts::Size),
            (2, 60, Facts::Owner),
            (2, 78, Facts::Everything),
            (30, 78, Facts::Owner),
            (30, 60, Facts::Size),
            (30, 100, Facts::Everything),
            // Very long names are cut.
            (90, 100, Facts::Everything),
            (90, 60, Facts::Size),
        ] {
            assert_eq!(facts(&"x".repeat(length), width), wanted, "{length} {width}");
        }
    }

    #[test]
    fn the_browser() {
        wide_shot("files", |width, height| {
            let mut model = browser(width, height);
            press(&mut model, "space");
            model
        });
    }

    #[test]
    fn the_browser_when_a_folder_cannot_be_read_and_when_it_is_empty() {
        let failed = |width, height| {
            let mut model = browser(width, height);
            press(&mut model, "g g j l");
            let serial = model.pane().files.side().serial;
            let failure = Failure {
                what: "cannot list `/lib` of api".to_owned(),
                why: vec!["Permission denied (os error 13)".to_owned()],
                hint: Some("run it as root: `sudo hoist …`".to_owned()),
            };
            update(&mut model, Event::Answer(serial, Answer::Files(Err(failure))));
            model
        };
        shot("files_failed", failed);
        let mut model = failed(80, 24);
        press(&mut model, "esc");
        answer(&mut model);
        let name = shown_name(&model);
        assert_eq!(name, "node_modules", "Esc goes back to the last folder that could be read");
        shot("files_empty", |width, height| {
            let mut model = browser(width, height);
            press(&mut model, "tab");
            let serial = model.pane().files.side().serial;
            update(
                &mut model,
                Event::Answer(serial, Answer::Files(Ok(FilesAnswer::Folder(listing("/", vec![]))))),
            );
            model
        });
    }

    /// Presses `C` and answers with the size of a folder of files, of which `there` exist on the
    /// other side.
    fn copy(model: &mut Model, there: &[&str]) {
        let effects = press(model, "C");
        let [Effect::Files(wish @ FilesWish::Copy(request))] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        let weight = |name: &OsString| Weight { name: name.clone(), bytes: 412, ..Weight::default() };
        let mut weights: Vec<_> = request.names.iter().map(weight).collect();
        let folder =
            Weight { is_folder: true, files: 12, bytes: 3_400_000, name: "src".into(), is_more: false };
        weights.push(folder);
        let there = there.iter().map(OsString::from).collect();
        let done = FilesDone::Weighed(weights, there);
        assert_eq!(update(model, Event::FilesDone(wish.clone(), Ok(done))), [], "it is asked about");
    }

    #[test]
    fn a_copy_is_asked_about_and_refused_where_nothing_may_be_written() {
        let mut model = browser(80, 24);
        copy(&mut model, &[]);
        assert!(screen(&model).contains("Copy 2 entries?"), "{}", screen(&model));
        assert!(matches!(press(&mut model, "y").as_slice(), [Effect::Work(_, Job::Copy(_))]));
        let mut model = browser(80, 24);
        model.look.is_read_only = true;
        assert_eq!(press(&mut model, "C"), []);
        assert!(screen(&model).contains("read-only: `copy` makes changes"), "{}", screen(&model));
        assert!(model.layers.is_empty());
    }

    #[test]
    fn what_would_be_replaced_or_deleted_is_named_first() {
        let mut model = browser(80, 24);
        assert_eq!(shown_name(&model), "config.toml");
        copy(&mut model, &["config.toml"]);
        for (name, keys) in [
            ("files_replace", "C"),
            ("files_delete", "* d d"),
            ("files_folder", "n"),
            ("files_rename", "N"),
            ("files_extract", "x"),
        ] {
            over_shot(name, |width, height| {
                let mut model = browser(width, height);
                match keys {
                    "C" => copy(&mut model, &["config.toml"]),
                    keys => drop(press(&mut model, keys)),
                }
                model
            });
        }
        let effects = press(&mut model, "y");
        let [Effect::Work(_, Job::Copy(request))] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(request.existing, crate::engine::files::Existing::Replace);
        press(&mut model, "j");
        copy(&mut model, &[]);
        let effects = press(&mut model, "y");
        let [Effect::Work(_, Job::Copy(request))] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!((request.names.len(), &request.to), (1, &Place::Host));
        assert_eq!(request.existing, crate::engine::files::Existing::Keep);
        press(&mut model, "space space d d");
        assert_eq!(press(&mut model, "enter"), [], "no is the default");
        press(&mut model, "d d");
        assert!(matches!(press(&mut model, "y").as_slice(), [Effect::Work(_, Job::Delete(..))]));
    }

    #[test]
    fn names_are_asked_for_and_checked() {
        let mut model = browser(80, 24);
        press(&mut model, "n");
        write(&mut model, "a/b");
        assert_eq!(press(&mut model, "enter"), []);
        assert!(screen(&model).contains("a name cannot contain `/`"));
        press(&mut model, "esc n");
        write(&mut model, "made");
        let wish = FilesWish::MakeFolder(model.pane().files.side().place.clone(), "/".into(), "made".into());
        assert_eq!(press(&mut model, "enter"), [Effect::Files(wish.clone())]);
        let before = model.pane().files.side().serial;
        update(&mut model, Event::FilesDone(wish, Ok(FilesDone::Said("made /made".to_owned()))));
        assert!(model.pane().files.side().serial > before, "it is read anew");
        let entries = ["a", "made", "z"].map(|name| entry(name, FileKind::Folder, 0)).to_vec();
        let listing = FilesAnswer::Folder(listing("/", entries));
        let serial = model.pane().files.sides[0].serial;
        update(&mut model, Event::Answer(serial, Answer::Files(Ok(listing))));
        assert_eq!(shown_name(&model), "made", "the cursor goes on with it");
        press(&mut model, "N");
        assert_eq!(press(&mut model, "enter"), [], "the same name is no change");
        press(&mut model, "x");
        let effects = press(&mut model, "enter");
        let [Effect::Files(extract @ FilesWish::Copy(request))] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        let said = |model: &mut Model, names: Vec<OsString>| {
            update(model, Event::FilesDone(extract.clone(), Ok(FilesDone::Weighed(Vec::new(), names))))
        };
        assert_eq!(said(&mut model, Vec::new()), []);
        let effects = press(&mut model, "y");
        assert_eq!(effects, [Effect::Work(TaskId(1), Job::Copy(request.clone()))]);
        assert_eq!(said(&mut model, request.names.clone()), [], "what is there is not replaced unasked");
        let effects = press(&mut model, "y");
        let replacing = CopyRequest { existing: Existing::Replace, ..request.clone() };
        assert_eq!(effects, [Effect::Work(TaskId(2), Job::Copy(replacing))]);
    }

    #[test]
    fn a_file_is_read_compared_and_edited() {
        let reader = |width, height| {
            let mut model = browser(width, height);
            let wish = press(&mut model, "enter");
            let [Effect::Files(view @ FilesWish::View(..))] = wish.as_slice() else { panic!("{wish:?}") };
            let lines = (1..100).map(|number| format!("line {number} \u{1b}[31m")).collect();
            let page = FilesDone::Page("/config.toml".to_owned(), lines);
            update(&mut model, Event::FilesDone(view.clone(), Ok(page)));
            press(&mut model, "ctrl-d");
            model
        };
        over_shot("files_reader", reader);
        let mut model = reader(120, 40);
        press(&mut model, "esc");
        assert_eq!(model.shown_tab(model.pane()), Tab::Files);
        assert!(matches!(press(&mut model, "=").as_slice(), [Effect::Files(FilesWish::Compare(_))]));
        assert!(matches!(press(&mut model, "e").as_slice(), [Effect::Files(FilesWish::Edit(..))]));
        press(&mut model, "j");
        assert_eq!(press(&mut model, "="), [], "the other side has no such file");
    }

    #[test]
    fn an_image_is_looked_at_and_never_changed() {
        let mut model = full(80, 24);
        press(&mut model, "2 f");
        answer(&mut model);
        press(&mut model, "G");
        for key in ["e", "n", "N", "d d"] {
            assert_eq!(press(&mut model, key), [], "{key}");
            assert!(model.layers.is_empty(), "{key}");
            assert_eq!(model.take_failure().unwrap().why, ["images are read-only"], "{key}");
        }
        press(&mut model, "tab");
        assert_eq!(press(&mut model, "C"), [], "nothing is copied into one");
        assert_eq!(model.take_failure().unwrap().why, ["images are read-only"]);
    }

    #[test]
    fn tab_goes_from_side_to_side_and_a_filter_filters_one() {
        let mut model = browser(120, 40);
        press(&mut model, "tab");
        assert_eq!(model.pane().files.active, 1);
        press(&mut model, "tab /");
        write(&mut model, "js");
        press(&mut model, "enter");
        assert_eq!((model.pane().files.active, model.pane().files.sides[0].rows.len()), (0, 2));
        assert_eq!(model.pane().files.sides[1].rows.len(), 3);
        press(&mut model, "esc");
        assert_eq!(model.pane().files.sides[0].rows.len(), 9);
        press(&mut model, "* esc esc");
        assert_eq!(model.focus, crate::tui::model::Focus::List);
        update(&mut model, Event::Resize(40, 12));
        assert!(model.wants().files().is_empty(), "nothing is read that nobody sees");
    }

    #[test]
    fn permission_bits_are_told_as_ls_tells_them() {
        for (mode, text) in
            [(0o755, "rwxr-xr-x"), (0o4750, "rwsr-x---"), (0o1777, "rwxrwxrwt"), (0o2640, "rw-r-S---")]
        {
            assert_eq!(bits(mode), text, "{mode:o}");
        }
    }
}
