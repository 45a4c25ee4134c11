//! The rows of the images list: one for each name.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::base::text;
use crate::engine::Damaged;
use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, natural, shown_words};

/// A name of an image, or an image without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    /// `sha256:…`
    pub id: String,
    /// `debian:13`, empty if it has none.
    pub name: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The size in bytes.
    pub size: u64,
    /// `amd64`, `arm64/v8`.
    pub platform: String,
    /// Whether its name refers to the image for another platform.
    pub is_other_platform: bool,
    /// Id and name, which identify the row.
    pub unique: String,
    /// The names of containers created from it.
    pub users: Vec<String>,
    /// Why its state cannot be read, if so.
    pub damaged: Option<String>,
}

impl ImageRow {
    /// Returns the row for an image or a name whose state cannot be read.
    #[must_use]
    pub fn unreadable(damaged: &Damaged) -> Self {
        let name = text::line(damaged.name.as_deref().unwrap_or_default()).into_owned();
        Self {
            id: damaged.id.clone(),
            unique: format!("{} {name}", damaged.id),
            name,
            created: None,
            size: 0,
            platform: String::new(),
            is_other_platform: false,
            users: Vec::new(),
            damaged: Some(text::line(&damaged.why).into_owned()),
        }
    }

    /// Returns how a request refers to it: by name, or by id if the name does not refer to it.
    #[must_use]
    pub fn target(&self) -> &str {
        if self.is_by_name() { &self.name } else { &self.id }
    }

    /// Whether a request refers to it by name.
    #[must_use]
    pub fn is_by_name(&self) -> bool {
        !self.name.is_empty() && !self.is_other_platform
    }

    /// Whether removing it also removes the other one: a name is removed with all its images, an id
    /// with all its names.
    #[must_use]
    pub fn takes(&self, other: &Self) -> bool {
        if self.is_by_name() { self.name == other.name } else { self.id == other.id }
    }

    /// Returns the first twelve digits of its id.
    #[must_use]
    pub fn short(&self) -> &str {
        let hex = self.id.split_once(':').map_or(self.id.as_str(), |(_, hex)| hex);
        hex.get(..12).unwrap_or(hex)
    }
}

/// Returns the name without its tag or digest.
#[must_use]
pub fn repository(name: &str) -> &str {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

impl Row for ImageRow {
    fn key(&self) -> &str {
        &self.unique
    }

    fn words(&self, shows: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        let name = if self.name.is_empty() { "<none>" } else { &self.name };
        let values = [(Column::Name, name), (Column::Id, self.short()), (Column::Platform, &self.platform)];
        let users = self.users.iter().map(|user| (Column::UsedBy, user.as_str()));
        shown_words(shows, values.into_iter().chain(users))
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Name | Field::Image => test(&self.name),
            Field::Id => test(&self.id),
            _ => false,
        }
    }

    fn moment(&self, column: Column) -> Option<Timestamp> {
        self.created.filter(|_| column == Column::Created)
    }

    fn width(&self, column: Column) -> usize {
        match column {
            Column::Name => self.name.width(),
            Column::UsedBy => match &self.damaged {
                Some(why) => why.width(),
                None => self.users.iter().map(|user| user.width() + 1).sum::<usize>().max(1),
            },
            _ => 0,
        }
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        match column {
            Column::Name => natural(&self.name, &other.name),
            Column::Id => self.id.cmp(&other.id),
            Column::Created => self.created.cmp(&other.created),
            Column::Size => self.size.cmp(&other.size),
            Column::Platform => self.platform.cmp(&other.platform),
            Column::UsedBy => self.users.len().cmp(&other.users.len()),
            _ => Ordering::Equal,
        }
    }
}
