//! Image commands: `pull`, `images`, `load` and so on.

use std::path::PathBuf;

use clap::Args;

use super::table::{Noun, changes, shows, verbs};
use super::usage::Usage;
use super::{Words, World, options, plain};
use crate::oci::{Platform, Reference};

pub(super) const NOUN: Noun = Noun {
    name: "image",
    about: "Manage images",
    verbs: VERBS,
    lacks: &["build", "image build", "image prune", "push", "image push", "save", "image save", "search"],
};

verbs! { Image:
    Pull(Pull) from PullWords = changes(
        &["pull", "image pull"],
        "[OPTIONS] NAME[:TAG|@DIGEST]",
        "Pull an image from a registry",
        &["pull --platform linux/arm64 debian:13"],
    )
    .common()
    .lacks(&[&["-a, --all-tags", "--disable-content-trust"]]);

    Images(Images) from Images = shows(
        &["images", "image ls", "image list"],
        "[OPTIONS] [REPOSITORY[:TAG]]",
        "List images",
        &["images --digests"],
    )
    .common()
    .lacks(&[&["--tree"]]);

    FromHost(FromHost) from FromHostWords = changes(
        &["image from-host"],
        "-t NAME[:TAG] PROGRAM [PROGRAM...]",
        "Create an image from programs on this machine",
        &["image from-host -t tools bash ls cat"],
    );

    History(History) from History = shows(
        &["history", "image history"],
        "[OPTIONS] IMAGE",
        "Show the history of an image",
        &["history --no-trunc debian:13"],
    )
    .lacks(&[&["--platform"]]);

    Import(Import) from ImportWords = changes(
        &["import", "image import"],
        "[OPTIONS] FILE|- [REPOSITORY[:TAG]]",
        "Create an image from a tar archive of a root file system",
        &["import -c 'CMD [\"sh\"]' rootfs.tar base"],
    );

    Inspect(Inspect) from Inspect = shows(
        &["image inspect"],
        "[OPTIONS] IMAGE [IMAGE...]",
        "Show detailed information about images",
        &["image inspect debian:13"],
    )
    .lacks(&[&["--platform"]]);

    Load(Load) from LoadWords = changes(
        &["load", "image load"],
        "[OPTIONS]",
        "Load images from a tar archive or standard input",
        &["load -i image.tar"],
    )
    .lacks(&[&["--platform"]]);

    Rmi(Rmi) from Rmi = changes(
        &["rmi", "image rm", "image remove"],
        "[OPTIONS] IMAGE [IMAGE...]",
        "Remove or untag images",
        &["rmi debian:12"],
    )
    .lacks(&[&["--platform"]]);

    Tag(Tag) from TagWords = changes(
        &["tag", "image tag"],
        "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
        "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
        &["tag debian:13 registry.example.org/debian:13"],
    );
}

impl Request {
    /// Returns whether the request adds an image.
    #[must_use]
    pub fn makes_image(&self) -> bool {
        matches!(self, Self::FromHost(_) | Self::Import(_) | Self::Load(_) | Self::Pull(_))
    }

    /// Makes the paths of files absolute.
    pub(super) fn resolve(self, world: &World) -> Self {
        let absolute = |path: PathBuf| world.absolute(path);
        match self {
            Self::Load(load) => Self::Load(Load { input: load.input.map(absolute), ..load }),
            Self::Import(import) => Self::Import(Import { source: import.source.map(absolute), ..import }),
            other => other,
        }
    }
}

plain! { History Images Inspect Rmi }

/// `image inspect`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Inspect {
    /// Output format: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The images.
    #[arg(value_name = "IMAGE", required = true, hide = true)]
    pub names: Vec<String>,
}

/// `rmi`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Rmi {
    /// Remove the image even if it has several names or a stopped container uses it
    #[arg(short, long)]
    pub force: bool,
    /// Do not remove untagged parents
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
    /// The additional name.
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
    type Asked = Tag;

    fn asked(self) -> Result<Tag, Usage> {
        Ok(Tag { image: self.image, name: reference(&self.name)? })
    }
}

/// `pull`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// The image to pull.
    pub reference: Reference,
    /// The platform to pull it for.
    pub platform: Option<Platform>,
    /// Prints only the image's id.
    pub quiet: bool,
    /// Whether neither a tag nor a digest was given.
    pub is_default_tag: bool,
}

impl Pull {
    /// Creates the request of `pull NAME`.
    ///
    /// # Errors
    ///
    /// `name` is not a valid image name.
    pub fn named(name: &str) -> Result<Self, Usage> {
        let last = name.rsplit('/').next().unwrap_or_default();
        let is_default_tag = !name.contains('@') && !last.contains(':');
        Ok(Self { reference: reference(name)?, platform: None, quiet: false, is_default_tag })
    }
}

#[derive(Debug, Args)]
pub(super) struct PullWords {
    /// Platform of the image, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    /// Do not show progress
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "NAME[:TAG|@DIGEST]")]
    name: String,
}

impl Words for PullWords {
    type Asked = Pull;

    fn asked(self) -> Result<Pull, Usage> {
        Ok(Pull {
            platform: self.platform.as_deref().map(options::platform).transpose()?,
            quiet: self.quiet,
            ..Pull::named(&self.name)?
        })
    }
}

fn reference(word: &str) -> Result<Reference, Usage> {
    word.parse().map_err(|error| Usage::count(format!("{error}"), None))
}

/// `load`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The archive; standard input by default.
    pub input: Option<PathBuf>,
    /// Hides progress.
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct LoadWords {
    /// Read from this tar archive instead of standard input
    #[arg(short, long, value_name = "FILE")]
    input: Option<String>,
    /// Do not show progress
    #[arg(short, long)]
    quiet: bool,
}

impl Words for LoadWords {
    type Asked = Load;

    fn asked(self) -> Result<Load, Usage> {
        Ok(Load { input: self.input.map(PathBuf::from), quiet: self.quiet })
    }
}

/// `import`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The file; standard input by default.
    pub source: Option<PathBuf>,
    /// The name of the image.
    pub reference: Option<Reference>,
    /// Dockerfile instructions.
    pub changes: Vec<String>,
    /// A comment for the image's history.
    pub message: Option<String>,
    /// The platform of the image.
    pub platform: Option<Platform>,
}

impl Import {
    /// Creates the request of `import SOURCE NAME`.
    ///
    /// # Errors
    ///
    /// The source is a URL, or the name is not a valid image name.
    pub fn named(source: &str, name: Option<&str>) -> Result<Self, Usage> {
        if source.contains("://") {
            let usage = Usage::argument("importing a URL is not supported yet");
            return Err(usage.hint("pipe the archive instead: `curl URL | hoist import - NAME`"));
        }
        Ok(Self {
            source: (source != "-").then(|| source.into()),
            reference: name.filter(|name| !name.is_empty()).map(reference).transpose()?,
            changes: Vec::new(),
            message: None,
            platform: None,
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct ImportWords {
    /// Apply a Dockerfile instruction, such as CMD, to the image
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// Comment for the history of the image
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Platform of the image, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    #[arg(value_name = "FILE|-", hide = true)]
    source: String,
    #[arg(value_name = "REPOSITORY[:TAG]", hide = true)]
    name: Option<String>,
}

impl Words for ImportWords {
    type Asked = Import;

    fn asked(self) -> Result<Import, Usage> {
        Ok(Import {
            changes: options::each(&self.change, |word| options::filled("--change", word))?,
            message: self.message,
            platform: self.platform.as_deref().map(options::platform).transpose()?,
            ..Import::named(&self.source, self.name.as_deref())?
        })
    }
}

/// `image from-host`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromHost {
    /// The name of the image.
    pub reference: Reference,
    /// Programs of this machine: paths, or names that are looked up in PATH.
    pub programs: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct FromHostWords {
    /// Name of the image
    #[arg(short, long, value_name = "NAME[:TAG]")]
    tag: String,
    #[arg(value_name = "PROGRAM", required = true, hide = true)]
    programs: Vec<String>,
}

impl Words for FromHostWords {
    type Asked = FromHost;

    fn asked(self) -> Result<FromHost, Usage> {
        Ok(FromHost { reference: reference(&self.tag)?, programs: self.programs })
    }
}

/// `images`
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Images {
    /// Show all images, including intermediate ones
    #[arg(short, long)]
    pub all: bool,
    /// Show digests
    #[arg(long)]
    pub digests: bool,
    /// Filter output by this condition; can be repeated
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
    /// Output format: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Do not truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Print only IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// Only images of this name.
    #[arg(value_name = "REPOSITORY[:TAG]", hide = true)]
    pub name: Option<String>,
}

/// `history`
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct History {
    /// Output format: table, "table TEMPLATE", json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// Print sizes and dates in human-readable form
    #[arg(short = 'H', long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "true", value_name = "BOOL", value_parser = super::truth)]
    pub human: bool,
    /// Do not truncate output
    #[arg(long)]
    pub no_trunc: bool,
    /// Print only IDs
    #[arg(short, long)]
    pub quiet: bool,
    /// The image.
    #[arg(value_name = "IMAGE", hide = true)]
    pub name: String,
}
