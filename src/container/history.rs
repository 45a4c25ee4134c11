//! The resource use of a running container over the last six hours, recorded by its monitor.
//!
//! `<run>/containers/<id>/stats/history` has a fixed size and contains three rings. Numbers are
//! little-endian.
//!
//! ```text
//! offset  bytes
//!      0      8  "hoiststs"
//!      8      4  version: 1
//!     12     36  boot id, as the kernel writes it
//!     48     16  zeros
//!     64   9768  slots of 44 bytes: 90 of 10 s, then 60 of 60 s, then 72 of 5 min
//! ```
//! A slot consists of its number `n` (u32), nine averages (f32, see [`Averages`]) and a checksum
//! (u32). It covers the time from `(n - 1) * step` to `n * step` seconds since boot, so steps of the
//! clock do not matter, and is at position `n % slots` of its ring. A slot is written once its time
//! has passed. Readers take no lock: a slot whose checksum is wrong was never written or is just
//! being written, and is skipped. A file of another version, boot or size contains no history, and
//! the monitor replaces it, as it replaces anything but a folder in the place of the file, and
//! anything in the place of its folder.
//!
//! The file is in a folder of its own because readers of logs watch the one above for changes.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{sample, store};
use crate::base::disk::Error as DiskError;
use crate::base::{ContainerId, Paths};
use crate::cgroup::Cgroup;
use crate::sys::process::since_boot;

/// The time between two samples.
pub const STEP: Duration = Duration::from_secs(10);

/// A longer time between two samples is a gap: the machine was suspended, or too busy.
const MAX_GAP: Duration = Duration::from_secs(30);

const MAGIC: &[u8; 8] = b"hoiststs";
const VERSION: u32 = 1;
const HEADER: usize = 64;
const SLOT: usize = 4 * (VALUES + 2);
const VALUES: usize = 9;

/// The length of a slot in seconds, and the number of slots, of each ring.
const RINGS: [(u32, u32); 3] = [(10, 90), (60, 60), (300, 72)];

/// The size of the file.
const SIZE: usize = HEADER + SLOT * (RINGS[0].1 + RINGS[1].1 + RINGS[2].1) as usize;

/// The average resource use over an interval.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Averages {
    /// CPU use in percent of one CPU.
    pub cpu: f32,
    /// The share of the quota's periods that were throttled, in percent.
    pub throttled: f32,
    /// Memory in bytes, as in [`Sample`](super::sample::Sample).
    pub memory: f32,
    /// Page cache in bytes.
    pub cache: f32,
    /// Processes and threads.
    pub pids: f32,
    /// Bytes per second received and sent.
    pub net: (f32, f32),
    /// Bytes per second read and written.
    pub block: (f32, f32),
}

/// The resource use in the past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PastUsage {
    /// The end of the interval.
    pub end: Timestamp,
    /// The length of the interval.
    pub length: Duration,
    /// The averages.
    pub averages: Averages,
}

/// The counters of a container at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// The time since boot.
    time: Duration,
    cpu_nanos: u64,
    periods: (u64, u64),
    memory: u64,
    cache: u64,
    pids: u64,
    net: (u64, u64),
    block: (u64, u64),
}

impl Counters {
    /// Reads the counters of a container by its cgroup and first process.
    #[must_use]
    pub fn read(cgroup: &Cgroup, init: u32) -> Self {
        let stats = cgroup.counters();
        Self {
            time: since_boot(),
            cpu_nanos: stats.cpu_ns,
            periods: (stats.periods, stats.throttled_periods),
            memory: stats.memory,
            cache: stats.memory_cache,
            pids: stats.pids,
            net: sample::traffic(init),
            block: (stats.block_read, stats.block_written),
        }
    }

    /// Returns the averages since `before`; `None` for a gap, and if a counter went back.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "for charts")]
    fn since(&self, before: &Self) -> Option<Averages> {
        let elapsed =
            self.time.checked_sub(before.time).filter(|time| !time.is_zero() && *time <= MAX_GAP)?;
        let share = |was: u64, is: u64, whole: f64| Some((is.checked_sub(was)? as f64 / whole) as f32);
        let rate = |was, is| share(was, is, elapsed.as_secs_f64());
        let periods = self.periods.0.checked_sub(before.periods.0)?;
        Some(Averages {
            cpu: rate(before.cpu_nanos, self.cpu_nanos)? / 1e7,
            throttled: match periods {
                0 => 0.0,
                _ => (share(before.periods.1, self.periods.1, periods as f64)? * 100.0).min(100.0),
            },
            memory: self.memory as f32,
            cache: self.cache as f32,
            pids: self.pids as f32,
            net: (rate(before.net.0, self.net.0)?, rate(before.net.1, self.net.1)?),
            block: (rate(before.block.0, self.block.0)?, rate(before.block.1, self.block.1)?),
        })
    }
}

impl Averages {
    fn to_values(self) -> [f32; VALUES] {
        let Self { cpu, throttled, memory, cache, pids, net, block } = self;
        [cpu, throttled, memory, cache, pids, net.0, net.1, block.0, block.1]
    }

    fn of_values(values: [f32; VALUES]) -> Self {
        let [cpu, throttled, memory, cache, pids, received, sent, read, written] = values;
        Self { cpu, throttled, memory, cache, pids, net: (received, sent), block: (read, written) }
    }
}

/// The folder in the container's run folder.
const FOLDER: &str = "stats";
/// The file in that folder.
const FILE: &str = "history";

/// For opening the folder. A link to another one is not followed.
const FOLDER_FLAGS: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// For opening the file. What is not a regular file must not block.
const FILE_FLAGS: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// Writes the history of a container.
#[derive(Debug)]
pub struct Recorder {
    /// The container's run folder.
    run: PathBuf,
    before: Option<Counters>,
    /// The incomplete slot of each ring.
    partial: [Partial; RINGS.len()],
}

/// A slot that is not complete.
#[derive(Debug, Clone, Copy, Default)]
struct Partial {
    number: u32,
    count: u16,
    sums: [f32; VALUES],
}

impl Partial {
    fn add(&mut self, values: [f32; VALUES]) {
        self.count += 1;
        self.sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }

    /// Returns the slot and starts over; `None` if it is empty.
    fn take(&mut self) -> Option<(u32, [f32; VALUES])> {
        let Self { number, count, sums } = std::mem::take(self);
        (count > 0).then(|| (number, sums.map(|sum| sum / f32::from(count))))
    }
}

impl Recorder {
    /// Records a container, from its first two samples on.
    #[must_use]
    pub fn new(paths: &Paths, id: &ContainerId) -> Self {
        Self { run: paths.container_run(id), before: None, partial: Default::default() }
    }

    /// Adds a sample.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. The next sample tries again.
    pub fn record(&mut self, now: Counters) -> Result<(), DiskError> {
        let before = self.before.replace(now);
        let Some(averages) = before.and_then(|before| now.since(&before)) else { return Ok(()) };
        let values = averages.to_values();
        let sample = u32::try_from(now.time.as_secs() / STEP.as_secs()).unwrap_or(0);
        let mut done = Vec::new();
        for (ring, (partial, (step, _))) in self.partial.iter_mut().zip(RINGS).enumerate() {
            let samples = step / RINGS[0].0;
            let number = sample.div_ceil(samples);
            if partial.number != number {
                done.extend(partial.take().map(|slot| (ring, slot)));
                partial.number = number;
            }
            partial.add(values);
            if sample.is_multiple_of(samples) {
                done.extend(partial.take().map(|slot| (ring, slot)));
            }
        }
        self.write(&done).map_err(DiskError::io("write", self.run.join(FOLDER).join(FILE)))
    }

    /// The file is opened each time, because it may have been removed or damaged.
    fn write(&self, slots: &[(usize, (u32, [f32; VALUES]))]) -> io::Result<()> {
        let file = open(&self.run)?;
        for (ring, (number, values)) in slots {
            file.write_all_at(&encode(*number, values), place(*ring, *number) as u64)?;
        }
        Ok(())
    }
}

/// Opens the file in a container's run folder for writing. One that another monitor of this run has
/// written is continued.
fn open(run: &Path) -> io::Result<File> {
    let run = rustix::fs::open(run, FOLDER_FLAGS, Mode::empty())?;
    let folder = match rustix::fs::openat(&run, FOLDER, FOLDER_FLAGS, Mode::empty()) {
        Err(errno) => {
            make_way(&run, FOLDER, errno)?;
            rustix::fs::mkdirat(&run, FOLDER, Mode::RWXU)?;
            rustix::fs::openat(&run, FOLDER, FOLDER_FLAGS, Mode::empty())?
        }
        Ok(folder) => folder,
    };
    let why = match rustix::fs::openat(&folder, FILE, OFlags::RDWR | FILE_FLAGS, Mode::empty()) {
        Ok(file) => match File::from(file) {
            file if is_history(&file) => return Ok(file),
            _ => Errno::EXIST,
        },
        Err(errno) => errno,
    };
    make_way(&folder, FILE, why)?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | FILE_FLAGS;
    let file = File::from(rustix::fs::openat(&folder, FILE, flags, Mode::RUSR | Mode::WUSR)?);
    file.set_len(SIZE as u64)?;
    file.write_all_at(&header(), 0)?;
    Ok(file)
}

/// Removes a file or link that could not be used because of `why`. Folders stay, and so does what
/// could not be opened for another reason, such as a lack of descriptors.
fn make_way(folder: &OwnedFd, name: &str, why: Errno) -> io::Result<()> {
    match why {
        Errno::NOENT => Ok(()),
        Errno::EXIST | Errno::LOOP | Errno::NOTDIR | Errno::NXIO | Errno::NODEV => {
            Ok(rustix::fs::unlinkat(folder, name, AtFlags::empty())?)
        }
        why => Err(why.into()),
    }
}

/// Whether a file is a history of this version and boot. A file with a second name is not: that one
/// may belong to something else.
fn is_history(file: &File) -> bool {
    let mut found = [0; HEADER];
    let is_own = |meta: std::fs::Metadata| meta.is_file() && meta.nlink() == 1 && meta.len() == SIZE as u64;
    file.metadata().is_ok_and(is_own) && file.read_exact_at(&mut found, 0).is_ok() && found == header()
}

fn header() -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    let boot = store::boot_id().as_bytes();
    let length = boot.len().min(36);
    header[12..12 + length].copy_from_slice(&boot[..length]);
    header
}

/// Returns the offset of a slot.
fn place(ring: usize, number: u32) -> usize {
    let before: u32 = RINGS[..ring].iter().map(|(_, slots)| slots).sum();
    HEADER + SLOT * (before + number % RINGS[ring].1) as usize
}

fn encode(number: u32, values: &[f32; VALUES]) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    for (bytes, value) in bytes[4..].chunks_exact_mut(4).zip(values) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
    let sum = checksum(&bytes[..SLOT - 4]);
    bytes[SLOT - 4..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Returns the number and the values of a slot; `None` if it is not whole, or if a value is not one
/// that can be measured.
fn decode(bytes: &[u8]) -> Option<(u32, [f32; VALUES])> {
    let (whole, sum) = bytes.split_last_chunk::<4>()?;
    let (number, rest) = whole.split_first_chunk::<4>()?;
    let mut values = [0.0; VALUES];
    for (value, bytes) in values.iter_mut().zip(rest.chunks_exact(4)) {
        *value = f32::from_le_bytes(bytes.try_into().ok()?);
    }
    let is_whole = u32::from_le_bytes(*sum) == checksum(whole);
    let is_measured = values.iter().all(|value| value.is_finite() && *value >= 0.0);
    (is_whole && is_measured).then_some((u32::from_le_bytes(*number), values))
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Returns the history of a container, the oldest interval first. Intervals do not overlap. Empty if
/// there is none, or if it cannot be read.
#[must_use]
pub fn read(paths: &Paths, id: &ContainerId) -> Vec<PastUsage> {
    let bytes = contents(paths, id).unwrap_or_default();
    let (now, since_boot) = (Timestamp::now(), since_boot());
    let past = |(from, to, averages): (u64, u64, Averages)| {
        let age = since_boot.checked_sub(Duration::from_secs(to))?;
        let end = now.checked_sub(SignedDuration::try_from(age).ok()?).ok()?;
        Some(PastUsage { end, length: Duration::from_secs(to - from), averages })
    };
    intervals(&bytes, since_boot.as_secs()).into_iter().filter_map(past).collect()
}

/// Returns the contents of the file, or of the beginning of whatever is in its place.
fn contents(paths: &Paths, id: &ContainerId) -> io::Result<Vec<u8>> {
    let folder = paths.container_run(id).join(FOLDER);
    let folder = rustix::fs::open(folder, FOLDER_FLAGS, Mode::empty())?;
    let file = rustix::fs::openat(&folder, FILE, OFlags::RDONLY | FILE_FLAGS, Mode::empty())?;
    let mut bytes = Vec::with_capacity(SIZE + 1);
    File::from(file).take(SIZE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the intervals in a file, the oldest first: start and end in seconds since boot, and
/// averages. Where rings overlap, the finer one counts.
fn intervals(bytes: &[u8], now: u64) -> Vec<(u64, u64, Averages)> {
    if bytes.len() != SIZE || bytes[..HEADER] != header() {
        return Vec::new();
    }
    let mut all = Vec::new();
    let mut until = u64::MAX;
    for (ring, (step, slots)) in RINGS.into_iter().enumerate() {
        let (step, length) = (u64::from(step), u64::from(step * slots));
        let from = place(ring, 0);
        let slots = bytes[from..].chunks_exact(SLOT).take(slots as usize).enumerate();
        let mut found: Vec<_> = slots
            .filter_map(|(at, slot)| {
                let (number, values) = decode(slot)?;
                let to = u64::from(number) * step;
                let is_here = place(ring, number) == from + at * SLOT;
                let is_past = to <= now && to >= step && to + length > now;
                (is_here && is_past).then(|| (to - step, to.min(until), Averages::of_values(values)))
            })
            .filter(|(from, to, _)| from < to)
            .collect();
        found.sort_unstable_by_key(|(from, ..)| std::cmp::Reverse(*from));
        // A coarse slot may begin before the container did. Only those beyond the finer ring count.
        until = found.last().map_or(until, |(from, ..)| *from).min(now.saturating_sub(length));
        all.extend(found);
    }
    all.reverse();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(second: u64, cpu_nanos: u64) -> Counters {
        Counters { time: Duration::from_secs(second), cpu_nanos, memory: 1 << 20, ..Counters::default() }
    }

    /// A recorder in a folder of its own, and its file.
    fn recorder() -> (tempfile::TempDir, Recorder) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let id: ContainerId = "ab".repeat(32).parse().unwrap();
        std::fs::create_dir_all(paths.container_run(&id)).unwrap();
        (dir, Recorder::new(&paths, &id))
    }

    impl Recorder {
        fn path(&self) -> PathBuf {
            self.run.join(FOLDER).join(FILE)
        }
    }

    /// Records samples every ten seconds; the container uses one CPU for the first half and none later.
    fn record(recorder: &mut Recorder, seconds: std::ops::Range<u64>) {
        let half = seconds.start.midpoint(seconds.end);
        for second in seconds.step_by(10) {
            recorder.record(counters(second, second.min(half) * 1_000_000_000)).unwrap();
        }
    }

    #[test]
    fn six_hours_are_kept_at_a_falling_resolution() {
        let (_dir, mut recorder) = recorder();
        record(&mut recorder, 0..100_010);
        let bytes = std::fs::read(recorder.path()).unwrap();
        assert_eq!(bytes.len(), 9832);
        let all = intervals(&bytes, 100_000);
        assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0), "without gaps and overlaps: {all:?}");
        assert_eq!((all[0].0, all.last().unwrap().1), (78_300, 100_000));
        let lengths = |length| all.iter().filter(|(from, to, _)| to - from == length).count();
        assert_eq!((lengths(10), lengths(60)), (90, 46));
        assert!(all.iter().all(|(.., averages)| averages.memory == 1_048_576.0 && averages.cpu == 0.0));
        assert_eq!(intervals(&bytes, 200_000), [], "it is too old");
    }

    #[test]
    fn a_slot_is_the_average_of_its_samples() {
        let (_dir, mut recorder) = recorder();
        record(&mut recorder, 0..130);
        let bytes = std::fs::read(recorder.path()).unwrap();
        let cpu = |from: usize| decode(&bytes[from..from + SLOT]).map(|(_, values)| values[0]);
        // It used a CPU for 65 of 120 seconds.
        assert_eq!(
            (cpu(place(0, 6)), cpu(place(0, 7)), cpu(place(0, 8))),
            (Some(100.0), Some(50.0), Some(0.0))
        );
        assert_eq!(
            (cpu(place(1, 1)), cpu(place(1, 2)), cpu(place(2, 1))),
            (Some(100.0), Some(50.0 / 6.0), None)
        );
    }

    #[test]
    fn no_rate_spans_a_gap_or_another_run() {
        let (_dir, mut recorder) = recorder();
        for (second, cpu) in [(10, 5), (20, 6), (60, 7), (70, 8), (80, 1), (90, 2)] {
            recorder.record(counters(second, cpu)).unwrap();
        }
        let all = intervals(&std::fs::read(recorder.path()).unwrap(), 90);
        let ends: Vec<u64> = all.iter().map(|(_, to, _)| *to).collect();
        assert_eq!(ends, [20, 70, 90]);
    }

    #[test]
    fn another_monitor_of_the_run_continues_the_file() {
        let (_dir, mut first) = recorder();
        record(&mut first, 0..100);
        let mut second = Recorder { before: None, partial: Default::default(), ..first };
        record(&mut second, 100..200);
        let bytes = std::fs::read(second.path()).unwrap();
        assert_eq!(intervals(&bytes, 190).len(), 18, "without the time between them");
        assert!(intervals(&bytes, 190).iter().all(|(from, to, _)| (*from, *to) != (90, 100)));
    }

    #[test]
    fn whatever_is_in_the_file_nothing_else_is_read_from_it() {
        let (_dir, mut recorder) = recorder();
        record(&mut recorder, 0..1000);
        let whole = std::fs::read(recorder.path()).unwrap();
        let count = intervals(&whole, 1000).len();
        // A slot that is just being written, at any point.
        for cut in 0..SLOT {
            let mut torn = whole.clone();
            let new = encode(90 + 40, &[7.0; VALUES]);
            torn[place(0, 40)..][..cut].copy_from_slice(&new[..cut]);
            let all = intervals(&torn, 1000);
            assert!(all.len() >= count - 1 && all.iter().all(|(.., averages)| averages.cpu != 7.0), "{cut}");
        }
        for at in 0..HEADER {
            let mut other = whole.clone();
            other[at] ^= 1;
            assert_eq!(intervals(&other, 1000), [], "{at}");
        }
        let slot = |number, values: [f32; VALUES]| encode(number, &values);
        for bad in [
            slot(40, [f32::NAN; VALUES]),
            slot(40, [f32::INFINITY; VALUES]),
            slot(40, [-1.0; VALUES]),
            slot(41, [1.0; VALUES]),
            slot(40 + 90, [1.0; VALUES]),
            slot(u32::MAX, [1.0; VALUES]),
            [0; SLOT],
        ] {
            let mut other = whole.clone();
            other[place(0, 40)..][..SLOT].copy_from_slice(&bad);
            assert_eq!(intervals(&other, 1000).len(), count - 1);
        }
        assert_eq!(intervals(&whole[..SIZE - 1], 1000), []);
        assert_eq!(intervals(&[], 1000), []);
    }

    #[test]
    fn the_first_version_is_read() {
        let mut old = include_bytes!("../../tests/old_state/stats-history-1").to_vec();
        old[12..48].copy_from_slice(store::boot_id().as_bytes());
        let averages = |ring: f32| {
            let values = [12.5, 0.0, 1_048_576.0, 4096.0, 3.0, 100.0, 200.0, 300.0, 400.0];
            Averages::of_values(values.map(|value| value + ring))
        };
        let want = [
            (0, 300, averages(2.0)),
            (840, 900, averages(1.0)),
            (1980, 1990, averages(0.0)),
            (1990, 2000, averages(0.0)),
        ];
        assert_eq!(intervals(&old, 4800), [want[0]], "the finer rings have gone on");
        assert_eq!(intervals(&old, 2000), want[1..]);
    }

    #[test]
    fn a_file_that_is_not_a_history_is_replaced() {
        let (_dir, mut recorder) = recorder();
        std::fs::create_dir_all(recorder.run.join(FOLDER)).unwrap();
        for old in [&b""[..], b"{}", &[0; SIZE], &[7; 2 * SIZE]] {
            std::fs::write(recorder.path(), old).unwrap();
            record(&mut recorder, 0..50);
            assert_eq!(intervals(&std::fs::read(recorder.path()).unwrap(), 50).len(), 4);
        }
    }

    #[test]
    fn what_happens_to_the_file_is_repaired_with_the_next_sample_and_no_link_is_followed() {
        use std::fs::{create_dir, hard_link, remove_file, rename, write};
        use std::os::unix::fs::symlink;
        type Damage = (&'static str, fn(&Path, &Path));
        let remove_all = |path: &Path| crate::sys::tree::remove(path).unwrap();
        let damages: [Damage; 10] = [
            ("truncated", |run, _| write(run.join("stats/history"), "").unwrap()),
            ("damaged", |run, _| write(run.join("stats/history"), [7; SIZE]).unwrap()),
            ("removed", |run, _| remove_file(run.join("stats/history")).unwrap()),
            ("removed with its folder", |run, _| crate::sys::tree::remove(&run.join("stats")).unwrap()),
            ("a FIFO instead", |run, _| {
                remove_file(run.join("stats/history")).unwrap();
                rustix::fs::mkfifoat(rustix::fs::CWD, run.join("stats/history"), Mode::RWXU).unwrap();
            }),
            ("a file instead of its folder", |run, _| {
                crate::sys::tree::remove(&run.join("stats")).unwrap();
                write(run.join("stats"), "").unwrap();
            }),
            ("a link instead of its folder", |run, other| {
                crate::sys::tree::remove(&run.join("stats")).unwrap();
                symlink(other, run.join("stats")).unwrap();
            }),
            ("its folder moved, and a link to it instead", |run, other| {
                rename(run.join("stats"), other.join("stats")).unwrap();
                symlink(other.join("stats"), run.join("stats")).unwrap();
            }),
            ("a link instead", |run, other| {
                remove_file(run.join("stats/history")).unwrap();
                symlink(other.join("history"), run.join("stats/history")).unwrap();
            }),
            ("another name of a file", |run, other| {
                remove_file(run.join("stats/history")).unwrap();
                hard_link(other.join("history"), run.join("stats/history")).unwrap();
            }),
        ];
        for (what, damage) in damages {
            let (dir, mut recorder) = recorder();
            let other = dir.path().join("other");
            create_dir(&other).unwrap();
            record(&mut recorder, 0..100);
            let whole = std::fs::read(recorder.path()).unwrap();
            write(other.join("history"), &whole).unwrap();
            damage(&recorder.run, &other);
            record(&mut recorder, 100..200);
            let all = intervals(&std::fs::read(recorder.path()).unwrap(), 190);
            assert!(all.len() >= 10 && all.last().unwrap().1 == 190, "{what}: {all:?}");
            assert!(recorder.run.join("stats").symlink_metadata().unwrap().is_dir(), "{what}");
            for kept in ["history", "stats/history"].map(|name| other.join(name)) {
                assert!(!kept.exists() || std::fs::read(&kept).unwrap() == whole, "{what}");
            }
        }
        // A folder in its place stays, and is an error until it is gone.
        let (_dir, mut recorder) = recorder();
        std::fs::create_dir_all(recorder.path().join("full")).unwrap();
        recorder.record(counters(0, 0)).unwrap();
        assert!(recorder.record(counters(10, 0)).is_err());
        remove_all(&recorder.path());
        recorder.record(counters(20, 0)).unwrap();
        // The folder of a container that was removed is not created again.
        remove_all(&recorder.run);
        assert!(recorder.record(counters(30, 0)).is_err());
        assert!(!recorder.run.exists());
    }
}
