//! Compares the compiled filters with a simple interpretation of the rules.

use super::compile::{
    AND, IF_AT_LEAST, IF_EQUAL, IF_GREATER, INT_ARGUMENTS, JUMP, LOAD, RETURN, compile, word,
};
use super::table::{Machine, Table, X32_BIT};
use super::{Filter, default_profile, read};
use crate::oci::runtime::{LinuxSeccomp, LinuxSeccompAction, LinuxSeccompOperator as Op};
use crate::sys::cap::{Cap, CapSet};
use crate::sys::seccomp::Instruction;

const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;
const KILL: u32 = 0x8000_0000;
const KERNEL: (u32, u32) = (6, 18);

/// Returns Docker's default capabilities.
fn docker_caps() -> CapSet {
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
        .split(' ')
        .map(|name| name.parse::<Cap>().unwrap())
        .collect()
}

/// Runs a filter like the kernel.
fn run(program: &[Instruction], machine: u32, number: u32, args: [u64; 6]) -> u32 {
    let mut data = [0_u8; 64];
    data[0..4].copy_from_slice(&number.to_ne_bytes());
    data[4..8].copy_from_slice(&machine.to_ne_bytes());
    for (at, arg) in args.iter().enumerate() {
        data[16 + 8 * at..24 + 8 * at].copy_from_slice(&arg.to_ne_bytes());
    }
    let (mut a, mut at) = (0_u32, 0_usize);
    loop {
        let Instruction { code, jump_true, jump_false, value } = program[at];
        at += 1;
        let holds = match code {
            LOAD => {
                let from = value as usize;
                a = u32::from_ne_bytes(data[from..from + 4].try_into().unwrap());
                continue;
            }
            AND => {
                a &= value;
                continue;
            }
            JUMP => {
                at += value as usize;
                continue;
            }
            RETURN => return value,
            IF_EQUAL => a == value,
            IF_GREATER => a > value,
            IF_AT_LEAST => a >= value,
            other => panic!("unknown operation {other:#x}"),
        };
        at += usize::from(if holds { jump_true } else { jump_false });
    }
}

/// Interprets the rules: the first match decides.
fn naive(seccomp: &LinuxSeccomp, table: &Table, machine: Machine, number: u32, args: [u64; 6]) -> u32 {
    let mut newest = None;
    for rule in seccomp.syscalls().iter().flatten() {
        for name in rule.names() {
            let Some(known) = table.number(name, machine) else { continue };
            newest = newest.max(Some(known));
            let holds = |arg: &crate::oci::runtime::LinuxSeccompArg| {
                let is_int = INT_ARGUMENTS.contains(&(name.as_str(), arg.index()));
                let mask = if is_int { u64::from(u32::MAX) } else { u64::MAX };
                let (got, want) = (args[arg.index()] & mask, arg.value() & mask);
                match arg.op() {
                    Op::ScmpCmpNe => got != want,
                    Op::ScmpCmpLt => got < want,
                    Op::ScmpCmpLe => got <= want,
                    Op::ScmpCmpEq => got == want,
                    Op::ScmpCmpGe => got >= want,
                    Op::ScmpCmpGt => got > want,
                    Op::ScmpCmpMaskedEq => got & want == arg.value_two().unwrap_or(0) & mask,
                }
            };
            let list = rule.args().as_deref().unwrap_or_default();
            let repeats =
                list.iter().enumerate().any(|(at, arg)| list[..at].iter().any(|b| b.index() == arg.index()));
            let matches = if repeats { list.iter().any(holds) } else { list.iter().all(holds) };
            if known == number && matches {
                return word(rule.action(), rule.errno_ret());
            }
        }
    }
    let is_errno = seccomp.default_action() == LinuxSeccompAction::ScmpActErrno;
    let is_newer = newest.is_some_and(|newest| number > newest);
    let is_foreign = machine != Machine::X32 && machine.audit() == Machine::X32.audit() && number >= X32_BIT;
    if is_errno && is_newer && !is_foreign {
        return ENOSYS;
    }
    word(seccomp.default_action(), seccomp.default_errno_ret())
}

/// Returns values on both sides of all compared values.
fn interesting(seccomp: &LinuxSeccomp) -> Vec<u64> {
    let mut values = vec![0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX, (1 << 32) | 40];
    for arg in seccomp.syscalls().iter().flatten().flat_map(|rule| rule.args().iter().flatten()) {
        for value in [arg.value(), arg.value_two().unwrap_or(0)] {
            values.extend([value, value.wrapping_sub(1), value.wrapping_add(1), value | 1 << 32, !value]);
        }
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// Compares both results for all numbers and interesting arguments.
fn compare(seccomp: &LinuxSeccomp) -> usize {
    let table = Table::new();
    let Filter { program, .. } = compile(seccomp).unwrap();
    let values = interesting(seccomp);
    let listed: Vec<Machine> =
        seccomp.architectures().iter().flatten().filter_map(|a| Machine::of(*a)).collect();
    for machine in &listed {
        let base = if *machine == Machine::X32 { X32_BIT } else { 0 };
        let private = [0x000f_0001, 0x000f_0002, 0x000f_0005, 0x000f_0006];
        for number in (0..620).chain(private).map(|n| base + n) {
            let has_args = seccomp.syscalls().iter().flatten().any(|rule| {
                rule.args().is_some()
                    && rule.names().iter().any(|n| table.number(n, *machine) == Some(number))
            });
            let tried: &[u64] = if has_args { &values } else { &values[..2] };
            for &value in tried {
                for position in 0..3 {
                    let mut args = [7; 6];
                    args[position] = value;
                    assert_eq!(
                        run(&program, machine.audit(), number, args),
                        naive(seccomp, &table, *machine, number, args),
                        "{machine:?} {number} {args:x?}"
                    );
                }
            }
        }
    }
    program.len()
}

#[test]
fn the_default_profile_compiles_to_what_it_says() {
    let profile = default_profile().unwrap();
    for caps in [CapSet::EMPTY, docker_caps(), docker_caps().with(Cap::SYS_ADMIN), CapSet::ALL] {
        let length = compare(&profile.for_container(caps, KERNEL));
        assert!(length < 3072, "{length} instructions");
    }
}

#[test]
fn a_profile_with_every_operator_compiles_to_what_it_says() {
    let op = |name: &str, value: u64, two: u64| {
        format!(
            r#"{{"names":["ioctl","read"],"action":"SCMP_ACT_TRACE","errnoRet":9,"args":[{{"index":1,"op":"SCMP_CMP_{name}","value":{value},"valueTwo":{two}}},{{"index":0,"op":"SCMP_CMP_GE","value":1}}]}}"#
        )
    };
    let big = (5 << 32) | 9;
    let rules: Vec<String> = [
        ("EQ", 3, 0),
        ("NE", big, 0),
        ("LT", big, 0),
        ("LE", 4, 0),
        ("GT", big, 0),
        ("GE", 2, 0),
        ("MASKED_EQ", 0xff00_0000_00ff, 0x0300_0000_0001),
    ]
    .iter()
    .map(|(name, value, two)| op(name, *value, *two))
    .collect();
    for (at, rule) in rules.iter().enumerate() {
        for default in ["ERRNO", "ALLOW", "KILL_PROCESS", "LOG", "TRAP"] {
            let json = format!(
                r#"{{"defaultAction":"SCMP_ACT_{default}","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_AARCH64","SCMP_ARCH_ARM"],
                "syscalls":[{rule},{{"names":["write","read"],"action":"SCMP_ACT_ERRNO"}},
                {{"names":["openat"],"action":"SCMP_ACT_ALLOW","args":[{{"index":2,"op":"SCMP_CMP_EQ","value":1}},{{"index":2,"op":"SCMP_CMP_EQ","value":2}}]}}]}}"#
            );
            let seccomp = read(&json).unwrap().for_container(CapSet::EMPTY, KERNEL);
            assert!(compare(&seccomp) > 10, "rule {at}");
        }
    }
}

#[test]
fn what_docker_blocks_is_blocked() {
    let table = Table::new();
    let verdict = |caps: CapSet, name: &str, arg: u64| {
        let Filter { program, .. } =
            compile(&default_profile().unwrap().for_container(caps, KERNEL)).unwrap();
        let number = table.number(name, Machine::NATIVE).unwrap();
        run(&program, Machine::NATIVE.audit(), number, [arg, 0, 0, 0, 0, 0])
    };
    let plain = docker_caps();
    let admin = plain.with(Cap::SYS_ADMIN);
    let table = [
        (plain, "read", 0, ALLOW),
        (plain, "mount", 0, EPERM),
        (admin, "mount", 0, ALLOW),
        (plain, "unshare", 0x1000_0000, EPERM),
        (plain, "clone", 0x11, ALLOW),
        (plain, "clone", 0x1000_0011, EPERM),
        (plain, "clone3", 0, ENOSYS),
        (admin, "clone3", 0, ALLOW),
        (plain, "keyctl", 0, EPERM),
        (plain, "add_key", 0, EPERM),
        (plain, "request_key", 0, EPERM),
        (plain, "io_uring_setup", 0, EPERM),
        (plain, "userfaultfd", 0, EPERM),
        (plain, "bpf", 0, EPERM),
        (plain.with(Cap::BPF), "bpf", 0, ALLOW),
        (plain, "chroot", 0, ALLOW),
        (CapSet::EMPTY, "chroot", 0, EPERM),
        (plain, "socket", 2, ALLOW),
        (plain, "socket", 16, ALLOW),
        (plain, "socket", 38, EPERM),
        (plain, "socket", 39, ALLOW),
        (plain, "socket", 40, EPERM),
        (plain, "socket", 41, ALLOW),
        (plain, "socket", 40 | 1 << 32, EPERM),
        (plain, "personality", 0, ALLOW),
        (plain, "personality", 0x0004_0000, EPERM),
        (plain, "ptrace", 0, ALLOW),
        (plain, "file_getattr", 0, ENOSYS),
    ];
    for (caps, name, arg, want) in table {
        assert_eq!(verdict(caps, name, arg), want, "{name}({arg:#x}) with {caps:?}");
    }
}

#[test]
fn calls_that_are_left_out_are_unknown_to_every_caller() {
    let admin = docker_caps().with(Cap::SYS_ADMIN);
    let without = default_profile().unwrap().without(&["mount_setattr", "fsmount"]);
    let Filter { program, .. } = compile(&without.for_container(admin, KERNEL)).unwrap();
    for (name, want) in
        [("mount_setattr", ENOSYS), ("fsmount", ENOSYS), ("mount", ALLOW), ("move_mount", ALLOW)]
    {
        let number = Table::new().number(name, Machine::NATIVE).unwrap();
        assert_eq!(run(&program, Machine::NATIVE.audit(), number, [0; 6]), want, "{name}");
    }
}

#[test]
fn a_machine_the_profile_does_not_name_is_killed() {
    let Filter { program, .. } =
        compile(&default_profile().unwrap().for_container(docker_caps(), KERNEL)).unwrap();
    for foreign in [0, 0x8000_0016, 0xc000_00f3] {
        assert_eq!(run(&program, foreign, 0, [0; 6]), KILL);
    }
}

#[test]
fn every_name_of_the_default_profile_is_known_on_some_machine() {
    let table = Table::new();
    let json: serde_json::Value = serde_json::from_str(super::DEFAULT).unwrap();
    // From architectures that this table lacks.
    let elsewhere = [
        "riscv_hwprobe",
        "riscv_flush_icache",
        "swapcontext",
        "sync_file_range2",
        "s390_pci_mmio_read",
        "s390_pci_mmio_write",
        "s390_runtime_instr",
    ];
    for name in json["syscalls"].as_array().unwrap().iter().flat_map(|rule| rule["names"].as_array().unwrap())
    {
        let name = name.as_str().unwrap();
        assert!(table.names().any(|known| known == name) || elsewhere.contains(&name), "{name}");
    }
}

#[test]
fn a_profile_that_contradicts_itself_is_refused() {
    for (json, why) in [
        ("{", "seccomp profile"),
        (r#"{"defaultAction":"SCMP_ACT_DANCE"}"#, "SCMP_ACT_DANCE"),
        (
            r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}"#,
            "mutually exclusive",
        ),
        (
            r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}"#,
            "mutually exclusive",
        ),
    ] {
        let message = read(json).unwrap_err().to_string();
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn an_agent_decides_only_where_it_can_have_the_listener_before() {
    let compiled = |json: &str| {
        let seccomp: LinuxSeccomp = serde_json::from_str(json).unwrap();
        compile(&seccomp).map(|filter| (filter.notifies, filter.flags))
    };
    let notify = |name: &str, more: &str| {
        compiled(&format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW"{more},
                "flags":["SECCOMP_FILTER_FLAG_TSYNC","SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
                "syscalls":[{{"names":["{name}"],"action":"SCMP_ACT_NOTIFY"}}]}}"#
        ))
    };
    let path = r#","listenerPath":"/run/agent""#;
    assert_eq!(notify("mkdir", path).unwrap(), (true, 1 << 5));
    let plain = r#"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_TSYNC"]}"#;
    assert_eq!(compiled(plain).unwrap(), (false, 1));
    for (result, why) in [
        (notify("write", path), "SCMP_ACT_NOTIFY cannot be used for `write`"),
        (notify("mkdir", ""), "the action SCMP_ACT_NOTIFY requires a `listenerPath`"),
        (
            compiled(r#"{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/x"}"#),
            "SCMP_ACT_NOTIFY cannot be the default action",
        ),
        (
            compiled(r#"{"defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"x"}"#),
            "`listenerMetadata` requires a `listenerPath`",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), format!("`linux.seccomp`: {why}"));
    }
}

#[test]
fn conditions_on_capabilities_machines_and_kernels_are_honoured() {
    let json = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["a"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_KILL","CAP_CHOWN"]}},
        {"names":["b"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_KILL"]}},
        {"names":["c"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"6.20"}},
        {"names":["d"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["amd64","arm64"]}},
        {"names":["e"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["s390x"]}},
        {"name":"f","action":"SCMP_ACT_ALLOW"}]}"#;
    let names = |caps: &[Cap], kernel| -> String {
        let seccomp = read(json).unwrap().for_container(caps.iter().copied().collect(), kernel);
        seccomp.syscalls().iter().flatten().flat_map(|rule| rule.names().clone()).collect()
    };
    assert_eq!(names(&[], (6, 18)), "bdf");
    assert_eq!(names(&[Cap::KILL], (6, 20)), "cdf");
    assert_eq!(names(&[Cap::KILL, Cap::CHOWN], (5, 4)), "adf");
}
