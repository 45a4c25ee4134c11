//! Removes names and images by Docker's rules.

use super::damaged::Damaged;
use super::error::{Error, Result};
use super::record::{Record, Reference};
use super::refs::Resolved;
use super::store::{Store, remove_file};
use crate::base::disk;
use crate::oci::{Digest, ImageId};

/// A container that uses an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The container's id, as short as Docker prints it.
    pub container: String,
    /// Its image.
    pub image: ImageId,
    /// Whether it is running; then the removal cannot be forced.
    pub is_running: bool,
}

/// A line of the removal's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A name: `debian:latest`, `debian@sha256:…`.
    Untagged(String),
    /// An image or a layer.
    Deleted(Digest),
}

/// Whether a removal is forced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Removes only what is not in use.
    No,
    /// Removes several names at once, and images of stopped containers.
    Yes,
}

/// What happens to untagged parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parents {
    /// They are removed too.
    Prune,
    /// They stay.
    Keep,
}

/// A planned removal.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Names with the images that they lose. Some names stay, with other images.
    pub(super) references: Vec<Reference>,
    /// Names that stay, with their remaining images.
    pub(super) left: Vec<Reference>,
    /// Images to remove, children before their parents.
    pub(super) records: Vec<Record>,
    /// Unreadable files to remove.
    pub(super) damaged: Vec<Damaged>,
    /// The report on all but the unreadable files, in Docker's order.
    pub(super) removed: Vec<Removed>,
}

impl Store {
    /// Removes the name `word` and those of its images that have no other name. If `word` is an id,
    /// removes the image from all its names, and the names without another image. The next
    /// [`Store::sweep`] removes the layers.
    ///
    /// Calls `users` under the images' lock.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`]; [`Error::InUse`] in Docker's words.
    pub fn remove<E: From<Error>>(
        &self,
        word: &str,
        force: Force,
        parents: Parents,
        users: impl FnOnce() -> std::result::Result<Vec<User>, E>,
    ) -> std::result::Result<Vec<Removed>, E> {
        let _images = self.lock_images()?;
        let plan = self.plan_removal(word, force, parents, users)?;
        let mut removed = self.remove_damaged(&plan.damaged)?;
        self.take_away(&plan.references, &plan.left, &plan.records)?;
        disk::sync_folders(self.changed(&plan.references, &plan.records)).map_err(Error::from)?;
        removed.extend(plan.removed);
        Ok(removed)
    }

    /// Plans a removal. The caller holds the images' lock.
    pub(super) fn plan_removal<E: From<Error>>(
        &self,
        word: &str,
        force: Force,
        parents: Parents,
        users: impl FnOnce() -> std::result::Result<Vec<User>, E>,
    ) -> std::result::Result<Plan, E> {
        let meant = self.meant(word)?;
        let mut plan = Plan { damaged: meant.damaged, ..Plan::default() };
        let resolved = match (plan.damaged.first(), meant.rest) {
            (None, _) => Some(self.resolve(word)?),
            (Some(_), rest) => {
                rest.map(|rest| Resolved { image: rest.images[0].image.clone(), reference: Some(rest) })
            }
        };
        let users = users()?;
        for image in plan.damaged.iter().filter_map(|damaged| damaged.image.as_ref()) {
            self.refuse_delete(image, force, &users, &[])?;
        }
        let Some(resolved) = resolved else { return Ok(plan) };
        for image in self.untag(word, &resolved, force, &users, &mut plan)? {
            self.delete(&image, force, parents, &users, &mut plan)?;
        }
        Ok(plan)
    }

    /// Removes names and records; names first, so that none is left without its image. The caller
    /// holds the images' lock.
    pub(super) fn take_away(
        &self,
        references: &[Reference],
        left: &[Reference],
        records: &[Record],
    ) -> Result<()> {
        for reference in references {
            match left.iter().find(|left| left.name == reference.name) {
                Some(left) => self.rewrite_reference(left)?,
                None => self.remove_reference(&reference.name)?,
            }
        }
        for record in records {
            remove_file(&self.record_path(&record.id))?;
        }
        Ok(())
    }

    /// Plans which names to remove, and returns the images that are removed with them.
    fn untag(
        &self,
        word: &str,
        resolved: &Resolved,
        force: Force,
        users: &[User],
        plan: &mut Plan,
    ) -> Result<Vec<ImageId>> {
        let all = self.references()?;
        let Some(meant) = &resolved.reference else {
            return self.untag_image(&resolved.image, force, &all, plan);
        };
        let others = || all.iter().filter(|other| other.name != meant.name);
        let is_last = |image: &ImageId| !others().any(|other| other.names(image));
        let going: Vec<ImageId> = meant.images.iter().map(|one| one.image.clone()).filter(is_last).collect();
        for image in going.iter().filter(|_| force == Force::No) {
            refuse_used(word, image, users)?;
        }
        let shared: Vec<_> =
            others().filter(|other| meant.images.iter().any(|one| other.names(&one.image))).collect();
        plan.untag(meant, &shared);
        Ok(going)
    }

    /// Plans to remove an image from all its names.
    fn untag_image(
        &self,
        image: &ImageId,
        force: Force,
        all: &[Reference],
        plan: &mut Plan,
    ) -> Result<Vec<ImageId>> {
        let names: Vec<&Reference> = all.iter().filter(|name| name.names(image)).collect();
        if names.len() > 1 && force == Force::No {
            let short = image.short();
            return Err(in_use(
                format!(
                    "conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"
                ),
                Some("remove each of its names, or use `-f`".to_owned()),
            ));
        }
        for name in &names {
            match name.only(|one| one.image != *image) {
                None => {
                    let others: Vec<_> =
                        names.iter().copied().filter(|other| other.name != name.name).collect();
                    plan.untag(name, &others);
                }
                Some(rest) => {
                    plan.references.extend(name.only(|one| one.image == *image));
                    plan.left.push(rest);
                }
            }
        }
        Ok(vec![image.clone()])
    }

    /// Fails if something other than a name needs the image. Children in `gone` do not count.
    pub(super) fn refuse_delete(
        &self,
        image: &ImageId,
        force: Force,
        users: &[User],
        gone: &[Record],
    ) -> Result<()> {
        let short = image.short();
        let mine = || users.iter().filter(|user| user.image == *image);
        if let Some(user) = mine().find(|user| user.is_running) {
            return Err(in_use(
                format!(
                    "conflict: unable to delete {short} (cannot be forced) - image is being used by running container {}",
                    user.container
                ),
                Some(format!("stop the container first: `hoist stop {}`", user.container)),
            ));
        }
        let stays = |other: &Record| !gone.iter().any(|gone| gone.id == other.id);
        if self.images()?.iter().any(|other| other.parent.as_ref() == Some(image) && stays(other)) {
            let why = "image has dependent child images";
            return Err(in_use(
                format!("conflict: unable to delete {short} (cannot be forced) - {why}"),
                None,
            ));
        }
        match mine().next() {
            Some(user) if force == Force::No => Err(in_use(
                format!(
                    "conflict: unable to delete {short} (must be forced) - image is being used by stopped container {}",
                    user.container
                ),
                Some(format!("remove the container first: `hoist rm {}`", user.container)),
            )),
            _ => Ok(()),
        }
    }

    fn delete(
        &self,
        image: &ImageId,
        force: Force,
        parents: Parents,
        users: &[User],
        plan: &mut Plan,
    ) -> Result<()> {
        self.refuse_delete(image, force, users, &plan.records)?;
        let record = self.image(image)?;
        let parent = record.parent.clone();
        plan.records.push(record);
        plan.removed.push(Removed::Deleted(image.clone()));
        let Some(parent) = parent.filter(|_| parents == Parents::Prune) else { return Ok(()) };
        let is_named = self.references()?.iter().any(|name| name.names(&parent));
        let is_free = !is_named && self.refuse_delete(&parent, Force::No, users, &plan.records).is_ok();
        match is_free && self.image(&parent).is_ok() {
            true => self.delete(&parent, Force::No, parents, users, plan),
            false => Ok(()),
        }
    }
}

impl Plan {
    /// Returns the size of the removed images in bytes. A child's size includes its parent's.
    pub(super) fn size(&self) -> u64 {
        let is_parent =
            |one: &&Record| self.records.iter().any(|other| other.parent.as_ref() == Some(&one.id));
        self.records.iter().filter(|one| !is_parent(one)).map(|record| record.size).sum()
    }

    /// Plans to remove a name. `others` are further names of the same images, under which a
    /// registry's digest may still be known.
    fn untag(&mut self, name: &Reference, others: &[&Reference]) {
        self.references.push(name.clone());
        self.removed.push(Removed::Untagged(name.name.to_string()));
        let is_known = others.iter().any(|other| other.repo_digest() == name.repo_digest());
        let digest = name.repo_digest().filter(|digest| !is_known && *digest != name.name.to_string());
        self.removed.extend(digest.map(Removed::Untagged));
    }
}

fn refuse_used(word: &str, image: &ImageId, users: &[User]) -> Result<()> {
    let Some(user) = users.iter().find(|user| user.image == *image) else { return Ok(()) };
    let (container, short) = (&user.container, image.short());
    let why = format!(
        "conflict: unable to remove repository reference \"{word}\" (must force) - container {container} is using its referenced image {short}"
    );
    Err(in_use(why, Some(format!("remove the container first: `hoist rm {container}`"))))
}

fn in_use(why: String, hint: Option<String>) -> Error {
    Error::InUse { why, hint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Paths;
    use crate::image::Commit;
    use crate::oci::Reference as Name;

    /// Creates a store with an image without layers under these names.
    fn store(dir: &tempfile::TempDir, names: &[&str], target: Option<&Digest>) -> (Store, ImageId) {
        let store = Store::new(Paths::new(dir.path().join("root"), dir.path().join("run")), false);
        let names: Vec<Name> = names.iter().map(|name| name.parse().unwrap()).collect();
        let config = br#"{"rootfs":{"type":"layers"}}"#;
        let commit = Commit { config, names: &names, target, ..Commit::default() };
        let id = store.commit(&store.lease().unwrap(), &commit).unwrap();
        (store, id)
    }

    fn remove(store: &Store, word: &str, force: Force, users: &[User]) -> Vec<String> {
        let users = || Ok::<_, Error>(users.to_vec());
        match store.remove(word, force, Parents::Prune, users) {
            Err(error) => vec![error.to_string()],
            Ok(removed) => removed
                .into_iter()
                .map(|line| match line {
                    Removed::Untagged(name) => format!("Untagged: {name}"),
                    Removed::Deleted(digest) => format!("Deleted: {digest}"),
                })
                .collect(),
        }
    }

    #[test]
    fn a_name_goes_alone_until_it_is_the_last_one() {
        let dir = tempfile::tempdir().unwrap();
        let (store, id) = store(&dir, &["web:1", "web:2"], None);
        assert_eq!(remove(&store, "web:1", Force::No, &[]), ["Untagged: web:1"]);
        assert_eq!(remove(&store, "web:1", Force::No, &[]), ["No such image: web:1"]);
        assert_eq!(
            remove(&store, "web:2", Force::No, &[]),
            ["Untagged: web:2".into(), format!("Deleted: {id}")]
        );
        assert!(store.images().unwrap().is_empty() && store.references().unwrap().is_empty());
    }

    #[test]
    fn the_registrys_digest_goes_with_the_last_tag_of_its_repository() {
        let dir = tempfile::tempdir().unwrap();
        let target = Digest::of(b"manifest");
        let (store, id) = store(&dir, &["web:1", "web:2"], Some(&target));
        assert_eq!(store.resolve(&format!("web@{target}")).unwrap().image, id);
        assert_eq!(remove(&store, "web:1", Force::No, &[]), ["Untagged: web:1"]);
        let last = ["Untagged: web:2".into(), format!("Untagged: web@{target}"), format!("Deleted: {id}")];
        assert_eq!(remove(&store, "web:2", Force::No, &[]), last);
    }

    #[test]
    fn an_image_of_several_names_goes_by_id_only_with_force() {
        let dir = tempfile::tempdir().unwrap();
        let (store, id) = store(&dir, &["web:1", "other:1"], None);
        let short = id.short();
        assert_eq!(
            remove(&store, short, Force::No, &[]),
            [format!(
                "conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"
            )]
        );
        let gone = ["Untagged: other:1".into(), "Untagged: web:1".into(), format!("Deleted: {id}")];
        assert_eq!(remove(&store, short, Force::Yes, &[]), gone);
    }

    #[test]
    fn an_image_in_use_stays_as_docker_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let (store, id) = store(&dir, &["web:1"], None);
        let short = id.short();
        let user = |is_running| [User { container: "c0ffee".into(), image: id.clone(), is_running }];
        assert_eq!(
            remove(&store, "web:1", Force::No, &user(false)),
            [format!(
                "conflict: unable to remove repository reference \"web:1\" (must force) - container c0ffee is using its referenced image {short}"
            )]
        );
        assert_eq!(
            remove(&store, short, Force::No, &user(false)),
            [format!(
                "conflict: unable to delete {short} (must be forced) - image is being used by stopped container c0ffee"
            )]
        );
        assert_eq!(
            remove(&store, short, Force::Yes, &user(true)),
            [format!(
                "conflict: unable to delete {short} (cannot be forced) - image is being used by running container c0ffee"
            )]
        );
        assert_eq!(store.references().unwrap().len(), 1, "a refusal takes nothing away");
        store.tag(&store.resolve("web:1").unwrap(), &"web:2".parse().unwrap()).unwrap();
        assert_eq!(remove(&store, "web:2", Force::No, &user(true)), ["Untagged: web:2"]);
        assert_eq!(
            remove(&store, "web:1", Force::Yes, &user(false)),
            ["Untagged: web:1".into(), format!("Deleted: {id}")]
        );
    }
}
