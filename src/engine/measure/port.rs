//! How fast a kernel could be at best: its vector operations against the ports of the core. Only for
//! microarchitectures whose ports are known; for all others there is no limit to state.

use crate::hash::Algorithm;
use crate::kernel::Kernel;

/// Vector operations of one step of a search loop, counted in its disassembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operations {
    /// Nonces a step.
    pub nonces: u32,
    /// Additions, logic, and everything else that runs on any vector port.
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
    /// Ports for 512-bit operations.
    pub ports_512: Ports,
}

struct Known {
    vendor: &'static str,
    family: u32,
    models: &'static [(u32, u32)],
    core: Microarchitecture,
}

/// Ports 0 and 5 take 512-bit operations (port 1 is fused with 0), shifts and rotates port 0 only;
/// Zen 4 runs two 256-bit halves on four pipes, of which two shift. Zen 5 has both at full width,
/// except in the parts (Strix Point, Krackan) that are left out here for their halved data path.
static KNOWN: &[Known] = &[
    known("GenuineIntel", 0x06, &[(0x55, 0x55)], "Skylake-X", 2, 1),
    known(
        "GenuineIntel",
        0x06,
        &[(0x6a, 0x6a), (0x6c, 0x6c), (0x7d, 0x7e), (0x8c, 0x8d), (0xa7, 0xa7)],
        "Ice Lake",
        2,
        1,
    ),
    known("GenuineIntel", 0x06, &[(0x8f, 0x8f), (0xcf, 0xcf)], "Golden Cove", 2, 1),
    known("GenuineIntel", 0x06, &[(0xad, 0xae)], "Redwood Cove", 2, 1),
    known("AuthenticAMD", 0x19, &[(0x10, 0x1f), (0x60, 0x7f), (0xa0, 0xaf)], "Zen 4", 2, 1),
    known("AuthenticAMD", 0x1a, &[(0x00, 0x1f), (0x40, 0x4f), (0x70, 0x7f)], "Zen 5", 4, 2),
];

const fn known(
    vendor: &'static str,
    family: u32,
    models: &'static [(u32, u32)],
    name: &'static str,
    all_per_cycle: u32,
    shifts_per_cycle: u32,
) -> Known {
    let ports_512 = Ports { all_per_cycle, shifts_per_cycle };
    Known { vendor, family, models, core: Microarchitecture { name, ports_512 } }
}

/// Counts of the loops, by algorithm and instruction set.
static OPERATIONS: &[(Algorithm, &str, Operations)] = &[
    (
        Algorithm::Sha256d,
        "avx512",
        Operations { nonces: 16, simple: 1047 + 628, shifts: 1020 + 156 },
    ),
    // 51 half rounds of four rotates see the nonce.
    (Algorithm::Blake3, "avx512", Operations { nonces: 16, simple: 630 - 204, shifts: 204 }),
];

impl Operations {
    /// The counts of a kernel's search loop, where somebody counted them.
    #[must_use]
    pub fn of(kernel: Kernel) -> Option<Self> {
        OPERATIONS
            .iter()
            .find(|(algorithm, isa, _)| *algorithm == kernel.algorithm() && *isa == kernel.isa())
            .map(|(_, _, operations)| *operations)
    }

    /// Cycles a nonce if every port were busy in every cycle.
    #[must_use]
    #[expect(clippy::float_arithmetic, reason = "measurement")]
    pub fn cycles_per_nonce(self, ports: Ports) -> f64 {
        let all = f64::from(self.simple + self.shifts) / f64::from(ports.all_per_cycle);
        let shifts = f64::from(self.shifts) / f64::from(ports.shifts_per_cycle);
        all.max(shifts) / f64::from(self.nonces)
    }
}

/// The fewest cycles in which this core can search one nonce with this kernel, where known.
#[must_use]
pub fn port_limit_cycles(kernel: Kernel) -> Option<f64> {
    let ports = Microarchitecture::of_this_core()?.ports_512;
    (kernel.isa() == "avx512").then_some(())?;
    Some(Operations::of(kernel)?.cycles_per_nonce(ports))
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
