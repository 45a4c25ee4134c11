//! The scope of a container, with which systemd manages its cgroup: systemd.scope(5),
//! org.freedesktop.systemd1(5).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::variant;
use crate::base::dbus::{self, Bus, Call, Message, Value};

/// How long systemd may take for a job.
const PATIENCE: Duration = Duration::from_secs(30);
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";
/// Where systemd itself listens, also without a bus.
const PRIVATE: &str = "systemd/private";
/// The slice of a container that names none.
const SLICE: &str = "system.slice";
const USER_SLICE: &str = "user.slice";
/// The longest name of a unit, in bytes.
const LONGEST: usize = 255;
/// Annotations with this prefix are properties of the unit.
const ANNOTATION: &str = "org.systemd.property.";
/// Properties that are hoist's own: they say where the container is.
const RESERVED: [&str; 3] = ["Delegate", "PIDs", "Slice"];
/// Properties that systemd 239 does not have: systemd is asked again without them.
const NEWER: [&str; 3] = ["CPUQuotaPeriodUSec", "AllowedCPUs", "AllowedMemoryNodes"];

/// A request to systemd failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place of the cgroup is none that systemd knows.
    #[error("`linux.cgroupsPath`: {0}")]
    Place(String),
    /// An annotation is no property.
    #[error("annotation `{name}`: {why}")]
    Annotation {
        /// The annotation.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// systemd cannot be reached.
    #[error("cannot reach systemd, which `--systemd-cgroup` needs")]
    NotReached(#[source] dbus::Error),
    /// systemd returned an error.
    #[error("systemd cannot {what} `{unit}`")]
    Refused {
        /// What it was asked for.
        what: &'static str,
        /// The unit.
        unit: String,
        /// Its error.
        source: dbus::Error,
    },
    /// The job of a unit ended without success.
    #[error("systemd could not {what} `{unit}`: {result}")]
    Job {
        /// What it was asked for.
        what: &'static str,
        /// The unit.
        unit: String,
        /// systemd's word for the end.
        result: String,
    },
}

/// The result of a request to systemd.
pub type Result<T> = std::result::Result<T, Error>;

/// Properties of a unit.
pub type Properties = Vec<(String, Value)>;

/// The place of a container below systemd's slices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The slice: `system.slice`.
    pub slice: String,
    /// The unit: `docker-4f2a.scope`.
    pub unit: String,
}

impl Place {
    /// Reads `slice:prefix:name`, the form of a cgroup's path with systemd. An empty path is a scope
    /// for `id` in the default slice, and so is an empty slice.
    ///
    /// # Errors
    ///
    /// If it has another form, or a name that no unit can have.
    pub fn parse(path: &str, id: &str, is_user: bool) -> Result<Self> {
        let default = if is_user { USER_SLICE } else { SLICE };
        let parts: Vec<&str> = match path {
            "" => vec![default, "hoist", id],
            path => path.split(':').collect(),
        };
        let [slice, prefix, name] = parts[..] else {
            let why = format!("`{path}` is not of the form `slice:prefix:name`, as for systemd");
            return Err(Error::Place(why));
        };
        let slice = if slice.is_empty() { default } else { slice }.to_owned();
        let unit = match (name.ends_with(".slice"), prefix) {
            (true, _) => {
                return Err(Error::Place(format!("`{path}` is a slice, not a scope of a container")));
            }
            (false, "") => format!("{name}.scope"),
            (false, prefix) => format!("{prefix}-{name}.scope"),
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
        if name.is_empty() || unit.len() > LONGEST || !unit.bytes().all(is_plain) {
            return Err(Error::Place(format!("`{unit}` is not a name of a unit")));
        }
        expand(&slice).ok_or_else(|| Error::Place(format!("`{slice}` is not a name of a slice")))?;
        Ok(Self { slice, unit })
    }

    /// Returns the path of the slice's cgroup below that of its manager.
    #[must_use]
    pub fn parent(&self) -> PathBuf {
        expand(&self.slice).unwrap_or_default()
    }
}

/// Returns the path of a slice, which is in the slice that its name begins with: systemd.slice(5).
fn expand(slice: &str) -> Option<PathBuf> {
    let name = slice.strip_suffix(".slice")?;
    if name == "-" {
        return Some(PathBuf::from("/"));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    if slice.len() > LONGEST || !name.bytes().all(is_plain) || name.split('-').any(str::is_empty) {
        return None;
    }
    let ends = name.match_indices('-').map(|(at, _)| at).chain([name.len()]);
    let path = ends.map(|end| format!("{}.slice", &name[..end])).collect::<PathBuf>();
    Some(Path::new("/").join(path))
}

/// Returns the properties that a bundle's annotations ask for. `…Sec` is given in seconds, as in the
/// file of a unit.
///
/// # Errors
///
/// If a name or a value is none of systemd's.
pub fn annotated<'a>(annotations: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Properties> {
    let mut properties = Properties::new();
    for (annotation, text) in annotations {
        let Some(name) = annotation.strip_prefix(ANNOTATION) else { continue };
        let refuse = |why: &str| Error::Annotation { name: annotation.to_owned(), why: why.to_owned() };
        if name.len() < 3 || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(refuse("it is not the name of a property"));
        }
        if RESERVED.contains(&name) {
            return Err(refuse("hoist sets this property itself"));
        }
        let value = variant::parse(text).ok_or_else(|| {
            refuse("its value is not a string, number, boolean or list of strings in GVariant text format")
        })?;
        let seconds =
            name.strip_suffix("Sec").filter(|stem| stem.ends_with(|last: char| last.is_lowercase()));
        properties.push(match seconds {
            None => (name.to_owned(), value),
            Some(stem) => {
                let micros = variant::number(&value).and_then(|seconds| seconds.checked_mul(1_000_000));
                let micros = micros.ok_or_else(|| refuse("it is not a number of seconds"))?;
                (format!("{stem}USec"), Value::Uint64(micros))
            }
        });
    }
    Ok(properties)
}

/// A connection to the manager of the system or of a user.
#[derive(Debug)]
pub struct Manager(Bus);

impl Manager {
    /// Connects to the system's manager, or to the user's.
    ///
    /// # Errors
    ///
    /// [`Error::NotReached`].
    pub fn connect(user: Option<&User>) -> Result<Self> {
        let bus = user.map_or(Path::new(SYSTEM_BUS), |user| &user.bus);
        let run = user.map_or(Path::new("/run"), |user| &user.run);
        let connected = Bus::connect(bus, PATIENCE);
        let connected = connected.or_else(|error| {
            // The error of the bus says more.
            Bus::connect_directly(&run.join(PRIVATE), PATIENCE).map_err(|_| error)
        });
        connected.map(Self).map_err(Error::NotReached)
    }

    /// Starts a scope with the processes in its property `PIDs`, and waits until it runs.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a property or a name in use; [`Error::Job`].
    pub fn start(&mut self, unit: &str, properties: &Properties) -> Result<()> {
        let start = |manager: &mut Self, properties: Properties| {
            let args = [unit.into(), "replace".into(), Value::Properties(properties), Value::NoUnits];
            manager.job("start", unit, "StartTransientUnit", &args)
        };
        match start(self, properties.clone()) {
            Err(error) if is_unknown_property(&error) => start(self, without_newer(properties)),
            result => result,
        }
    }

    /// Sets properties of a running unit until it ends.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`].
    pub fn set(&mut self, unit: &str, properties: &Properties) -> Result<()> {
        let mut set = |properties: Properties| {
            let args = [unit.into(), Value::Boolean(true), Value::Properties(properties)];
            self.call("SetUnitProperties", &args, drop).map_err(refused("change", unit))
        };
        match set(properties.clone()) {
            Err(error) if is_unknown_property(&error) => set(without_newer(properties)),
            result => result,
        }
        .map(drop)
    }

    /// Stops a unit and waits until it is gone. One that does not exist is not an error.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; [`Error::Job`].
    pub fn stop(&mut self, unit: &str) -> Result<()> {
        match self.job("stop", unit, "StopUnit", &[unit.into(), "replace".into()]) {
            Err(Error::Refused { source: dbus::Error::Refused { name, .. }, .. })
                if name.ends_with(".NoSuchUnit") =>
            {
                Ok(())
            }
            result => result,
        }
    }

    /// Returns the cgroup of the manager: empty, or a user's group.
    ///
    /// # Errors
    ///
    /// [`Error::NotReached`].
    pub fn group(&mut self) -> Result<PathBuf> {
        let args = ["org.freedesktop.systemd1.Manager".into(), "ControlGroup".into()];
        let answer = self.0.call(&Call {
            destination: "org.freedesktop.systemd1",
            path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.DBus.Properties",
            method: "Get",
            args: &args,
        });
        let words = answer.and_then(|answer| Ok(answer.strings("v")?)).map_err(Error::NotReached)?;
        Ok(words.into_iter().next().unwrap_or_default().into())
    }

    /// Calls a method that queues a job, and waits for its end.
    fn job(&mut self, what: &'static str, unit: &str, method: &str, args: &[Value]) -> Result<()> {
        let refused = refused(what, unit);
        let rule = "type='signal',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";
        // Without a bus there are no rules, and every signal arrives.
        let _ = self.0.call(&Call {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            method: "AddMatch",
            args: &[rule.into()],
        });
        self.call("Subscribe", &[], drop).map_err(&refused)?;
        let mut ended = Vec::new();
        let answer = self.call(method, args, |message| ended.extend(end_of_job(&message)));
        let answer = answer.and_then(|answer| Ok(answer.strings("o")?)).map_err(&refused)?;
        let job = answer.into_iter().next().unwrap_or_default();
        let result = loop {
            if let Some((_, result)) = ended.iter().find(|(path, _)| *path == job) {
                break result.clone();
            }
            ended.extend(end_of_job(&self.0.next().map_err(&refused)?));
        };
        match result.as_str() {
            "done" => Ok(()),
            _ => Err(Error::Job { what, unit: unit.to_owned(), result }),
        }
    }

    fn call(&mut self, method: &str, args: &[Value], signal: impl FnMut(Message)) -> dbus::Result<Message> {
        let call = Call {
            destination: "org.freedesktop.systemd1",
            path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.systemd1.Manager",
            method,
            args,
        };
        self.0.call_and_hear(&call, signal)
    }
}

fn refused<'a>(what: &'static str, unit: &'a str) -> impl Fn(dbus::Error) -> Error + 'a {
    move |source| Error::Refused { what, unit: unit.to_owned(), source }
}

/// Returns the path and the result of a job that has ended, if that is what the signal says.
fn end_of_job(message: &Message) -> Option<(String, String)> {
    let words = message.is_signal("JobRemoved").then(|| message.strings("uoss").ok())??;
    let [job, _, result] = words.try_into().ok()?;
    Some((job, result))
}

fn is_unknown_property(error: &Error) -> bool {
    let Error::Refused { source: dbus::Error::Refused { text, .. }, .. } = error else { return false };
    text.contains("unknown property") && NEWER.iter().any(|name| text.contains(name))
}

fn without_newer(properties: &Properties) -> Properties {
    properties.iter().filter(|(name, _)| !NEWER.contains(&name.as_str())).cloned().collect()
}

/// Where the manager of a user listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The socket of the bus.
    bus: PathBuf,
    /// `$XDG_RUNTIME_DIR`.
    run: PathBuf,
}

impl User {
    /// Finds it by the values of `$DBUS_SESSION_BUS_ADDRESS` and `$XDG_RUNTIME_DIR`; `None` without
    /// either.
    #[must_use]
    pub fn find(address: Option<&str>, run: Option<&Path>) -> Option<Self> {
        let sockets = address.unwrap_or_default().split(';');
        let mut sockets = sockets.filter_map(|one| one.strip_prefix("unix:")?.split(',').find_map(path_of));
        let bus = sockets.next().or_else(|| Some(run?.join("bus")))?;
        let run = run.or(bus.parent())?.to_owned();
        Some(Self { bus, run })
    }
}

fn path_of(setting: &str) -> Option<PathBuf> {
    setting.strip_prefix("path=").map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::base::dbus::tests::{message, serve};

    #[test]
    fn a_place_is_a_slice_a_prefix_and_a_name() {
        let place = |path: &str| Place::parse(path, "c1", false).map(|place| (place.parent(), place.unit));
        for (path, parent, unit) in [
            ("system.slice:docker:4f2a", "/system.slice", "docker-4f2a.scope"),
            ("a-b-c.slice:libpod:x", "/a.slice/a-b.slice/a-b-c.slice", "libpod-x.scope"),
            ("-.slice:p:x", "/", "p-x.scope"),
            (":p:x", "/system.slice", "p-x.scope"),
            ("m.slice::x", "/m.slice", "x.scope"),
            ("", "/system.slice", "hoist-c1.scope"),
        ] {
            assert_eq!(place(path).unwrap(), (parent.into(), unit.to_owned()), "{path}");
        }
        for path in [
            "/a/b",
            "a:b",
            "a.slice:b:c:d",
            "a:b:c",
            "a--b.slice:p:x",
            "-a.slice:p:x",
            "a/b.slice:p:x",
            "a.slice:p:",
            "a.slice:p:x/y",
            "a.slice:p:x.slice",
            "a.slice:p:x y",
        ] {
            assert!(place(path).is_err(), "{path}");
        }
        assert_eq!(Place::parse("", "c1", true).unwrap().slice, "user.slice");
    }

    #[test]
    fn annotations_are_properties() {
        let read =
            |name: &str, text: &str| annotated([(name, text)].into_iter()).map_err(|error| error.to_string());
        let one = |name: &str, value| Ok(vec![(name.to_owned(), value)]);
        assert_eq!(
            read("org.systemd.property.CollectMode", "'inactive'"),
            one("CollectMode", "inactive".into())
        );
        assert_eq!(
            read("org.systemd.property.TimeoutStopSec", "uint64 6"),
            one("TimeoutStopUSec", Value::Uint64(6_000_000))
        );
        assert_eq!(
            read("org.systemd.property.TimeoutStopUSec", "uint64 6"),
            one("TimeoutStopUSec", Value::Uint64(6))
        );
        assert_eq!(read("com.example.note", "x"), Ok(vec![]));
        for (name, text) in [
            ("org.systemd.property.X", "true"),
            ("org.systemd.property.Slice", "'other.slice'"),
            ("org.systemd.property.Two Words", "true"),
            ("org.systemd.property.After", "unquoted"),
            ("org.systemd.property.TimeoutStopSec", "'long'"),
            ("org.systemd.property.TimeoutStopSec", "uint64 18446744073709551615"),
        ] {
            assert!(read(name, text).is_err(), "{name}={text}");
        }
    }

    /// Encodes the end of a job.
    fn removed(job: &str, result: &str) -> Vec<u8> {
        // A number, as a string of its size would be read.
        let mut signal = message(4, 0, "JobRemoved", &[job, "x.scope", result]);
        let body: Vec<u8> = [vec![7, 0, 0, 0], signal.split_off(signal.len() - body_of(&signal))].concat();
        signal[4..8].copy_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
        [signal, body].concat()
    }

    fn body_of(message: &[u8]) -> usize {
        u32::from_le_bytes(message[4..8].try_into().unwrap()) as usize
    }

    /// Lets a manager act on a bus with these answers after the greeting; returns its calls.
    fn with_bus<T>(answers: Vec<Vec<u8>>, act: impl FnOnce(&mut Manager) -> T) -> (T, Vec<Vec<u8>>) {
        let dir = tempfile::tempdir().unwrap();
        let bus = dir.path().join("bus");
        let listener = UnixListener::bind(&bus).unwrap();
        let answers = [vec![message(2, 1, "", &[":1.1"])], answers].concat();
        let served = std::thread::spawn(move || serve(&listener, &answers));
        let user = User { bus, run: dir.path().to_owned() };
        let done = act(&mut Manager::connect(Some(&user)).unwrap());
        (done, served.join().unwrap())
    }

    fn has(call: &[u8], word: &str) -> bool {
        call.windows(word.len()).any(|part| part == word.as_bytes())
    }

    #[test]
    fn a_scope_is_started_when_its_own_job_is_done() {
        let returned = |serial| message(2, serial, "", &[]);
        for (result, is_ok) in [("done", true), ("failed", false)] {
            let ends = [
                removed("/job/6", "failed"),
                message(2, 4, "", &["/job/7"]),
                removed("/job/5", "failed"),
                removed("/job/7", result),
            ];
            let properties = vec![("PIDs".to_owned(), Value::Numbers(vec![42]))];
            let answers = vec![returned(2), returned(3), ends.concat()];
            let (started, calls) = with_bus(answers, |manager| manager.start("x.scope", &properties));
            assert_eq!(started.is_ok(), is_ok, "{started:?}");
            let last = calls.last().unwrap();
            assert!(["StartTransientUnit", "x.scope", "replace", "PIDs"].iter().all(|word| has(last, word)));
        }
    }

    #[test]
    fn an_older_systemd_is_asked_without_what_it_does_not_know() {
        let failed = |text| message(3, 2, "org.freedesktop.DBus.Error.PropertyReadOnly", &[text]);
        let properties = vec![
            ("AllowedCPUs".to_owned(), Value::Bytes(vec![1])),
            ("TasksMax".to_owned(), Value::Uint64(9)),
        ];
        let answers =
            vec![failed("Cannot set property AllowedCPUs, or unknown property."), message(2, 3, "", &[])];
        let (set, calls) = with_bus(answers, |manager| manager.set("x.scope", &properties));
        set.unwrap();
        assert!(
            has(&calls[1], "AllowedCPUs") && !has(&calls[2], "AllowedCPUs") && has(&calls[2], "TasksMax")
        );
        let answers = vec![failed("Cannot set property TasksMax, or unknown property.")];
        let (set, _) = with_bus(answers, |manager| manager.set("x.scope", &properties));
        assert_eq!(set.unwrap_err().to_string(), "systemd cannot change `x.scope`");
    }

    #[test]
    fn a_unit_that_is_gone_has_stopped() {
        let answers = |name| {
            let returned = |serial| message(2, serial, "", &[]);
            vec![returned(2), returned(3), message(3, 4, name, &["no"])]
        };
        let stop = |name| with_bus(answers(name), |manager| manager.stop("x.scope")).0;
        stop("org.freedesktop.systemd1.NoSuchUnit").unwrap();
        stop("org.freedesktop.DBus.Error.AccessDenied").unwrap_err();
    }

    #[test]
    fn a_user_is_found_by_the_environment() {
        let find = |address: Option<&str>, run: Option<&str>| {
            User::find(address, run.map(Path::new)).map(|user| user.bus.display().to_string())
        };
        assert_eq!(find(None, Some("/run/user/7")).as_deref(), Some("/run/user/7/bus"));
        let address = "tcp:host=x;unix:guid=1,path=/tmp/bus,x=y";
        assert_eq!(find(Some(address), None).as_deref(), Some("/tmp/bus"));
        assert_eq!(find(Some("unix:abstract=x"), None), None);
        assert_eq!(find(None, None), None);
    }
}
