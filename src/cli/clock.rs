//! The time, and the zone of who looks.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::Environment;

/// The zone's rules of a machine whose user says nothing else.
const LOCAL: &str = "/etc/localtime";

/// The clock of one command line.
#[derive(Debug)]
pub(super) struct Clock {
    /// `TZ`
    zone: Option<String>,
}

impl Clock {
    pub(super) fn new(environment: &Environment) -> Self {
        Self { zone: environment.text("TZ") }
    }

    /// Now, and where: for those who show times. The zone is read when it is asked for:
    /// looking for its name, as a library does, would read hundreds of folders.
    pub(super) fn read(&self) -> (Timestamp, TimeZone) {
        let zone = match &self.zone {
            Some(_) => TimeZone::system(),
            None => std::fs::read(LOCAL)
                .ok()
                .and_then(|rules| TimeZone::tzif("Local", &rules).ok())
                .unwrap_or(TimeZone::UTC),
        };
        (Timestamp::now(), zone)
    }
}
