//! The question before something is removed: what goes, each by name, and where to.

use crate::tui::event::{Effect, Fate, Force, Removal, Verb};
use crate::tui::list::rows::{ContainerRow, ImageRow};

/// Something that is to go, as it was when the question was asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Victim {
    /// A container.
    Container(Box<ContainerRow>),
    /// A name of an image, and whether the image goes with it.
    Image(ImageRow, bool),
}

impl Victim {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Container(row) => &row.name,
            Self::Image(row, _) if row.name.is_empty() => row.short(),
            Self::Image(row, _) => &row.name,
        }
    }

    /// Whether its state cannot be read.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        match self {
            Self::Container(row) => row.damaged.is_some(),
            Self::Image(row, _) => row.damaged.is_some(),
        }
    }

    /// Whether it cannot be restored, wherever the others go.
    #[must_use]
    pub fn is_final(&self) -> bool {
        // It goes by itself when its end comes; what cannot be read cannot be restored.
        self.is_damaged() || matches!(self, Self::Container(row) if row.is_up() && row.auto_remove)
    }

    fn effect(&self, removal: Removal) -> Effect {
        match self {
            Self::Container(row) => Effect::Container(Verb::Remove(removal), row.id.clone()),
            Self::Image(row, _) => Effect::RemoveImage(row.target().to_owned(), removal),
        }
    }
}

/// The question.
#[derive(Debug)]
pub struct Question {
    /// What goes, in the order of the list.
    pub victims: Vec<Victim>,
    /// Whether what is up is killed, and what is used goes all the same.
    pub force: Force,
    /// Whether it goes for good.
    pub fate: Fate,
    /// The victim at the top, where there are more than fit.
    pub top: usize,
}

impl Question {
    /// `Remove 3 containers?`
    #[must_use]
    pub fn title(&self) -> String {
        let images = self.victims.iter().filter(|victim| matches!(victim, Victim::Image(..))).count();
        let what = match (images, self.victims.len()) {
            (0, _) => "container",
            (images, all) if images == all => "image",
            _ => "object",
        };
        let count = self.victims.len();
        format!("Remove {count} {what}{}?", if count == 1 { "" } else { "s" })
    }

    /// Whether nothing of it can be restored.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.victims.iter().all(Victim::is_final)
    }

    /// What is done when the answer is yes.
    #[must_use]
    pub fn effects(&self) -> Vec<Effect> {
        let removal = Removal { force: self.force, fate: self.fate };
        self.victims.iter().map(|victim| victim.effect(removal)).collect()
    }

    /// Whether a screen of this height has no room for blank lines.
    #[must_use]
    pub fn is_low(height: u16) -> bool {
        height < 20
    }

    /// How many victims are shown at once on a screen of this height.
    #[must_use]
    pub fn rows(height: u16) -> usize {
        // What stands around them, with every note there can be.
        let others = if Self::is_low(height) { 8 } else { 13 };
        usize::from(height.saturating_sub(others)).max(1)
    }
}
