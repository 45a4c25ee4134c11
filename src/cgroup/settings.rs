//! Which files of cgroup v1 and v2 hold the limits of a container, and what is written to them.
//!
//! This only maps values to values. Reading and writing the files is in `update.rs`.

use std::borrow::Cow;

use super::Limits;
use super::hierarchy::Controller;
use super::limits::{Counted, DeviceWeight, Throttle};

/// A value to write to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// The resource, in words.
    pub(super) limit: &'static str,
    /// The file in the group.
    pub(super) file: Cow<'static, str>,
    /// What to write.
    pub(super) value: String,
    /// Another file, and what to write to it, if the first does not exist.
    pub(super) instead: Option<(&'static str, String)>,
    /// What it means if neither exists.
    pub(super) absent: Absent,
}

/// What it means if a kernel or machine does not have the file of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// The limit cannot be promised.
    Refused,
    /// It has no effect, which is said.
    Told,
    /// It changes nothing.
    Fine,
}

/// The files without which a limit is refused, as in Docker.
const BASIC: &[&str] = &["memory.max", "pids.max", "cpu.max", "memory.limit_in_bytes"];

impl Setting {
    fn new(limit: &'static str, file: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        let file = file.into();
        let absent = if BASIC.contains(&file.as_ref()) { Absent::Refused } else { Absent::Told };
        Self { limit, file, value: value.to_string(), instead: None, absent }
    }

    fn or(self, file: &'static str, value: impl ToString) -> Self {
        Self { instead: Some((file, value.to_string())), ..self }
    }

    fn when_absent(self, absent: Absent) -> Self {
        Self { absent, ..self }
    }
}

const CPU: &str = "CPU time";

impl Limits {
    /// Returns the v1 files to write for what v2 can limit as well, with their controllers, in this
    /// order.
    pub(super) fn v1(&self) -> Vec<(Controller, Setting)> {
        use Controller::{Blkio, Cpu, Cpuset, Hugetlb, Memory, Pids, Rdma};
        let mut settings = Vec::new();
        let mut set = |controller, limit, file: &'static str, value: Option<String>| {
            settings.extend(value.map(|value| (controller, Setting::new(limit, file, value))));
        };
        // The limit including swap can never be lower than the one without.
        set(Memory, "memory", "memory.limit_in_bytes", text(self.memory));
        set(Memory, "swap", "memory.memsw.limit_in_bytes", text(self.memory_and_swap));
        set(Memory, "memory", "memory.soft_limit_in_bytes", text(self.memory_reservation));
        set(Cpu, CPU, "cpu.shares", text(self.cpu_shares));
        set(Cpu, CPU, "cpu.cfs_period_us", text(self.cpu_period));
        set(Cpu, CPU, "cpu.cfs_quota_us", text(self.cpu_quota));
        set(Cpuset, "processors", "cpuset.cpus", self.cpuset_cpus.clone());
        set(Cpuset, "processors", "cpuset.mems", self.cpuset_mems.clone());
        set(Pids, "processes", "pids.max", self.pids.map(pids_max));
        settings.extend(self.bursts("cpu.cfs_burst_us").map(|setting| (Cpu, setting)));
        settings.extend(self.io_weight.map(|weight| {
            (Blkio, Setting::new("disks", "blkio.bfq.weight", weight).or("blkio.weight", weight))
        }));
        for (device, weight) in self.io_weights.iter().filter_map(DeviceWeight::weight) {
            let value = format!("{device} {weight}");
            let setting = Setting::new("disks", "blkio.bfq.weight_device", &value);
            settings.push((Blkio, setting.or("blkio.weight_device", &value)));
        }
        for Throttle { of, device: (major, minor), rate } in &self.throttles {
            let value = format!("{major}:{minor} {rate}");
            settings.push((Blkio, Setting::new("disks", of.v1_file(), value)));
        }
        settings.extend(self.huge("limit_in_bytes", |limit| limit.to_string()).map(|set| (Hugetlb, set)));
        settings.extend(self.rdma_max().map(|setting| (Rdma, setting)));
        settings
    }

    /// Returns the v1 files to write for what v2 cannot limit, with their controllers. A `limit` is
    /// here the field of a specification.
    pub(super) fn only_v1(&self) -> Vec<(Controller, Setting)> {
        use Controller::{Blkio, Cpu, Memory, NetCls, NetPrio};
        let mut settings = Vec::new();
        let mut set = |controller, limit, file: &'static str, value: Option<String>, absent| {
            let setting = value.map(|value| Setting::new(limit, file, value).when_absent(absent));
            settings.extend(setting.map(|setting| (controller, setting)));
        };
        let (told, refused) = (Absent::Told, Absent::Refused);
        set(Memory, "swappiness", "memory.swappiness", text(self.swappiness), told);
        let off = self.is_oom_killer_off.then(|| "1".to_owned());
        set(Memory, "disableOOMKiller", "memory.oom_control", off, told);
        set(Cpu, "realtimePeriod", "cpu.rt_period_us", text(self.realtime_period), refused);
        set(Cpu, "realtimeRuntime", "cpu.rt_runtime_us", text(self.realtime_runtime), refused);
        set(Blkio, "leafWeight", "blkio.leaf_weight", text(self.io_leaf_weight), told);
        for (device, leaf) in self.io_weights.iter().filter_map(DeviceWeight::leaf) {
            let value = Some(format!("{device} {leaf}"));
            set(Blkio, "leafWeight", "blkio.leaf_weight_device", value, told);
        }
        set(NetCls, "classID", "net_cls.classid", text(self.network_class), refused);
        for (interface, priority) in &self.network_priorities {
            let value = Some(format!("{interface} {priority}"));
            set(NetPrio, "priorities", "net_prio.ifpriomap", value, refused);
        }
        settings
    }

    /// Returns the v2 files to write, in this order. A file's prefix is its controller.
    pub(super) fn v2(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        let mut set = |limit, file: &'static str, value: Option<String>| {
            settings.extend(value.map(|value| Setting::new(limit, file, value)));
        };
        set("memory", "memory.max", self.memory.map(or_max));
        set("swap", "memory.swap.max", self.memory_and_swap.map(|both| or_max(self.swap_alone(both))));
        set("memory", "memory.low", self.memory_reservation.map(or_max));
        set(CPU, "cpu.weight", self.cpu_shares.map(|shares| cpu_weight(shares).to_string()));
        set(CPU, "cpu.max", self.cpu_max());
        set("processors", "cpuset.cpus", self.cpuset_cpus.clone());
        set("processors", "cpuset.mems", self.cpuset_mems.clone());
        set("processes", "pids.max", self.pids.map(pids_max));
        settings.extend(self.bursts("cpu.max.burst"));
        settings.extend(self.io_weight.map(|weight| {
            let weights = format!("default {}", io_weight(weight));
            Setting::new("disks", "io.weight", weights).or("io.bfq.weight", format!("default {weight}"))
        }));
        for (device, weight) in self.io_weights.iter().filter_map(DeviceWeight::weight) {
            let setting = Setting::new("disks", "io.bfq.weight", format!("{device} {weight}"));
            settings.push(setting.or("io.weight", format!("{device} {}", io_weight(weight))));
        }
        for Throttle { of, device: (major, minor), rate } in &self.throttles {
            let rate = if *rate == 0 { "max".to_owned() } else { rate.to_string() };
            let value = format!("{major}:{minor} {}={rate}", of.v2_key());
            settings.push(Setting::new("disks", "io.max", value));
        }
        settings.extend(self.huge("max", or_max));
        settings.extend(self.rdma_max());
        settings
    }

    /// Returns the limit of swap, given that of memory and swap together.
    fn swap_alone(&self, both: i64) -> i64 {
        match self.memory {
            Some(memory) if both >= 0 && memory >= 0 => (both - memory).max(0),
            _ => both,
        }
    }

    /// A quota alone leaves the period as it is.
    fn cpu_max(&self) -> Option<String> {
        match (self.cpu_quota, self.cpu_period) {
            (None, None) => None,
            (Some(quota), None) => Some(or_max(quota)),
            (quota, Some(period)) => Some(format!("{} {period}", or_max(quota.unwrap_or(-1)))),
        }
    }

    /// Returns what v1 and v2 set alike. An idle group refuses a weight, so idling comes last.
    fn bursts(&self, burst: &'static str) -> impl Iterator<Item = Setting> {
        let or_zero = |is_zero| if is_zero { Absent::Fine } else { Absent::Refused };
        let bursts = self.cpu_burst.map(|us| Setting::new(CPU, burst, us).when_absent(or_zero(us == 0)));
        let idle =
            self.cpu_idle.map(|idle| Setting::new(CPU, "cpu.idle", idle).when_absent(or_zero(idle == 0)));
        bursts.into_iter().chain(idle)
    }

    /// Returns the limits of huge pages in use, and of reserved ones where the kernel has them.
    fn huge(&self, ending: &str, value: impl Fn(i64) -> String) -> impl Iterator<Item = Setting> {
        self.hugepages.iter().flat_map(move |(size, limit)| {
            [("", Absent::Refused), ("rsvd.", Absent::Fine)].map(|(kind, absent)| {
                let file = format!("hugetlb.{size}.{kind}{ending}");
                Setting::new("huge pages", file, value(*limit)).when_absent(absent)
            })
        })
    }

    fn rdma_max(&self) -> impl Iterator<Item = Setting> {
        self.rdma.iter().map(|(device, handles, objects)| {
            let most = [("hca_handle", handles), ("hca_object", objects)];
            let most = most.iter().filter_map(|(key, most)| most.map(|most| format!(" {key}={most}")));
            let value = format!("{device}{}", most.collect::<String>());
            Setting::new("RDMA", "rdma.max", value).when_absent(Absent::Refused)
        })
    }
}

impl DeviceWeight {
    fn weight(&self) -> Option<(String, u16)> {
        self.weight.map(|weight| (format!("{}:{}", self.device.0, self.device.1), weight))
    }

    fn leaf(&self) -> Option<(String, u16)> {
        self.leaf.map(|leaf| (format!("{}:{}", self.device.0, self.device.1), leaf))
    }
}

impl Counted {
    /// The file of v1.
    fn v1_file(self) -> &'static str {
        match self {
            Self::BytesRead => "blkio.throttle.read_bps_device",
            Self::BytesWritten => "blkio.throttle.write_bps_device",
            Self::Reads => "blkio.throttle.read_iops_device",
            Self::Writes => "blkio.throttle.write_iops_device",
        }
    }

    /// The key in the v2 file `io.max`.
    fn v2_key(self) -> &'static str {
        match self {
            Self::BytesRead => "rbps",
            Self::BytesWritten => "wbps",
            Self::Reads => "riops",
            Self::Writes => "wiops",
        }
    }
}

fn text(number: Option<impl ToString>) -> Option<String> {
    number.map(|number| number.to_string())
}

fn or_max(number: i64) -> String {
    if number < 0 { "max".to_owned() } else { number.to_string() }
}

fn pids_max(limit: i64) -> String {
    if limit <= 0 { "max".to_owned() } else { limit.to_string() }
}

/// Maps 2…262144 to 1…10000, as all runtimes do.
fn cpu_weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142
}

/// Maps 10…1000 to 1…10000.
fn io_weight(weight: u16) -> u64 {
    1 + (u64::from(weight.clamp(10, 1000)) - 10) * 9999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A specification, and the lines `file=value` for v1, only v1, and v2.
    type Row = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

    const TABLE: &[Row] = &[
        ("{}", &[], &[], &[]),
        (
            r#"{"memory":{"limit":67108864,"swap":100663296,"reservation":1048576}}"#,
            &[
                "memory.limit_in_bytes=67108864",
                "memory.memsw.limit_in_bytes=100663296",
                "memory.soft_limit_in_bytes=1048576",
            ],
            &[],
            &["memory.max=67108864", "memory.swap.max=33554432", "memory.low=1048576"],
        ),
        (
            r#"{"memory":{"limit":-1}}"#,
            &["memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"],
            &[],
            &["memory.max=max", "memory.swap.max=max"],
        ),
        (
            r#"{"memory":{"swappiness":0,"disableOOMKiller":true,"kernel":1,"kernelTCP":1}}"#,
            &[],
            &["memory.swappiness=0", "memory.oom_control=1"],
            &[],
        ),
        (r#"{"memory":{"swappiness":18446744073709551615}}"#, &[], &[], &[]),
        (
            r#"{"cpu":{"shares":1024,"quota":50000,"burst":1000,"idle":1,"cpus":"0-1"}}"#,
            &[
                "cpu.shares=1024",
                "cpu.cfs_quota_us=50000",
                "cpuset.cpus=0-1",
                "cpu.cfs_burst_us=1000",
                "cpu.idle=1",
            ],
            &[],
            &["cpu.weight=39", "cpu.max=50000", "cpuset.cpus=0-1", "cpu.max.burst=1000", "cpu.idle=1"],
        ),
        (
            r#"{"cpu":{"quota":-1,"period":20000}}"#,
            &["cpu.cfs_period_us=20000", "cpu.cfs_quota_us=-1"],
            &[],
            &["cpu.max=max 20000"],
        ),
        (
            r#"{"cpu":{"realtimeRuntime":5000,"realtimePeriod":900000}}"#,
            &[],
            &["cpu.rt_period_us=900000", "cpu.rt_runtime_us=5000"],
            &[],
        ),
        (r#"{"pids":{"limit":-1}}"#, &["pids.max=max"], &[], &["pids.max=max"]),
        (
            r#"{"blockIO":{"weight":1000,"leafWeight":10,
                "weightDevice":[{"major":8,"minor":0,"weight":500,"leafWeight":300}]}}"#,
            &["blkio.bfq.weight=1000", "blkio.bfq.weight_device=8:0 500"],
            &["blkio.leaf_weight=10", "blkio.leaf_weight_device=8:0 300"],
            &["io.weight=default 10000", "io.bfq.weight=8:0 500"],
        ),
        (
            r#"{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":1,"rate":1024}],
                "throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":0}]}}"#,
            &["blkio.throttle.read_bps_device=8:1 1024", "blkio.throttle.write_iops_device=8:0 0"],
            &[],
            &["io.max=8:1 rbps=1024", "io.max=8:0 wiops=max"],
        ),
        (
            r#"{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]}"#,
            &["hugetlb.2MB.limit_in_bytes=4194304", "hugetlb.2MB.rsvd.limit_in_bytes=4194304"],
            &[],
            &["hugetlb.2MB.max=4194304", "hugetlb.2MB.rsvd.max=4194304"],
        ),
        (
            r#"{"rdma":{"mlx5_1":{"hcaHandles":3},"mlx4_0":{"hcaHandles":2,"hcaObjects":2000}}}"#,
            &["rdma.max=mlx4_0 hca_handle=2 hca_object=2000", "rdma.max=mlx5_1 hca_handle=3"],
            &[],
            &["rdma.max=mlx4_0 hca_handle=2 hca_object=2000", "rdma.max=mlx5_1 hca_handle=3"],
        ),
        (
            r#"{"network":{"classID":1048577,"priorities":[{"name":"eth0","priority":500}]}}"#,
            &[],
            &["net_cls.classid=1048577", "net_prio.ifpriomap=eth0 500"],
            &[],
        ),
    ];

    #[test]
    fn limits_become_the_files_of_both_versions() {
        let line = |setting: Setting| format!("{}={}", setting.file, setting.value);
        for (spec, v1, only_v1, v2) in TABLE {
            let limits = Limits::from_spec(&serde_json::from_str(spec).unwrap());
            let lines = |list: Vec<(Controller, Setting)>| -> Vec<String> {
                list.into_iter().map(|(_, setting)| line(setting)).collect()
            };
            assert_eq!(lines(limits.v1()), *v1, "v1 of {spec}");
            assert_eq!(lines(limits.only_v1()), *only_v1, "only v1 of {spec}");
            assert_eq!(limits.v2().into_iter().map(line).collect::<Vec<_>>(), *v2, "v2 of {spec}");
        }
    }
}
