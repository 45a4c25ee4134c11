//! The verbs of networks.

use super::error::{Ambiguous, Doing, Error, NotFound, Result};
use super::{Engine, Listing, blocking};
use crate::base::error::one_line;
use crate::network::{self, NetworkPaths, NetworkView};

/// The networks of an engine. See [`Engine::networks`].
#[derive(Debug, Clone, Copy)]
pub struct Networks<'a> {
    engine: &'a Engine,
}

impl Engine {
    /// Returns the verbs of networks.
    #[must_use]
    pub fn networks(&self) -> Networks<'_> {
        Networks { engine: self }
    }
}

impl Networks<'_> {
    /// Returns all networks, sorted by name.
    ///
    /// # Errors
    ///
    /// As for [`Self::listing`].
    pub async fn list(&self) -> Result<Vec<NetworkView>> {
        Ok(self.listing().await?.whole)
    }

    /// Returns the same list, along with what is unknown because a network's file cannot be read.
    ///
    /// # Errors
    ///
    /// If no thread can be started to read them.
    pub async fn listing(&self) -> Result<Listing<NetworkView>> {
        let networks = self.networks();
        blocking(move || {
            let (whole, unread) = network::list(&networks).doing(|| "list the networks")?;
            let warnings = unread.iter().map(|error| one_line(error)).collect();
            Ok(Listing { whole, damaged: Vec::new(), warnings })
        })
        .await
    }

    /// Returns the network with this name, id or prefix of an id.
    ///
    /// # Errors
    ///
    /// [`NotFound`] or [`Ambiguous`].
    pub async fn inspect(&self, target: &str) -> Result<NetworkView> {
        find_network(self.list().await?, target)
    }

    /// Removes what this engine's networks left on the host: bridge, rules, leases.
    ///
    /// # Errors
    ///
    /// The first failure, after everything has been tried.
    pub async fn reset(&self) -> Result<()> {
        let networks = self.networks();
        blocking(move || {
            network::reset(&networks).into_iter().next().map_or(Ok(()), Err).doing(|| "remove the networks")
        })
        .await
    }

    fn networks(&self) -> NetworkPaths {
        NetworkPaths::new(self.engine.paths())
    }
}

/// Finds the network that `target` refers to, in Docker's order: a full name or id, then a prefix
/// of an id.
///
/// # Errors
///
/// [`NotFound`] or [`Ambiguous`].
pub fn find_network(all: Vec<NetworkView>, target: &str) -> Result<NetworkView> {
    let doing = || format!("find the network `{target}`");
    if let Some(found) = all.iter().find(|one| one.name == target || one.id.as_str() == target) {
        return Ok(found.clone());
    }
    let mut begun: Vec<NetworkView> = all;
    begun.retain(|one| !target.is_empty() && one.id.as_str().starts_with(target));
    match begun.len() {
        0 => Err(Error::new(doing(), NotFound { noun: "network", name: target.to_owned() })),
        1 => Ok(begun.remove(0)),
        _ => {
            let candidates = begun.iter().map(|one| one.id.short().to_owned()).collect();
            Err(Error::new(doing(), Ambiguous { noun: "network", prefix: target.to_owned(), candidates }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Paths;

    #[test]
    fn a_network_is_found_by_name_id_and_how_its_id_begins() {
        let dir = tempfile::tempdir().unwrap();
        let networks = NetworkPaths::new(&Paths::new(dir.path().join("root"), dir.path().join("run")));
        let all = network::list(&networks).unwrap().0;
        let names: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.driver.to_string())).collect();
        assert_eq!(
            names,
            [("bridge", "bridge".to_owned()), ("host", "host".to_owned()), ("none", "null".to_owned())]
        );
        for one in &all {
            assert_eq!(&find_network(all.clone(), &one.name).unwrap(), one);
            assert_eq!(&find_network(all.clone(), one.id.as_str()).unwrap(), one);
            assert_eq!(&find_network(all.clone(), one.id.short()).unwrap(), one);
        }
        for missing in ["", "x", "bridges"] {
            assert!(find_network(all.clone(), missing).is_err(), "{missing:?}");
        }
    }
}
