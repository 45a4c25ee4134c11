//! Pull: adds an image from a registry to the store.
//!
//! ```text
//! head ── same digest, complete ──▶ up to date
//!   └─▶ resolve (index → manifest) ─▶ configuration (diffIDs)
//!         ─▶ layers, four at a time: download ∥ verify ∥ inflate ∥ unpack
//!         ─▶ commit: one syncfs, then the record, then the name
//! ```
//! Nothing is visible until the commit. A killed or cancelled pull leaves complete layers and
//! `.part` files, which the next pull continues.

mod layer;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;

use super::registries::Registries;
use super::{Doing, Engine, ErrorKind, Explain, Images, Phase, PullPolicy, Reporter, Result, blocking};
use crate::image::known::{Known, here, known};
use crate::image::{self, Commit, Lease, Store};
use crate::oci::{Digest, ImageId, Platform, Reference};
use crate::registry::{self, Repository, Resolved};
use layer::{Failure, Job};

/// Maximum number of layers downloaded at the same time.
const AT_ONCE: usize = 4;

/// How to pull.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullOptions {
    /// The platform; `None` means this machine's.
    pub platform: Option<Platform>,
}

/// The result of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The id of the image.
    pub image: ImageId,
    /// The digest in the registry, which may be that of an index.
    pub digest: Digest,
    /// Whether anything has changed.
    pub status: PullStatus,
}

/// Whether a pull changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullStatus {
    /// The reference is new, or referred to another image before.
    Downloaded,
    /// The reference already referred to this image.
    UpToDate,
}

impl Images<'_> {
    /// Pulls an image. Dropping the future stops the work.
    ///
    /// Docker's lines (`latest: Pulling from …`, `Digest: …`, `Status: …`) are sent to `reporter`
    /// as notes, and each layer as a part.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if the registry has no such image or none for the platform,
    /// [`ErrorKind::Denied`] without valid credentials, [`ErrorKind::Unreachable`] after the last
    /// attempt, [`ErrorKind::Corrupt`] for invalid data, [`ErrorKind::Interrupted`] if `reporter`
    /// is cancelled. No image is added then.
    pub async fn pull(
        &self,
        reference: &Reference,
        options: PullOptions,
        reporter: Reporter,
    ) -> Result<Pulled> {
        pull(self.engine, reference, options, &reporter).await
    }

    /// Returns the image for `word` (a reference or an id), pulled according to `policy`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if it is missing and may not be pulled or is given by id; otherwise
    /// as for [`Self::pull`].
    pub async fn pull_if_missing(
        &self,
        word: &str,
        policy: PullPolicy,
        platform: Option<Platform>,
        reporter: &Reporter,
    ) -> Result<ImageId> {
        pull_if_missing(self.engine, word, policy, platform, reporter).await
    }
}

async fn pull(
    engine: &Engine,
    reference: &Reference,
    options: PullOptions,
    reporter: &Reporter,
) -> Result<Pulled> {
    let (engine, reference) = (engine.clone(), reference.clone());
    let stop = StopOnDrop::new(reporter);
    let reporter = stop.reporter();
    let pulled = blocking(move || {
        let doing = || format!("pull `{reference}`");
        let pull = Pull {
            store: engine.image_store_to_fill()?,
            reference: &reference,
            options: &options,
            reporter: &reporter,
        };
        let pulled = pull.run(&engine.inner.registries).doing(doing)?;
        let untold = engine.image_event("pull", &reference.to_string(), &reference.familiar_name());
        untold.into_iter().for_each(|untold| reporter.warn(untold));
        Ok(pulled)
    });
    pulled.await
}

async fn pull_if_missing(
    engine: &Engine,
    word: &str,
    policy: PullPolicy,
    platform: Option<Platform>,
    reporter: &Reporter,
) -> Result<ImageId> {
    if policy != PullPolicy::Always {
        let (engine, word, wanted) = (engine.clone(), word.to_owned(), platform.clone());
        let here = blocking(move || {
            here(&engine.image_store()?, &word, wanted.as_ref()).doing(|| format!("use the image `{word}`"))
        });
        match here.await {
            Err(error) if error.kind() == ErrorKind::NotFound && policy == PullPolicy::Missing => {}
            found => return found,
        }
    }
    let reference: Reference = word.parse().doing(|| format!("pull `{word}`"))?;
    if policy == PullPolicy::Missing {
        reporter.note(format!("Unable to find image '{reference}' locally"));
    }
    Ok(pull(engine, &reference, PullOptions { platform }, reporter).await?.image)
}

/// Cancels the work when dropped, because nobody waits for it.
pub(super) struct StopOnDrop(Reporter);

impl StopOnDrop {
    pub(super) fn new(reporter: &Reporter) -> Self {
        let whole = reporter.clone();
        Self(reporter.part(move |news| whole.report(news)))
    }

    /// Returns the reporter of the work, which also cancels it.
    pub(super) fn reporter(&self) -> Reporter {
        self.0.clone()
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// A pull failed.
#[derive(Debug, thiserror::Error)]
enum PullError {
    #[error(transparent)]
    Registry(#[from] registry::Error),
    #[error(transparent)]
    Image(#[from] image::Error),
    #[error("cannot start the network runtime")]
    Runtime(#[source] std::io::Error),
    #[error("the image's configuration lists {diff_ids} layers, but its manifest lists {layers}")]
    LayerCount { diff_ids: usize, layers: usize },
}

impl From<Failure> for PullError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Registry(error) => Self::Registry(error),
            Failure::Image(error) => Self::Image(error),
        }
    }
}

impl Explain for PullError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Registry(error) => error.kind(),
            Self::Image(error) => error.kind(),
            Self::Runtime(_) => ErrorKind::Internal,
            Self::LayerCount { .. } => ErrorKind::Corrupt,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Runtime(_) | Self::LayerCount { .. } => None,
        }
    }
}

/// A pull, on a thread that may block.
struct Pull<'a> {
    store: Store,
    reference: &'a Reference,
    options: &'a PullOptions,
    reporter: &'a Reporter,
}

impl Pull<'_> {
    fn run(&self, registries: &Registries) -> std::result::Result<Pulled, PullError> {
        let runtime = &registries.runtime().map_err(PullError::Runtime)?;
        let repository = registries.client().repository(self.reference);
        let known = known(&self.store, self.reference, self.options.platform.as_ref())?;
        let name = self
            .reference
            .digest()
            .map_or_else(|| self.reference.tag().unwrap_or_default().to_owned(), Digest::to_string);
        self.reporter.note(format!("{name}: Pulling from {}", self.reference.repository()));
        let pulled = match self.up_to_date(known.as_ref(), &repository, runtime)? {
            Some(pulled) => pulled,
            None => self.fetch(known.as_ref(), &repository, runtime)?,
        };
        self.reporter.note(format!("Digest: {}", pulled.digest));
        self.reporter.note(match pulled.status {
            PullStatus::Downloaded => format!("Status: Downloaded newer image for {}", self.reference),
            PullStatus::UpToDate => format!("Status: Image is up to date for {}", self.reference),
        });
        Ok(pulled)
    }

    fn wanted(&self) -> Platform {
        self.options.platform.clone().unwrap_or_else(Platform::host)
    }

    /// Returns the local image if the registry has nothing newer. The meaning of a digest never
    /// changes; for a tag a HEAD request suffices, which registries do not count as a pull.
    fn up_to_date(
        &self,
        known: Option<&Known>,
        repository: &Repository,
        runtime: &Handle,
    ) -> std::result::Result<Option<Pulled>, PullError> {
        let Some(Known { image, target: Some(target), is_whole: true, is_exact: true }) = known else {
            return Ok(None);
        };
        let named = match self.reference.digest() {
            Some(digest) => Some(digest.clone()),
            None => match runtime.block_on(repository.head(self.reporter)) {
                Err(error @ registry::Error::Cancelled) => return Err(error.into()),
                // On any other problem, the full request reports a better error.
                answer => answer.ok().flatten(),
            },
        };
        let (image, digest) = (image.clone(), target.clone());
        Ok((named.as_ref() == Some(target)).then_some(Pulled { image, digest, status: PullStatus::UpToDate }))
    }

    fn fetch(
        &self,
        known: Option<&Known>,
        repository: &Repository,
        runtime: &Handle,
    ) -> std::result::Result<Pulled, PullError> {
        let resolved = runtime.block_on(repository.resolve(&self.wanted(), self.reporter))?;
        let config = match self.store.config_bytes(&resolved.manifest.config.digest) {
            Ok(config) => config,
            Err(_) => runtime.block_on(repository.config(&resolved.manifest.config, self.reporter))?,
        };
        self.check_platform(&config)?;
        let diff_ids = image::commit::diff_ids(&config)?;
        let layers = resolved.manifest.layers.len();
        if diff_ids.len() != layers {
            return Err(PullError::LayerCount { diff_ids: diff_ids.len(), layers });
        }
        let lease = self.store.lease()?;
        self.fetch_layers(&lease, &resolved, &diff_ids, repository, runtime)?;
        let image = self.commit(&lease, &resolved, &config)?;
        let is_same = known.is_some_and(|known| known.image == image && known.is_whole);
        let status = if is_same { PullStatus::UpToDate } else { PullStatus::Downloaded };
        Ok(Pulled { image, digest: resolved.target, status })
    }

    /// Checks the platform of an image. If no index selected it, it may be for another machine.
    fn check_platform(&self, config: &[u8]) -> std::result::Result<(), PullError> {
        let Some(offered) = image::config::platform(config) else { return Ok(()) }; // the commit reports it
        let wanted = self.wanted();
        match (wanted.fit(&offered), &self.options.platform) {
            (Some(_), _) => Ok(()),
            (None, Some(_)) => Err(registry::Error::NoPlatform { wanted, offered: vec![offered] }.into()),
            (None, None) => {
                self.reporter.warn(format!("the image is for {offered}, but this machine is {wanted}"));
                Ok(())
            }
        }
    }

    fn fetch_layers(
        &self,
        lease: &Lease,
        resolved: &Resolved,
        diff_ids: &[Digest],
        repository: &Repository,
        runtime: &Handle,
    ) -> std::result::Result<(), PullError> {
        let whole = self.reporter.clone();
        let reporter = &self.reporter.part(move |news| whole.report(news));
        let mut seen = HashSet::new();
        let parts =
            resolved.manifest.layers.iter().zip(diff_ids).filter(|(_, diff_id)| seen.insert(*diff_id));
        let mut jobs = Vec::new();
        for (part, diff_id) in parts {
            let registry = self.reference.registry();
            let job = Job {
                store: &self.store,
                lease,
                repository,
                runtime,
                registry,
                blob: &part.blob,
                diff_id,
                reporter,
            };
            let limit = self.store.limits().layer;
            if part.blob.size > limit {
                let what = format!("the layer {}", part.blob.digest.short());
                return Err(image::Error::TooLarge { what, limit }.into());
            }
            if self.store.protect_layer(lease, diff_id)? {
                self.store.forget_part(&part.blob.digest);
                job.tell(Phase::Exists, part.blob.size);
            } else {
                job.tell(Phase::Waiting, 0);
                jobs.push(job);
            }
        }
        let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
        let work = || {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(failure) = layer::fetch(job) {
                    // The other threads now fail too, but only because of this failure.
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                    reporter.cancel();
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..AT_ONCE.min(jobs.len()) {
                // If no more threads are available, fewer do the work.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(failure) => Err(failure.into()),
            None => Ok(()),
        }
    }

    fn commit(
        &self,
        lease: &Lease,
        resolved: &Resolved,
        config: &[u8],
    ) -> std::result::Result<ImageId, PullError> {
        if self.reporter.is_cancelled() {
            return Err(registry::Error::Cancelled.into());
        }
        for document in &resolved.documents {
            self.store.protect_blob(lease, &document.digest)?;
            self.store.put_blob_as(&document.bytes, &document.digest)?;
        }
        let commit = Commit {
            config,
            manifest: resolved.documents.last().map(|document| &document.bytes[..]),
            target: Some(&resolved.target),
            names: std::slice::from_ref(self.reference),
            ..Commit::default()
        };
        Ok(self.store.commit(lease, &commit)?)
    }
}
