//! The one door through which tests and benchmarks reach inside: every item that they name.
//!
//! Nothing else outside of this crate uses it. What is not here, and what nothing inside uses,
//! the compiler tells.

pub mod base {
    pub mod disk {
        pub use crate::base::disk::{Lock, Rank, private_dir};
    }
    pub mod error {
        pub use crate::base::error::chain;
    }
    pub mod id {
        pub use crate::base::id::random_bytes;
    }
    pub mod journal {
        pub use crate::base::journal::{Found, Reader};
    }
    pub mod progress {
        pub use crate::base::progress::{Progress, Reporter};
    }
    pub use crate::base::{ContainerId, Endpoint, ErrorKind, ExecId, Explain, Name, NetworkId, Paths};
}
pub mod cgroup {
    pub use crate::cgroup::{Cgroup, Limits, Parent};
}
#[cfg(any(feature = "cli", feature = "tui"))]
pub mod command {
    pub use crate::command::World;
}
pub mod container {
    pub mod exec {
        pub use crate::container::exec::KEPT;
    }
    pub mod log {
        pub use crate::container::log::folder;
    }
    pub mod store {
        pub use crate::container::store::{
            forget_run, load, load_run, lock, monitor_lock, save, save_run, sweep,
        };
    }
    pub use crate::container::Run;
}
pub mod image {
    pub mod host {
        pub use crate::image::host::{default_programs, from_host};
    }
    pub mod import {
        pub use crate::image::import::{ImportRequest, import};
    }
    pub mod load {
        pub use crate::image::load::{Loaded, load};
    }
    pub use crate::image::{
        Commit, Error, Force, Input, Layer, Lease, Limits, Parents, Result, Roots, Store,
    };
}
pub mod layer {
    pub use crate::layer::{Error, LayerSource, Traits, opaque_attribute, usage, write};
}
pub mod monitor {
    pub mod launch {
        pub use crate::monitor::launch::{ask, listener};
    }
    pub mod settle {
        pub use crate::monitor::settle::{cgroup_parent, waiting_run};
    }
    pub mod wire {
        pub use crate::monitor::wire::{Answer, Ask, Hello, MAX_HELLO, SOCKET, encode};
    }
}
pub mod network {
    pub use crate::network::{
        Applied, Changes, Connection, Error, Look, Namespace, Network, NetworkPaths, Plan, Repair, Request,
        apply, default_network, list, plan, remove, repair, reset,
    };
}
pub mod oci {
    pub use crate::oci::{Digest, ImageId, Platform, Reference};
}
pub mod registry {
    pub use crate::registry::{Blob, Error, Patience, Proxies, Registry, Resolved, Settings};
}
pub mod runtime {
    pub mod seccomp {
        pub use crate::runtime::seccomp::default_profile;
    }
    pub use crate::runtime::read_report;
}
pub mod snapshot {
    pub use crate::snapshot::{Layout, mount};
}
pub mod sys {
    pub mod apparmor {
        pub use crate::sys::apparmor::{Support, support};
    }
    pub mod cap {
        pub use crate::sys::cap::{Cap, CapSet};
    }
    pub mod fs {
        pub use crate::sys::fs::{
            FileType, Timespec, chmod, chmod_place, chown_at, create_at, device, mkdir_at, mknod_at, open_at,
            open_dir, open_in_root, open_place, set_mtime, set_mtime_at,
        };
    }
    pub mod mount {
        pub use crate::sys::mount::{Attrs, Depth, Filesystem, attach, detach, set_attrs};
    }
    pub mod netlink {
        pub use crate::sys::netlink::inside;
    }
    pub mod probe {
        pub use crate::sys::probe::Probe;
    }
    pub mod process {
        pub use crate::sys::process::{open, signal};
    }
    pub mod selinux {
        pub use crate::sys::selinux::is_enabled;
    }
    pub mod signal {
        pub use crate::sys::signal::send;
    }
    pub mod socket {
        pub use crate::sys::socket::{Received, accept, listen, receive, send};
    }
    pub mod tree {
        pub use crate::sys::tree::remove;
    }
    pub mod xattr {
        pub use crate::sys::xattr::{get_place, list_place, set};
    }
}
#[cfg(feature = "tui")]
pub mod tui {
    pub mod containers {
        pub mod model {
            pub use crate::tui::containers::model::ContainerRow;
        }
    }
    pub mod event {
        pub use crate::tui::event::Event;
        pub use crate::tui::reading::Listed;
    }
    pub mod keymap {
        pub use crate::tui::keymap::Keymap;
    }
    pub mod model {
        pub use crate::tui::model::Model;
    }
    pub mod terminal {
        pub use crate::tui::terminal::screen::Screens;
    }
    pub mod theme {
        pub use crate::tui::theme::{Depth, Theme};
    }
    pub mod update {
        pub use crate::tui::update::update;
    }
    pub mod view {
        pub use crate::tui::view::draw;
    }
    pub use crate::tui::{TuiSettings, run};
}
