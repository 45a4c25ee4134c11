//! Where the output of a container goes.

use clap::Args;

use super::values::pair;
use super::{Line, Result};
use crate::command::field::{Field, Section as S};
use crate::command::usage::Usage;
use crate::engine::{LogOptions, MAX_LOG_FILES};

#[derive(Debug, Args)]
pub(super) struct LogWords {
    /// Logging driver: json-file or none
    #[arg(long, value_name = "DRIVER")]
    log_driver: Option<String>,
    /// Logging option: max-size=SIZE or max-file=COUNT
    #[arg(long, value_name = "NAME=VALUE")]
    log_opt: Vec<String>,
}

/// Fields of the form.
pub(super) const FIELDS: &[Field] = &[
    Field::one(420, "Log driver", "log-driver", &[S::Advanced], "json-file")
        .few(&["json-file", "none"])
        .optional(),
    Field::many(430, "Log options", "log-opt", &[S::Advanced], "max-size=10m max-file=3")
        .few(&["max-size=", "max-file="]),
];

impl LogWords {
    pub(super) fn read(self) -> Result<LogOptions> {
        log(self.log_driver, &self.log_opt)
    }
}

pub(super) fn write(logging: &LogOptions, line: &mut Line) {
    if let Some(driver) = &logging.driver {
        line.value("--log-driver", driver);
    }
    if let Some(bytes) = logging.max_size {
        line.value("--log-opt", format!("max-size={bytes}"));
    }
    if let Some(count) = logging.max_files {
        line.value("--log-opt", format!("max-file={count}"));
    }
}

fn log(driver: Option<String>, words: &[String]) -> Result<LogOptions> {
    let mut log = LogOptions::default();
    match driver.as_deref() {
        None | Some("") => {}
        Some(known @ ("json-file" | "none")) => log.driver = Some(known.to_owned()),
        Some(other) => {
            let usage = Usage::argument(format!("--log-driver {other} is not supported yet"));
            return Err(usage.hint("supported log drivers: json-file, none"));
        }
    }
    for word in words {
        let (key, value) = pair("--log-opt", word)?;
        match key {
            _ if !log.is_kept() => {
                return Err(Usage::argument(format!("unknown log opt `{key}` for log driver none")));
            }
            "max-size" => log.max_size = Some(decimal_size("--log-opt max-size", value)?),
            "max-file" => {
                let files = value.parse().ok().filter(|files| (1..=MAX_LOG_FILES).contains(files));
                let bad = || {
                    let want = format!("expected a number from 1 to {MAX_LOG_FILES}");
                    Usage::argument(format!("invalid --log-opt max-file `{value}`: {want}"))
                };
                log.max_files = Some(files.ok_or_else(bad)?);
            }
            _ => {
                let usage = Usage::argument(format!("--log-opt {key} is not supported yet"));
                return Err(usage.hint("supported log options: max-size, max-file"));
            }
        }
    }
    Ok(log)
}

/// Parses a size with decimal units (powers of 1000), as used for log files.
fn decimal_size(option: &str, word: &str) -> Result<u64> {
    let lower = word.trim().to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let factor = match unit.trim().trim_end_matches('b') {
        "" => Some(1.0),
        "k" => Some(1e3),
        "m" => Some(1e6),
        "g" => Some(1e9),
        "t" => Some(1e12),
        _ => None,
    };
    let bytes = number.parse::<f64>().ok().zip(factor).map(|(number, factor)| number * factor);
    match bytes {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1e18")]
        Some(bytes) if (1.0..1e18).contains(&bytes) => Ok(bytes as u64),
        _ => Err(Usage::argument(format!("invalid {option} `{word}`: expected a size such as 10m"))),
    }
}
