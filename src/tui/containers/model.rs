//! A container in the list: small and compared by value.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::base::text;
use crate::command;
use crate::engine::{ContainerId, ContainerView, CreateRequest, Damaged, PullPolicy, Status};
use crate::tui::containers::words::{settled_word, state_word};
use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, natural, shown_words};
use crate::tui::words::died_of_memory;

/// The label with the project of a container.
pub const PROJECT: &str = "com.docker.compose.project";

/// A container in the list.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "as in `engine::ContainerView`")]
pub struct ContainerRow {
    pub id: ContainerId,
    pub name: String,
    pub image: String,
    /// Why the state cannot be read, if so. Then only the id and the name are known, and the only
    /// possible action is to remove it.
    pub damaged: Option<String>,
    pub status: Status,
    pub exit_code: u8,
    pub oom_killed: bool,
    pub error: String,
    /// Whether the user stopped or killed it.
    pub ended_by_hand: bool,
    /// Whether its program has a terminal.
    pub has_terminal: bool,
    pub restarts: u32,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    pub command: String,
    /// The arguments of the command line that creates an equal container, without a name.
    pub again: Vec<String>,
    /// The action in progress: `stopping`.
    pub busy: Option<&'static str>,
    /// The seconds until it is killed, while it is stopping.
    pub left: Option<u64>,
    /// Whether it is removed when it exits.
    pub auto_remove: bool,
    /// The stop timeout in seconds. Negative values wait without limit.
    pub stop_timeout: i64,
    /// `name=value`
    pub labels: Vec<String>,
    /// The id of its image: `sha256:…`.
    pub image_id: String,
    /// The value of the label [`PROJECT`].
    pub project: String,
    /// `bridge`, `host`, `none`, …
    pub network: String,
    /// Its address in the network, while it is up.
    pub address: String,
    /// The ports that its image exposes: `80/tcp`.
    pub ports: Vec<String>,
    /// The last measured resource use.
    pub used: Option<Used>,
}

/// The resource use of a container at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// CPU use in percent of one CPU.
    pub cpu: f64,
    /// Memory in bytes.
    pub memory: f64,
    /// The memory limit of the container in bytes, if any.
    pub limit: Option<f64>,
    /// Bytes received per second.
    pub net_in: f64,
    /// Bytes sent per second.
    pub net_out: f64,
    /// Processes and threads.
    pub pids: f64,
    /// Until when this is current, unless more is read.
    pub expires: Timestamp,
}

impl Used {
    /// Whether more should have been read since.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.expires <= now
    }
}

impl ContainerRow {
    /// Returns the row for `container`.
    #[must_use]
    pub fn new(container: &ContainerView) -> Self {
        let words = container.config.process.program();
        Self {
            id: container.id.clone(),
            name: container.name.as_str().to_owned(),
            image: container.image.clone(),
            damaged: None,
            status: container.status,
            exit_code: container.state.exit_code,
            oom_killed: container.state.oom_killed,
            error: text::line(&container.state.error).into_owned(),
            ended_by_hand: container.state.stopped_by_hand,
            has_terminal: container.config.process.tty,
            restarts: container.state.restart_count,
            created: container.created,
            started: container.state.started,
            finished: container.state.finished,
            command: text::line(&words.join(" ")).into_owned(),
            again: again(container),
            busy: None,
            left: None,
            auto_remove: container.config.lifecycle.auto_remove,
            stop_timeout: container.config.lifecycle.stop_timeout(),
            labels: container.config.labels.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            image_id: container.image_id.to_string(),
            project: container.config.labels.get(PROJECT).cloned().unwrap_or_default(),
            network: String::from(container.config.networking.network.clone()),
            address: address(container),
            ports: container.config.networking.exposed_ports.clone(),
            used: None,
        }
    }

    /// Returns the row for a container whose state cannot be read; `None` if its id is unknown as
    /// well.
    #[must_use]
    pub fn unreadable(damaged: &Damaged) -> Option<Self> {
        Some(Self {
            id: damaged.id.parse().ok()?,
            name: text::line(damaged.name.as_deref().unwrap_or_default()).into_owned(),
            image: String::new(),
            damaged: Some(text::line(&damaged.why).into_owned()),
            status: Status::Dead,
            exit_code: 0,
            oom_killed: false,
            error: String::new(),
            ended_by_hand: true,
            has_terminal: false,
            restarts: 0,
            created: Timestamp::UNIX_EPOCH,
            started: None,
            finished: None,
            command: String::new(),
            again: Vec::new(),
            busy: None,
            left: None,
            auto_remove: false,
            stop_timeout: 0,
            labels: Vec::new(),
            image_id: String::new(),
            project: String::new(),
            network: String::new(),
            address: String::new(),
            ports: Vec::new(),
            used: None,
        })
    }

    /// Returns the URL of its first port on this machine; `None` if it exposes none or is not up.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let number = |port: &String| port.strip_suffix("/tcp").unwrap_or(port).parse::<u16>().ok();
        let port = self.ports.iter().find_map(number).filter(|_| self.is_up())?;
        let host = match (self.network.as_str(), self.address.as_str()) {
            ("host", _) => "localhost",
            (_, "") => return None,
            (_, address) => address,
        };
        let scheme = if port == 443 || port == 8443 { "https" } else { "http" };
        Some(format!("{scheme}://{host}:{port}"))
    }

    /// Returns when it was started if it has processes, otherwise when it exited or was created.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        let moment = if self.status.is_up() { self.started } else { self.finished };
        moment.unwrap_or(self.created)
    }

    /// Whether it has processes, or is about to restart.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.status.is_up() || self.status == Status::Restarting
    }

    /// Whether there is something to explain: an exit code, a restart, or memory that ran out.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        self.is_ill() || (!self.is_up() && self.exit_code != 0)
    }

    /// Whether it needs attention: it failed, restarts, or ran out of memory.
    #[must_use]
    pub fn is_ill(&self) -> bool {
        self.has_failed() || self.status == Status::Restarting || self.oom_killed
    }

    /// Whether it exited because it was out of memory.
    #[must_use]
    pub fn died_of_memory(&self) -> bool {
        died_of_memory(self.exit_code, self.oom_killed)
    }

    /// Whether it did not start, or exited with an error by itself. What the user has ended has not
    /// failed, whatever its exit code is.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let exited_badly = self.exit_code != 0 && !self.ended_by_hand;
        !self.is_up() && (exited_badly || !self.error.is_empty() || self.died_of_memory())
    }
}

/// Returns the arguments of `run` that create an equal container.
fn again(container: &ContainerView) -> Vec<String> {
    let request = CreateRequest {
        name: None,
        image: container.image.clone(),
        pull: PullPolicy::default(),
        options: container.asked.clone(),
    };
    // Without a terminal, it runs detached.
    command::equivalent::run(&request, !container.asked.process.tty)
}

/// Returns its address, while it is up and connected.
fn address(container: &ContainerView) -> String {
    container.endpoints.first().map(|endpoint| endpoint.address.to_string()).unwrap_or_default()
}

impl Row for ContainerRow {
    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn words(&self, shows: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        let values = [
            (Column::Name, self.name.as_str()),
            (Column::State, self.status.as_str()),
            (Column::Image, &self.image),
            (Column::Project, &self.project),
            (Column::Network, &self.network),
            (Column::Address, &self.address),
            (Column::Id, self.id.short()),
            (Column::Command, &self.command),
        ];
        let ports = self.ports.iter().map(|port| (Column::Ports, port.as_str()));
        let mut words = shown_words(shows, values.into_iter().chain(ports));
        // Such as `exit 0`.
        words.extend(shows(Column::State).then(|| Cow::from(settled_word(self))));
        words
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Status => test(self.status.as_str()) || (self.is_up() && test("up")),
            Field::Label => self.labels.iter().any(|label| test(label)),
            Field::Image => test(&self.image),
            Field::Name => test(&self.name),
            Field::Id => test(self.id.as_str()),
            Field::Network => test(&self.network),
            Field::Project => test(&self.project),
            _ => false,
        }
    }

    fn width(&self, column: Column) -> usize {
        match (column, &self.damaged) {
            (Column::Image | Column::Command, Some(why)) => why.width(),
            (Column::Name, _) => self.name.width(),
            (Column::State, _) => state_word(self).width(),
            (Column::Image, _) => self.image.width(),
            (Column::Command, _) => self.command.width(),
            (Column::Project, _) => self.project.width(),
            (Column::Network, _) => self.network.width(),
            // Or a dash.
            (Column::Ports, _) => self.ports.iter().map(|port| port.width() + 1).sum::<usize>().max(1),
            _ => 0,
        }
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        use Column as C;
        let used = |of: fn(&Used) -> f64| {
            let value = |row: &Self| row.used.as_ref().filter(|_| row.is_up()).map_or(-1.0, of);
            value(self).total_cmp(&value(other))
        };
        match column {
            C::Name => natural(&self.name, &other.name),
            C::State => self.urgency().cmp(&other.urgency()),
            C::Image => natural(&self.image, &other.image),
            C::Chart | C::Cpu => used(|used| used.cpu),
            C::Memory => used(|used| used.memory),
            C::NetIn => used(|used| used.net_in),
            C::NetOut => used(|used| used.net_out),
            C::Pids => used(|used| used.pids),
            C::Up => (self.is_up(), self.since()).cmp(&(other.is_up(), other.since())),
            C::Ports => self.ports.cmp(&other.ports),
            C::Project => natural(&self.project, &other.project),
            C::Network => natural(&self.network, &other.network),
            C::Address => natural(&self.address, &other.address),
            C::Id => self.id.cmp(&other.id),
            C::Created => self.created.cmp(&other.created),
            C::Command => natural(&self.command, &other.command),
            _ => Ordering::Equal,
        }
    }

    fn precedes(&self, other: &Self) -> bool {
        self.created > other.created
    }

    fn moment(&self, column: Column) -> Option<Timestamp> {
        match column {
            _ if self.damaged.is_some() => None,
            Column::Up => Some(self.since()),
            Column::Created => Some(self.created),
            _ => None,
        }
    }

    fn group(&self) -> &str {
        &self.project
    }

    fn is_idle(&self) -> bool {
        !self.is_up() && self.busy.is_none()
    }
}

impl ContainerRow {
    /// Returns the rank for sorting by urgency: problems first, then running containers, then
    /// exited ones.
    fn urgency(&self) -> (u8, u8) {
        let rank = match self.status {
            Status::Restarting => 0,
            _ if self.has_failed() => 1,
            Status::Dead => 1,
            Status::Running => 2,
            Status::Paused => 3,
            Status::Removing => 4,
            Status::Created => 5,
            Status::Exited => 6,
            Status::Unknown(_) => 7,
        };
        (rank, self.exit_code)
    }
}
