//! What the engine knows, in the form that rows and texts have.

use crate::engine::{Engine, EventFilter, ImageView, Listing, NetworkView, Result, Space, TrashEntry};
use crate::oci::{Platform, Reference};
use crate::tui::event::Listed;
use crate::tui::list::journal::{EventRow, KEPT};
use crate::tui::list::rows::{ContainerRow, ImageRow, NetworkRow};
use crate::tui::model::Section;
use crate::tui::trash::model::{Keeping, TrashRow};

/// The rows of a section, and what went wrong on the way to them, a sentence each.
pub(super) async fn list(engine: &Engine, section: Section) -> Result<(Listed, Vec<String>)> {
    let mut warned = Vec::new();
    let listed = match section {
        Section::Containers => {
            let Listing { whole, damaged, warnings } = engine.containers().listing().await?;
            warned = warnings;
            let unreadable = damaged.iter().filter_map(ContainerRow::unreadable);
            Listed::Containers(whole.iter().map(ContainerRow::new).chain(unreadable).collect())
        }
        Section::Images => {
            let Listing { whole, damaged, warnings } = engine.images().listing().await?;
            warned = warnings;
            let unreadable = damaged.iter().map(ImageRow::unreadable);
            let rows = whole.iter().flat_map(|image| image_rows(image, &whole));
            Listed::Images(rows.chain(unreadable).collect())
        }
        Section::Networks => {
            let Listing { whole, damaged: _, warnings } = engine.networks().listing().await?;
            warned = warnings;
            Listed::Networks(whole.iter().map(network_row).collect())
        }
        Section::Events => {
            let events = engine.past_events(EventFilter::default()).await?;
            Listed::Events(events.iter().rev().take(KEPT).map(EventRow::new).collect())
        }
        Section::Trash => trash(engine, engine.trash().list().await?),
        Section::Volumes | Section::Tasks => Listed::Volumes(Vec::new()),
    };
    Ok((listed, warned))
}

/// The rows of the trash, and how it keeps them.
pub(super) fn trash(engine: &Engine, entries: Vec<TrashEntry>) -> Listed {
    let is_short = engine.trash().space().is_some_and(Space::is_short);
    let keeping = Keeping { time: engine.keeps(), is_short };
    Listed::Trash(entries.iter().map(TrashRow::new).collect(), keeping)
}

/// A row for each name of an image, or one without a name. `all`: who may have the same names.
fn image_rows(image: &ImageView, all: &[ImageView]) -> Vec<ImageRow> {
    let is_ours = Platform::host().fit(&image.platform).is_some();
    let is_shared = |tag: &Reference| all.iter().any(|one| one.id != image.id && one.tags.contains(tag));
    let row = |name: String, is_other_platform: bool| ImageRow {
        is_other_platform,
        id: image.id.to_string(),
        unique: format!("{} {name}", image.id),
        name,
        created: image.created,
        size: image.size,
        platform: image.platform.to_string().trim_start_matches("linux/").to_owned(),
        users: Vec::new(),
        damaged: None,
    };
    if image.tags.is_empty() {
        return vec![row(String::new(), false)];
    }
    image.tags.iter().map(|tag| row(tag.to_string(), !is_ours && is_shared(tag))).collect()
}

fn network_row(network: &NetworkView) -> NetworkRow {
    NetworkRow {
        id: network.id.to_string(),
        name: network.name.clone(),
        driver: network.driver.to_string(),
        subnet: subnet(network),
        created: network.created,
        members: network.members.iter().map(|member| member.container.to_string()).collect(),
    }
}

fn subnet(network: &NetworkView) -> String {
    network.bridge.as_ref().map_or_else(String::new, |bridge| bridge.subnet.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_images_of_a_name_those_for_other_machines_go_by_their_ids() {
        let image = |digit: &str, platform: &str, tag: &str| ImageView {
            id: format!("sha256:{}", digit.repeat(64)).parse().unwrap(),
            tags: vec![tag.parse().unwrap()],
            digests: Vec::new(),
            created: None,
            added: jiff::Timestamp::UNIX_EPOCH,
            tagged: None,
            size: 0,
            labels: std::collections::BTreeMap::new(),
            platform: platform.parse().unwrap(),
            parent: None,
            layers: Vec::new(),
        };
        let host = Platform::host().to_string();
        let all = [
            image("a", &host, "web:1"),
            image("b", "linux/s390x", "web:1"),
            image("c", "linux/s390x", "other:1"),
        ];
        let rows: Vec<ImageRow> = all.iter().flat_map(|one| image_rows(one, &all)).collect();
        let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["web:1", "web:1", "other:1"]);
        let targets: Vec<_> = rows.iter().map(ImageRow::target).collect();
        assert_eq!(targets, ["web:1", rows[1].id.as_str(), "other:1"]);
    }
}
