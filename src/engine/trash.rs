//! The trash: objects that users removed, until they expire. A removal is a rename that frees the
//! names immediately, and a restore brings everything back unchanged.
//!
//! Objects removed by `rm`, `rmi` or the API do not go here, nor do containers with `--rm`:
//! programs remove objects to free space, and nobody will restore them.

mod empty;

use std::path::Path;
use std::time::Duration;

use super::container::Stored;
use super::error::{Doing, NotFound, Result};
use super::image::Both;
use super::{
    ContainerView, Engine, Force, Gone, ImageView, Parents, Removed, Running, Status, Warnings, blocking,
};
use crate::base::journal::{self, Kind};
use crate::base::{ErrorKind, Explain, Name};
use crate::container::store;
use crate::image;
use crate::layer;
use crate::monitor::journal::tell_or_warn;
use crate::oci::Reference;

use crate::base::trash;
pub use crate::base::trash::{Space, TrashEntry};
pub use empty::{Emptied, helper};

/// The details of an object in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrashDetail {
    /// A container.
    Container(Box<ContainerView>),
    /// An image, and parents that were removed with it.
    Image(Vec<ImageView>),
}

/// A restored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub object: String,
    /// Its names.
    pub names: Vec<String>,
    /// Warnings for the caller.
    pub warnings: Warnings,
}

/// A kind of object that this version of hoist does not put into the trash.
#[derive(Debug, thiserror::Error)]
#[error("this version of hoist cannot restore this kind of object")]
struct Unknown;

impl Explain for Unknown {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn hint(&self) -> Option<String> {
        Some("it was put there by a newer version of hoist: use that version".to_owned())
    }
}

/// The trash of an engine. See [`Engine::trash`].
#[derive(Debug, Clone, Copy)]
pub struct Trash<'a> {
    engine: &'a Engine,
}

impl Engine {
    /// Returns the verbs of the trash.
    #[must_use]
    pub fn trash(&self) -> Trash<'_> {
        Trash { engine: self }
    }

    /// Returns how long removed objects stay in the trash; `None` if there is no trash.
    #[must_use]
    pub fn keeps(&self) -> Option<Duration> {
        Some(self.settings().keep).filter(|keep| !keep.is_zero())
    }
}

impl Trash<'_> {
    async fn on<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let engine = self.engine.clone();
        blocking(move || work(&engine)).await
    }

    /// Returns the entries, newest first.
    ///
    /// # Errors
    ///
    /// If the trash cannot be read.
    pub async fn list(&self) -> Result<Vec<TrashEntry>> {
        self.on(|engine| {
            engine.empty_what_is_due();
            let mut entries = engine.trash_entries()?;
            entries.reverse();
            Ok(entries)
        })
        .await
    }

    /// Returns the entries and determines sizes that are still unknown, which reads all their
    /// folders.
    ///
    /// # Errors
    ///
    /// If the trash cannot be read.
    pub async fn measure(&self) -> Result<Vec<TrashEntry>> {
        self.on(|engine| {
            let mut entries = engine.trash_entries()?;
            entries.iter_mut().for_each(|entry| engine.measure_entry(entry));
            entries.reverse();
            Ok(entries)
        })
        .await
    }

    /// Returns the space on the file system of the state folder. If it runs short, the oldest
    /// entries are deleted before they expire.
    #[must_use]
    pub fn space(&self) -> Option<Space> {
        (self.engine.settings().space)(self.engine.paths().root())
    }

    /// Returns the details of an entry.
    ///
    /// # Errors
    ///
    /// `No such trash entry: x`.
    pub async fn inspect(&self, id: &str) -> Result<TrashDetail> {
        let id = id.to_owned();
        self.on(move |engine| engine.trash_detail(&id)).await
    }

    /// Restores an entry; with `name`, under this name only.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if the name is taken, with its current user, or if `name` is not
    /// valid.
    pub async fn restore(&self, id: &str, name: Option<&str>) -> Result<Restored> {
        let (id, name) = (id.to_owned(), name.map(str::to_owned));
        self.on(move |engine| engine.restore(&id, name.as_deref())).await
    }

    /// Deletes one entry permanently.
    ///
    /// # Errors
    ///
    /// `No such trash entry: x`, or if something cannot be deleted.
    pub async fn purge(&self, id: &str) -> Result<Warnings> {
        let id = id.to_owned();
        self.on(move |engine| {
            let entry = engine.trash_entry(&id, || format!("purge `{id}`"))?;
            Ok(engine.purge(&[entry])?.warnings)
        })
        .await
    }

    /// Deletes what is due in this process, as the helper does in the background: expired entries
    /// and, while the disk is nearly full, the oldest ones.
    ///
    /// # Errors
    ///
    /// If something cannot be deleted.
    pub async fn empty_due(&self) -> Result<()> {
        self.on(Engine::empty_due).await
    }

    /// Deletes all entries permanently. Returns their number and, as far as known, their bytes.
    ///
    /// # Errors
    ///
    /// If something cannot be deleted.
    pub async fn empty(&self) -> Result<Emptied> {
        self.on(|engine| engine.purge(&engine.trash_entries()?)).await
    }
}

impl Engine {
    fn trash_entries(&self) -> Result<Vec<TrashEntry>> {
        Ok(trash::contents(self.paths()).doing(|| "read the trash")?.entries)
    }

    fn trash_entry(&self, id: &str, doing: impl Fn() -> String) -> Result<TrashEntry> {
        let not_found = || NotFound { noun: "trash entry", name: id.to_owned() };
        if !trash::is_id(id) {
            return Err(not_found()).doing(doing);
        }
        match trash::read(self.paths(), id) {
            Err(error) if error.is_not_found() => Err(not_found()).doing(doing),
            result => result.doing(doing),
        }
    }

    /// Moves a container to the trash. It is deleted permanently if there is no trash, or if it was
    /// removed on exit because of `--rm`.
    pub(super) fn trash_container(&self, target: &str, running: Running) -> Result<Gone> {
        let doing = || format!("remove `{}`", self.called(target));
        let Some(keep) = self.keeps() else {
            return self.remove_now(target, running);
        };
        let id = store::find_id(self.paths(), target).doing(doing)?;
        if self.is_unreadable_to_remove(&id, running, doing)? {
            // It could not be restored.
            return self.remove_unreadable(&id, running, doing);
        }
        let Some((lock, record)) = self.end_for_removal(&id, running, doing)? else {
            return Ok(Gone::default());
        };
        let entry = store::trash(self.paths(), &record, keep).doing(doing)?;
        drop(lock);
        // For followers of events it is gone; `trash` says that it can be restored.
        let untold = tell_or_warn(self.paths(), &record, "destroy", &[("trash", &entry.id)]);
        self.empty_what_is_due();
        let warnings = Warnings(untold.into_iter().collect());
        Ok(Gone { entry: Some(entry), warnings, ..Gone::default() })
    }

    /// Moves an image, or one of its names, to the trash.
    pub(super) fn trash_image(&self, target: &str, force: Force, parents: Parents) -> Result<Gone> {
        let Some(keep) = self.keeps() else {
            return self.remove_image(target, force, parents);
        };
        let doing = || format!("remove `{target}`");
        let store = self.image_store()?;
        if store.is_damaged(target).doing(doing)? {
            // It could not be restored.
            return self.remove_image(target, force, parents);
        }
        let resolved = store.resolve(target).doing(doing)?;
        let mut object = resolved.image.to_string();
        let mut entry =
            TrashEntry::new(Kind::Image, &object, Vec::new(), String::new(), keep).doing(doing)?;
        let id = entry.id.clone();
        let users = || Ok::<_, Both>(self.image_users()?);
        let mut kept_images = Vec::new();
        let describe = |kept: &image::Kept, size: u64, folder: &Path| {
            // If one of several images is damaged, this may be another one.
            object = kept.image.to_string();
            entry.object.clone_from(&object);
            kept_images.extend(kept.records.iter().map(|record| record.id.clone()));
            entry.name = kept.name();
            entry.names = kept.references.iter().map(|reference| reference.name.to_string()).collect();
            entry.size = Some(size); // a name alone takes no space
            trash::write(folder, &entry).map_err(|error| Both::Store(error.into()))
        };
        let mut removed = store
            .set_aside(target, &id, (force, parents), users, describe)
            .map_err(|error| error.doing(doing))?;
        let mut is_lost = false;
        let mut untold = None;
        for line in &removed {
            let missing = match line {
                Removed::Untagged(name) => self.trash_event("untag", &object, name, &id),
                Removed::Deleted(digest) => {
                    let image = digest.to_string();
                    if kept_images.contains(digest) {
                        self.trash_event("delete", &image, &image, &id)
                    } else {
                        // Damaged: it could not be restored.
                        is_lost = true;
                        self.image_event("delete", &image, &image)
                    }
                }
            };
            untold = untold.or(missing);
        }
        if is_lost {
            removed.extend(self.sweep_images(&store)?.layers.into_iter().map(Removed::Deleted));
        }
        self.empty_what_is_due();
        Ok(Gone { removed, entry: Some(entry), warnings: Warnings(untold.into_iter().collect()) })
    }

    fn trash_event(&self, action: &str, object: &str, name: &str, id: &str) -> Option<String> {
        self.tell_of(Kind::Image, action, object, &[("name", name), ("trash", id)])
    }

    /// Writes an event to the journal. Returns a warning if that fails, which stops nothing.
    pub(super) fn tell_of(
        &self,
        kind: Kind,
        action: &str,
        object: &str,
        attributes: &[(&str, &str)],
    ) -> Option<String> {
        let attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let event = journal::Event::now(kind, action, object, attributes);
        journal::append(&self.paths().journal(), &event).err().as_ref().map(journal::unrecorded)
    }

    fn restore(&self, id: &str, name: Option<&str>) -> Result<Restored> {
        let entry = self.trash_entry(id, || format!("restore `{id}`"))?;
        match entry.kind {
            Kind::Container => self.restore_container(&entry, name),
            Kind::Image => self.restore_image(&entry, name),
            _ => Err(Unknown).doing(|| format!("restore `{}`", entry.name)),
        }
    }

    fn restore_container(&self, entry: &TrashEntry, name: Option<&str>) -> Result<Restored> {
        let doing = || format!("restore `{}`", entry.name);
        let name: Name = name.unwrap_or(&entry.name).parse().doing(doing)?;
        let Some(record) = store::restore(self.paths(), &entry.id, name).doing(doing)? else {
            return Err(NotFound { noun: "trash entry", name: entry.id.clone() }).doing(doing);
        };
        let untold = tell_or_warn(self.paths(), &record, "create", &[("trash", &entry.id)]);
        let names = vec![record.name.as_str().to_owned()];
        let (object, warnings) = (record.id.as_str().to_owned(), Warnings(untold.into_iter().collect()));
        Ok(Restored { kind: Kind::Container, object, names, warnings })
    }

    fn restore_image(&self, entry: &TrashEntry, name: Option<&str>) -> Result<Restored> {
        let doing = || format!("restore `{}`", entry.name);
        let name: Option<Reference> = name.map(str::parse).transpose().map_err(BadName).doing(doing)?;
        if name.as_ref().is_some_and(|name| name.digest().is_some()) {
            return Err(image::Error::Invalid("an image cannot be named by a digest".to_owned()))
                .doing(doing);
        }
        let back = self.image_store()?.put_back(&entry.id, name.as_ref()).doing(doing)?;
        let (object, names) = (back.image.to_string(), back.names.iter().map(ToString::to_string));
        let names: Vec<String> = names.collect();
        let is_nameless = names.is_empty();
        let loaded = is_nameless.then(|| self.trash_event("load", &object, &object, &entry.id)).flatten();
        let tagged = names.iter().map(|name| self.trash_event("tag", &object, name, &entry.id));
        // One warning about an unwritable journal is enough.
        let warnings = Warnings(tagged.fold(loaded, Option::or).into_iter().collect());
        Ok(Restored { kind: Kind::Image, object, names, warnings })
    }

    fn trash_detail(&self, id: &str) -> Result<TrashDetail> {
        let doing = || format!("inspect `{id}`");
        let entry = self.trash_entry(id, doing)?;
        match entry.kind {
            Kind::Container => {
                let record = store::load_aside(&trash::folder(self.paths(), id)).doing(doing)?;
                let status = if record.state.started.is_some() { Status::Exited } else { Status::Created };
                let stored = Stored { record, run: None, status, warnings: Vec::new() };
                Ok(TrashDetail::Container(Box::new(stored.whole_view(self.paths()))))
            }
            Kind::Image => {
                let kept = self.image_store()?.aside(id).doing(doing)?;
                let images = kept.records.into_iter();
                Ok(TrashDetail::Image(
                    images.map(|record| ImageView::new(record, &kept.references)).collect(),
                ))
            }
            _ => Err(Unknown).doing(doing),
        }
    }

    /// Determines and saves the size of an entry, which remains unknown if it cannot be read.
    fn measure_entry(&self, entry: &mut TrashEntry) {
        if entry.size.is_none() {
            let folder = trash::folder(self.paths(), &entry.id);
            if let Ok(usage) = layer::usage(&folder) {
                entry.size = Some(usage.bytes);
                let _ = trash::write(&folder, entry); // it may have been deleted meanwhile
            }
        }
    }

    /// Returns the layers and blobs that the trash needs: the layers of containers, and images.
    pub(super) fn trash_roots(&self) -> Result<image::Roots> {
        let mut roots = image::Roots::default();
        // Read-only: under the images' lock nothing is recovered.
        let images = image::Store::new(self.paths().clone(), false);
        // Check the folders' contents, so that an entry with a damaged `trash.json` keeps its
        // layers.
        for id in trash::folders(self.paths()).doing(|| "read the trash")? {
            let container = store::load_aside(&trash::folder(self.paths(), &id));
            let image = images.aside(&id);
            match (container, image) {
                (Ok(record), _) => roots.layers.extend(record.layers),
                (_, Ok(kept)) => roots.aside.push(kept),
                // Neither exists: leftovers.
                (Err(store::Error::Disk(container)), Err(image::Error::Disk(image)))
                    if container.is_not_found() && image.is_not_found() => {}
                _ => roots.unreadable.push(id),
            }
        }
        Ok(roots)
    }
}

/// A name that is not a valid reference.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct BadName(<Reference as std::str::FromStr>::Err);

impl Explain for BadName {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}
