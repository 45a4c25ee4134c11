//! The registry client of an engine, and the runtime of its connections.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::registry::{Registry, Settings};

/// The client of an engine. Connections and tokens are kept as long as the engine.
#[derive(Debug)]
pub(super) struct Registries {
    client: Registry,
    /// Created when first needed. The caller's runtime may end while work still waits for the
    /// network, and connections end with the runtime that created them.
    runtime: Mutex<Option<Runtime>>,
}

impl Registries {
    pub(super) fn new(settings: Settings) -> Self {
        Self { client: Registry::new(settings), runtime: Mutex::new(None) }
    }

    pub(super) fn client(&self) -> &Registry {
        &self.client
    }

    /// Returns the runtime for requests and responses.
    ///
    /// # Errors
    ///
    /// If no thread or descriptor is available.
    pub(super) fn runtime(&self) -> io::Result<Handle> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let made = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(runtime.insert(made).handle().clone())
    }
}

impl Drop for Registries {
    fn drop(&mut self) {
        // The engine may be dropped where a runtime must not block on its threads.
        let runtime = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner);
        runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}
