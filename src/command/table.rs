//! Every verb: how it is called, what it does, who reads its words.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::usage::Usage;
use super::{Request, World, complete, container, create, image, lists, read, refused};

/// One verb.
#[derive(Debug)]
pub(super) struct Verb {
    /// Its names, the usual one first: `ps`, `container ls`.
    pub(super) paths: &'static [&'static str],
    /// What stands after its name in the usage line.
    arguments: &'static str,
    /// One line.
    about: &'static str,
    augment: fn(Command) -> Command,
    pub(super) read: fn(&ArgMatches, &World) -> Result<Request, Usage>,
}

/// A row of the table.
macro_rules! verbs {
    ($($words:ty, $arguments:literal, $about:literal, $($path:literal)|+;)*) => {
        &[$(Verb {
            paths: &[$($path),+],
            arguments: $arguments,
            about: $about,
            augment: <$words as clap::Args>::augment_args,
            read: read::<$words>,
        }),*]
    };
}

/// The verbs, in the order of the overview. A path's words are split at blanks.
pub(super) const VERBS: &[Verb] = verbs! {
    create::RunWords, "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create and run a new container from an image",
        "run" | "container run";
    container::ExecWords, "[OPTIONS] CONTAINER COMMAND [ARG...]", "Execute a command in a running container",
        "exec" | "container exec";
    lists::Ps, "[OPTIONS]", "List containers",
        "ps" | "container ls" | "container ps" | "container list";
    container::LogsWords, "[OPTIONS] CONTAINER", "Fetch the logs of a container",
        "logs" | "container logs";
    image::PullWords, "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry",
        "pull" | "image pull";
    lists::Images, "[OPTIONS] [REPOSITORY[:TAG]]", "List images",
        "images" | "image ls" | "image list";
    image::FromHostWords, "-t NAME[:TAG] PROGRAM [PROGRAM...]", "Make an image of programs of this machine",
        "image from-host";

    container::AttachWords, "[OPTIONS] CONTAINER", "Attach this terminal to a running container",
        "attach" | "container attach";
    create::CreateWords, "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container",
        "create" | "container create";
    container::Inspect, "[OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on objects",
        "inspect";
    container::ContainerInspectWords, "[OPTIONS] CONTAINER [CONTAINER...]",
        "Display detailed information on one or more containers",
        "container inspect";
    container::Kill, "[OPTIONS] CONTAINER [CONTAINER...]", "Kill one or more running containers",
        "kill" | "container kill";
    container::Pause, "CONTAINER [CONTAINER...]", "Pause all processes within one or more containers",
        "pause" | "container pause";
    container::RenameWords, "CONTAINER NEW_NAME", "Rename a container",
        "rename" | "container rename";
    container::Restart, "[OPTIONS] CONTAINER [CONTAINER...]", "Restart one or more containers",
        "restart" | "container restart";
    container::Rm, "[OPTIONS] CONTAINER [CONTAINER...]", "Remove one or more containers",
        "rm" | "container rm" | "container remove";
    container::StartWords, "[OPTIONS] CONTAINER [CONTAINER...]", "Start one or more stopped containers",
        "start" | "container start";
    lists::Stats, "[OPTIONS] [CONTAINER...]", "Display a live stream of container(s) resource usage statistics",
        "stats" | "container stats";
    container::Stop, "[OPTIONS] CONTAINER [CONTAINER...]", "Stop one or more running containers",
        "stop" | "container stop";
    container::Top, "CONTAINER", "Display the running processes of a container",
        "top" | "container top";
    container::Unpause, "CONTAINER [CONTAINER...]", "Unpause all processes within one or more containers",
        "unpause" | "container unpause";
    container::Wait, "CONTAINER [CONTAINER...]", "Block until one or more containers stop, then print their exit codes",
        "wait" | "container wait";

    lists::History, "[OPTIONS] IMAGE", "Show the history of an image",
        "history" | "image history";
    image::ImportWords, "[OPTIONS] FILE|- [REPOSITORY[:TAG]]", "Make an image of a root file system in a tar archive",
        "import" | "image import";
    image::ImageInspect, "[OPTIONS] IMAGE [IMAGE...]", "Display detailed information on one or more images",
        "image inspect";
    image::LoadWords, "[OPTIONS]", "Load an image from a tar archive or STDIN",
        "load" | "image load";
    image::Rmi, "[OPTIONS] IMAGE [IMAGE...]", "Remove one or more images",
        "rmi" | "image rm" | "image remove";
    image::TagWords, "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
        "tag" | "image tag";

    lists::NetworkInspect, "[OPTIONS] NETWORK [NETWORK...]", "Display detailed information on one or more networks",
        "network inspect";
    lists::NetworkLs, "[OPTIONS]", "List networks",
        "network ls" | "network list";
    container::VolumeInspectWords, "[OPTIONS] VOLUME [VOLUME...]",
        "Display detailed information on one or more volumes",
        "volume inspect";
    lists::VolumeLs, "[OPTIONS]", "List volumes",
        "volume ls" | "volume list";

    lists::Events, "[OPTIONS]", "Show what changes, as it changes",
        "events" | "system events";
    lists::Info, "[OPTIONS]", "Display system-wide information",
        "info" | "system info";
    lists::SystemBoot, "", "Start the containers whose restart policies want it, as at boot",
        "system boot";
    lists::SystemInstall, "", "Have systemd start containers at boot and stop them at shutdown",
        "system install";
    lists::SystemReset, "[OPTIONS]", "Remove all containers, images and networks of this engine",
        "system reset";
    lists::SystemShutdown, "", "Stop all containers; their restart policies start them at the next boot",
        "system shutdown";
    lists::SystemUninstall, "", "Remove what `system install` made; containers keep running",
        "system uninstall";
    lists::Version, "[OPTIONS]", "Show the version information",
        "version";
    complete::CompletionWords, "bash|zsh|fish", "Print completions for a shell",
        "completion";
};

/// Groups of verbs.
pub(super) const GROUPS: &[(&str, &str)] = &[
    ("container", "Manage containers"),
    ("image", "Manage images"),
    ("network", "Manage networks"),
    ("volume", "Manage volumes"),
    ("system", "Manage this engine"),
];

/// Verbs that another reader of the command line has.
const ELSEWHERE: &[(&str, &str)] =
    &[("oci", "Drive the embedded runtime as the OCI runtime specification says")];

const TEMPLATE: &str = "Usage:  {usage}\n\n{about}\n\nOptions:\n{options}\n";

impl Verb {
    /// `hoist image from-host`
    pub(super) fn name(&self) -> String {
        format!("hoist {}", self.paths[0])
    }

    /// What it does, in one line.
    pub(super) fn about(&self) -> &'static str {
        self.about
    }

    /// `hoist run [OPTIONS] IMAGE [COMMAND] [ARG...]`
    pub(super) fn usage(&self) -> String {
        format!("{} {}", self.name(), self.arguments).trim_end().to_owned()
    }

    /// For clap.
    pub(super) fn command(&self) -> Command {
        let help = Arg::new("help").long("help").help("Print usage").action(ArgAction::Help);
        let is_run = matches!(self.paths[0], "run" | "create");
        // `-h` is help too, where it is not taken: `run -h NAME`.
        let help = if is_run { help } else { help.short('h') };
        let command = Command::new(self.name()).disable_help_flag(true).disable_version_flag(true);
        let command = if is_run { by_name(self.augment, command) } else { (self.augment)(command) };
        command.about(self.about).override_usage(self.usage()).arg(help)
    }

    /// What `--help` shows.
    pub(super) fn help(&self) -> String {
        let names: Vec<_> = self.paths.iter().map(|path| format!("hoist {path}")).collect();
        let aliases =
            if names.len() > 1 { format!("\n\nAliases:\n  {}", names.join(", ")) } else { String::new() };
        let about = format!("{}{aliases}", self.about);
        let hide = |arg: Arg| if arg.is_positional() { arg.hide(true) } else { arg };
        self.command().mut_args(hide).about(about).help_template(TEMPLATE).render_help().to_string()
    }
}

/// Adds options by name, and not by their groups.
fn by_name(augment: fn(Command) -> Command, command: Command) -> Command {
    let mut args: Vec<Arg> = augment(Command::new("")).get_arguments().cloned().collect();
    args.sort_by(|one, other| one.get_long().cmp(&other.get_long()));
    command.args(args.into_iter().enumerate().map(|(at, arg)| arg.display_order(at)))
}

/// What the first words of a command line name.
pub(super) enum Found<'a> {
    /// A verb, and the words after it.
    Verb(&'static Verb, &'a [String]),
    /// A group alone: its help.
    Group(String),
    /// Nothing there is.
    Unknown(Usage),
}

/// Finds the verb that `words` begin with.
pub(super) fn find(words: &[String]) -> Found<'_> {
    let is = |path: &str, count: usize| {
        words.len() >= count && path.split(' ').eq(words[..count].iter().map(String::as_str))
    };
    for count in [2, 1] {
        if let Some(verb) = VERBS.iter().find(|verb| verb.paths.iter().any(|path| is(path, count))) {
            return Found::Verb(verb, &words[count..]);
        }
    }
    let [first, rest @ ..] = words else { return Found::Unknown(Usage::count("no verb", None)) };
    let second = rest.first().map(String::as_str);
    if GROUPS.iter().any(|(group, _)| group == first) {
        match second {
            None | Some("--help" | "-h" | "help") => return Found::Group(group_help(first)),
            Some(verb) => {
                if let Some(usage) = refused::verb(&[first, verb]) {
                    return Found::Unknown(usage);
                }
                let hint = Some(format!("see `hoist {first} --help`"));
                return Found::Unknown(Usage::count(format!("unknown command: hoist {first} {verb}"), hint));
            }
        }
    }
    let refusal = refused::verb(&[first]);
    Found::Unknown(refusal.unwrap_or_else(|| {
        let near = nearest(first)
            .map_or_else(|| "see `hoist --help`".to_owned(), |near| format!("did you mean `{near}`?"));
        Usage::count(format!("unknown command: hoist {first}"), Some(near))
    }))
}

/// The verb whose name differs least, if it differs little.
fn nearest(word: &str) -> Option<&'static str> {
    let names = VERBS.iter().map(|verb| verb.paths[0]).filter(|name| !name.contains(' '));
    let best = names.map(|name| (distance(word, name), name)).min()?;
    (best.0 <= 2 && best.0 < word.chars().count()).then_some(best.1)
}

/// How many characters must be added, taken or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn listed(rows: &[(String, &str)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, about)| format!("  {name:width$}  {about}\n")).collect()
}

fn group_help(group: &str) -> String {
    let about = GROUPS.iter().find(|(name, _)| *name == group).map_or("", |(_, about)| about);
    let of_group = |verb: &Verb| {
        let name = verb.paths.iter().find_map(|path| path.strip_prefix(group)?.strip_prefix(' '))?;
        Some((name.to_owned(), verb.about))
    };
    let mut rows: Vec<_> = VERBS.iter().filter_map(of_group).collect();
    rows.sort();
    format!(
        "Usage:  hoist {group} COMMAND\n\n{about}\n\nCommands:\n{}\nRun `hoist {group} COMMAND --help` for more on a command.\n",
        listed(&rows)
    )
}

/// What `hoist --help` shows.
pub(super) fn overview() -> String {
    let top: Vec<_> = VERBS
        .iter()
        .filter(|verb| !verb.paths[0].contains(' '))
        .map(|verb| (verb.paths[0].to_owned(), verb.about))
        .chain(ELSEWHERE.iter().map(|(name, about)| ((*name).to_owned(), *about)))
        .collect();
    let (common, others) = top.split_at(6);
    let groups: Vec<_> = GROUPS.iter().map(|(name, about)| ((*name).to_owned(), *about)).collect();
    format!(
        "\
Usage:  hoist [OPTIONS] [COMMAND]

Run containers, without a daemon. `hoist` alone opens the terminal UI.

Common Commands:
{}
Management Commands:
{}
Commands:
{}
Global Options:
      --config FILE      Read this configuration instead of the usual ones
  -D, --debug            Write what happens to standard error
      --read-only        Open the terminal UI so that it changes nothing
      --root FOLDER      Keep images and containers here (default /var/lib/hoist)
      --run-root FOLDER  Keep what a reboot voids here (default /run/hoist)
  -v, --version          Print version information and quit

Run `hoist COMMAND --help` for more information on a command.
",
        listed(common),
        listed(&groups),
        listed(others)
    )
}

/// All verbs as one clap tree, for completions.
pub(super) fn tree() -> Command {
    let mut tree = Command::new("hoist").disable_help_subcommand(true).args([
        Arg::new("config").long("config").value_name("FILE").value_hint(clap::ValueHint::FilePath),
        Arg::new("debug").long("debug").short('D').action(ArgAction::SetTrue),
        Arg::new("root").long("root").value_name("FOLDER").value_hint(clap::ValueHint::DirPath),
        Arg::new("run-root").long("run-root").value_name("FOLDER").value_hint(clap::ValueHint::DirPath),
    ]);
    for (group, about) in GROUPS {
        let mut command = Command::new(*group).about(*about).disable_help_subcommand(true);
        for verb in VERBS {
            let name = verb.paths.iter().find_map(|path| path.strip_prefix(group)?.strip_prefix(' '));
            if let Some(name) = name {
                command = command.subcommand(verb.command().name(name));
            }
        }
        tree = tree.subcommand(command);
    }
    for verb in VERBS.iter().filter(|verb| !verb.paths[0].contains(' ')) {
        tree = tree.subcommand(verb.command().name(verb.paths[0]));
    }
    tree
}

/// Every verb's usual name and what it does, for menus and help screens.
pub fn summary() -> impl Iterator<Item = (&'static str, &'static str)> {
    VERBS.iter().map(|verb| (verb.paths[0], verb.about))
}
