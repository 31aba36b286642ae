//! How fast a kernel could be at best: its vector operations against the ports of the core. Only for
//! microarchitectures whose ports are known; for all others there is no limit to state.

use crate::hash::Algorithm;
use crate::kernel::Kernel;

/// Vector operations of one step of a search loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operations {
    /// Additions, logic, comparisons and shuffles, which run on any vector port or nearly any.
    pub simple: u32,
    /// Rotates and shifts, which only some ports can do.
    pub shifts: u32,
}

/// What the core starts in one cycle at one vector width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Vector operations of any kind.
    pub all_per_cycle: u32,
    /// Rotates and shifts among them.
    pub shifts_per_cycle: u32,
}

/// A core whose ports are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Microarchitecture {
    /// What its maker calls it.
    pub name: &'static str,
    /// Ports for 128- and 256-bit operations.
    pub ports_256: Ports,
    /// Ports for 512-bit operations.
    pub ports_512: Ports,
}

struct Known {
    vendor: &'static str,
    family: u32,
    models: &'static [(u32, u32)],
    core: Microarchitecture,
}

/// Intel: ports 0, 1 and 5, shifts on 0 and 1; for 512 bits port 1 is fused with port 0, and only that
/// one shifts.
const INTEL: (Ports, Ports) = (
    Ports { all_per_cycle: 3, shifts_per_cycle: 2 },
    Ports { all_per_cycle: 2, shifts_per_cycle: 1 },
);
/// Four pipes of 256 bits, of which two shift; 512 bits take two pipes.
const ZEN4: (Ports, Ports) = (
    Ports { all_per_cycle: 4, shifts_per_cycle: 2 },
    Ports { all_per_cycle: 2, shifts_per_cycle: 1 },
);
/// The same four pipes at 512 bits. Parts with halved pipes (Strix Point, Krackan) are not listed.
const ZEN5: (Ports, Ports) = (
    Ports { all_per_cycle: 4, shifts_per_cycle: 2 },
    Ports { all_per_cycle: 4, shifts_per_cycle: 2 },
);

/// Hybrid parts (Alder Lake and later desktops) are not listed: their two kinds of core differ.
#[rustfmt::skip]
static KNOWN: &[Known] = &[
    known("GenuineIntel", 0x06, &[(0x55, 0x55)], "Skylake-X", INTEL),
    known("GenuineIntel", 0x06, &[(0x6a, 0x6a), (0x6c, 0x6c), (0x7d, 0x7e)], "Ice Lake", INTEL),
    known("GenuineIntel", 0x06, &[(0x8c, 0x8d)], "Tiger Lake", INTEL),
    known("GenuineIntel", 0x06, &[(0xa7, 0xa7)], "Rocket Lake", INTEL),
    known("GenuineIntel", 0x06, &[(0x8f, 0x8f), (0xcf, 0xcf)], "Golden Cove", INTEL),
    known("GenuineIntel", 0x06, &[(0xad, 0xae)], "Redwood Cove", INTEL),
    known("AuthenticAMD", 0x19, &[(0x10, 0x1f), (0x60, 0x7f), (0xa0, 0xaf)], "Zen 4", ZEN4),
    known("AuthenticAMD", 0x1a, &[(0x00, 0x1f), (0x40, 0x4f), (0x70, 0x7f)], "Zen 5", ZEN5),
];

const fn known(
    vendor: &'static str,
    family: u32,
    models: &'static [(u32, u32)],
    name: &'static str,
    (ports_256, ports_512): (Ports, Ports),
) -> Known {
    Known { vendor, family, models, core: Microarchitecture { name, ports_256, ports_512 } }
}

/// The search loops with all rounds written out, as counted in the disassembly of the AVX-512 and the
/// AVX2 rows; moves and loads do not count. Without a native rotate it is two shifts and an or (by
/// whole bytes a shuffle), and without three-input logic there is more of it. A row that keeps its
/// rounds rolled does more, and its share of the limit shows it.
#[rustfmt::skip]
static OPERATIONS: &[(Algorithm, bool, Operations)] = &[
    (Algorithm::Sha256d, true, Operations { simple: 1674, shifts: 1176 }),
    (Algorithm::Sha256d, false, Operations { simple: 3558, shifts: 2196 }),
    (Algorithm::Blake3, true, Operations { simple: 423, shifts: 198 }),
    (Algorithm::Blake3, false, Operations { simple: 720, shifts: 196 }),
];

impl Operations {
    /// Those of a search with one vector of nonces, on an instruction set with native rotates and
    /// three-input logic or without.
    #[must_use]
    pub fn of(algorithm: Algorithm, has_native_rotate: bool) -> Option<Self> {
        OPERATIONS
            .iter()
            .find(|(of, native, _)| (*of, *native) == (algorithm, has_native_rotate))
            .map(|(_, _, operations)| *operations)
    }

    /// Cycles if every port were busy in every cycle.
    #[must_use]
    #[expect(clippy::float_arithmetic, reason = "measurement")]
    pub fn cycles(self, ports: Ports) -> f64 {
        let all = f64::from(self.simple + self.shifts) / f64::from(ports.all_per_cycle);
        let shifts = f64::from(self.shifts) / f64::from(ports.shifts_per_cycle);
        all.max(shifts)
    }
}

/// The fewest cycles in which this core can search one nonce with the instructions of this kernel,
/// where the ports and the operations are known.
#[must_use]
#[expect(clippy::float_arithmetic, reason = "measurement")]
pub fn port_limit_cycles(kernel: Kernel) -> Option<f64> {
    let core = Microarchitecture::of_this_core()?;
    let (ports, nonces, has_native_rotate) = match kernel.isa() {
        "avx512" => (core.ports_512, 16.0, true),
        "avx2" => (core.ports_256, 8.0, false),
        "sse4.1" => (core.ports_256, 4.0, false),
        _ => return None,
    };
    let operations = Operations::of(kernel.algorithm(), has_native_rotate)?;
    Some(operations.cycles(ports) / nonces)
}

impl Microarchitecture {
    /// That of the core this runs on, if its ports are known.
    #[must_use]
    pub fn of_this_core() -> Option<Self> {
        let (vendor, family, model) = identity()?;
        Self::identify(&vendor, family, model)
    }

    /// That of a CPUID vendor, family and model (extended parts included).
    #[must_use]
    pub fn identify(vendor: &str, family: u32, model: u32) -> Option<Self> {
        let named = |known: &&Known| {
            let models = &mut known.models.iter();
            known.vendor == vendor
                && known.family == family
                && models.any(|(first, last)| (*first..=*last).contains(&model))
        };
        KNOWN.iter().find(named).map(|known| known.core)
    }
}

/// Vendor, family and model with their extended parts (Intel SDM volume 2, CPUID leaf 1).
#[cfg(target_arch = "x86_64")]
fn identity() -> Option<(String, u32, u32)> {
    use std::arch::x86_64::__cpuid;
    let leaf = __cpuid(0);
    let vendor = text(&[leaf.ebx, leaf.edx, leaf.ecx])?;
    let version = __cpuid(1).eax;
    let base = (version >> 8) & 0xf;
    let family = if base == 0xf { base + ((version >> 20) & 0xff) } else { base };
    let extended = if matches!(base, 0x6 | 0xf) { (version >> 16) & 0xf } else { 0 };
    Some((vendor, family, (version >> 4) & 0xf | extended << 4))
}

#[cfg(not(target_arch = "x86_64"))]
fn identity() -> Option<(String, u32, u32)> {
    None
}

/// The name that the CPU gives itself (CPUID leaves 80000002 to 80000004), where it has one.
#[cfg(target_arch = "x86_64")]
#[must_use]
pub fn cpu_name() -> Option<String> {
    use std::arch::x86_64::__cpuid;
    if __cpuid(0x8000_0000).eax < 0x8000_0004 {
        return None;
    }
    let mut words = Vec::with_capacity(12);
    for leaf in 0x8000_0002..=0x8000_0004 {
        let leaf = __cpuid(leaf);
        words.extend([leaf.eax, leaf.ebx, leaf.ecx, leaf.edx]);
    }
    text(&words)
}

/// The name that the CPU gives itself, where it has one.
#[cfg(not(target_arch = "x86_64"))]
#[must_use]
pub fn cpu_name() -> Option<String> {
    None
}

#[cfg(target_arch = "x86_64")]
fn text(words: &[u32]) -> Option<String> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let text = String::from_utf8(bytes).ok()?;
    Some(text.trim_matches(['\0', ' ']).to_owned()).filter(|text| !text.is_empty())
}
