//! What is here of an image that may be pulled.

use super::{Error, Result, Store};
use crate::oci::{Digest, ImageId, Platform, Reference};

/// Returns the image that `word` means here, if it is for `wanted`.
///
/// # Errors
///
/// There is none, or a part of it is lost.
pub fn here(store: &Store, word: &str, wanted: Option<&Platform>) -> Result<ImageId> {
    let meant = wanted.cloned().unwrap_or_else(Platform::host);
    let record = store.image(&store.resolve_for(word, &meant)?.image)?;
    if let Some(wanted) = wanted.filter(|wanted| wanted.fit(&record.platform).is_none()) {
        return Err(Error::NoImage(format!("{word} for {wanted}")));
    }
    store.lost_part(&record)?.map_or(Ok(record.id), Err)
}

/// What the reference names for the wanted platform before the pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The image.
    pub image: ImageId,
    /// What a registry knows it by.
    pub target: Option<Digest>,
    /// All of it is here, and for the wanted platform.
    pub is_whole: bool,
    /// It is for just the platform that was asked for: its index has no better one.
    pub is_exact: bool,
}

/// Returns what `reference` names here, for the platform that was asked for or for this machine's.
///
/// # Errors
///
/// Its files cannot be read, or another version wrote them.
pub fn known(store: &Store, reference: &Reference, asked: Option<&Platform>) -> Result<Option<Known>> {
    use Error::{DamagedImage, DamagedName, NoImage};
    let wanted = asked.cloned().unwrap_or_else(Platform::host);
    let resolved = store.resolve_for(&reference.to_string(), &wanted);
    let found = resolved.and_then(|resolved| Ok((store.image(&resolved.image)?, resolved)));
    let (record, resolved) = match found {
        Ok(found) => found,
        Err(NoImage(_)) => return Ok(None),
        // What is damaged is replaced, but for what another version wrote.
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

    #[test]
    fn of_an_empty_store_nothing_is_known_and_nothing_here() {
        let dir = tempfile::tempdir().unwrap();
        let paths = crate::base::Paths::new(dir.path().join("root"), dir.path().join("run"));
        let store = Store::new(paths, false);
        assert_eq!(known(&store, &"debian:12".parse().unwrap(), None).unwrap(), None);
        assert!(matches!(here(&store, "debian:12", None), Err(Error::NoImage(_))));
    }
}
