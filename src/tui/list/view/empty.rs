//! What an empty list says: what it is for, and what can be done next with what is there.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::base::units::counted;
use crate::tui::action::Action;
use crate::tui::keymap::Place;
use crate::tui::model::Model;
use crate::tui::sections;
use crate::tui::view::texts;
use crate::tui::words::wrap;

/// The lines of an empty list, of so many columns.
pub(crate) fn lines(model: &Model, width: u16) -> Vec<Line<'static>> {
    let place = model.place_below();
    let (what, offers) = sections::empty(model);
    let room = usize::from(width).saturating_sub(1);
    let mut lines = vec![Line::default()];
    lines.extend(wrap(&format!("   {what}"), room, 3).into_iter().map(Line::from));
    if !offers.is_empty() {
        lines.push(Line::default());
    }
    for (action, text, aside) in offers {
        let key = model.keymap.keys_of(place, action).or_else(|| model.keymap.keys_of(Place::Lists, action));
        let told = wrap(text, room.saturating_sub(7), 0);
        let key = key.unwrap_or_default();
        let keys = std::iter::once(key.as_str()).chain(std::iter::repeat(""));
        let mut told: Vec<_> =
            told.iter().zip(keys).map(|(text, key)| texts::key_line(&model.theme, key, text)).collect();
        // What is said aside goes first where there is little room.
        if let Some(line) = told.last_mut().filter(|line| line.width() + aside.width() + 2 <= room)
            && !aside.is_empty()
        {
            line.push_span(Span::styled(format!("  {aside}"), model.theme.dim));
        }
        lines.extend(told);
    }
    let key = |action| model.keys_of(Place::Global, action);
    lines.push(Line::default());
    let mut line = texts::key_line(&model.theme, &key(Action::Help), "all keys");
    for (action, word) in [(Action::Palette, "palette"), (Action::Command, "command line")] {
        if line.width() + key(action).width() + word.width() + 4 > room {
            break;
        }
        line.push_span(Span::styled(format!("   {}", key(action)), model.theme.accent));
        line.push_span(Span::raw(format!(" {word}")));
    }
    lines.push(line);
    lines
}

/// What can be done next: the action, what it does, and more of that.
type Offer = (Action, &'static str, String);

/// What an empty list is for, and what can be done next.
pub(crate) type Said = (&'static str, Vec<Offer>);

fn plain(action: Action, text: &'static str) -> Offer {
    (action, text, String::new())
}

pub(crate) fn containers(model: &Model) -> Said {
    if model.images.all().is_empty() {
        let offers = vec![
            plain(Action::FromHost, "make an image of this machine's shell and core tools"),
            (Action::Run, "run an image, fetched from a registry", "(alpine, debian, nginx)".to_owned()),
            plain(Action::GoImages, "images: pull, load or import one"),
        ];
        return ("No containers yet, and no image to make one of.", offers);
    }
    let images = counted(model.images.all().len() as u64, "image");
    let mut offers = vec![(Action::Run, "run one from an image", try_these(model))];
    offers.push((Action::GoImages, "see the images", format!("({images} here)")));
    offers.push(plain(Action::FromHost, "make one more image of this machine's tools"));
    ("No containers yet.", offers)
}

pub(crate) fn images(_: &Model) -> Said {
    let offers = vec![
        plain(Action::FromHost, "make one of this machine's shell and core tools"),
        (Action::Pull, "pull one from a registry", "(alpine, debian, nginx)".to_owned()),
        plain(Action::Load, "load an archive that `save` wrote"),
        plain(Action::Import, "import a root file system's tar"),
    ];
    ("No images yet.", offers)
}

pub(crate) fn volumes(_: &Model) -> Said {
    let what = "No volumes. A folder of this machine is given to a container by `-v /folder:/folder`.";
    (what, vec![plain(Action::GoImages, "images: run one")])
}

pub(crate) fn networks(_: &Model) -> Said {
    let what = "No networks. The usual one is made when a container needs it.";
    (what, vec![plain(Action::GoImages, "images: run one")])
}

pub(crate) fn tasks(_: &Model) -> Said {
    let offers = vec![
        plain(Action::GoImages, "images: pull or load one"),
        plain(Action::GoContainers, "containers: open a shell in one"),
    ];
    ("Nothing runs in the background: pulls, commands, terminals.", offers)
}

pub(crate) fn events(_: &Model) -> Said {
    let offers = vec![plain(Action::GoContainers, "containers")];
    ("Nothing happened since this machine was started.", offers)
}

pub(crate) fn trash(model: &Model) -> Said {
    let what = match model.keeping.time {
        None => "There is no trash: `[trash] keep` is 0 in the configuration.",
        Some(_) => "The trash is empty. What you remove can be taken back from here.",
    };
    (what, Vec::new())
}

/// A few names of images, and how many are kept as presets.
fn try_these(model: &Model) -> String {
    let named = model.images.all().iter().filter(|row| !row.name.is_empty());
    let names: Vec<&str> = named.take(3).map(|row| row.name.trim_end_matches(":latest")).collect();
    let presets = match model.saved.presets.len() {
        0 => String::new(),
        count => format!("; {}", counted(count as u64, "preset")),
    };
    if names.is_empty() { String::new() } else { format!("(try: {}{presets})", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use crate::tui::event::{Event, Listed};
    use crate::tui::fixture::{empty, full, press, shot};
    use crate::tui::update::update;

    #[test]
    fn an_empty_list_says_what_can_be_done_next() {
        shot("empty", |width, height| {
            let mut model = full(width, height);
            update(&mut model, Event::List(Ok(Listed::Containers(vec![]))));
            model
        });
        shot("empty_tasks", |width, height| {
            let mut model = empty(width, height);
            press(&mut model, "g t");
            model
        });
    }
}
