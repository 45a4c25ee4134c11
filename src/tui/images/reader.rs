//! Reads the images, with a row for each name.

use crate::command::split;
use crate::docker;
use crate::engine::{Engine, ImageView, Listing, Result};
use crate::oci::{Platform, Reference};
use crate::tui::images::model::ImageRow;
use crate::tui::inspect::model::Document;
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;
use crate::tui::section::Subject;

/// Sends the list of images.
pub(crate) async fn read(reader: ListReader) {
    let read = rows(&reader.engine).await;
    reader.answer(read.map(|(rows, warnings)| (Listed::Images(rows), warnings))).await;
}

async fn rows(engine: &Engine) -> Result<(Vec<ImageRow>, Vec<String>)> {
    let Listing { whole, damaged, warnings } = engine.images().listing().await?;
    let unreadable = damaged.iter().map(ImageRow::unreadable);
    let rows = whole.iter().flat_map(|image| image_rows(image, &whole));
    Ok((rows.chain(unreadable).collect(), warnings))
}

/// Returns a row for each name of an image, or one without a name. `all` are the images that may
/// share its names.
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

/// Returns everything known about an image, as `inspect` prints it.
pub(crate) async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
    let Subject::Image(target) = subject else { return Ok(Document::default()) };
    let detail = engine.images().inspect(target).await?;
    let command = split(&format!("run -it {target}")).ok();
    Ok(Document { value: docker::images::inspect(&detail), command })
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
