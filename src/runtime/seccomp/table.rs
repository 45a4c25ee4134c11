//! Architectures, and the numbers of their system calls.

use std::collections::HashMap;

use crate::oci::runtime::Arch;

/// Names and numbers; the columns are in the order of [`Machine::ALL`].
const NUMBERS: &str = include_str!("../../../assets/syscalls.txt");

/// Added to every number on x32.
pub(super) const X32_BIT: u32 = 0x4000_0000;

/// An architecture whose system calls a filter may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Machine {
    X86_64,
    X86,
    X32,
    Aarch64,
    Arm,
}

impl Machine {
    /// In the order of the columns.
    pub(super) const ALL: [Machine; 5] = [Self::X86_64, Self::X86, Self::X32, Self::Aarch64, Self::Arm];

    /// The architecture of this program.
    pub(super) const NATIVE: Machine =
        if cfg!(target_arch = "aarch64") { Self::Aarch64 } else { Self::X86_64 };

    /// Returns the kernel's audit value. x32 differs from `x86_64` only by the numbers.
    pub(super) fn audit(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xc000_003e,
            Self::X86 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
            Self::Arm => 0x4000_0028,
        }
    }

    /// Returns the architecture for a value of the spec; `None` if it is unknown.
    pub(super) fn of(arch: Arch) -> Option<Self> {
        match arch {
            Arch::ScmpArchNative => Some(Self::NATIVE),
            Arch::ScmpArchX86_64 => Some(Self::X86_64),
            Arch::ScmpArchX86 => Some(Self::X86),
            Arch::ScmpArchX32 => Some(Self::X32),
            Arch::ScmpArchAarch64 => Some(Self::Aarch64),
            Arch::ScmpArchArm => Some(Self::Arm),
            _ => None,
        }
    }

    pub(super) fn arch(self) -> Arch {
        match self {
            Self::X86_64 => Arch::ScmpArchX86_64,
            Self::X86 => Arch::ScmpArchX86,
            Self::X32 => Arch::ScmpArchX32,
            Self::Aarch64 => Arch::ScmpArchAarch64,
            Self::Arm => Arch::ScmpArchArm,
        }
    }

    /// Returns the name in Docker's profiles.
    pub(super) fn docker_name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::X86 => "x86",
            Self::X32 => "x32",
            Self::Aarch64 => "arm64",
            Self::Arm => "arm",
        }
    }
}

/// The numbers of system calls.
pub(super) struct Table(HashMap<&'static str, [Option<u32>; 5]>);

impl Table {
    pub(super) fn new() -> Self {
        let lines = NUMBERS.lines().filter(|line| !line.starts_with('#'));
        Self(
            lines
                .filter_map(|line| {
                    let mut words = line.split(' ');
                    let name = words.next()?;
                    let mut numbers = [None; 5];
                    for (number, word) in numbers.iter_mut().zip(words) {
                        *number = word.parse().ok();
                    }
                    Some((name, numbers))
                })
                .collect(),
        )
    }

    /// Returns the number of `name` on `machine`, as seen by the kernel.
    pub(super) fn number(&self, name: &str, machine: Machine) -> Option<u32> {
        let column = Machine::ALL.iter().position(|known| *known == machine)?;
        let number = self.0.get(name)?[column]?;
        Some(if machine == Machine::X32 { number | X32_BIT } else { number })
    }

    /// Returns all names.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}
