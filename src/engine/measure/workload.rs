//! What can be measured: nonce search and merkle nodes on a kernel, and the plain loops over the
//! scalar crates that they are compared with.

use std::hint::black_box;
use std::num::NonZeroUsize;

use crate::engine::nodes::{NodeKernel, Pair};
use crate::engine::proof::Collector;
use crate::hash::{Algorithm, hash_header, sha256};
use crate::kernel::{Hits, Job, Kernel, NonceRange};
use crate::primitives::Digest;
use crate::primitives::limits::NONCE_OFFSET_BYTES;

/// Does about as many units as asked, at least one, and returns how many it did.
pub type Units<'a> = Box<dyn FnMut(u64) -> u64 + 'a>;

/// What can be cut into units (hashes, nodes) and done on any number of threads.
pub trait Workload: Sync {
    /// Prepares the share of one thread, on that thread, outside the measured time.
    fn units(&self) -> Units<'_>;

    /// How many threads share each call of what [`Workload::units`] returns: the caller's, unless the
    /// work brings its own.
    fn threads_inside(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}

/// Nonce search, on headers that no other thread or window ever hashes, so that each hash can count
/// in a proof.
#[derive(Debug)]
pub struct Search<'a> {
    /// Whose rate is measured.
    pub kernel: Kernel,
    /// Gives the headers and keeps the best solutions.
    pub collector: &'a Collector,
}

impl Workload for Search<'_> {
    fn units(&self) -> Units<'_> {
        let mut hits = Hits::new();
        let mut header = self.collector.next_header();
        let mut first: u32 = 0;
        Box::new(move |amount| {
            let count = u32::try_from(amount).unwrap_or(u32::MAX).max(1);
            let last = first.saturating_add(count - 1);
            let range =
                NonceRange::new(first, last).expect("the last nonce is not below the first");
            let job = Job::new(self.kernel.algorithm(), &header.bytes, self.collector.limit());
            self.search(&job, header.index, range, &mut hits);
            if let Some(next) = last.checked_add(1) {
                first = next;
            } else {
                (header, first) = (self.collector.next_header(), 0);
            }
            self.collector.count(range.count());
            range.count()
        })
    }
}

impl Search<'_> {
    fn search(&self, job: &Job, index: u64, mut range: NonceRange, hits: &mut Hits) {
        loop {
            hits.clear();
            let resume = self.kernel.search(job, range, hits);
            for nonce in hits.as_slice() {
                self.collector.offer(index, *nonce, &job.header_with(*nonce));
            }
            match resume.and_then(|first| NonceRange::new(first, range.last())) {
                Some(rest) => range = rest,
                None => return,
            }
        }
    }
}

/// The same search by a plain loop over the `sha2` or `blake3` crate.
#[derive(Debug, Clone, Copy)]
pub struct PlainSearch(pub Algorithm);

impl Workload for PlainSearch {
    fn units(&self) -> Units<'_> {
        let mut header = black_box([0x5a; 80]);
        let mut nonce: u32 = 0;
        Box::new(move |amount| {
            for _ in 0..amount.max(1) {
                header[NONCE_OFFSET_BYTES..].copy_from_slice(&nonce.to_le_bytes());
                // The comparison that most hashes fail.
                black_box(hash_header(self.0, &header)[31] == 0);
                nonce = nonce.wrapping_add(1);
            }
            amount.max(1)
        })
    }
}

/// Nodes of one measured piece: 16 KiB in and 8 KiB out stay in the first cache.
const NODES: usize = 256;

fn nodes() -> Vec<Pair> {
    let seeds = (0_u64..).map(|seed| sha256::sha256(&seed.to_le_bytes()));
    let mut digests: Vec<Digest> = seeds.take(2 * NODES).collect();
    let pairs = digests.as_chunks_mut::<2>().0.iter().map(|pair| {
        let mut node = [0; 64];
        node[..32].copy_from_slice(&pair[0]);
        node[32..].copy_from_slice(&pair[1]);
        node
    });
    pairs.collect()
}

/// Merkle nodes (SHA-256d of 64 bytes) on a kernel.
#[derive(Debug, Clone, Copy)]
pub struct Merkle(pub NodeKernel);

impl Workload for Merkle {
    fn units(&self) -> Units<'_> {
        let pairs = nodes();
        let mut digests = vec![[0; 32]; NODES];
        Box::new(move |amount| {
            repeat(amount, || {
                self.0.hash(black_box(&pairs), &mut digests);
                black_box(&digests);
            })
        })
    }
}

/// The same nodes by a plain loop over the `sha2` crate.
#[derive(Debug, Clone, Copy)]
pub struct PlainMerkle;

impl Workload for PlainMerkle {
    fn units(&self) -> Units<'_> {
        let pairs = nodes();
        let mut digests = vec![[0; 32]; NODES];
        Box::new(move |amount| {
            repeat(amount, || {
                for (pair, digest) in black_box(&pairs).iter().zip(&mut digests) {
                    *digest = sha256::sha256d(pair);
                }
                black_box(&digests);
            })
        })
    }
}

/// Runs pieces of `NODES` until at least `amount` nodes are done.
fn repeat(amount: u64, mut piece: impl FnMut()) -> u64 {
    let pieces = amount.div_ceil(NODES as u64).max(1);
    for _ in 0..pieces {
        piece();
    }
    pieces.saturating_mul(NODES as u64)
}
