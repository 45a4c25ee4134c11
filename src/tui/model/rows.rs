//! What the lists show of an object: plain, small, compared by value.

use jiff::Timestamp;

use crate::command;
use crate::engine::{Container, ContainerId, CreateRequest, PullPolicy, Record, Status};

/// What every row has.
pub trait Row {
    /// What it is known by, for the cursor to stay on it.
    fn key(&self) -> &str;
    /// Where a filter looks.
    fn words(&self) -> Vec<&str>;
}

/// A container in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `engine::Record`")]
pub struct ContainerRow {
    pub id: ContainerId,
    pub name: String,
    pub image: String,
    pub status: Status,
    pub exit_code: u8,
    pub oom_killed: bool,
    pub error: String,
    pub restarts: u32,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    pub command: String,
    /// Words of the command line that make one like it, without a name.
    pub again: Vec<String>,
    /// What is being done to it: `stopping…`.
    pub busy: Option<&'static str>,
}

impl ContainerRow {
    /// What the list shows of `container`.
    #[must_use]
    pub fn new(container: &Container) -> Self {
        let record = &container.record;
        let run_started = container.run.as_ref().and_then(|run| run.started);
        Self {
            id: record.id.clone(),
            name: record.name.as_str().to_owned(),
            image: record.image.clone(),
            status: container.status,
            exit_code: record.state.exit_code,
            oom_killed: record.state.oom_killed,
            error: record.state.error.clone(),
            restarts: record.state.restart_count,
            created: record.created,
            started: run_started.or(record.state.started),
            finished: record.state.finished,
            command: [record.config.entrypoint.as_slice(), &record.config.command].concat().join(" "),
            again: again(record),
            busy: None,
        }
    }

    /// Whether processes of it exist, or will again by themselves.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.status.is_up() || self.status == Status::Restarting
    }

    /// Whether it ended badly.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        !self.is_up() && (self.exit_code != 0 || !self.error.is_empty())
    }
}

/// The words of `run` that make a container like this one.
fn again(record: &Record) -> Vec<String> {
    let request = CreateRequest {
        name: None,
        image: record.image.clone(),
        pull: PullPolicy::default(),
        options: record.options.clone(),
    };
    // Without a terminal nobody stays with it.
    command::equivalent::run(&request, !record.options.tty)
}

impl Row for ContainerRow {
    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn words(&self) -> Vec<&str> {
        vec![&self.name, self.id.short(), &self.image, self.status.as_str(), &self.command]
    }
}

/// A name of an image, or an image without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    /// `sha256:…`
    pub id: String,
    /// `debian:13`, empty when it has none.
    pub name: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Bytes.
    pub size: u64,
    /// `amd64`, `arm64/v8`.
    pub platform: String,
    /// Id and name: what tells rows apart.
    pub unique: String,
}

impl ImageRow {
    /// What to call it in a request: its name, or its id.
    #[must_use]
    pub fn target(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// The first twelve digits of its id.
    #[must_use]
    pub fn short(&self) -> &str {
        let hex = self.id.split_once(':').map_or(self.id.as_str(), |(_, hex)| hex);
        hex.get(..12).unwrap_or(hex)
    }
}

impl Row for ImageRow {
    fn key(&self) -> &str {
        &self.unique
    }

    fn words(&self) -> Vec<&str> {
        vec![&self.name, self.short(), &self.platform]
    }
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeRow {
    /// Its name.
    pub name: String,
    /// `local`
    pub driver: String,
    /// Where its files are.
    pub place: String,
}

impl Row for VolumeRow {
    fn key(&self) -> &str {
        &self.name
    }

    fn words(&self) -> Vec<&str> {
        vec![&self.name, &self.driver]
    }
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRow {
    /// 64 hex digits.
    pub id: String,
    /// `bridge`
    pub name: String,
    /// `bridge`, `host`, `null`.
    pub driver: String,
    /// `172.17.0.0/16`, empty where there is none.
    pub subnet: String,
}

impl Row for NetworkRow {
    fn key(&self) -> &str {
        &self.id
    }

    fn words(&self) -> Vec<&str> {
        vec![&self.name, &self.driver, &self.subnet]
    }
}
