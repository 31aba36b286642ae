//! Binding a worker to one CPU, on request and on Linux only (`sched_setaffinity`). Elsewhere the
//! request is an error, never ignored.

/// Why a thread could not be bound to a CPU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AffinityError {
    /// The system refused.
    #[error("the system refused to bind a thread to a CPU: {0}")]
    Refused(String),
    /// This build or this system has no way to do it.
    #[error("binding threads to CPUs needs Linux and the feature \"affinity\"")]
    Unsupported,
}

/// Binds the calling thread to the CPU number `index` among those that the process may use, counted
/// around.
#[cfg(all(target_os = "linux", feature = "affinity"))]
pub(super) fn pin_current_thread(index: usize) -> Result<(), AffinityError> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let refused = |error: rustix::io::Errno| AffinityError::Refused(error.to_string());
    let allowed = sched_getaffinity(None).map_err(refused)?;
    let cpus: Vec<_> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
    let mut chosen = CpuSet::new();
    chosen.set(cpus[index % cpus.len()]);
    sched_setaffinity(None, &chosen).map_err(refused)
}

#[cfg(not(all(target_os = "linux", feature = "affinity")))]
pub(super) fn pin_current_thread(_index: usize) -> Result<(), AffinityError> {
    Err(AffinityError::Unsupported)
}
