//! Compiles device rules into an eBPF program, as v2 requires.
//!
//! The rules are tried from the last to the first, and the first match decides. An allow rule
//! matches if it permits all of the requested access, a deny rule if it forbids any of it. Access
//! that no rule matches is allowed, as on v1.

use super::DeviceRule;

// Offsets in the kernel's context: `access << 16 | type`, major, minor.
const ACCESS_AND_TYPE: i16 = 0;
const MAJOR: i16 = 4;
const MINOR: i16 = 8;

// Registers. The request is loaded once; r0 is the result, and r1 initially the context.
const ANSWER: u8 = 0;
const SCRATCH: u8 = 1;
const TYPE: u8 = 2;
const ASKED: u8 = 3;
const HAS_MAJOR: u8 = 4;
const HAS_MINOR: u8 = 5;

// Opcodes.
const LOAD_WORD: u8 = 0x61;
const MOVE: u8 = 0xbf;
const SET: u8 = 0xb7;
const AND: u8 = 0x57;
const SHIFT_RIGHT: u8 = 0x77;
const IF_EQUAL: u8 = 0x15;
const IF_DIFFERENT: u8 = 0x55;
const EXIT: u8 = 0x95;

/// Returns the program for these rules.
pub(super) fn compile(rules: &[DeviceRule]) -> Vec<u64> {
    let mut program = vec![
        op(LOAD_WORD, TYPE, SCRATCH, ACCESS_AND_TYPE, 0),
        op(MOVE, ASKED, TYPE, 0, 0),
        op(SHIFT_RIGHT, ASKED, 0, 0, 16),
        op(AND, TYPE, 0, 0, 0xffff),
        op(LOAD_WORD, HAS_MAJOR, SCRATCH, MAJOR, 0),
        op(LOAD_WORD, HAS_MINOR, SCRATCH, MINOR, 0),
    ];
    for rule in rules.iter().rev() {
        program.extend(block(rule));
        if rule.is_for_all() {
            return program; // earlier rules are never reached
        }
    }
    program.extend(answer(true));
    program
}

/// Returns the instructions for a rule. Each test jumps to the end of the block if it fails.
fn block(rule: &DeviceRule) -> Vec<u64> {
    let mut tests: Vec<(u8, u8, u32)> = Vec::new();
    match rule.kind {
        'b' => tests.push((IF_DIFFERENT, TYPE, 1)),
        'c' => tests.push((IF_DIFFERENT, TYPE, 2)),
        _ => {}
    }
    tests.extend(rule.major.map(|major| (IF_DIFFERENT, HAS_MAJOR, major)));
    tests.extend(rule.minor.map(|minor| (IF_DIFFERENT, HAS_MINOR, minor)));
    let access = access_bits(&rule.access);
    let asks_access = access != access_bits("rwm");
    let length = tests.len() + if asks_access { 3 } else { 0 } + 2;
    let to_end = |at: usize| i16::try_from(length - at - 1).unwrap_or(i16::MAX);

    let mut block = Vec::with_capacity(length);
    for (test, register, value) in tests {
        block.push(op(test, register, 0, to_end(block.len()), value.cast_signed()));
    }
    if asks_access {
        block.push(op(MOVE, SCRATCH, ASKED, 0, 0));
        let (mask, test) = if rule.allow { (!access & 7, IF_DIFFERENT) } else { (access, IF_EQUAL) };
        block.push(op(AND, SCRATCH, 0, 0, mask));
        block.push(op(test, SCRATCH, 0, to_end(block.len()), 0));
    }
    block.extend(answer(rule.allow));
    block
}

fn answer(allow: bool) -> [u64; 2] {
    [op(SET, ANSWER, 0, 0, i32::from(allow)), op(EXIT, 0, 0, 0, 0)]
}

fn access_bits(access: &str) -> i32 {
    access.bytes().fold(0, |bits, letter| {
        bits | match letter {
            b'm' => 1,
            b'r' => 2,
            b'w' => 4,
            _ => 0,
        }
    })
}

/// Encodes an instruction: opcode, destination and source registers, jump offset, constant.
fn op(code: u8, destination: u8, source: u8, offset: i16, value: i32) -> u64 {
    let bytes = [code, destination | source << 4];
    u64::from(bytes[0])
        | u64::from(bytes[1]) << 8
        | u64::from(offset.cast_unsigned()) << 16
        | u64::from(value.cast_unsigned()) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(allow: bool, kind: char, major: Option<u32>, minor: Option<u32>, access: &str) -> DeviceRule {
        DeviceRule { allow, kind, major, minor, access: access.to_owned() }
    }

    /// Runs a program like the kernel.
    fn run(program: &[u64], kind: u64, major: u64, minor: u64, access: u64) -> bool {
        let mut registers = [0_u64; 16];
        let mut at = 0_usize;
        loop {
            let word = program[at];
            let (destination, source) =
                (usize::from(word.to_le_bytes()[1] & 15), usize::from(word.to_le_bytes()[1] >> 4));
            let offset = usize::try_from(word >> 16 & 0xffff).unwrap();
            let value = word >> 32;
            at += 1;
            match word.to_le_bytes()[0] {
                LOAD_WORD => registers[destination] = [access << 16 | kind, major, minor][offset / 4],
                MOVE => registers[destination] = registers[source],
                SET => registers[destination] = value,
                AND => registers[destination] &= value,
                SHIFT_RIGHT => registers[destination] >>= value,
                IF_EQUAL if registers[destination] == value => at += offset,
                IF_DIFFERENT if registers[destination] != value => at += offset,
                IF_EQUAL | IF_DIFFERENT => {}
                EXIT => return registers[0] == 1,
                other => panic!("unknown operation {other:#x}"),
            }
        }
    }

    /// Evaluates the rules as described in the module documentation.
    fn naive(rules: &[DeviceRule], kind: u64, major: u64, minor: u64, access: u64) -> bool {
        for rule in rules.iter().rev() {
            let kinds = rule.kind == 'a' || (rule.kind == 'b') == (kind == 1);
            let numbers = rule.major.is_none_or(|n| u64::from(n) == major)
                && rule.minor.is_none_or(|n| u64::from(n) == minor);
            let bits = u64::try_from(access_bits(&rule.access)).unwrap();
            let accesses = if rule.allow { access & !bits == 0 } else { access & bits != 0 };
            if kinds && numbers && (accesses || rule.is_for_all()) {
                return rule.allow;
            }
        }
        true
    }

    #[test]
    fn the_program_answers_as_the_rules_do() {
        let docker = [
            rule(false, 'a', None, None, "rwm"),
            rule(true, 'c', None, None, "m"),
            rule(true, 'b', None, None, "m"),
            rule(true, 'c', Some(1), Some(3), "rwm"),
            rule(true, 'c', Some(136), None, "rw"),
            rule(false, 'c', Some(10), Some(229), "rwm"),
            rule(false, 'b', Some(8), None, "w"),
        ];
        for length in 0..=docker.len() {
            let rules = &docker[..length];
            let program = compile(rules);
            for kind in [1, 2] {
                for major in [1, 8, 10, 136] {
                    for minor in [0, 3, 229] {
                        for access in 1..8 {
                            assert_eq!(
                                run(&program, kind, major, minor, access),
                                naive(rules, kind, major, minor, access),
                                "{length} rules, type {kind}, {major}:{minor}, access {access}"
                            );
                        }
                    }
                }
            }
        }
    }
}
