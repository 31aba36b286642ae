//! What was measured on: a rate is never shown without it.

use std::fmt;
use std::fs;
use std::thread::available_parallelism;

use proofward::engine::measure::{Microarchitecture, cpu_name};

/// The machine, as far as it tells.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) core: Option<&'static str>,
    pub(super) features: Vec<&'static str>,
    pub(super) threads: usize,
    pub(super) memory_bytes: Option<u64>,
    pub(super) system: String,
}

/// Lists those of the named features that the CPU has.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! features {
    ($detected:ident: $($name:tt)*) => {
        [$(($name, std::arch::$detected!($name))),*]
            .into_iter()
            .filter_map(|(name, has)| has.then_some(name))
            .collect()
    };
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    features!(is_x86_feature_detected: "sse4.1" "avx" "avx2" "sha" "avx512f" "avx512bw" "avx512vl"
        "avx512ifma" "avx512vbmi2" "bmi2" "adx")
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    features!(is_aarch64_feature_detected: "neon" "sha2" "sve" "sve2")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

impl Machine {
    pub(super) fn read() -> Self {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let system =
            format!("{} {} {}", std::env::consts::OS, release.trim(), std::env::consts::ARCH);
        Self {
            cpu: cpu_name()
                .or_else(|| value("/proc/cpuinfo", "model name"))
                .unwrap_or_else(|| "unknown CPU".to_owned()),
            core: Microarchitecture::of_this_core().map(|core| core.name),
            features: features(),
            threads: available_parallelism().map_or(1, std::num::NonZero::get),
            memory_bytes: memory_bytes(),
            system: system.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    /// One line for the terms of a proof.
    pub(super) fn short(&self) -> String {
        format!("{}, {} threads, {}", self.cpu, self.threads, self.system)
    }

    pub(super) fn memory(&self) -> String {
        let gib = |bytes: u64| format!("{}.{} GiB", bytes >> 30, (bytes >> 20) % 1024 * 10 / 1024);
        self.memory_bytes.map_or_else(|| "unknown".to_owned(), gib)
    }

    /// The name with the core's, where it is known.
    pub(super) fn cpu_and_core(&self) -> String {
        self.core.map_or_else(|| self.cpu.clone(), |core| format!("{} ({core})", self.cpu))
    }
}

/// Linux says it in kB; elsewhere it stays unknown.
fn memory_bytes() -> Option<u64> {
    let total = value("/proc/meminfo", "MemTotal")?;
    total.strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The first value of a name in a file of `name : value` lines.
fn value(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "CPU       {}, {} threads", self.cpu_and_core(), self.threads)?;
        writeln!(f, "features  {}", self.features.join(" "))?;
        write!(f, "memory    {}\nsystem    {}", self.memory(), self.system)
    }
}
