//! A run of headers to verify, made for the purpose: real links and real work at a target that every
//! second hash meets, judged by all the rules that Bitcoin has for headers, retargets included.

use std::hint::black_box;
use std::num::NonZeroUsize;

use super::workload::{Units, Workload};
use crate::consensus::ChainSpec;
use crate::engine::pool::PoolError;
use crate::engine::verify::{Run, Verdict, Verifier};
use crate::hash::{hash_header, sha256};
use crate::kernel::Kernel;
use crate::primitives::limits::RETARGET_INTERVAL_BLOCKS;
use crate::primitives::{BlockHash, Header, HeaderBytes, MerkleRoot};

/// Headers in memory and the rules that they keep.
#[derive(Debug)]
pub struct HeaderRun {
    spec: ChainSpec,
    headers: Vec<HeaderBytes>,
}

impl HeaderRun {
    const FIRST_TIME: u32 = 1_231_006_505;
    const SPACING_SECONDS: u32 = 600;

    /// Searches so many headers, about two hashes each; the same ones every time.
    #[must_use]
    pub fn generate(count: u32) -> Self {
        let easy = ChainSpec::regtest();
        let spec = ChainSpec {
            name: "generated",
            genesis: None,
            limit: easy.limit,
            version_floors: easy.version_floors,
            ..ChainSpec::bitcoin()
        };
        let mut prev_block = BlockHash::ZERO;
        let headers = (0..count).map(|height| {
            let mut header = Header {
                version: 4,
                prev_block,
                merkle_root: MerkleRoot(sha256::sha256(&height.to_le_bytes())),
                time: Self::time(height),
                bits: spec.limit.to_compact_lossy(),
                nonce: 0,
            };
            loop {
                let bytes = header.encode();
                let digest = hash_header(spec.algorithm, &bytes);
                if spec.limit.is_met_by(&digest) {
                    prev_block = BlockHash(digest);
                    return bytes;
                }
                header.nonce += 1;
            }
        });
        let headers = headers.collect();
        Self { spec, headers }
    }

    /// Ten minutes a header, and the last one of an epoch ten minutes late: that makes up for the
    /// interval that Bitcoin's retarget does not count, so the target never changes.
    fn time(height: u32) -> u32 {
        let is_last = (height + 1).is_multiple_of(RETARGET_INTERVAL_BLOCKS);
        Self::FIRST_TIME + Self::SPACING_SECONDS * (height + u32::from(is_last))
    }

    /// The headers from height 0 on.
    #[must_use]
    pub fn headers(&self) -> &[HeaderBytes] {
        &self.headers
    }

    /// The rules.
    #[must_use]
    pub fn spec(&self) -> &ChainSpec {
        &self.spec
    }

    /// What they are judged by: all rules, with the clock at the last header.
    #[must_use]
    pub fn run(&self) -> Run<'_> {
        let last = self.headers.last().map_or(0, |header| Header::decode(header).time);
        Run::from_height(&self.spec, 0).with_now(last.into())
    }
}

/// Verification of a run from memory with all rules. It brings its own threads.
#[derive(Debug)]
pub struct Verify<'a> {
    kernel: Kernel,
    verifier: Verifier,
    threads: NonZeroUsize,
    /// As many headers as keep these threads busy.
    headers: &'a [HeaderBytes],
    run: Run<'a>,
}

impl<'a> Verify<'a> {
    /// Headers a thread in a piece of work of about a millisecond.
    pub const HEADERS_PER_THREAD: usize = 1 << 14;

    /// Pieces of so many headers a thread, if the run has as many.
    ///
    /// # Errors
    ///
    /// If the system refuses the threads.
    pub fn new(
        kernel: Kernel,
        threads: NonZeroUsize,
        run: &'a HeaderRun,
        headers_per_thread: usize,
    ) -> Result<Self, PoolError> {
        let wanted = headers_per_thread.saturating_mul(threads.get());
        let headers = &run.headers[..run.headers.len().min(wanted)];
        let verifier = Verifier::new(kernel, threads)?;
        Ok(Self { kernel, verifier, threads, headers, run: run.run() })
    }
}

impl Workload for Verify<'_> {
    fn units(&self) -> Units<'_> {
        // Threads of its own for each window, as whatever is measured on separate threads has them: the
        // system gives new threads a core each, and may leave old ones that share one where they are for
        // seconds while strangers have the other. Those made before serve if there are no more to be had.
        let fresh = Verifier::new(self.kernel, self.threads);
        Box::new(move |_| {
            let verifier = fresh.as_ref().unwrap_or(&self.verifier);
            let verdict = verifier.verify(&self.run, black_box(self.headers));
            assert!(matches!(verdict, Ok(Verdict::Valid(_))), "a valid run is called {verdict:?}");
            self.headers.len() as u64
        })
    }

    fn threads_inside(&self) -> NonZeroUsize {
        self.threads
    }
}
