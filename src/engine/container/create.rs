//! `create`: finds or pulls the image, merges the options, and writes the files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::super::error::{Doing, Result};
use super::super::{Engine, Error, Record, Reporter, blocking};
use super::{CreateRequest, Created, Warnings};
use crate::base::{ContainerId, ErrorKind, Explain, Name, disk};
use crate::container::options::Facts;
use crate::container::record::VERSION;
use crate::container::{ExitState, name, store};
use crate::monitor::journal;
use crate::oci::{ImageId, Platform};
use crate::sys::selinux;

/// Maximum number of generated names to try.
const ATTEMPTS: u32 = 100;

impl Engine {
    /// Creates a container without starting it.
    pub(super) async fn create(&self, request: CreateRequest, reporter: Reporter) -> Result<Created> {
        let platform = request.options.platform.clone();
        let image = self.images().pull_if_missing(&request.image, request.pull, platform, &reporter).await?;
        let engine = self.clone();
        blocking(move || engine.create_from(request, &image)).await
    }

    fn create_from(&self, request: CreateRequest, image: &ImageId) -> Result<Created> {
        let doing = || match &request.name {
            Some(name) => format!("create container `{name}`"),
            None => "create a container".to_owned(),
        };
        let id = ContainerId::random()
            .map_err(disk::Error::io("generate an ID for", "a container"))
            .doing(doing)?;
        let detail = self.image_detail(&image.to_string())?;
        let uname = rustix::system::uname();
        let facts = Facts {
            id: &id,
            host_name: &uname.nodename().to_string_lossy(),
            platform: &detail.image.platform,
        };
        let config = detail.config();
        let config = config.doing(|| format!("read the configuration of {}", detail.image.id.short()))?;
        let config = request.options.resolve(&config, &facts).doing(doing)?;
        let mut warnings = foreign(&detail.image.platform, request.options.platform.as_ref());
        if selinux::is_enabled() {
            warnings.extend(config.mounts.unlabelled());
        }
        let layers = self.paths().layers();
        let relative = |folder: PathBuf| folder.strip_prefix(&layers).map(PathBuf::from).unwrap_or(folder);
        let mut record = Record {
            version: VERSION,
            name: first_name(request.name.as_ref()).doing(doing)?,
            created: Timestamp::now(),
            image: request.image,
            image_id: image.clone(),
            layers: detail.folders.into_iter().map(relative).collect(),
            options: request.options,
            config,
            state: ExitState::default(),
            unknown: BTreeMap::new(),
            id,
        };
        let is_chosen = request.name.is_some();
        let lock = self.claim(&mut record, is_chosen).map_err(|error| match request.name {
            Some(name) => Error::new(format!("create container `{name}`"), error),
            None => Error::new("create a container", error),
        })?;
        // From here on the image is in use, but it may have been removed just before.
        if let Err(error) = self.image_detail(&image.to_string()) {
            let _ = store::remove(self.paths(), &record).and_then(|discarded| store::delete(&discarded));
            return Err(error);
        }
        drop(lock);
        warnings.extend(journal::tell_or_warn(self.paths(), &record, "create", &[]));
        Ok(Created { id: record.id, name: record.name, warnings: Warnings(warnings) })
    }

    /// Writes the record under its name. If a generated name is taken, tries another one.
    fn claim(&self, record: &mut Record, is_chosen: bool) -> std::result::Result<disk::Lock, store::Error> {
        let mut attempt = 1;
        loop {
            match store::create(self.paths(), record) {
                Err(store::Error::NameInUse { .. }) if !is_chosen && attempt < ATTEMPTS => {
                    record.name = name::random(attempt)
                        .map_err(disk::Error::io("generate a name for", "a container"))?;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }
}

/// Returns Docker's warning about an image for a platform that this machine cannot run natively.
fn foreign(image: &Platform, wanted: Option<&Platform>) -> Vec<String> {
    let host = Platform::detected();
    let is_foreign = (&image.os, &image.arch) != (&host.os, &host.arch);
    let warning = format!(
        "The requested image's platform ({image}) does not match the detected host platform ({host}) and no \
         specific platform was requested"
    );
    (is_foreign && wanted.is_none()).then_some(warning).into_iter().collect()
}

fn first_name(chosen: Option<&Name>) -> std::result::Result<Name, NoName> {
    match chosen {
        Some(name) => Ok(name.clone()),
        None => name::random(0).map_err(NoName),
    }
}

/// The kernel returned no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("cannot generate a name")]
struct NoName(#[source] std::io::Error);

impl Explain for NoName {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_another_machine_is_warned_of_unless_it_was_asked_for() {
        let image: Platform = "linux/s390x".parse().unwrap();
        let host = Platform::detected();
        assert_eq!(
            foreign(&image, None),
            [format!(
                "The requested image's platform (linux/s390x) does not match the detected host platform ({host}) \
                 and no specific platform was requested"
            )]
        );
        assert!(foreign(&image, Some(&image)).is_empty());
        assert!(foreign(&Platform::host(), None).is_empty());
    }
}
