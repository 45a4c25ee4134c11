//! How the container's processes are born: in new namespaces, in a pid namespace that is
//! there already, in a cgroup.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::channel::{self, Channel, Failure, Message};
use super::{Error, Result};
use crate::sys::clone::{self, Child, Parent, Side};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::process;

/// A process to be.
pub(super) struct Birth<'a> {
    /// New namespaces.
    pub(super) new: Namespaces,
    /// The v2 cgroup to be born into.
    pub(super) cgroup: Option<BorrowedFd<'a>>,
    /// How a pid namespace is joined that is there already: only by being born into it.
    pub(super) join_pid: Option<&'a dyn Fn() -> Result<()>>,
    /// The maker may return to the pid namespace it came from.
    pub(super) can_return: bool,
}

/// Makes the process.
pub(super) fn give(birth: &Birth<'_>) -> Result<Side> {
    match birth.join_pid {
        None => Ok(clone::clone3(birth.new, birth.cgroup, Parent::Caller)?),
        Some(join) if birth.can_return => {
            let home = ns::open_path(Path::new("/proc/self/ns/pid"))?;
            join()?;
            let side = clone::clone3(birth.new, birth.cgroup, Parent::Caller);
            if !matches!(side, Ok(Side::Child)) {
                ns::enter(home.as_fd(), Namespace::Pid)?;
            }
            Ok(side?)
        }
        Some(join) => by_another(birth, join),
    }
}

/// From a user namespace there is no way back into the pid namespace of the one above: a
/// process in between goes there, and what it makes is our child, not its own.
fn by_another(birth: &Birth<'_>, join: &dyn Fn() -> Result<()>) -> Result<Side> {
    let (ours, theirs) = channel::pair()?;
    let between = match clone::clone3(Namespaces::NONE, None, Parent::Caller)? {
        Side::Parent(between) => between,
        Side::Child => {
            drop(ours);
            let made = join().and_then(|()| Ok(clone::clone3(birth.new, birth.cgroup, Parent::OfCaller)?));
            return match made {
                Ok(Side::Child) => Ok(Side::Child),
                Ok(Side::Parent(child)) => {
                    // Whoever waits for it hears it when this fails.
                    let _ = theirs.send_with(&Message::Born { pid: child.pid }, child.pidfd.as_fd());
                    process::exit_now(0)
                }
                Err(error) => {
                    theirs.send(&Message::Failed(Failure::new("join the pid namespace", error)));
                    process::exit_now(1)
                }
            };
        }
    };
    drop(theirs);
    let told = hear(&ours);
    let exit = process::wait(between.pidfd.as_fd())?;
    match told? {
        Some((pid, pidfd)) => Ok(Side::Parent(Child { pid, pidfd })),
        None => Err(Error::Died { status: exit.to_string() }),
    }
}

fn hear(channel: &Channel) -> Result<Option<(i32, OwnedFd)>> {
    match channel.receive()? {
        Some((Message::Born { pid }, Some(pidfd))) => Ok(Some((pid, pidfd))),
        Some((Message::Failed(failure), _)) => Err(failure.into()),
        _ => Ok(None),
    }
}
