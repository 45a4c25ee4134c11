//! Says what is not tried on this machine, where it is seen.

use std::io::Write as _;
use std::panic::Location;

/// Says that this test, or the rest of it, is not tried here, and why. Unlike what a test
/// prints, it is shown also when the test passes; `tests/all` lists it again at its end.
///
/// For what the machine or the kernel cannot do. A missing program is a failure: `tests/all`
/// installs them.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "tests/all says it this way")]
pub(crate) fn skipped(why: &str) {
    let (place, thread) = (Location::caller(), std::thread::current());
    // Where there is one thread for all tests, it has no name of a test.
    let test = thread.name().filter(|name| *name != "main").map(str::to_owned);
    let test = test.unwrap_or_else(|| format!("line {}", place.line()));
    let line = format!("skipped {} {test}: {why}\n", place.file());
    // One write for each: other tests write at the same time.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    if let Some(list) = std::env::var_os("HOIST_TEST_SKIPPED") {
        let mut list = std::fs::File::options().append(true).open(list).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}
