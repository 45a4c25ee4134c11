//! Compiles the rules of a spec into a program for the kernel.
//!
//! ```text
//! architecture? ──▶ a binary tree over ranges of numbers ──▶ an action, or tests of
//!      │                                                     arguments, in the spec's order
//!      └─ not in the spec: the process is killed
//! ```
//! The rules of a system call are tried in the order of the spec, and the first match decides.
//! System calls newer than all those in the spec return ENOSYS, so that libraries fall back to
//! older calls, as on an older kernel.

use std::collections::BTreeMap;

use super::table::{Machine, Table, X32_BIT};
use crate::oci::runtime::{
    LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSeccompOperator,
    LinuxSyscall,
};
use crate::runtime::{Error, Result};
use crate::sys::seccomp::Instruction;

const MAX_INSTRUCTIONS: usize = 4096;
const KILL_PROCESS: u32 = 0x8000_0000;
const ERRNO: u32 = 0x0005_0000;
const ENOSYS: u32 = 38;

// Offsets in the kernel's seccomp_data: number, architecture, then the arguments from byte 16.
const NUMBER: u32 = 0;
const MACHINE: u32 = 4;
const ARGUMENTS: u32 = 16;

// Opcodes of the filter machine.
pub(super) const LOAD: u16 = 0x20;
pub(super) const AND: u16 = 0x54;
pub(super) const JUMP: u16 = 0x05;
pub(super) const IF_EQUAL: u16 = 0x15;
pub(super) const IF_GREATER: u16 = 0x25;
pub(super) const IF_AT_LEAST: u16 = 0x35;
pub(super) const RETURN: u16 = 0x06;

/// Arguments of which the kernel only uses the lower half, and so does the filter. Otherwise an
/// upper bit would make `socket(AF_VSOCK)` look like a different family than the blocked one.
pub(super) const INT_ARGUMENTS: &[(&str, usize)] =
    &[("socket", 0), ("socket", 1), ("socket", 2), ("socketpair", 0), ("personality", 0)];

/// A compiled filter.
pub(in crate::runtime) struct Filter {
    pub(in crate::runtime) program: Vec<Instruction>,
    /// The flags to install it with.
    pub(in crate::runtime) flags: u32,
    /// Whether an agent decides about some calls.
    pub(in crate::runtime) notifies: bool,
}

/// Compiles a spec's filter.
pub(in crate::runtime) fn compile(seccomp: &LinuxSeccomp) -> Result<Filter> {
    check(seccomp)?;
    let table = Table::new();
    let native = [Machine::NATIVE];
    let listed: Vec<Machine> =
        seccomp.architectures().iter().flatten().filter_map(|arch| Machine::of(*arch)).collect();
    let machines = if listed.is_empty() { &native[..] } else { &listed };
    let mut program = vec![load(MACHINE)];
    let mut known: Vec<u32> = machines.iter().map(|machine| machine.audit()).collect();
    known.sort_unstable();
    known.dedup();
    for audit in known {
        let mut block = vec![load(NUMBER)];
        let of_audit = machines.iter().copied().filter(|machine| machine.audit() == audit);
        block.extend(tree(&ranges(seccomp, &table, of_audit.collect())));
        program.extend(skip_unless(IF_EQUAL, audit, block.len()));
        program.extend(block);
    }
    program.push(give(KILL_PROCESS));
    if program.len() > MAX_INSTRUCTIONS {
        let why = format!("it needs {} instructions, but the maximum is {MAX_INSTRUCTIONS}", program.len());
        return Err(Error::spec("linux.seccomp", &why));
    }
    let notifies = notifies(seccomp);
    let flags = seccomp.flags().iter().flatten().fold(0, |bits, flag| bits | flag_bit(*flag, notifies));
    Ok(Filter { program, flags, notifies })
}

/// Whether an agent decides about some calls.
pub(in crate::runtime) fn notifies(seccomp: &LinuxSeccomp) -> bool {
    let mut rules = seccomp.syscalls().iter().flatten();
    rules.any(|rule| rule.action() == LinuxSeccompAction::ScmpActNotify)
}

/// Rejects rules that cannot be compiled.
fn check(seccomp: &LinuxSeccomp) -> Result<()> {
    let refuse = |why: &str| Err(Error::spec("linux.seccomp", why));
    let rules = || seccomp.syscalls().iter().flatten();
    let asks = |rule: &&LinuxSyscall| rule.action() == LinuxSeccompAction::ScmpActNotify;
    let has_listener = seccomp.listener_path().as_ref().is_some_and(|path| !path.as_os_str().is_empty());
    if !has_listener && notifies(seccomp) {
        return refuse("the action SCMP_ACT_NOTIFY requires a `listenerPath`");
    }
    if !has_listener && seccomp.listener_metadata().as_ref().is_some_and(|data| !data.is_empty()) {
        return refuse("`listenerMetadata` requires a `listenerPath`");
    }
    // The process would wait for an agent that does not have the listener yet.
    if seccomp.default_action() == LinuxSeccompAction::ScmpActNotify {
        return refuse("SCMP_ACT_NOTIFY cannot be the default action");
    }
    if rules().filter(asks).any(|rule| rule.names().iter().any(|name| name == "write")) {
        return refuse("SCMP_ACT_NOTIFY cannot be used for `write`");
    }
    if rules().flat_map(|rule| rule.args().iter().flatten()).any(|arg| arg.index() > 5) {
        return refuse("a system call has six arguments, 0 to 5");
    }
    Ok(())
}

/// Returns the flag of seccomp(2).
fn flag_bit(flag: LinuxSeccompFilterFlag, notifies: bool) -> u32 {
    match flag {
        // There is one thread only, and this flag changes what is returned instead of a listener.
        LinuxSeccompFilterFlag::SeccompFilterFlagTsync => u32::from(!notifies),
        LinuxSeccompFilterFlag::SeccompFilterFlagLog => 1 << 1,
        LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => 1 << 2,
        // Without a listener the kernel refuses it.
        LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv => u32::from(notifies) << 5,
    }
}

/// Returns the kernel's value for an action.
pub(super) fn word(action: LinuxSeccompAction, errno: Option<u32>) -> u32 {
    match action {
        LinuxSeccompAction::ScmpActTrap => action.as_u32(None),
        _ => action.as_u32(errno.map(|errno| errno & 0xffff)),
    }
}

/// The action for numbers from `start` on.
#[derive(Clone)]
struct Range {
    start: u32,
    code: Vec<Instruction>,
}

/// Returns all numbers of the architectures that share an audit value, as contiguous ranges.
fn ranges(seccomp: &LinuxSeccomp, table: &Table, machines: Vec<Machine>) -> Vec<Range> {
    let default = vec![give(word(seccomp.default_action(), seccomp.default_errno_ret()))];
    let mut ranges = vec![Range { start: 0, code: default.clone() }];
    let mut put = |start: u32, code: &[Instruction]| match ranges.last_mut() {
        Some(last) if last.start == start => last.code = code.to_vec(),
        Some(last) if last.code == code => {}
        _ => ranges.push(Range { start, code: code.to_vec() }),
    };
    let mut sorted = machines;
    sorted.sort_by_key(|machine| *machine == Machine::X32); // its numbers are the highest
    for machine in &sorted {
        let calls = calls(seccomp, table, *machine);
        for (number, (name, rules)) in &calls {
            put(*number, &leaf(name, rules, &default));
            put(number + 1, &default);
        }
        if let (Some(newer), Some(last)) = (answer_to_newer(seccomp), calls.keys().next_back()) {
            put(last + 1, &[give(newer)]);
        }
        if *machine != Machine::X32 && machine.audit() == Machine::X32.audit() {
            // x32 has its own numbers. If the spec does not list it, all are unknown.
            put(X32_BIT, &default);
        }
    }
    ranges
}

/// Returns the action for numbers newer than all those in the spec; `None` if the default allows
/// them or returns ENOSYS.
fn answer_to_newer(seccomp: &LinuxSeccomp) -> Option<u32> {
    (seccomp.default_action() == LinuxSeccompAction::ScmpActErrno).then_some(ERRNO | ENOSYS)
}

type Calls<'a> = BTreeMap<u32, (&'a str, Vec<&'a LinuxSyscall>)>;

/// Returns the rules by number, in the order of the spec.
fn calls<'a>(seccomp: &'a LinuxSeccomp, table: &Table, machine: Machine) -> Calls<'a> {
    let mut calls = Calls::new();
    for rule in seccomp.syscalls().iter().flatten() {
        for name in rule.names() {
            // Profiles are written for all architectures, so a name unknown on this one is not an
            // error.
            if let Some(number) = table.number(name, machine) {
                calls.entry(number).or_insert_with(|| (name, Vec::new())).1.push(rule);
            }
        }
    }
    calls
}

/// Returns the tests for the rules of one system call, one after the other.
fn leaf(name: &str, rules: &[&LinuxSyscall], default: &[Instruction]) -> Vec<Instruction> {
    let mut code = Vec::new();
    for rule in rules {
        let action = give(word(rule.action(), rule.errno_ret()));
        let args = rule.args().as_deref().unwrap_or_default();
        for alternative in alternatives(args) {
            let mut tests: Vec<Instruction> = Vec::new();
            // Built from the end, so that the distance to the next rule is known.
            for arg in alternative.iter().rev() {
                tests.splice(0..0, test(name, arg, tests.len() + 1));
            }
            code.extend(tests);
            code.push(action);
        }
        if args.is_empty() {
            return code;
        }
    }
    code.extend(default);
    code
}

/// Splits tests into alternatives. Tests of different arguments must all match. If one argument is
/// tested several times, one match is sufficient, as in other runtimes.
fn alternatives(args: &[LinuxSeccompArg]) -> Vec<Vec<LinuxSeccompArg>> {
    let repeats = args
        .iter()
        .enumerate()
        .any(|(at, arg)| args[..at].iter().any(|before| before.index() == arg.index()));
    if repeats { args.iter().map(|arg| vec![*arg]).collect() } else { vec![args.to_vec()] }
}

/// The target of a test's jump.
#[derive(Clone, Copy)]
enum To {
    Next,
    Pass,
    Fail,
}

enum Part {
    Do(Instruction),
    If(u16, u32, To, To),
}

/// Returns a test that continues if it matches, and otherwise skips itself and `rest` more
/// instructions.
fn test(name: &str, arg: &LinuxSeccompArg, rest: usize) -> Vec<Instruction> {
    let is_int = INT_ARGUMENTS.contains(&(name, arg.index()));
    let parts = parts(arg, is_int);
    let length = parts.len();
    let resolve = |at: usize, to: To| match to {
        To::Next => 0,
        To::Pass => u8::try_from(length - at - 1).unwrap_or(u8::MAX),
        To::Fail => u8::try_from(length - at - 1 + rest).unwrap_or(u8::MAX),
    };
    let place = |(at, part)| match part {
        Part::Do(instruction) => instruction,
        Part::If(code, value, yes, no) => {
            Instruction { code, jump_true: resolve(at, yes), jump_false: resolve(at, no), value }
        }
    };
    parts.into_iter().enumerate().map(place).collect()
}

/// Splits a 64-bit comparison for the 32-bit filter machine: the upper half is compared first.
fn parts(arg: &LinuxSeccompArg, is_int: bool) -> Vec<Part> {
    use LinuxSeccompOperator as Op;
    let offset = ARGUMENTS + 8 * u32::try_from(arg.index()).unwrap_or(0);
    let (low_at, high_at) =
        if cfg!(target_endian = "big") { (offset + 4, offset) } else { (offset, offset + 4) };
    let (low, high) = halves(arg.value());
    let (yes, no) = match arg.op() {
        Op::ScmpCmpNe | Op::ScmpCmpLt | Op::ScmpCmpLe => (To::Fail, To::Pass),
        _ => (To::Pass, To::Fail),
    };
    // The remaining operators are one of three comparisons, possibly inverted.
    let mut parts = Vec::new();
    match arg.op() {
        Op::ScmpCmpEq | Op::ScmpCmpNe => {
            if !is_int {
                parts.extend([Part::Do(load(high_at)), Part::If(IF_EQUAL, high, To::Next, no)]);
            }
            parts.extend([Part::Do(load(low_at)), Part::If(IF_EQUAL, low, yes, no)]);
        }
        Op::ScmpCmpMaskedEq => {
            let (want_low, want_high) = halves(arg.value_two().unwrap_or(0));
            if !is_int {
                parts.extend([
                    Part::Do(load(high_at)),
                    Part::Do(and(high)),
                    Part::If(IF_EQUAL, want_high, To::Next, no),
                ]);
            }
            parts.extend([Part::Do(load(low_at)), Part::Do(and(low)), Part::If(IF_EQUAL, want_low, yes, no)]);
        }
        Op::ScmpCmpGe | Op::ScmpCmpLt | Op::ScmpCmpGt | Op::ScmpCmpLe => {
            let compare =
                if matches!(arg.op(), Op::ScmpCmpGe | Op::ScmpCmpLt) { IF_AT_LEAST } else { IF_GREATER };
            if !is_int {
                parts.push(Part::Do(load(high_at)));
                parts.extend([
                    Part::If(IF_GREATER, high, yes, To::Next),
                    Part::If(IF_EQUAL, high, To::Next, no),
                ]);
            }
            parts.extend([Part::Do(load(low_at)), Part::If(compare, low, yes, no)]);
        }
    }
    parts
}

/// Returns the lower and upper half.
fn halves(value: u64) -> (u32, u32) {
    let bytes = value.to_le_bytes();
    let half = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    (half(0), half(4))
}

/// Returns a binary search for the range of a number.
fn tree(ranges: &[Range]) -> Vec<Instruction> {
    match ranges {
        [] => Vec::new(),
        [only] => only.code.clone(),
        _ => {
            let (below, above) = ranges.split_at(ranges.len() / 2);
            let (left, right) = (tree(below), tree(above));
            let first_above = above[0].start;
            let mut code = match u8::try_from(left.len()) {
                Ok(distance) => vec![branch(IF_AT_LEAST, first_above, distance, 0)],
                // Too far for a conditional branch: skip an unconditional jump instead.
                Err(_) => vec![branch(IF_AT_LEAST, first_above, 0, 1), jump(left.len())],
            };
            code.extend(left);
            code.extend(right);
            code
        }
    }
}

/// Skips the next `length` instructions unless the test matches.
fn skip_unless(test: u16, value: u32, length: usize) -> Vec<Instruction> {
    match u8::try_from(length) {
        Ok(distance) => vec![branch(test, value, 0, distance)],
        Err(_) => vec![branch(test, value, 1, 0), jump(length)],
    }
}

fn load(offset: u32) -> Instruction {
    Instruction { code: LOAD, jump_true: 0, jump_false: 0, value: offset }
}

fn and(mask: u32) -> Instruction {
    Instruction { code: AND, jump_true: 0, jump_false: 0, value: mask }
}

fn give(action: u32) -> Instruction {
    Instruction { code: RETURN, jump_true: 0, jump_false: 0, value: action }
}

fn branch(code: u16, value: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction { code, jump_true, jump_false, value }
}

fn jump(distance: usize) -> Instruction {
    Instruction {
        code: JUMP,
        jump_true: 0,
        jump_false: 0,
        value: u32::try_from(distance).unwrap_or(u32::MAX),
    }
}
