//! What the store already has of an image that may be pulled.

use super::{Error, Result, Store};
use crate::oci::{Digest, ImageId, Platform, Reference};

/// Returns the image that `word` names in the store, if it is for the platform `wanted`.
///
/// # Errors
///
/// If there is none, or a part of it is missing.
pub fn here(store: &Store, word: &str, wanted: Option<&Platform>) -> Result<ImageId> {
    let meant = wanted.cloned().unwrap_or_else(Platform::host);
    let record = store.image(&store.resolve_for(word, &meant)?.image)?;
    if let Some(wanted) = wanted.filter(|wanted| wanted.fit(&record.platform).is_none()) {
        return Err(Error::NoImage(format!("{word} for {wanted}")));
    }
    store.lost_part(&record)?.map_or(Ok(record.id), Err)
}

/// The image that a reference names in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The image.
    pub image: ImageId,
    /// The digest under which a registry has it.
    pub target: Option<Digest>,
    /// Whether it is complete, and for the wanted platform.
    pub is_whole: bool,
    /// Whether its platform is exactly the requested one, so that the index has no better image.
    pub is_exact: bool,
}

/// Returns the image that `reference` names in the store for the requested platform, or else for this
/// machine's; `None` if there is none.
///
/// # Errors
///
/// If its files cannot be read, or were written by another version of hoist.
pub fn known(store: &Store, reference: &Reference, asked: Option<&Platform>) -> Result<Option<Known>> {
    use Error::{DamagedImage, DamagedName, NoImage};
    let wanted = asked.cloned().unwrap_or_else(Platform::host);
    let resolved = store.resolve_for(&reference.to_string(), &wanted);
    let found = resolved.and_then(|resolved| Ok((store.image(&resolved.image)?, resolved)));
    let (record, resolved) = match found {
        Ok(found) => found,
        Err(NoImage(_)) => return Ok(None),
        // The pull replaces what is damaged, but not what another version wrote.
        Err(DamagedImage { source, .. } | DamagedName { source, .. }) if !source.is_of_another_version() => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let is_whole = wanted.fit(&record.platform).is_some() && store.lost_part(&record)?.is_none();
    let is_exact = asked.is_none() || record.platform.fit(&wanted).is_some();
    let target = resolved.reference.and_then(|reference| reference.target);
    Ok(Some(Known { image: resolved.image, target, is_whole, is_exact }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Paths;
    use crate::image::fixture;

    /// Creates a store in which `web:1` is an image of one layer for armv6.
    fn store(dir: &tempfile::TempDir) -> (Store, ImageId, Digest) {
        let fields = r#""os":"linux","architecture":"arm","variant":"v6","#;
        fixture::store(dir, fields, Some(&Digest::of(b"index")))
    }

    fn web() -> Reference {
        "web:1".parse().unwrap()
    }

    fn known_for(store: &Store, platform: &str) -> Option<(bool, bool)> {
        let known = known(store, &web(), Some(&platform.parse().unwrap())).unwrap();
        known.map(|known| (known.is_whole, known.is_exact))
    }

    #[test]
    fn an_older_variant_is_whole_but_not_what_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image, _) = store(&dir);
        let all = known(&store, &web(), Some(&"linux/arm/v6".parse().unwrap())).unwrap();
        let target = Some(Digest::of(b"index"));
        assert_eq!(all, Some(Known { image, target, is_whole: true, is_exact: true }));
        for (platform, is_whole, is_exact) in [
            ("linux/arm/v6", true, true),
            ("linux/arm/v7", true, false),
            ("linux/arm/v5", false, true),
            ("linux/riscv64", false, false),
        ] {
            assert_eq!(known_for(&store, platform), Some((is_whole, is_exact)), "{platform}");
            let word = here(&store, "web:1", Some(&platform.parse().unwrap()));
            assert_eq!(word.is_ok(), is_whole, "{platform}");
        }
    }

    #[test]
    fn an_image_that_lacks_a_layer_is_known_but_not_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _, layer) = store(&dir);
        crate::sys::tree::remove(&store.layer_dir(&layer).unwrap()).unwrap();
        assert_eq!(known_for(&store, "linux/arm/v6"), Some((false, true)));
        let lacks = here(&store, "web:1", Some(&"linux/arm/v6".parse().unwrap()));
        assert!(matches!(lacks, Err(Error::Missing { .. })), "{lacks:?}");
    }

    #[test]
    fn what_is_damaged_is_unknown_and_what_a_newer_hoist_wrote_is_an_error() {
        for (text, is_newer) in [("{", false), (r#"{"version":9}"#, true)] {
            for of_image in [true, false] {
                let dir = tempfile::tempdir().unwrap();
                let (store, image, _) = store(&dir);
                let path = if of_image {
                    store.record_path(&image)
                } else {
                    let [path] = names(&store).try_into().unwrap();
                    path
                };
                std::fs::write(path, text).unwrap();
                let known = known(&store, &web(), Some(&"linux/arm/v6".parse().unwrap()));
                assert_eq!(known.is_err(), is_newer, "{text}: {known:?}");
                assert_eq!(known.ok().flatten(), None, "{text}");
            }
        }
    }

    fn names(store: &Store) -> Vec<std::path::PathBuf> {
        std::fs::read_dir(store.paths().refs()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn of_an_empty_store_nothing_is_known_and_nothing_here() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let store = Store::new(paths, false);
        assert_eq!(known(&store, &"debian:12".parse().unwrap(), None).unwrap(), None);
        assert!(matches!(here(&store, "debian:12", None), Err(Error::NoImage(_))));
    }
}
