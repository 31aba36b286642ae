//! What `bench` can measure and what that takes: workloads, and the headers they share.

use std::num::NonZeroUsize;

use anyhow::Context;

use proofward::engine::measure::{
    HeaderRun, Merkle, PlainMerkle, PlainSearch, Search, Verify, Workload,
};
use proofward::engine::nodes::NodeKernel;
use proofward::engine::proof::Collector;
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;

/// What `--algorithm` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Choice {
    /// Nonce search by SHA-256d
    Sha256d,
    /// Nonce search by BLAKE3
    Blake3,
    /// All header rules, on a generated chain in memory
    Verify,
    /// Nodes of merkle trees
    Merkle,
    All,
}

/// One kind of work, which gives a block of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Search(Algorithm),
    Verify,
    Merkle,
}

impl Subject {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Search(algorithm) => algorithm.name(),
            Self::Verify => "verify",
            Self::Merkle => "merkle",
        }
    }

    /// What its kernels compute.
    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::Search(algorithm) => algorithm,
            Self::Verify | Self::Merkle => Algorithm::Sha256d,
        }
    }

    pub(super) fn searched(self) -> Option<Algorithm> {
        match self {
            Self::Search(algorithm) => Some(algorithm),
            Self::Verify | Self::Merkle => None,
        }
    }

    /// The plain loop that kernels are compared with; for headers it hashes and judges nothing.
    pub(super) fn plain(self) -> Box<dyn Workload> {
        match self {
            Self::Search(_) | Self::Verify => Box::new(PlainSearch(self.algorithm())),
            Self::Merkle => Box::new(PlainMerkle),
        }
    }
}

impl Choice {
    pub(super) fn subjects(self) -> Vec<Subject> {
        match self {
            Self::Sha256d => vec![Subject::Search(Algorithm::Sha256d)],
            Self::Blake3 => vec![Subject::Search(Algorithm::Blake3)],
            Self::Verify => vec![Subject::Verify],
            Self::Merkle => vec![Subject::Merkle],
            Self::All => [Self::Sha256d, Self::Blake3, Self::Verify, Self::Merkle]
                .into_iter()
                .flat_map(Self::subjects)
                .collect(),
        }
    }
}

/// What the workloads share and borrow.
pub(super) struct Material {
    /// One for each algorithm that is searched.
    pub(super) collectors: Vec<Collector>,
    /// Empty unless verification is measured.
    headers: HeaderRun,
}

impl Material {
    /// `threads` is in ascending order.
    pub(super) fn new(
        subjects: &[Subject],
        threads: &[NonZeroUsize],
        collector: impl Fn(Algorithm) -> Collector,
    ) -> Self {
        let searched = subjects.iter().filter_map(|subject| subject.searched());
        let collectors = searched.map(collector).collect();
        Self { collectors, headers: HeaderRun::generate(headers_needed(subjects, threads)) }
    }

    /// `None` if the kernel has no function for the subject.
    pub(super) fn workload(
        &self,
        subject: Subject,
        kernel: Kernel,
        threads: NonZeroUsize,
    ) -> anyhow::Result<Option<Box<dyn Workload + '_>>> {
        Ok(match subject {
            Subject::Search(algorithm) => {
                let collector = self.collectors.iter().find(|c| c.algorithm() == algorithm);
                let collector = collector.expect("made for each algorithm that is searched");
                Some(Box::new(Search { kernel, collector }))
            }
            Subject::Verify => {
                let pieces = Verify::HEADERS_PER_THREAD;
                let verify = Verify::new(kernel, threads, &self.headers, pieces);
                Some(Box::new(verify.context("choose fewer --threads")?))
            }
            Subject::Merkle => {
                NodeKernel::new(kernel).map(|kernel| Box::new(Merkle(kernel)) as Box<dyn Workload>)
            }
        })
    }
}

/// Enough for the most threads, and bounded: 84 MB.
fn headers_needed(subjects: &[Subject], threads: &[NonZeroUsize]) -> u32 {
    const HEADERS_MAX: usize = 1 << 20;
    let most = threads.last().map_or(0, |threads| threads.get());
    let needed = most.saturating_mul(Verify::HEADERS_PER_THREAD).min(HEADERS_MAX);
    let needed = if subjects.contains(&Subject::Verify) { needed } else { 0 };
    u32::try_from(needed).expect("at most HEADERS_MAX")
}
