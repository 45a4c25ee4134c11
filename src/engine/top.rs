//! The processes of a container.

use std::collections::HashMap;
use std::path::Path;

use super::error::{Doing, Result};
use super::{Engine, Status, Verb};
use crate::container::top::Top;
use crate::container::{Conflict, top};
use crate::monitor::settle::cgroup_of;
use crate::{files, sys};

/// The processes in a container.
pub(super) struct Members {
    pids: Vec<u32>,
    init: u32,
}

impl Members {
    /// Without a cgroup: the processes in init's pid namespace.
    pub(super) fn of_namespace(init: u32) -> Self {
        Self { pids: top::same_namespace(init), init }
    }

    pub(super) fn contains(&self, pid: u32) -> bool {
        self.pids.contains(&pid)
    }

    /// Returns the names of users as known in the container.
    pub(super) fn users(&self) -> HashMap<u32, String> {
        users(self.init)
    }
}

impl Engine {
    pub(super) fn top(&self, target: &str) -> Result<Top> {
        let members = self.members(target, || format!("list the processes of `{}`", self.called(target)))?;
        let users = members.users();
        Ok(top::top(members.pids, &users))
    }

    /// Returns the processes of a container that is up.
    pub(super) fn members(&self, target: &str, doing: impl Fn() -> String) -> Result<Members> {
        let container = self.get(target)?;
        let init = container.run.as_ref().and_then(|run| run.init());
        let Some(init) = init.filter(|_| container.status.is_up()) else {
            let status = if container.status.is_up() { Status::Exited } else { container.status };
            return Err(Conflict { verb: Verb::Exec, status }).doing(doing);
        };
        let cgroup = cgroup_of(self.paths(), &container.record.id, container.run.as_ref());
        let pids: Vec<u32> =
            cgroup.pids().doing(doing)?.into_iter().filter_map(|pid| u32::try_from(pid).ok()).collect();
        if pids.is_empty() {
            return Ok(Members::of_namespace(init.pid));
        }
        Ok(Members { pids, init: init.pid })
    }
}

/// Reads the names in the container's own passwd file.
fn users(init: u32) -> HashMap<u32, String> {
    let root = sys::fs::open_place(Path::new(&format!("/proc/{init}/root")));
    root.map(|root| files::names(&root, "/etc/passwd")).unwrap_or_default()
}
