//! Reports tests that are skipped on this machine.

use std::io::Write as _;
use std::panic::Location;

/// Reports that this test, or the rest of it, is skipped, and why. Unlike other output of tests, it
/// is shown even if the test passes, and `tests/all` lists it again at the end.
///
/// For features that the machine or the kernel lacks. A missing program is a failure, since
/// `tests/all` installs all of them.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "tests/all says it this way")]
pub(crate) fn skipped(why: &str) {
    let (place, thread) = (Location::caller(), std::thread::current());
    // If all tests run in one thread, it does not have the name of a test.
    let test = thread.name().filter(|name| *name != "main").map(str::to_owned);
    let test = test.unwrap_or_else(|| format!("line {}", place.line()));
    let line = format!("skipped {} {test}: {why}\n", place.file());
    // A single write, since other tests write at the same time.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    if let Some(list) = std::env::var_os("HOIST_TEST_SKIPPED") {
        let mut list = std::fs::File::options().append(true).open(list).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}
