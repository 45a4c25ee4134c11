//! A monitor for a container whose own monitor was killed. Either its init is still running and its
//! output waits in the pipes, or it was between two runs and the next one is due.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::Error;
use super::run::Monitor;
use super::session::Streams;
use super::settle::cgroup_of;
use super::start::Up;
use super::wire;
use crate::container::{Process, Run, Status, store};
use crate::sys;

/// Takes over the container of `monitor`. Without an [`Up`], the container waits for its restart.
///
/// # Errors
///
/// [`Error::NotRunning`] if its init has exited.
pub(super) fn adopt(mut monitor: Monitor) -> Result<(Monitor, Option<Up>), Error> {
    let id = &monitor.record.id;
    let mut run = store::load_run(&monitor.paths, id)?.ok_or(Error::NotRunning)?;
    if run.status == Status::Restarting && run.init.is_none() {
        run.monitor = Process::own().into();
        store::save_run(&monitor.paths, id, &run)?;
        return Ok((monitor, None));
    }
    let init = run.init().ok_or(Error::NotRunning)?;
    let pid = i32::try_from(init.pid).map_err(|_| Error::NotRunning)?;
    let pidfd = match sys::process::open(pid) {
        Err(error) if error.is(rustix::io::Errno::SRCH) => return Err(Error::NotRunning),
        pidfd => pidfd?,
    };
    // Check after opening, so that the descriptor is that of init and not of a later process.
    if !init.is_alive() {
        return Err(Error::NotRunning);
    }
    let cgroup = cgroup_of(&monitor.paths, id, Some(&run));
    let pids = [vec![pid], cgroup.pids()?].concat();
    let streams = streams(&run, &pids);
    streams.set_nonblocking()?;
    run.monitor = Process::own().into();
    run.protocol = wire::PROTOCOL;
    // Without its creator, init has either exited before execve or passed that point.
    run.starting = false;
    // The last monitor may have been killed between a pause and recording it. An incomplete pause
    // was dropped with the monitor.
    run.status = if cgroup.is_frozen() { Status::Paused } else { Status::Running };
    if run.status == Status::Running {
        cgroup.cancel_freeze();
    }
    store::save_run(&monitor.paths, id, &run)?;
    monitor.session.begin(streams);
    let oom = cgroup.oom_events().ok();
    let up = Up { run, pidfd, cgroup, oom, streams: Streams::default(), warnings: Vec::new() };
    Ok((monitor, Some(up)))
}

/// Returns the reading ends of the output pipes that processes of the container still hold. A
/// terminal and the pipe to standard input are lost.
fn streams(run: &Run, pids: &[i32]) -> Streams {
    let [stdout, stderr] = run.pipes.map_or([None, None], |pipes| pipes.map(|inode| reopen(inode, pids)));
    Streams { stdout, stderr, ..Streams::default() }
}

fn reopen(inode: u64, pids: &[i32]) -> Option<OwnedFd> {
    let path = pids.iter().find_map(|pid| find(Path::new(&format!("/proc/{pid}/fd")), inode))?;
    // The process may replace the descriptor meanwhile: check the file first, then open that file.
    let place = sys::fs::open_place(&path).ok().filter(|place| is_pipe(place, inode))?;
    sys::fs::reopen(&place, OFlags::RDONLY | OFlags::NONBLOCK).ok()
}

/// Whether it is the pipe with this inode, rather than a file or FIFO with the same inode on
/// another file system. There is only one pipefs, so its device need not be compared.
fn is_pipe(place: &OwnedFd, inode: u64) -> bool {
    /// From the kernel's `include/uapi/linux/magic.h`.
    const PIPEFS_MAGIC: i64 = 0x5049_5045;
    let is_on_pipefs = rustix::fs::fstatfs(place).is_ok_and(|system| system.f_type == PIPEFS_MAGIC);
    is_on_pipefs && sys::fs::stat(place).is_ok_and(|stat| stat.st_ino == inode)
}

fn find(folder: &Path, inode: u64) -> Option<PathBuf> {
    let want = PathBuf::from(format!("pipe:[{inode}]"));
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| fs::read_link(path).is_ok_and(|target| target == want))
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn only_a_pipe_is_one_whatever_has_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let (file, fifo) = (dir.path().join("file"), dir.path().join("fifo"));
        fs::write(&file, "not written by it").unwrap();
        mknodat(CWD, &fifo, FileType::Fifo, 0o600.into(), 0).unwrap();
        let (_read, write) = rustix::pipe::pipe().unwrap();
        let pipe = sys::fs::proc_path(std::os::fd::AsFd::as_fd(&write));
        for (path, want) in [(&file, false), (&fifo, false), (&pipe, true)] {
            let place = sys::fs::open_place(path).unwrap();
            let inode = sys::fs::stat(&place).unwrap().st_ino;
            assert_eq!(is_pipe(&place, inode), want, "{}", path.display());
            assert!(!is_pipe(&place, inode + 1));
        }
    }
}
