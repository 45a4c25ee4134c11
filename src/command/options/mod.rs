//! Options of `run` and `create`, one file per group: parsing, formatting, the fields of the form,
//! and Docker's options that are missing.
//!
//! ```text
//!  --memory 1g ── clap ── GroupWords::read ──▶ container options ── resolve ──▶ with the content of files
//!              ◀──────── write ───────────────┘
//! ```
//! The options themselves, with their defaults and checks, are defined in the container's own file
//! of each group.

mod lifecycle;
mod logging;
mod mounts;
mod networking;
pub(super) mod process;
mod resources;
mod security;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::World;
use super::field::{Field, NameKind, Section};
use super::usage::Usage;
use crate::engine::{Options, RestartPolicy, Unknown};
use crate::oci::Platform;
pub(super) use lifecycle::SIGNALS;
pub(super) use values::{each, filled};

type Result<T> = std::result::Result<T, Usage>;

/// The options of all groups, and those of the container as a whole.
#[derive(Debug, Args)]
pub(super) struct OptionWords {
    #[command(flatten)]
    process: process::ProcessWords,
    #[command(flatten)]
    mounts: mounts::MountWords,
    #[command(flatten)]
    networking: networking::NetworkWords,
    #[command(flatten)]
    security: security::SecurityWords,
    #[command(flatten)]
    resources: resources::ResourceWords,
    #[command(flatten)]
    lifecycle: lifecycle::LifecycleWords,
    #[command(flatten)]
    logging: logging::LogWords,
    /// Set a label
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// Read labels from this file
    #[arg(long, value_name = "FILE")]
    label_file: Vec<String>,
    /// Platform of the image, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// Runtime to use for the container (only hoist, the embedded one, is supported)
    #[arg(long, value_name = "RUNTIME")]
    runtime: Option<String>,
}

/// Files named by options, which are read when the options are resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// `--env-file`
    pub env: Vec<PathBuf>,
    /// `--label-file`
    pub labels: Vec<PathBuf>,
    /// `--security-opt seccomp=FILE`
    pub seccomp: Option<PathBuf>,
}

impl OptionWords {
    /// Converts the arguments, with the command after the image, to options and the files that they
    /// refer to.
    pub(super) fn read(self, command: Vec<String>) -> Result<(Options, Files)> {
        let (process, env) = self.process.read(command)?;
        let (security, seccomp) = self.security.read()?;
        let files = Files { env, labels: self.label_file.iter().map(PathBuf::from).collect(), seccomp };
        let options = Options {
            process,
            mounts: self.mounts.read()?,
            networking: self.networking.read()?,
            security,
            resources: self.resources.read()?,
            lifecycle: self.lifecycle.read()?,
            logging: self.logging.read()?,
            labels: labels(&self.label)?,
            platform: self.platform.as_deref().map(platform).transpose()?,
            runtime: self.runtime,
            unknown: Unknown::new(),
        };
        if options.lifecycle.auto_remove && options.lifecycle.restart != RestartPolicy::No {
            return Err(Usage::argument("conflicting options: cannot specify both --restart and --rm"));
        }
        Ok((options, files))
    }
}

/// Applies the content of files, the caller's variables and the current folder to the options.
pub(super) fn resolve(options: &mut Options, files: Files, world: &World) -> Result<()> {
    process::resolve(&mut options.process.env, &files.env, world)?;
    mounts::resolve(&mut options.mounts, world);
    security::resolve(&mut options.security, files.seccomp, world)?;
    let mut labels = BTreeMap::new();
    for file in &files.labels {
        let pairs = values::pairs_of_file(file, world)?;
        labels.extend(pairs.into_iter().map(|(name, value)| (name, value.unwrap_or_default())));
    }
    labels.append(&mut options.labels);
    options.labels = labels;
    Ok(())
}

/// Writes the options that usually come first: `-it --rm`.
pub(super) fn write_first(options: &Options, line: &mut Line) {
    process::write_streams(&options.process, line);
    lifecycle::write(&options.lifecycle, line);
}

/// Writes all other options; not the image and the command.
pub(super) fn write(options: &Options, line: &mut Line) {
    process::write(&options.process, line);
    for (name, value) in &options.labels {
        line.value("--label", format!("{name}={value}"));
    }
    if let Some(platform) = &options.platform {
        line.value("--platform", platform.to_string());
    }
    if let Some(runtime) = &options.runtime {
        line.value("--runtime", runtime);
    }
    networking::write(&options.networking, line);
    mounts::write(&options.mounts, line);
    security::write(&options.security, line);
    resources::write(&options.resources, line);
    logging::write(&options.logging, line);
}

/// A command line that is being written.
#[derive(Debug, Default)]
pub(super) struct Line(pub(super) Vec<String>);

impl Line {
    pub(super) fn flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.0.push(name.to_owned());
        }
    }

    pub(super) fn value(&mut self, name: &str, value: impl Into<String>) {
        self.0.extend([name.to_owned(), value.into()]);
    }

    pub(super) fn values<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a String>) {
        for value in values {
            self.value(name, value);
        }
    }
}

/// The fields of each group, and of the container as a whole.
pub(super) const FIELDS: [&[Field]; 8] = [
    process::FIELDS,
    mounts::FIELDS,
    networking::FIELDS,
    security::FIELDS,
    resources::FIELDS,
    lifecycle::FIELDS,
    logging::FIELDS,
    &[
        Field::many(330, "Labels", "label", &[Section::Labels], "name=value"),
        Field::many(340, "Label files", "label-file", &[Section::Labels], "files of name=value lines")
            .names(NameKind::File),
        Field::one(370, "Platform", "platform", &[Section::Advanced], "as this machine").optional(),
        Field::one(390, "Runtime", "runtime", &[Section::Advanced], "the embedded runtime").optional(),
    ],
];

/// Docker's options that are not supported yet.
pub(super) const LACKS: &[&[&str]] = &[
    mounts::LACKS,
    networking::LACKS,
    security::LACKS,
    resources::LACKS,
    lifecycle::LACKS,
    &["--annotation", "--disable-content-trust"],
];

/// Parses `--platform`.
pub(super) fn platform(word: &str) -> Result<Platform> {
    word.parse().map_err(|error| Usage::argument(format!("{error}")))
}

/// Parses `--label`; the value is empty if there is only a name.
fn labels(words: &[String]) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if name.is_empty() {
            return Err(Usage::argument(format!("invalid label `{word}`: the name is empty")));
        }
        labels.insert(name.to_owned(), value.to_owned());
    }
    Ok(labels)
}
