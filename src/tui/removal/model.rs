//! The removal dialog: which objects are removed, and whether they go to the trash.

use crate::engine::{Fate, Force, ImageRemoval, Parents, Removal, Running};
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{ContainerVerb, Effect};
use crate::tui::images::model::ImageRow;
use crate::tui::verb_words::REMOVE;

/// An object to be removed, as it was when the dialog was opened.
#[derive(Debug, Clone, PartialEq)]
pub enum Victim {
    /// A container.
    Container(Box<ContainerRow>),
    /// An image by name or id, and what is removed with it.
    Image(Box<ImageRow>, Extent),
}

/// What is removed with a name, or with the id of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The number of images with the name, one per platform.
    pub images: usize,
    /// How many of them are removed: those without another name.
    pub going: usize,
    /// Their size in bytes.
    pub size: u64,
    /// The number of names removed with an id.
    pub names: usize,
}

impl Extent {
    /// Returns what is removed with `row` if all of `rows` are; `all` contains all images.
    #[must_use]
    pub fn of(row: &ImageRow, rows: &[ImageRow], all: &[ImageRow]) -> Self {
        let going = going(row, rows, all);
        let has_name = |other: &&ImageRow| other.id == row.id && !other.name.is_empty();
        Self {
            images: mine(row, all).len(),
            going: going.len(),
            size: going.iter().map(|image| image.size).sum(),
            names: if row.is_by_name() { 1 } else { all.iter().filter(has_name).count() },
        }
    }

    /// Returns the text: `the image`, `2 images`, `this name only; the image is kept`.
    #[must_use]
    pub fn words(&self) -> String {
        match *self {
            Self { images: 1, going: 0, .. } => "this name only; the image is kept".to_owned(),
            Self { going: 0, .. } => "this name only; the images are kept".to_owned(),
            Self { images: 1, names: 0 | 1, .. } => "the image".to_owned(),
            Self { images: 1, names, .. } => format!("the image and its {names} names"),
            Self { images, going, .. } if images == going => format!("{images} images"),
            Self { images, going, .. } => format!("{going} of {images} images"),
        }
    }
}

/// Returns the images that a row stands for: all that have its name, or only itself.
fn mine<'a>(row: &'a ImageRow, all: &'a [ImageRow]) -> Vec<&'a ImageRow> {
    match row.is_by_name() {
        true => all.iter().filter(|other| other.name == row.name).collect(),
        false => vec![row],
    }
}

/// Returns which of them are removed if all of `rows` are: those without another name.
#[must_use]
pub fn going<'a>(row: &'a ImageRow, rows: &[ImageRow], all: &'a [ImageRow]) -> Vec<&'a ImageRow> {
    let mut images = mine(row, all);
    images.retain(|image| {
        let mut names = all.iter().filter(|other| other.id == image.id);
        names.all(|name| rows.iter().any(|row| row.takes(name)))
    });
    images
}

impl Victim {
    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Container(row) => &row.name,
            Self::Image(row, _) if row.name.is_empty() => row.short(),
            Self::Image(row, _) => &row.name,
        }
    }

    /// Whether it is a running container.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Container(row) if row.is_up())
    }

    /// Whether its state cannot be read.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        match self {
            Self::Container(row) => row.damaged.is_some(),
            Self::Image(row, _) => row.damaged.is_some(),
        }
    }

    /// Whether it cannot be restored, even if other objects go to the trash.
    #[must_use]
    pub fn is_final(&self) -> bool {
        // `--rm` removes it without the trash when it exits, and unreadable state cannot be
        // restored.
        self.is_damaged() || matches!(self, Self::Container(row) if row.is_up() && row.auto_remove)
    }

    fn effect(&self, fate: Fate, force: Force) -> Effect {
        match self {
            Self::Container(row) => {
                let running = if force == Force::Yes { Running::Kill } else { Running::Stop };
                Effect::Container(ContainerVerb::Remove(Removal { fate, running }), row.id.clone())
            }
            Self::Image(row, _) => {
                let removal = ImageRemoval { fate, force, parents: Parents::Prune };
                Effect::RemoveImage(row.target().to_owned(), removal)
            }
        }
    }
}

/// The removal dialog.
#[derive(Debug)]
pub struct Question {
    /// The objects in the order of the list, but running containers first.
    pub victims: Vec<Victim>,
    /// Whether running containers are killed, and images in use are removed.
    pub force: Force,
    /// Whether the objects go to the trash or are deleted.
    pub fate: Fate,
    /// The index of the first visible object, if not all fit.
    pub top: usize,
    /// What else there is to know about images that containers use.
    pub notes: Vec<String>,
}

impl Question {
    /// Returns the title: `Remove 3 containers?`
    #[must_use]
    pub fn title(&self) -> String {
        let images = self.victims.iter().filter(|victim| matches!(victim, Victim::Image(..))).count();
        let what = match (images, self.victims.len()) {
            (0, _) => "container",
            (images, all) if images == all => "image",
            _ => "object",
        };
        REMOVE.question(self.victims.len(), what, "")
    }

    /// Returns the label for no.
    #[must_use]
    pub fn no(&self) -> &'static str {
        REMOVE.no(self.victims.len())
    }

    /// Whether none of the objects can be restored.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.victims.iter().all(Victim::is_final)
    }

    /// Returns the effects of answering yes.
    #[must_use]
    pub fn effects(&self) -> Vec<Effect> {
        self.victims.iter().map(|victim| victim.effect(self.fate, self.force)).collect()
    }

    /// Whether a screen of this height is too low for blank lines.
    #[must_use]
    pub fn is_low(height: u16) -> bool {
        height < 20
    }

    /// Returns how many objects are visible on a screen of this height.
    #[must_use]
    pub fn rows(height: u16) -> usize {
        // The other lines, with all possible notes.
        let others = if Self::is_low(height) { 8 } else { 13 };
        usize::from(height.saturating_sub(others)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, name: &str, is_other_platform: bool) -> ImageRow {
        ImageRow {
            id: format!("sha256:{}", id.repeat(64)),
            name: name.to_owned(),
            created: None,
            size: if id == "a" { 5 } else { 7 },
            platform: String::new(),
            is_other_platform,
            unique: format!("{id} {name}"),
            users: Vec::new(),
            damaged: None,
        }
    }

    #[test]
    fn the_question_says_what_goes() {
        let said = |all: &[ImageRow], asked: &[usize]| {
            let rows: Vec<ImageRow> = asked.iter().map(|&at| all[at].clone()).collect();
            let extent = Extent::of(&rows[0], &rows, all);
            (extent.words(), extent.size)
        };
        let one = [row("a", "web:1", false), row("a", "web:2", false)];
        assert_eq!(said(&one, &[0]), ("this name only; the image is kept".to_owned(), 0));
        assert_eq!(said(&one, &[0, 1]), ("the image".to_owned(), 5));
        // A name with all its platforms, an id with all its names.
        let two = [row("a", "web:1", false), row("b", "web:1", true)];
        assert_eq!(said(&two, &[0]), ("2 images".to_owned(), 12));
        assert_eq!(said(&two, &[1]), ("the image".to_owned(), 7));
        let more = [two[0].clone(), two[1].clone(), row("b", "arm:1", false)];
        assert_eq!(said(&more, &[0]), ("1 of 2 images".to_owned(), 5));
        assert_eq!(said(&more, &[0, 2]), ("2 images".to_owned(), 12));
        assert_eq!(said(&more, &[1]), ("the image and its 2 names".to_owned(), 7));
        let all = [more.to_vec(), vec![row("a", "old:1", false)]].concat();
        assert_eq!(said(&all, &[0]), ("this name only; the images are kept".to_owned(), 0));
    }
}
