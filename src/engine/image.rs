//! The verbs of images.

use super::error::{Doing, Error, Result};
use super::pull::StopOnDrop;
use super::{Damaged, Engine, Fate, Gone, ImageRemoval, Listing, Reporter, Warnings, blocking};
use crate::base::error::one_line;
use crate::base::journal;
use crate::container;
use crate::image::view::history;
use crate::image::{self, Roots, Store};
use crate::oci::{ImageId, Reference};
use crate::sys::probe::Probe;

pub use crate::image::host::{DEFAULT_PROGRAMS, default_programs};
pub use crate::image::import::ImportRequest;
pub use crate::image::load::Loaded;
pub use crate::image::view::{HistoryEntry, ImageDetail, ImageView};
pub use crate::image::{Force, Input, Parents, Removed, Swept};

/// The verbs of images. A `target` is a name, an id or a prefix of an id.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    pub(super) engine: &'a Engine,
}

impl Engine {
    /// Returns the verbs of images.
    #[must_use]
    pub fn images(&self) -> Images<'_> {
        Images { engine: self }
    }

    /// Opens the content store for reading.
    pub(crate) fn image_store(&self) -> Result<Store> {
        let probe = Probe::now().doing(|| "determine what this kernel supports")?;
        let store =
            Store::new(self.paths().clone(), probe.in_user_namespace).with_limits(self.settings().limits);
        // On a full or read-only disk, leftovers remain, which is harmless.
        if let Err(error) = store.finish_interrupted_moves().and_then(|()| store.tidy()) {
            tracing::debug!(%error, "cannot clean up what a killed process left in the image store");
        }
        Ok(store)
    }

    /// Opens the content store for writing. After a crash of the machine, unreferenced content is
    /// not trusted, since it may not have reached the disk.
    pub(crate) fn image_store_to_fill(&self) -> Result<Store> {
        let store = self.image_store()?;
        let doing = || "prepare the image store";
        if !store.is_of_this_boot().doing(doing)? {
            self.sweep_images(&store)?;
            store.mark_boot().doing(doing)?;
        }
        Ok(store)
    }

    /// Returns the layers of all containers, then what the trash needs. In this order, a container
    /// moved to the trash meanwhile is seen at least once. None can be moved back under the images'
    /// lock, which the sweep holds.
    fn image_roots(&self) -> Result<Roots> {
        let (records, unreadable) = self.container_records()?;
        let mut roots = self.trash_roots()?;
        roots.layers.extend(records.into_iter().flat_map(|record| record.layers));
        roots.unreadable.extend(unreadable);
        Ok(roots)
    }

    /// Returns the records of all containers, and the names of the unreadable ones.
    pub(super) fn container_records(&self) -> Result<(Vec<container::Record>, Vec<String>)> {
        container::store::records(self.paths()).doing(|| "read the containers")
    }

    /// Returns the users of images. Records are read without locks, but under the images' lock.
    pub(super) fn image_users(&self) -> Result<Vec<image::User>> {
        let user = |record: container::Record| {
            let run = container::store::load_run(self.paths(), &record.id).ok().flatten();
            // A run without live processes is one that nobody has settled yet.
            let is_alive = |run: &container::Run| run.init().unwrap_or(run.monitor()).is_alive();
            let is_running = run.is_some_and(|run| run.status.is_up() && is_alive(&run));
            image::User { container: record.id.short().to_owned(), image: record.image_id, is_running }
        };
        // Unreadable containers are not counted, but their layers are kept in any case.
        Ok(self.container_records()?.0.into_iter().map(user).collect())
    }

    /// Writes an image event to the journal. Returns a warning if that fails, which stops nothing.
    pub(crate) fn image_event(&self, action: &str, id: &str, name: &str) -> Option<String> {
        self.tell_of(journal::Kind::Image, action, id, &[("name", name)])
    }
}

impl Images<'_> {
    /// Returns all complete images, newest first.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn list(&self) -> Result<Vec<ImageView>> {
        Ok(self.listing().await?.whole)
    }

    /// Returns the same list, along with the images and names whose files are unreadable or lost.
    ///
    /// # Errors
    ///
    /// As for [`Self::list`].
    pub async fn listing(&self) -> Result<Listing<ImageView>> {
        let engine = self.engine.clone();
        blocking(move || {
            engine.empty_what_is_due();
            let store = engine.image_store()?;
            let seen = store.survey().doing(|| "list images")?;
            let stuck = store.stuck().doing(|| "list images")?;
            let not_back = |why: &crate::base::disk::Error| {
                format!(
                    "an image whose move to the trash was interrupted cannot be put back: {}",
                    one_line(why)
                )
            };
            let told = |one: image::Damaged| {
                let id = one.image.as_ref().map(ToString::to_string).unwrap_or_default();
                let name = one.name.as_ref().map(ToString::to_string);
                let name = name.or_else(|| one.image.is_none().then(|| one.called()));
                Damaged::new(&id, name, &one.why)
            };
            let name_of = |image: &ImageId| seen.references.iter().find(|one| one.names(image));
            let incomplete = seen.incomplete.iter().map(|(image, lost)| {
                let name = name_of(&image.id).map(|one| one.name.to_string());
                Damaged::new(&image.id.to_string(), name, lost)
            });
            let damaged = seen.damaged.into_iter().map(told).chain(incomplete).collect();
            let unread =
                |error: &crate::base::disk::Error| format!("an image cannot be read: {}", one_line(error));
            Ok(Listing {
                whole: seen
                    .images
                    .into_iter()
                    .map(|record| ImageView::new(record, &seen.references))
                    .collect(),
                damaged,
                warnings: seen.unread.iter().map(unread).chain(stuck.iter().map(not_back)).collect(),
            })
        })
        .await
    }

    /// Returns one image.
    ///
    /// # Errors
    ///
    /// `No such image: x`.
    pub async fn get(&self, target: &str) -> Result<ImageView> {
        Ok(self.inspect(target).await?.image)
    }

    /// Returns one image with all details.
    ///
    /// # Errors
    ///
    /// `No such image: x`.
    pub async fn inspect(&self, target: &str) -> Result<ImageDetail> {
        let (engine, target) = (self.engine.clone(), target.to_owned());
        blocking(move || engine.image_detail(&target)).await
    }

    /// Returns the history of an image, newest line first.
    ///
    /// # Errors
    ///
    /// `No such image: x`.
    pub async fn history(&self, target: &str) -> Result<Vec<HistoryEntry>> {
        let (engine, target) = (self.engine.clone(), target.to_owned());
        blocking(move || {
            let detail = engine.image_detail(&target)?;
            let store = engine.image_store()?;
            Ok(history(&detail, &store))
        })
        .await
    }

    /// Gives an image, or what a name refers to, another name, which is moved if it is already in
    /// use.
    ///
    /// # Errors
    ///
    /// `No such image: x`.
    pub async fn tag(&self, target: &str, name: Reference) -> Result<Warnings> {
        let (engine, target) = (self.engine.clone(), target.to_owned());
        blocking(move || {
            let store = engine.image_store()?;
            let doing = || format!("tag `{target}`");
            let resolved = store.resolve(&target).doing(doing)?;
            store.tag(&resolved, &name).doing(doing)?;
            let untold = engine.image_event("tag", &resolved.image.to_string(), &name.to_string());
            Ok(Warnings(untold.into_iter().collect()))
        })
        .await
    }

    /// Removes a name, and with its last name the image; or, by id, the image with all its names.
    /// Layers of an image in the trash are kept until it leaves the trash.
    ///
    /// # Errors
    ///
    /// `No such image: x`, and conflicts in Docker's words.
    pub async fn remove(&self, target: &str, removal: ImageRemoval) -> Result<Gone> {
        let (engine, target) = (self.engine.clone(), target.to_owned());
        let ImageRemoval { fate, force, parents } = removal;
        blocking(move || match fate {
            Fate::Gone => engine.remove_image(&target, force, parents),
            Fate::Trash => engine.trash_image(&target, force, parents),
        })
        .await
    }

    /// Removes everything that no image, container or unfinished pull needs.
    ///
    /// # Errors
    ///
    /// If something cannot be read or removed.
    pub async fn sweep(&self) -> Result<Swept> {
        let engine = self.engine.clone();
        blocking(move || {
            let store = engine.image_store()?;
            engine.sweep_images(&store)
        })
        .await
    }

    /// Loads the images of an archive: Docker's formats, old and new, or an OCI layout. Dropping
    /// the future stops the work.
    ///
    /// # Errors
    ///
    /// If the archive is invalid or damaged. Images already loaded remain.
    pub async fn load(&self, input: Input, reporter: Reporter) -> Result<Vec<Loaded>> {
        let engine = self.engine.clone();
        let stop = StopOnDrop::new(&reporter);
        let reporter = stop.reporter();
        blocking(move || {
            let store = engine.image_store_to_fill()?;
            let doing = format!("load images from {}", input.called());
            let loaded = image::load::load(&store, input, &reporter).doing(|| doing)?;
            for one in &loaded {
                let id = one.image.to_string();
                let loaded = engine.image_event("load", &id, &id);
                let tagged = one.names.iter().map(|name| engine.image_event("tag", &id, &name.to_string()));
                // One warning about an unwritable journal is enough.
                tagged.fold(loaded, Option::or).into_iter().for_each(|untold| reporter.warn(untold));
            }
            Ok(loaded)
        })
        .await
    }

    /// Creates an image from the tar of a root file system. Dropping the future stops the work.
    ///
    /// # Errors
    ///
    /// If the tar or a change is malformed.
    pub async fn import(&self, request: ImportRequest, reporter: Reporter) -> Result<ImageId> {
        let engine = self.engine.clone();
        let stop = StopOnDrop::new(&reporter);
        let reporter = stop.reporter();
        blocking(move || {
            let store = engine.image_store_to_fill()?;
            let doing = format!("import {}", request.input.called());
            let id = image::import::import(&store, request, &reporter).doing(|| doing)?;
            let untold = engine.image_event("import", &id.to_string(), &id.to_string());
            untold.into_iter().for_each(|untold| reporter.warn(untold));
            Ok(id)
        })
        .await
    }

    /// Creates an image from programs of this machine, with the libraries they need.
    ///
    /// # Errors
    ///
    /// If a program or library is missing.
    pub async fn from_host(
        &self,
        name: Reference,
        programs: Vec<String>,
        reporter: Reporter,
    ) -> Result<ImageId> {
        let engine = self.engine.clone();
        blocking(move || {
            let store = engine.image_store_to_fill()?;
            let doing = || format!("create `{name}` from this machine's programs");
            let id = image::host::from_host(&store, &name, &programs, &reporter).doing(doing)?;
            let untold = engine.image_event("import", &id.to_string(), &name.to_string());
            untold.into_iter().for_each(|untold| reporter.warn(untold));
            Ok(id)
        })
        .await
    }
}

/// An error of the store, or one that already says what was being done.
pub(super) enum Both {
    Store(image::Error),
    Engine(Error),
}

impl From<image::Error> for Both {
    fn from(error: image::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Both {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl Both {
    pub(super) fn doing(self, what: impl FnOnce() -> String) -> Error {
        match self {
            Self::Store(why) => Error::new(what(), why),
            Self::Engine(error) => error,
        }
    }
}

impl Engine {
    pub(super) fn remove_image(&self, target: &str, force: Force, parents: Parents) -> Result<Gone> {
        let doing = || format!("remove `{target}`");
        let store = self.image_store()?;
        let id = store.resolve(target).map(|found| found.image.to_string());
        let users = || Ok::<_, Both>(self.image_users()?);
        let mut removed = store.remove(target, force, parents, users).map_err(|e| e.doing(doing))?;
        let mut untold = None;
        for line in &removed {
            let missing = match line {
                Removed::Untagged(name) => self.image_event("untag", id.as_deref().unwrap_or(target), name),
                Removed::Deleted(id) => self.image_event("delete", &id.to_string(), &id.to_string()),
            };
            untold = untold.or(missing);
        }
        if removed.iter().any(|line| matches!(line, Removed::Deleted(_))) {
            let swept = self.sweep_images(&store)?;
            removed.extend(swept.layers.into_iter().map(Removed::Deleted));
        }
        Ok(Gone { removed, entry: None, warnings: Warnings(untold.into_iter().collect()) })
    }

    pub(super) fn sweep_images(&self, store: &Store) -> Result<Swept> {
        store
            .sweep(|| self.image_roots().map_err(Both::from))
            .map_err(|error: Both| error.doing(|| "sweep the image store".to_owned()))
    }

    /// Returns an image with all details, for callers on a blocking thread.
    pub(crate) fn image_detail(&self, target: &str) -> Result<ImageDetail> {
        let store = self.image_store()?;
        ImageDetail::of(&store, target).doing(|| format!("inspect `{target}`"))
    }
}
