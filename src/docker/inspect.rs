//! `inspect`: a container as Docker's JSON.
//!
//! Field names, order and zero values are those of Docker's API (1.51), so that templates and `jq`
//! filters written for Docker work unchanged.

use serde_json::{Map, Value as Json, json};

use super::time::{ZERO, rfc3339};
use crate::base::Endpoint;
use crate::engine::{
    Bind, ContainerFiles, ContainerView, MountKind, MountRequest, NetworkMode, Options, Propagation,
    RestartPolicy, Seccomp, Status, Tmpfs,
};

/// Returns a container in the format of `inspect`.
#[must_use]
pub fn container(container: &ContainerView) -> Json {
    let config = &container.config;
    let words = config.process.program();
    let files = container.files.as_deref().cloned().unwrap_or_default();
    let mut shown = json!({
        "Id": container.id,
        "Created": rfc3339(container.created),
        "Path": words.first().cloned().unwrap_or_default(),
        "Args": words.get(1..).unwrap_or_default(),
        "State": state(container),
        "Image": container.image_id.to_string(),
        "ResolvConfPath": files.resolv_conf,
        "HostnamePath": files.hostname,
        "HostsPath": files.hosts,
        "LogPath": files.log,
        "Name": format!("/{}", container.name),
        "RestartCount": container.state.restart_count,
        "Driver": "overlay2",
        "Platform": config.platform.as_ref().map_or("linux", |platform| platform.os.as_str()),
        "MountLabel": container.state.mount_label,
        "ProcessLabel": container.state.process_label,
        "AppArmorProfile": container.state.apparmor,
        "ExecIDs": exec_ids(container),
        "HostConfig": host_config(container),
        "GraphDriver": graph(container, &files),
        "Mounts": config.mounts.list.iter().filter_map(mount_point).collect::<Vec<_>>(),
        "Config": config_of(container),
        "NetworkSettings": network(container),
    });
    if let (Some(size), Json::Object(fields)) = (container.size, &mut shown) {
        fields.insert("SizeRw".to_owned(), size.writable.into());
        fields.insert("SizeRootFs".to_owned(), size.total.into());
    }
    shown
}

/// Returns the ids of the commands that are running in it; null without any.
fn exec_ids(container: &ContainerView) -> Json {
    let ids: Vec<&str> = container.execs.iter().map(|exec| exec.id.as_str()).collect();
    if ids.is_empty() { Json::Null } else { json!(ids) }
}

fn state(container: &ContainerView) -> Json {
    let state = &container.state;
    let status = container.status;
    json!({
        "Status": status,
        // In Docker, a paused container counts as running too.
        "Running": status.is_up() || status == Status::Restarting,
        "Paused": status == Status::Paused,
        "Restarting": status == Status::Restarting,
        "OOMKilled": state.oom_killed,
        "Dead": status == Status::Dead,
        "Pid": container.pid.unwrap_or(0),
        "ExitCode": if status.is_up() { 0 } else { state.exit_code },
        "Error": state.error,
        "StartedAt": state.started.map_or_else(|| ZERO.to_owned(), rfc3339),
        "FinishedAt": state.finished.map_or_else(|| ZERO.to_owned(), rfc3339),
    })
}

fn host_config(container: &ContainerView) -> Json {
    let (config, options) = (&container.config, &container.asked);
    let binds: Vec<_> = config.mounts.list.iter().filter_map(bind_word).collect();
    let tmpfs: Map<_, _> = config.mounts.list.iter().filter_map(tmpfs_word).collect();
    let mut shown = json!({
        "Binds": list(&binds),
        "ContainerIDFile": "",
        "LogConfig": {
            "Type": config.logging.driver(),
            "Config": log_options(config),
        },
        "NetworkMode": String::from(config.networking.network.clone()),
        "PortBindings": {},
        "RestartPolicy": restart(&config.lifecycle.restart),
        "AutoRemove": config.lifecycle.auto_remove,
        "VolumeDriver": "",
        "VolumesFrom": null,
        "ConsoleSize": [0, 0],
        "CapAdd": list(&options.security.cap_add),
        "CapDrop": list(&options.security.cap_drop),
        "CgroupnsMode": "private",
        "Dns": config.networking.dns,
        "DnsOptions": config.networking.dns_options,
        "DnsSearch": config.networking.dns_search,
        "ExtraHosts": list(&config.networking.extra_hosts),
        "GroupAdd": list(&config.process.group_add),
        "IpcMode": "private",
        "Cgroup": "",
        "Links": null,
        "OomScoreAdj": 0,
        "PidMode": "",
        "Privileged": config.security.privileged,
        "PublishAllPorts": false,
        "ReadonlyRootfs": config.mounts.read_only,
        "SecurityOpt": list(&security(config)),
        "UTSMode": "",
        "UsernsMode": "",
        "ShmSize": config.resources.shm_size(),
        "Runtime": config.runtime.as_deref().unwrap_or("hoist"),
        "Isolation": "",
    });
    let resources = json!({
        "CpuShares": 0, "Memory": config.resources.memory.unwrap_or(0), "NanoCpus": 0, "CgroupParent": "", "BlkioWeight": 0,
        "CpuPeriod": 0, "CpuQuota": 0, "CpusetCpus": "", "CpusetMems": "", "Devices": [],
        "MemoryReservation": 0, "MemorySwap": config.resources.memory_swap.unwrap_or(0), "OomKillDisable": false, "PidsLimit": null,
        "Ulimits": config.resources.ulimits.iter()
            .map(|limit| json!({"Name": limit.name, "Hard": limit.hard, "Soft": limit.soft}))
            .collect::<Vec<_>>(),
    });
    if let (Json::Object(fields), Json::Object(resources)) = (&mut shown, resources) {
        fields.extend(resources);
        if !tmpfs.is_empty() {
            fields.insert("Tmpfs".to_owned(), tmpfs.into());
        }
        if config.process.init {
            fields.insert("Init".to_owned(), true.into());
        }
    }
    shown
}

fn config_of(container: &ContainerView) -> Json {
    let (config, options) = (&container.config, &container.asked);
    let attached = config.process.attached();
    let volumes: Map<_, _> =
        config.mounts.volumes.iter().map(|path| (path.display().to_string(), json!({}))).collect();
    let ports: Map<_, _> =
        config.networking.exposed_ports.iter().map(|port| (port.clone(), json!({}))).collect();
    let mut shown = json!({
        "Hostname": config.networking.hostname(),
        "Domainname": config.networking.domainname(),
        "User": config.process.user(),
        "AttachStdin": attached.stdin,
        "AttachStdout": attached.stdout,
        "AttachStderr": attached.stderr,
        "Tty": config.process.tty,
        "OpenStdin": config.process.interactive,
        "StdinOnce": config.process.stdin_once(),
        "Env": config.process.env,
        "Cmd": list(&config.process.command),
        "Image": container.image,
        "Volumes": if volumes.is_empty() { Json::Null } else { volumes.into() },
        "WorkingDir": config.process.workdir(),
        "Entrypoint": list(config.process.entrypoint()),
        "OnBuild": null,
        "Labels": config.labels,
    });
    if let Json::Object(fields) = &mut shown {
        if !ports.is_empty() {
            fields.insert("ExposedPorts".to_owned(), ports.into());
        }
        fields.insert("StopSignal".to_owned(), config.lifecycle.stop_signal().into());
        if let Some(seconds) = options.lifecycle.stop_timeout {
            fields.insert("StopTimeout".to_owned(), seconds.into());
        }
    }
    shown
}

/// Returns the network settings of a container.
fn network(container: &ContainerView) -> Json {
    let endpoint = container.endpoints.first();
    let text = |of: fn(&Endpoint) -> String| endpoint.map(of).unwrap_or_default();
    let mac = text(|endpoint| endpoint.mac.to_string());
    let gateway = text(|endpoint| endpoint.gateway.to_string());
    let address = text(|endpoint| endpoint.address.to_string());
    let prefix = endpoint.map_or(0, |endpoint| endpoint.prefix);
    let config = &container.config;
    let mode = String::from(config.networking.network.clone());
    let ports: Map<_, _> = match container.status.is_up() {
        true => config.networking.exposed_ports.iter().map(|port| (port.clone(), Json::Null)).collect(),
        false => Map::new(),
    };
    let mut networks = Map::new();
    if !matches!(config.networking.network, NetworkMode::Container(_)) {
        networks.insert(
            mode,
            json!({
                "IPAMConfig": null, "Links": null, "Aliases": null,
                "MacAddress": mac,
                "DriverOpts": null, "GwPriority": 0,
                "NetworkID": text(|endpoint| endpoint.network.to_string()),
                "EndpointID": "",
                "Gateway": gateway,
                "IPAddress": address,
                "IPPrefixLen": prefix,
                "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0,
                "DNSNames": null,
            }),
        );
    }
    json!({
        "Bridge": "",
        "SandboxID": "",
        "SandboxKey": "",
        "Ports": ports,
        "HairpinMode": false,
        "LinkLocalIPv6Address": "", "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": null, "SecondaryIPv6Addresses": null,
        "EndpointID": "",
        "Gateway": gateway,
        "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0,
        "IPAddress": address,
        "IPPrefixLen": prefix,
        "IPv6Gateway": "",
        "MacAddress": mac,
        "Networks": networks,
    })
}

fn graph(container: &ContainerView, files: &ContainerFiles) -> Json {
    let lower: Vec<_> = files.lower.iter().map(|layer| layer.display().to_string()).collect();
    json!({
        "Data": {
            "ID": container.id,
            "LowerDir": lower.join(":"),
            "UpperDir": files.upper,
            "WorkDir": files.work,
        },
        "Name": "overlay2",
    })
}

fn mount_point(mount: &MountRequest) -> Option<Json> {
    let bind = match &mount.kind {
        MountKind::Bind(bind) => bind,
        MountKind::Tmpfs(_) => return None,
        MountKind::Unknown(_) => {
            let (kind, target) = (mount.kind.as_str(), &mount.target);
            return Some(json!({
                "Type": kind, "Source": "", "Destination": target, "Mode": "", "RW": !mount.read_only,
                "Propagation": "",
            }));
        }
    };
    Some(json!({
        "Type": "bind",
        "Source": bind.source,
        "Destination": mount.target,
        "Mode": mount_mode(mount, bind),
        "RW": !mount.read_only,
        "Propagation": bind.propagation.as_str(),
    }))
}

/// Returns `src:dst[:mode]`, the argument of `-v`.
fn bind_word(mount: &MountRequest) -> Option<String> {
    let MountKind::Bind(bind) = &mount.kind else { return None };
    let mode = mount_mode(mount, bind);
    let word = format!("{}:{}", bind.source.display(), mount.target.display());
    Some(if mode.is_empty() { word } else { format!("{word}:{mode}") })
}

fn mount_mode(mount: &MountRequest, bind: &Bind) -> String {
    let mut words = Vec::new();
    if mount.read_only {
        words.push("ro".into());
    }
    if bind.propagation != Propagation::default() {
        words.push(bind.propagation.as_str());
    }
    words.extend(bind.relabel.as_ref().map(|label| label.as_str().into()));
    words.join(",")
}

fn tmpfs_word(mount: &MountRequest) -> Option<(String, Json)> {
    let MountKind::Tmpfs(tmpfs) = &mount.kind else { return None };
    Some((mount.target.display().to_string(), tmpfs_options(mount.read_only, tmpfs).into()))
}

/// Returns options such as `ro,size=65536,mode=1777,exec`.
#[must_use]
pub fn tmpfs_options(read_only: bool, tmpfs: &Tmpfs) -> String {
    let mut words = Vec::new();
    if read_only {
        words.push("ro".to_owned());
    }
    words.extend(tmpfs.size.map(|size| format!("size={size}")));
    words.extend(tmpfs.mode.map(|mode| format!("mode={mode:o}")));
    words.extend(tmpfs.options.iter().cloned());
    words.join(",")
}

fn log_options(config: &Options) -> Json {
    match config.logging.driver() {
        "json-file" => json!({
            "max-file": config.logging.max_files().to_string(),
            "max-size": config.logging.max_size().to_string(),
        }),
        _ => json!({}),
    }
}

fn restart(policy: &RestartPolicy) -> Json {
    let (name, most) = match policy {
        RestartPolicy::No => ("no".to_owned(), 0),
        RestartPolicy::Always => ("always".to_owned(), 0),
        RestartPolicy::UnlessStopped => ("unless-stopped".to_owned(), 0),
        RestartPolicy::OnFailure(most) => ("on-failure".to_owned(), *most),
        RestartPolicy::Unknown(value) => (value.to_string(), 0),
    };
    json!({"Name": name, "MaximumRetryCount": most})
}

fn security(config: &Options) -> Vec<String> {
    let mut words = Vec::new();
    if config.security.no_new_privileges {
        words.push("no-new-privileges".to_owned());
    }
    match &config.security.seccomp {
        Seccomp::Default => {}
        Seccomp::Unconfined => words.push("seccomp=unconfined".to_owned()),
        Seccomp::Profile(text) => words.push(format!("seccomp={text}")),
        Seccomp::Unknown(value) => words.push(format!("seccomp={value}")),
    }
    words.extend(config.security.apparmor.as_ref().map(|profile| format!("apparmor={profile}")));
    words.extend(config.security.selinux.iter().map(|part| format!("label={part}")));
    words
}

/// Returns `null` for an empty list, as Docker does for Go slices that were never filled.
fn list(words: &[String]) -> Json {
    if words.is_empty() { Json::Null } else { words.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::ps::tests::container as example;
    use crate::engine::{ExecStatus, ExecView};

    #[test]
    fn the_commands_that_run_in_it_are_named() {
        let id = crate::base::ExecId::random().unwrap();
        let mut running = example();
        running.execs = vec![ExecView {
            id: id.clone(),
            container: running.id.clone(),
            status: ExecStatus::Running(Some(7)),
            command: vec!["sh".to_owned()],
            user: None,
            workdir: None,
            tty: true,
            interactive: true,
            privileged: false,
            detach: false,
            started: None,
        }];
        assert_eq!(container(&running)["ExecIDs"], json!([id.as_str()]));
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a snapshot")]
    fn inspect_has_dockers_fields() {
        let shown = container(&example());
        insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap(), @r#"
        {
          "Id": "0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123",
          "Created": "2026-11-22T09:00:00Z",
          "Path": "/bin/sh",
          "Args": [
            "-c",
            "while true; do sleep 1; done"
          ],
          "State": {
            "Status": "running",
            "Running": true,
            "Paused": false,
            "Restarting": false,
            "OOMKilled": false,
            "Dead": false,
            "Pid": 0,
            "ExitCode": 0,
            "Error": "",
            "StartedAt": "2026-11-22T11:00:00Z",
            "FinishedAt": "0001-01-01T00:00:00Z"
          },
          "Image": "sha256:abababababababababababababababababababababababababababababababab",
          "ResolvConfPath": "/data/containers/0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123/etc/resolv.conf",
          "HostnamePath": "/data/containers/0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123/etc/hostname",
          "HostsPath": "/data/containers/0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123/etc/hosts",
          "LogPath": "/data/containers/0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123/log/log.json",
          "Name": "/web",
          "RestartCount": 0,
          "Driver": "overlay2",
          "Platform": "linux",
          "MountLabel": "",
          "ProcessLabel": "",
          "AppArmorProfile": "",
          "ExecIDs": null,
          "HostConfig": {
            "Binds": [
              "/srv/a-rather-long-path:/data"
            ],
            "ContainerIDFile": "",
            "LogConfig": {
              "Type": "json-file",
              "Config": {
                "max-file": "3",
                "max-size": "10000000"
              }
            },
            "NetworkMode": "bridge",
            "PortBindings": {},
            "RestartPolicy": {
              "Name": "no",
              "MaximumRetryCount": 0
            },
            "AutoRemove": false,
            "VolumeDriver": "",
            "VolumesFrom": null,
            "ConsoleSize": [
              0,
              0
            ],
            "CapAdd": null,
            "CapDrop": null,
            "CgroupnsMode": "private",
            "Dns": [],
            "DnsOptions": [],
            "DnsSearch": [],
            "ExtraHosts": null,
            "GroupAdd": null,
            "IpcMode": "private",
            "Cgroup": "",
            "Links": null,
            "OomScoreAdj": 0,
            "PidMode": "",
            "Privileged": false,
            "PublishAllPorts": false,
            "ReadonlyRootfs": false,
            "SecurityOpt": null,
            "UTSMode": "",
            "UsernsMode": "",
            "ShmSize": 67108864,
            "Runtime": "hoist",
            "Isolation": "",
            "CpuShares": 0,
            "Memory": 0,
            "NanoCpus": 0,
            "CgroupParent": "",
            "BlkioWeight": 0,
            "CpuPeriod": 0,
            "CpuQuota": 0,
            "CpusetCpus": "",
            "CpusetMems": "",
            "Devices": [],
            "MemoryReservation": 0,
            "MemorySwap": 0,
            "OomKillDisable": false,
            "PidsLimit": null,
            "Ulimits": []
          },
          "GraphDriver": {
            "Data": {
              "ID": "0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123",
              "LowerDir": "",
              "UpperDir": "/data/containers/0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123/upper",
              "WorkDir": "/data/containers/0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123/work"
            },
            "Name": "overlay2"
          },
          "Mounts": [
            {
              "Type": "bind",
              "Source": "/srv/a-rather-long-path",
              "Destination": "/data",
              "Mode": "",
              "RW": true,
              "Propagation": "rprivate"
            }
          ],
          "Config": {
            "Hostname": "0123456789ab",
            "Domainname": "",
            "User": "",
            "AttachStdin": false,
            "AttachStdout": true,
            "AttachStderr": true,
            "Tty": false,
            "OpenStdin": false,
            "StdinOnce": false,
            "Env": [],
            "Cmd": [
              "-c",
              "while true; do sleep 1; done"
            ],
            "Image": "debian:latest",
            "Volumes": null,
            "WorkingDir": "/",
            "Entrypoint": [
              "/bin/sh"
            ],
            "OnBuild": null,
            "Labels": {},
            "ExposedPorts": {
              "80/tcp": {}
            },
            "StopSignal": "SIGTERM"
          },
          "NetworkSettings": {
            "Bridge": "",
            "SandboxID": "",
            "SandboxKey": "",
            "Ports": {
              "80/tcp": null
            },
            "HairpinMode": false,
            "LinkLocalIPv6Address": "",
            "LinkLocalIPv6PrefixLen": 0,
            "SecondaryIPAddresses": null,
            "SecondaryIPv6Addresses": null,
            "EndpointID": "",
            "Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "IPAddress": "",
            "IPPrefixLen": 0,
            "IPv6Gateway": "",
            "MacAddress": "",
            "Networks": {
              "bridge": {
                "IPAMConfig": null,
                "Links": null,
                "Aliases": null,
                "MacAddress": "",
                "DriverOpts": null,
                "GwPriority": 0,
                "NetworkID": "",
                "EndpointID": "",
                "Gateway": "",
                "IPAddress": "",
                "IPPrefixLen": 0,
                "IPv6Gateway": "",
                "GlobalIPv6Address": "",
                "GlobalIPv6PrefixLen": 0,
                "DNSNames": null
              }
            }
          }
        }
        "#);
    }
}
