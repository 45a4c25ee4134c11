//! The current time and the time zone for display.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::Environment;

/// The rules of the machine's default time zone.
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

    /// Returns the current time and the time zone. The zone is read only when needed: looking up
    /// its name, as a library would, means reading hundreds of folders.
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
