//! `run` and `create`: the options, and the requests that they make.

use std::path::PathBuf;

use clap::Args;

use super::options::{Files, OptionWords};
use super::usage::Usage;
use super::{Words, World, keys, options};
use crate::engine::{CreateRequest, PullPolicy, Streams};

/// `run`: creates and starts a container, and attaches to it unless detached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What to create.
    pub create: Create,
    /// Runs in the background and prints the id.
    pub detach: bool,
    /// The streams to attach.
    pub streams: Streams,
    /// Forwards signals to the container, unless it has a terminal.
    pub sig_proxy: bool,
    /// The key sequence for detaching.
    pub detach_keys: Vec<u8>,
}

/// `create`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// The request to the engine.
    pub request: CreateRequest,
    /// Files that options name, which are read when the request is resolved.
    pub files: Files,
    /// The file to write the ID to.
    pub cidfile: Option<PathBuf>,
    /// Hides the progress of a pull.
    pub quiet: bool,
}

impl Create {
    /// Reads the files and variables that the options refer to.
    pub(super) fn resolve(&mut self, world: &World) -> Result<(), Usage> {
        self.cidfile = self.cidfile.take().map(|path| world.absolute(path));
        options::resolve(&mut self.request.options, std::mem::take(&mut self.files), world)
    }
}

/// Options of `run` and `create`.
#[derive(Debug, Args)]
pub(super) struct CreateWords {
    /// Write the container's ID to this file
    #[arg(long, value_name = "FILE")]
    cidfile: Option<String>,
    /// Name of the container
    #[arg(long)]
    name: Option<String>,
    /// When to pull the image: always, missing or never
    #[arg(long, value_name = "WHEN", default_value = "missing")]
    pull: String,
    /// Suppress the pull output
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    options: OptionWords,
    /// The image, then the command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "IMAGE")]
    words: Vec<String>,
}

/// Options of `run` only.
#[derive(Debug, Args)]
pub(super) struct RunWords {
    /// Run the container in the background and print its ID
    #[arg(short, long)]
    detach: bool,
    /// Key sequence for detaching from the container (default ctrl-p,ctrl-q)
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Forward signals to the container's main process
    #[arg(long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "true", value_name = "BOOL", value_parser = super::truth)]
    sig_proxy: bool,
    #[command(flatten)]
    create: CreateWords,
}

impl Words for CreateWords {
    type Asked = Box<Create>;

    fn asked(self) -> Result<Box<Create>, Usage> {
        Ok(Box::new(self.create()?))
    }
}

impl Words for RunWords {
    type Asked = Box<Run>;

    fn asked(self) -> Result<Box<Run>, Usage> {
        let mut create = self.create.create()?;
        let process = &mut create.request.options.process;
        if self.detach && process.attach.replace(Streams::default().into()).is_some() {
            return Err(Usage::argument("conflicting options: cannot specify both --attach and --detach"));
        }
        let streams = process.attached();
        Ok(Box::new(Run {
            create,
            detach: self.detach,
            streams,
            sig_proxy: self.sig_proxy,
            detach_keys: detach_keys(self.detach_keys.as_deref())?,
        }))
    }
}

/// Parses `--detach-keys`; returns the default if it is not given.
pub(super) fn detach_keys(word: Option<&str>) -> Result<Vec<u8>, Usage> {
    word.map_or_else(|| Ok(keys::DEFAULT_DETACH.to_vec()), keys::parse)
}

impl CreateWords {
    fn create(self) -> Result<Create, Usage> {
        let mut words = self.words.iter().cloned();
        let image = words.next().unwrap_or_default();
        let command = words.collect();
        if image.is_empty() {
            return Err(Usage::argument("invalid reference format: the image name is empty"));
        }
        let name = self.name.as_deref().map(str::parse).transpose();
        let name = name.map_err(|error| Usage::argument(format!("{error}")))?;
        let pull = match self.pull.as_str() {
            "always" => PullPolicy::Always,
            "missing" | "" => PullPolicy::Missing,
            "never" => PullPolicy::Never,
            other => {
                let message =
                    format!("invalid pull option `{other}`: must be one of always, missing or never");
                return Err(Usage::argument(message));
            }
        };
        let (options, files) = self.options.read(command)?;
        let request = CreateRequest { name, image, pull, options };
        Ok(Create { request, files, cidfile: self.cidfile.map(PathBuf::from), quiet: self.quiet })
    }
}
