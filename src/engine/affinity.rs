//! Binding a worker to one CPU, on request and on Linux only (`sched_setaffinity`). Elsewhere the
//! request is an error, never ignored.

/// Why a thread could not be bound to a CPU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AffinityError {
    /// The system refused.
    #[error("the system refused to bind a thread to a CPU: {0}")]
    Refused(String),
    /// A CPU that there is not, or that the process may not use.
    #[error("CPU {cpu} is none of those that this process may use: {allowed}")]
    NoSuchCpu {
        /// The CPU.
        cpu: usize,
        /// Those that it may use.
        allowed: String,
    },
    /// This build or this system has no way to do it.
    #[error("binding threads to CPUs needs Linux and the feature \"affinity\"")]
    Unsupported,
}

/// Runs `start` while the calling thread, and threads that it starts, may use these CPUs only. An engine
/// that it starts with [`Options::pin`](super::Options::pin) binds its workers to one each, in ascending
/// order.
///
/// # Errors
///
/// If a CPU may not be used, or the system refuses.
#[cfg(all(target_os = "linux", feature = "affinity"))]
pub fn on_cpus<T>(cpus: &[usize], start: impl FnOnce() -> T) -> Result<T, AffinityError> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let before = sched_getaffinity(None).map_err(refused)?;
    let allowed = allowed()?;
    let mut chosen = CpuSet::new();
    for cpu in cpus.iter().copied() {
        if !allowed.contains(&cpu) {
            let list: Vec<String> = allowed.iter().map(usize::to_string).collect();
            return Err(AffinityError::NoSuchCpu { cpu, allowed: list.join(",") });
        }
        chosen.set(cpu);
    }
    sched_setaffinity(None, &chosen).map_err(refused)?;
    let started = start();
    sched_setaffinity(None, &before).map_err(refused)?;
    Ok(started)
}

/// Not possible here.
///
/// # Errors
///
/// `Unsupported`.
#[cfg(not(all(target_os = "linux", feature = "affinity")))]
pub fn on_cpus<T>(_cpus: &[usize], _start: impl FnOnce() -> T) -> Result<T, AffinityError> {
    Err(AffinityError::Unsupported)
}

/// The CPUs on which the threads of one piece of work have begun, so that no two begin on the same.
///
/// Where no CPU is idle, the scheduler of Linux starts a thread that it wakes on the CPU of whoever woke it,
/// or where it last ran, and takes tens of milliseconds to move one of two that meet there, even if what keeps
/// the other CPUs busy has the lowest priority.
#[derive(Debug, Default)]
pub struct Apart(std::sync::Mutex<Vec<usize>>);

impl Apart {
    /// Moves the calling thread to another CPU if one that was here before is on the same. It is bound to
    /// none: from there on the system moves it as it likes. Elsewhere than on Linux, and where the system
    /// refuses, it stays.
    pub fn begin(&self) {
        let mut taken = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let cpu = apart_from(&taken);
        taken.extend(cpu);
    }
}

/// Where the calling thread is then.
#[cfg(all(target_os = "linux", feature = "affinity"))]
fn apart_from(taken: &[usize]) -> Option<usize> {
    let here = rustix::thread::sched_getcpu();
    if !taken.contains(&here) {
        return Some(here);
    }
    let free = allowed().ok()?.into_iter().find(|cpu| !taken.contains(cpu))?;
    on_cpus(&[free], || free).ok()
}

#[cfg(not(all(target_os = "linux", feature = "affinity")))]
fn apart_from(_taken: &[usize]) -> Option<usize> {
    None
}

#[cfg(all(target_os = "linux", feature = "affinity"))]
fn refused(error: rustix::io::Errno) -> AffinityError {
    AffinityError::Refused(error.to_string())
}

#[cfg(all(target_os = "linux", feature = "affinity"))]
fn allowed() -> Result<Vec<usize>, AffinityError> {
    use rustix::thread::{CpuSet, sched_getaffinity};

    let allowed = sched_getaffinity(None).map_err(refused)?;
    Ok((0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect())
}

/// Binds the calling thread to the CPU number `index` among those that the process may use, counted
/// around.
#[cfg(all(target_os = "linux", feature = "affinity"))]
pub(super) fn pin_current_thread(index: usize) -> Result<(), AffinityError> {
    use rustix::thread::{CpuSet, sched_setaffinity};

    let cpus = allowed()?;
    let mut chosen = CpuSet::new();
    chosen.set(cpus[index % cpus.len()]);
    sched_setaffinity(None, &chosen).map_err(refused)
}

#[cfg(not(all(target_os = "linux", feature = "affinity")))]
pub(super) fn pin_current_thread(_index: usize) -> Result<(), AffinityError> {
    Err(AffinityError::Unsupported)
}
