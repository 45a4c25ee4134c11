//! The verbs of images.

use std::path::PathBuf;

use clap::Args;

use super::container::plain;
use super::usage::Usage;
use super::{Request, Words, World, options};
use crate::oci::{Platform, Reference};

plain! { ImageInspect Rmi }

/// `image inspect`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ImageInspect {
    /// Format output using a custom template: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The images.
    #[arg(value_name = "IMAGE", required = true, hide = true)]
    pub names: Vec<String>,
}

/// `rmi`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Rmi {
    /// Force removal of the image
    #[arg(short, long)]
    pub force: bool,
    /// Do not delete untagged parents
    #[arg(long)]
    pub no_prune: bool,
    /// The images.
    #[arg(value_name = "IMAGE", required = true, hide = true)]
    pub names: Vec<String>,
}

/// `tag`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The image.
    pub image: String,
    /// The further name.
    pub name: Reference,
}

#[derive(Debug, Args)]
pub(super) struct TagWords {
    #[arg(value_name = "SOURCE_IMAGE[:TAG]", hide = true)]
    image: String,
    #[arg(value_name = "TARGET_IMAGE[:TAG]", hide = true)]
    name: String,
}

impl Words for TagWords {
    fn request(self, _: &World) -> Result<Request, Usage> {
        Ok(Request::Tag(Tag { image: self.image, name: reference(&self.name)? }))
    }
}

/// `pull`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// What.
    pub reference: Reference,
    /// For which platform.
    pub platform: Option<Platform>,
    /// Only the image's id is printed.
    pub quiet: bool,
    /// Neither tag nor digest was said.
    pub is_default_tag: bool,
}

#[derive(Debug, Args)]
pub(super) struct PullWords {
    /// Use the image of this platform
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// Suppress verbose output
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "NAME[:TAG|@DIGEST]")]
    name: String,
}

impl Words for PullWords {
    fn request(self, _: &World) -> Result<Request, Usage> {
        Ok(Request::Pull(Pull {
            reference: reference(&self.name)?,
            platform: self.platform.as_deref().map(options::platform).transpose()?,
            quiet: self.quiet,
            is_default_tag: !self.name.contains('@')
                && !self.name.rsplit('/').next().unwrap_or_default().contains(':'),
        }))
    }
}

fn reference(word: &str) -> Result<Reference, Usage> {
    word.parse().map_err(|error| Usage::count(format!("{error}"), None))
}

/// `load`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The archive; standard input when not said.
    pub input: Option<PathBuf>,
    /// No progress.
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct LoadWords {
    /// Read from tar archive file, instead of STDIN
    #[arg(short, long, value_name = "FILE")]
    input: Option<String>,
    /// Suppress the load output
    #[arg(short, long)]
    quiet: bool,
}

impl Words for LoadWords {
    fn request(self, world: &World) -> Result<Request, Usage> {
        let input = self.input.as_deref().map(|path| world.absolute(path));
        Ok(Request::Load(Load { input, quiet: self.quiet }))
    }
}

/// `import`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// A file; standard input when not said.
    pub source: Option<PathBuf>,
    /// The name of the image.
    pub reference: Option<Reference>,
    /// Dockerfile instructions.
    pub changes: Vec<String>,
    /// A commit message.
    pub message: Option<String>,
    /// What the programs in it run on.
    pub platform: Option<Platform>,
}

#[derive(Debug, Args)]
pub(super) struct ImportWords {
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// Set commit message for imported image
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// What the programs in it run on
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    #[arg(value_name = "FILE|-", hide = true)]
    source: String,
    #[arg(value_name = "REPOSITORY[:TAG]", hide = true)]
    name: Option<String>,
}

impl Words for ImportWords {
    fn request(self, world: &World) -> Result<Request, Usage> {
        if self.source.contains("://") {
            let usage = Usage::argument("import of a URL is not supported yet");
            return Err(usage.hint("pipe it: `curl URL | hoist import - NAME`"));
        }
        Ok(Request::Import(Import {
            source: (self.source != "-").then(|| world.absolute(&self.source)),
            reference: self.name.as_deref().filter(|name| !name.is_empty()).map(reference).transpose()?,
            changes: options::each(&self.change, |word| options::filled("--change", word))?,
            message: self.message,
            platform: self.platform.as_deref().map(options::platform).transpose()?,
        }))
    }
}

/// `image from-host`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromHost {
    /// The image's name.
    pub reference: Reference,
    /// Programs of this machine: paths, or names looked up in PATH.
    pub programs: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct FromHostWords {
    /// Name and optionally a tag for the image
    #[arg(short, long, value_name = "NAME[:TAG]")]
    tag: String,
    #[arg(value_name = "PROGRAM", required = true, hide = true)]
    programs: Vec<String>,
}

impl Words for FromHostWords {
    fn request(self, _: &World) -> Result<Request, Usage> {
        Ok(Request::FromHost(FromHost { reference: reference(&self.tag)?, programs: self.programs }))
    }
}
