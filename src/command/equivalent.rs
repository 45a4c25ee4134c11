//! Requests → words: the command line that does the same.

use std::borrow::Cow;

use crate::docker::inspect::tmpfs_options;
use crate::engine::{
    Bind, CreateRequest, MountKind, MountRequest, NetworkMode, Options, Propagation, PullPolicy,
    RestartPolicy, Seccomp, Submounts,
};

/// The words of `run` that ask for `request`, in the background when `detach`.
///
/// A seccomp profile's text has no place in words: it stays `seccomp=<profile>`, which the
/// reader must replace by a file's name.
#[must_use]
pub fn run(request: &CreateRequest, detach: bool) -> Vec<String> {
    let mut words = vec!["run".to_owned()];
    if detach {
        words.push("-d".to_owned());
    }
    words.extend(create_words(request));
    words
}

/// The words of `create` that ask for `request`.
#[must_use]
pub fn create(request: &CreateRequest) -> Vec<String> {
    let mut words = vec!["create".to_owned()];
    words.extend(create_words(request));
    words
}

/// Words, one after the other.
struct Line(Vec<String>);

impl Line {
    fn flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.0.push(name.to_owned());
        }
    }

    fn value(&mut self, name: &str, value: impl Into<String>) {
        self.0.extend([name.to_owned(), value.into()]);
    }

    fn values<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a String>) {
        for value in values {
            self.value(name, value);
        }
    }
}

fn create_words(request: &CreateRequest) -> Vec<String> {
    let options = &request.options;
    let mut line = Line(Vec::new());
    match (options.process.interactive, options.process.tty) {
        (true, true) => line.flag("-it", true),
        (interactive, tty) => {
            line.flag("-i", interactive);
            line.flag("-t", tty);
        }
    }
    let streams = options.process.attach.as_ref().map(|attach| attach.value).unwrap_or_default();
    for (name, is_named) in [
        ("stdin", streams.stdin && !options.process.interactive),
        ("stdout", streams.stdout),
        ("stderr", streams.stderr),
    ] {
        if is_named {
            line.value("-a", name);
        }
    }
    line.flag("--rm", options.lifecycle.auto_remove);
    if let Some(name) = &request.name {
        line.value("--name", name.as_str());
    }
    match request.pull {
        PullPolicy::Missing => {}
        PullPolicy::Always => line.value("--pull", "always"),
        PullPolicy::Never => line.value("--pull", "never"),
    }
    process(options, &mut line);
    place(options, &mut line);
    rights(options, &mut line);
    life(options, &mut line);
    // `--entrypoint` holds one word; what is more stands before the command.
    let mut command = options.process.command.clone();
    match options.process.entrypoint.as_deref() {
        None => {}
        Some([]) => line.value("--entrypoint", ""),
        Some([program, rest @ ..]) => {
            line.value("--entrypoint", program);
            command.splice(0..0, rest.iter().cloned());
        }
    }
    line.0.push(request.image.clone());
    line.0.extend(command);
    line.0
}

fn process(options: &Options, line: &mut Line) {
    line.values("-e", &options.process.env);
    if let Some(workdir) = &options.process.workdir {
        line.value("-w", workdir.display().to_string());
    }
    if let Some(user) = &options.process.user {
        line.value("-u", user);
    }
    line.values("--group-add", &options.process.group_add);
    for (name, value) in &options.labels {
        line.value("--label", format!("{name}={value}"));
    }
    line.flag("--init", options.process.init);
    if let Some(platform) = &options.platform {
        line.value("--platform", platform.to_string());
    }
    if let Some(runtime) = &options.runtime {
        line.value("--runtime", runtime);
    }
}

fn place(options: &Options, line: &mut Line) {
    if let Some(hostname) = &options.networking.hostname {
        line.value("-h", hostname);
    }
    if let Some(domainname) = &options.networking.domainname {
        line.value("--domainname", domainname);
    }
    if options.networking.network != NetworkMode::default() {
        line.value("--network", options.networking.network.clone());
    }
    line.values("--add-host", &options.networking.extra_hosts);
    line.values("--dns", &options.networking.dns);
    line.values("--dns-search", &options.networking.dns_search);
    line.values("--dns-option", &options.networking.dns_options);
    for mount in &options.mounts.list {
        let (name, value) = mount_words(mount);
        line.value(name, value);
    }
    line.flag("--read-only", options.mounts.read_only);
    if let Some(bytes) = options.resources.shm_size {
        line.value("--shm-size", bytes.to_string());
    }
}

fn rights(options: &Options, line: &mut Line) {
    line.values("--cap-add", &options.security.cap_add);
    line.values("--cap-drop", &options.security.cap_drop);
    line.flag("--privileged", options.security.privileged);
    if options.security.no_new_privileges {
        line.value("--security-opt", "no-new-privileges");
    }
    match &options.security.seccomp {
        Seccomp::Default => {}
        Seccomp::Unconfined => line.value("--security-opt", "seccomp=unconfined"),
        Seccomp::Profile(_) => line.value("--security-opt", "seccomp=<profile>"),
        Seccomp::Unknown(value) => line.value("--security-opt", format!("seccomp={value}")),
    }
    if let Some(profile) = &options.security.apparmor {
        line.value("--security-opt", format!("apparmor={profile}"));
    }
    for part in &options.security.selinux {
        line.value("--security-opt", format!("label={part}"));
    }
    for limit in &options.resources.ulimits {
        line.value("--ulimit", format!("{}={}:{}", limit.name, limit.soft, limit.hard));
    }
}

fn life(options: &Options, line: &mut Line) {
    if options.lifecycle.restart != RestartPolicy::No {
        line.value("--restart", options.lifecycle.restart.to_string());
    }
    if let Some(signal) = &options.lifecycle.stop_signal {
        line.value("--stop-signal", signal);
    }
    if let Some(seconds) = options.lifecycle.stop_timeout {
        line.value("--stop-timeout", seconds.to_string());
    }
    if let Some(driver) = &options.logging.driver {
        line.value("--log-driver", driver);
    }
    if let Some(bytes) = options.logging.max_size {
        line.value("--log-opt", format!("max-size={bytes}"));
    }
    if let Some(count) = options.logging.max_files {
        line.value("--log-opt", format!("max-file={count}"));
    }
}

fn mount_words(mount: &MountRequest) -> (&'static str, String) {
    let target = mount.target.display();
    match &mount.kind {
        MountKind::Unknown(_) => ("--mount", format!("type={},target={target}", mount.kind.as_str())),
        MountKind::Tmpfs(tmpfs) => match tmpfs_options(mount.read_only, tmpfs) {
            words if words.is_empty() => ("--tmpfs", target.to_string()),
            words => ("--tmpfs", format!("{target}:{words}")),
        },
        MountKind::Bind(bind) if bind.create_source => {
            let mut word = format!("{}:{target}", bind.source.display());
            let mode = [mount.read_only.then(|| "ro".into()), shown_propagation(&bind.propagation)];
            let mode: Vec<_> = mode.into_iter().flatten().collect();
            if !mode.is_empty() {
                word += &format!(":{}", mode.join(","));
            }
            ("-v", word)
        }
        MountKind::Bind(bind) => {
            let quote = |key: &str, value: String| match value.contains([',', '"']) {
                true => format!("\"{key}={}\"", value.replace('"', "\"\"")),
                false => format!("{key}={value}"),
            };
            let mut fields = vec![
                "type=bind".to_owned(),
                quote("source", bind.source.display().to_string()),
                quote("target", target.to_string()),
            ];
            fields.extend(mount.read_only.then(|| "readonly".to_owned()));
            let propagation = match bind.submounts {
                Submounts::ReadOnly => Some(Propagation::Rprivate.as_str()), // it must be said
                _ => shown_propagation(&bind.propagation),
            };
            fields.extend(propagation.map(|word| format!("bind-propagation={word}")));
            fields.extend(recursion(bind).map(|word| format!("bind-recursive={word}")));
            ("--mount", fields.join(","))
        }
    }
}

fn recursion(bind: &Bind) -> Option<String> {
    match &bind.submounts {
        _ if !bind.recursive => Some("disabled".to_owned()),
        Submounts::Alike => None,
        Submounts::Writable => Some("writable".to_owned()),
        Submounts::ReadOnly => Some("readonly".to_owned()),
        Submounts::Unknown(value) => Some(value.to_string()),
    }
}

fn shown_propagation(value: &Propagation) -> Option<Cow<'static, str>> {
    (*value != Propagation::default()).then(|| value.as_str())
}
