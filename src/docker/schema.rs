//! The types of Docker's API (1.51) as in its Go client, which determine what templates can name.
//!
//! A field whose template name differs from its JSON key has both: `ID("Id")`. Fields of embedded
//! structs are listed in the outer struct, as Go resolves them. A test checks that every field of
//! hoist's JSON is listed here.

use super::template::{Field, Type};
use Type::{Any, Bool, Int, Keyed, List, Map, Pointer, Text, Time};

/// Defines a struct.
macro_rules! fields {
    ($($name:ident $(($key:literal))?: $kind:expr),* $(,)?) => {
        Type::Struct(&[$(Field { name: stringify!($name), key: fields!(@key $name $($key)?), kind: $kind }),*])
    };
    (@key $name:ident) => { stringify!($name) };
    (@key $name:ident $key:literal) => { $key };
}

const TEXTS: Type = List(&Text);
const LABELS: Type = Map(&Text);
const NOTHING: Type = fields! {};
const SET: Type = Map(&NOTHING);
const INT: Type = Pointer(&Int);

/// `inspect` of a container.
pub const CONTAINER: Type = fields! {
    ID("Id"): Text, Created: Text, Path: Text, Args: TEXTS, State: Pointer(&STATE), Image: Text,
    ResolvConfPath: Text, HostnamePath: Text, HostsPath: Text, LogPath: Text, Name: Text, RestartCount: Int,
    Driver: Text, Platform: Text, MountLabel: Text, ProcessLabel: Text, AppArmorProfile: Text, ExecIDs: TEXTS,
    HostConfig: Pointer(&HOST_CONFIG), GraphDriver: GRAPH_DRIVER, SizeRw: INT, SizeRootFs: INT,
    Mounts: List(&MOUNT_POINT), Config: Pointer(&CONFIG), NetworkSettings: Pointer(&NETWORK_SETTINGS),
};

const STATE: Type = fields! {
    Status: Text, Running: Bool, Paused: Bool, Restarting: Bool, OOMKilled: Bool, Dead: Bool, Pid: Int,
    ExitCode: Int, Error: Text, StartedAt: Text, FinishedAt: Text, Health: Pointer(&HEALTH),
};

const HEALTH: Type = fields! {
    Status: Text, FailingStreak: Int, Log: List(&PROBE),
};

const PROBE: Type = Pointer(&fields! { Start: Time, End: Time, ExitCode: Int, Output: Text, });

const HEALTHCHECK: Type = fields! {
    Test: TEXTS, Interval: Int, Timeout: Int, StartPeriod: Int, StartInterval: Int, Retries: Int,
};

const CONFIG: Type = fields! {
    Hostname: Text, Domainname: Text, User: Text, AttachStdin: Bool, AttachStdout: Bool, AttachStderr: Bool,
    ExposedPorts: Keyed(&NOTHING), Tty: Bool, OpenStdin: Bool, StdinOnce: Bool, Env: TEXTS, Cmd: TEXTS,
    Healthcheck: Pointer(&HEALTHCHECK), ArgsEscaped: Bool, Image: Text, Volumes: SET, WorkingDir: Text,
    Entrypoint: TEXTS, NetworkDisabled: Bool, MacAddress: Text, OnBuild: TEXTS, Labels: LABELS,
    StopSignal: Text, StopTimeout: INT, Shell: TEXTS,
};

const HOST_CONFIG: Type = fields! {
    Binds: TEXTS, ContainerIDFile: Text, LogConfig: LOG_CONFIG, NetworkMode: Text,
    PortBindings: Keyed(&List(&PORT_BINDING)), RestartPolicy: RESTART_POLICY, AutoRemove: Bool,
    VolumeDriver: Text, VolumesFrom: TEXTS, ConsoleSize: List(&Int), Annotations: LABELS,
    CapAdd: TEXTS, CapDrop: TEXTS, CgroupnsMode: Text, DNS("Dns"): TEXTS, DNSOptions("DnsOptions"): TEXTS,
    DNSSearch("DnsSearch"): TEXTS, ExtraHosts: TEXTS, GroupAdd: TEXTS, IpcMode: Text, Cgroup: Text,
    Links: TEXTS, OomScoreAdj: Int, PidMode: Text, Privileged: Bool, PublishAllPorts: Bool,
    ReadonlyRootfs: Bool, SecurityOpt: TEXTS, StorageOpt: LABELS, Tmpfs: LABELS, UTSMode: Text,
    UsernsMode: Text, ShmSize: Int, Sysctls: LABELS, Runtime: Text, Isolation: Text,
    CPUShares("CpuShares"): Int, Memory: Int, NanoCPUs("NanoCpus"): Int, CgroupParent: Text, BlkioWeight: Int,
    CPUPeriod("CpuPeriod"): Int, CPUQuota("CpuQuota"): Int, CpusetCpus: Text, CpusetMems: Text,
    Devices: List(&DEVICE), DeviceCgroupRules: TEXTS, MemoryReservation: Int, MemorySwap: Int,
    MemorySwappiness: INT, OomKillDisable: Pointer(&Bool), PidsLimit: INT, Ulimits: List(&ULIMIT),
    Mounts: List(&MOUNT), MaskedPaths: TEXTS, ReadonlyPaths: TEXTS, Init: Pointer(&Bool),
};

const LOG_CONFIG: Type = fields! { Type: Text, Config: LABELS, };
const RESTART_POLICY: Type = fields! { Name: Text, MaximumRetryCount: Int, };
const PORT_BINDING: Type = fields! { HostIP("HostIp"): Text, HostPort: Text, };
const DEVICE: Type = fields! { PathOnHost: Text, PathInContainer: Text, CgroupPermissions: Text, };
const ULIMIT: Type = Pointer(&fields! { Name: Text, Hard: Int, Soft: Int, });

const MOUNT: Type = fields! {
    Type: Text, Source: Text, Target: Text, ReadOnly: Bool, Consistency: Text,
    BindOptions: Pointer(&fields! {
        Propagation: Text, NonRecursive: Bool, CreateMountpoint: Bool, ReadOnlyNonRecursive: Bool,
        ReadOnlyForceRecursive: Bool,
    }),
    TmpfsOptions: Pointer(&fields! { SizeBytes: Int, Mode: Int, }),
};

const MOUNT_POINT: Type = fields! {
    Type: Text, Name: Text, Source: Text, Destination: Text, Driver: Text, Mode: Text, RW: Bool, Propagation: Text,
};

const GRAPH_DRIVER: Type = fields! { Data: LABELS, Name: Text, };

const NETWORK_SETTINGS: Type = fields! {
    Bridge: Text, SandboxID: Text, SandboxKey: Text, Ports: Keyed(&List(&PORT_BINDING)), HairpinMode: Bool,
    LinkLocalIPv6Address: Text, LinkLocalIPv6PrefixLen: Int, SecondaryIPAddresses: List(&ADDRESS),
    SecondaryIPv6Addresses: List(&ADDRESS), EndpointID: Text, Gateway: Text, GlobalIPv6Address: Text,
    GlobalIPv6PrefixLen: Int, IPAddress: Text, IPPrefixLen: Int, IPv6Gateway: Text, MacAddress: Text,
    Networks: Map(&ENDPOINT),
};

const ADDRESS: Type = fields! { Addr: Text, PrefixLen: Int, };

const ENDPOINT: Type = Pointer(&fields! {
    IPAMConfig: Pointer(&fields! { IPv4Address: Text, IPv6Address: Text, LinkLocalIPs: TEXTS, }),
    Links: TEXTS, Aliases: TEXTS, MacAddress: Text, DriverOpts: LABELS, GwPriority: Int, NetworkID: Text,
    EndpointID: Text, Gateway: Text, IPAddress: Text, IPPrefixLen: Int, IPv6Gateway: Text,
    GlobalIPv6Address: Text, GlobalIPv6PrefixLen: Int, DNSNames: TEXTS,
});

/// `image inspect`.
pub const IMAGE: Type = fields! {
    ID("Id"): Text, RepoTags: TEXTS, RepoDigests: TEXTS, Parent: Text, Comment: Text, Created: Text,
    DockerVersion: Text, Author: Text, Config: Pointer(&IMAGE_CONFIG), Architecture: Text, Variant: Text,
    Os: Text, OsVersion: Text, Size: Int, GraphDriver: GRAPH_DRIVER,
    RootFS: fields! { Type: Text, Layers: TEXTS, }, Metadata: fields! { LastTagTime: Time, },
};

/// Docker's JSON also has the fields of a container, all of them empty; templates do not.
const IMAGE_CONFIG: Type = fields! {
    User: Text, ExposedPorts: SET, Env: TEXTS, Entrypoint: TEXTS, Cmd: TEXTS, Volumes: SET, WorkingDir: Text,
    Labels: LABELS, StopSignal: Text, ArgsEscaped: Bool, Healthcheck: Pointer(&HEALTHCHECK), OnBuild: TEXTS,
    Shell: TEXTS,
};

/// `network inspect`.
pub const NETWORK: Type = fields! {
    Name: Text, ID("Id"): Text, Created: Time, Scope: Text, Driver: Text, EnableIPv4: Bool, EnableIPv6: Bool,
    IPAM: fields! {
        Driver: Text, Options: LABELS,
        Config: List(&fields! {
            Subnet: Text, IPRange: Text, Gateway: Text, AuxAddress("AuxiliaryAddresses"): LABELS,
        }),
    },
    Internal: Bool, Attachable: Bool, Ingress: Bool, ConfigFrom: fields! { Network: Text, }, ConfigOnly: Bool,
    Containers: Map(&fields! {
        Name: Text, EndpointID: Text, MacAddress: Text, IPv4Address: Text, IPv6Address: Text,
    }),
    Options: LABELS, Labels: LABELS,
};

/// A message of `events`.
pub const EVENT: Type = fields! {
    Status("status"): Text, ID("id"): Text, From("from"): Text, Type: Text, Action: Text,
    Actor: fields! { ID: Text, Attributes: LABELS, }, Scope("scope"): Text, Time("time"): Int,
    TimeNano("timeNano"): Int,
};

/// `version`.
pub const VERSION: Type = fields! {
    Client: Pointer(&fields! {
        Version: Text, APIVersion("ApiVersion"): Text, DefaultAPIVersion: Text, GitCommit: Text, Os: Text,
        Arch: Text, KernelVersion: Text, BuildTime: Text, Context: Text,
    }),
    Server: Pointer(&fields! {
        Platform: fields! { Name: Text, },
        Components: List(&fields! { Name: Text, Version: Text, Details: LABELS, }),
        Version: Text, APIVersion("ApiVersion"): Text, MinAPIVersion: Text, GitCommit: Text, Os: Text,
        Arch: Text, KernelVersion: Text, Experimental: Bool, BuildTime: Text,
    }),
};

/// `info`: those of Docker's fields that hoist knows, and its own `RunRoot`.
pub const INFO: Type = fields! {
    ID: Text, Containers: INT, ContainersRunning: INT, ContainersPaused: INT, ContainersStopped: INT,
    Images: INT, Driver: Text, DriverStatus: List(&TEXTS),
    Plugins: fields! { Volume: TEXTS, Network: TEXTS, Authorization: TEXTS, Log: TEXTS, },
    LoggingDriver: Text, CgroupDriver: Text, CgroupVersion: Text, KernelVersion: Text, OperatingSystem: Text,
    OSType: Text, Architecture: Text, NCPU: Int, MemTotal: Int, DockerRootDir: Text, RunRoot: Text, Name: Text,
    Labels: TEXTS, ServerVersion: Text, Runtimes: Map(&Any), DefaultRuntime: Text,
    Swarm: fields! { NodeID: Text, NodeAddr: Text, LocalNodeState: Text, ControlAvailable: Bool, Error: Text, },
    LiveRestoreEnabled: Bool, Isolation: Text, SecurityOptions: TEXTS, Warnings: TEXTS,
    ServerErrors: TEXTS,
};

/// Returns the paths in `data` that `kind` lacks, or that have another type.
#[cfg(test)]
pub(crate) fn unknown(data: &serde_json::Value, kind: Type) -> Vec<String> {
    use serde_json::Value as Json;
    let below = |name: &str, data: &Json, kind: Type| -> Vec<String> {
        unknown(data, kind).into_iter().map(|path| format!(".{name}{path}")).collect()
    };
    match (kind, data) {
        (Any, _) | (List(_) | Map(_) | Keyed(_) | Pointer(_), Json::Null) => Vec::new(),
        (Text | Time, Json::String(_)) | (Bool, Json::Bool(_)) | (Int, Json::Number(_)) => Vec::new(),
        (Pointer(inner), data) => unknown(data, *inner),
        (List(inner), Json::Array(items)) => items.iter().flat_map(|item| below("0", item, *inner)).collect(),
        (Map(inner) | Keyed(inner), Json::Object(items)) => {
            items.iter().flat_map(|(name, item)| below(name, item, *inner)).collect()
        }
        (Type::Struct(fields), Json::Object(items)) => {
            let known = |name: &str| fields.iter().find(|field| field.key == name);
            let of = |(name, item): (&String, &Json)| match known(name) {
                Some(field) => below(name, item, field.kind),
                None => vec![format!(".{name}")],
            };
            items.iter().flat_map(of).collect()
        }
        (kind, data) => vec![format!(" is {data}, not {kind:?}")],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::docker::template::Template;
    use crate::docker::{info, inspect, ps};

    fn created() -> Json {
        let mut container = ps::tests::container();
        container.config.labels = [("k".to_owned(), "v".to_owned())].into();
        container.config.process.entrypoint = None;
        inspect::container(&container)
    }

    /// Each line is the output of Docker 28.2 for an equivalent container.
    #[test]
    fn templates_of_a_container_print_what_dockers_do() {
        for (template, text) in [
            (r#"{{index .Config.Labels "no"}}|"#, "|"),
            ("{{.Config.Labels.no}}", "<no value>"),
            ("{{.Config.Labels.k}}{{.Config.Labels}}", "vmap[k:v]"),
            ("{{if .State.Health}}y{{else}}n{{end}}{{with .State.Health}}y{{end}}", "n"),
            ("{{.State.Health}} {{json .State.Health}} {{not .State.Health}}", "<nil> null true"),
            ("{{or .State.Health \"x\"}} {{and .State.Health .State.Running}}", "x <nil>"),
            ("{{.Config.Entrypoint}}{{.Config.Volumes}}", "[]map[]"),
            ("{{json .Config.Volumes}} {{len .Config.Volumes}} {{len .Config.Entrypoint}}", "null 0 0"),
            ("{{.HostConfig.RestartPolicy}} {{.HostConfig.ConsoleSize}}", "{no 0} [0 0]"),
            (
                "{{.HostConfig.Init}} {{.HostConfig.PidsLimit}} {{.SizeRw}} {{.Config.StopTimeout}}",
                "<nil> <nil> <nil> <nil>",
            ),
            ("{{.HostConfig.DNS}} {{.HostConfig.Annotations}} {{.ExecIDs}}", "[] map[] []"),
            ("{{.HostConfig.Dns}}", "[]"),
            ("{{.NetworkSettings.Networks.nope}}", "<no value>"),
            ("{{.NetworkSettings.Networks.nope.IPAddress}}", "<no value>"),
            ("{{.NetworkSettings.Networks.bridge.IPAddress}}|", "|"),
            (r#"{{index .NetworkSettings.Ports "443/tcp"}}"#, "<no value>"),
            ("{{range $port, $to := .NetworkSettings.Ports}}{{$port}}{{$to}}{{end}}", "80/tcp[]"),
            ("{{.Config.Shell}}{{.Config.MacAddress}}{{.Config.NetworkDisabled}}", "[]false"),
            ("{{printf \"%s %v\" .Config.Labels .State.Health}}", "map[k:v] <nil>"),
            ("{{range .Mounts}}{{.Destination}} {{.Name}}|{{.RW}}{{end}}", "/data |true"),
            ("{{.State.Status}} {{.State.OOMKilled}} {{eq .State.ExitCode 0}}", "running false true"),
        ] {
            let shown = Template::parse(template).and_then(|it| it.inspect(&created(), CONTAINER));
            assert_eq!(shown.unwrap_or_else(|error| error.to_string()), text, "{template}");
        }
        let id = created()["Id"].as_str().unwrap().to_owned();
        for template in ["{{.ID}}", "{{.Id}}"] {
            assert_eq!(Template::parse(template).unwrap().inspect(&created(), CONTAINER).unwrap(), id);
        }
    }

    #[test]
    fn what_is_in_neither_the_type_nor_the_json_is_a_mistake() {
        for (template, fault) in [
            ("{{.Nope}}", "map has no entry for key \"Nope\""),
            ("{{.State.Nope}}", "map has no entry for key \"Nope\""),
            ("{{.ID}} {{.Id}}", "map has no entry for key \"ID\""),
            ("{{.Id}} {{.State.Health}}", "map has no entry for key \"Health\""),
            (
                r#"{{(index .NetworkSettings.Networks "nope").IPAddress}}"#,
                "nil data; no entry for key \"IPAddress\"",
            ),
            (r#"{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}"#, "index of untyped nil"),
        ] {
            let told =
                Template::parse(template).unwrap().inspect(&created(), CONTAINER).unwrap_err().to_string();
            assert!(told.ends_with(fault), "{template}: {told}");
        }
    }

    #[test]
    fn times_and_images_print_as_in_go() {
        let network = json!({"Created": "2026-11-29T12:36:14.4337Z", "Containers": null});
        let image =
            json!({"Config": {"Cmd": ["sh"], "Labels": null, "Hostname": ""}, "RootFS": {"Type": "layers"}});
        for (template, data, kind, text) in [
            ("{{.Created}}", &network, NETWORK, "2026-11-29 12:36:14.4337 +0000 UTC"),
            ("{{.Containers}}{{.Options}}{{.IPAM}}", &network, NETWORK, "map[]map[]{ map[] []}"),
            ("{{.Config}}", &image, IMAGE, "{ map[] [] [] [sh] map[]  map[]  false <nil> [] []}"),
            ("{{.Config.Hostname}}|{{.Config.Labels}}", &image, IMAGE, "|<no value>"),
            (
                "{{.Config.Labels}} {{.Metadata.LastTagTime}}",
                &image,
                IMAGE,
                "map[] 0001-01-01 00:00:00 +0000 UTC",
            ),
            ("{{.RootFS}}", &image, IMAGE, "{layers []}"),
        ] {
            assert_eq!(Template::parse(template).unwrap().inspect(data, kind).unwrap(), text, "{template}");
        }
    }

    #[test]
    fn every_field_hoist_shows_has_a_type() {
        let facts = info::Facts::default();
        for (data, kind) in
            [(created(), CONTAINER), (info::version(&facts), VERSION), (info::info(&facts), INFO)]
        {
            assert_eq!(unknown(&data, kind), Vec::<String>::new());
        }
    }
}
