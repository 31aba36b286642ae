//! A header run under construction: solved headers that break no rule, until one is told to.

use super::{Case, SplitMix64};
use crate::consensus::ChainSpec;
use crate::consensus::difficulty::Difficulty;
use crate::fuzzing::naive;
use crate::hash::{hash_header, meets_target};
use crate::kernel::{Hits, Job, Kernel, NonceRange};
use crate::primitives::limits::{
    MEDIAN_TIME_SPAN_BLOCKS, RETARGET_INTERVAL_BLOCKS, VERSION_ROLLING_MASK,
};
use crate::primitives::{
    BlockHash, CompactTarget, Digest, Header, HeaderBytes, MerkleRoot, Target,
};

/// Version with no soft fork signalled (BIP9), above every floor.
const VERSION: i32 = 0x2000_0000;
/// Time of a first header that may be chosen: that of regtest.
const START_TIME: u32 = 1_296_688_602;
/// Root of the only transaction in the genesis block of all Bitcoin networks.
const GENESIS_ROOT: &str = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
/// Time, nBits and nonce of Bitcoin's genesis blocks.
const GENESIS: [(u32, u32, u32); 4] = [
    (1_231_006_505, 0x1d00_ffff, 2_083_236_893),
    (1_296_688_602, 0x1d00_ffff, 414_098_458),
    (1_598_918_400, 0x1e03_77ae, 52_613_770),
    (1_296_688_602, 0x207f_ffff, 2),
];

/// A run under construction.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) spec: &'a ChainSpec,
    pub(super) random: SplitMix64,
    pub(super) headers: Vec<HeaderBytes>,
    /// Time of the next ordinary header; it goes on whatever odd times stand in the run.
    pub(super) clock: u32,
    /// Seconds between two ordinary headers, give or take.
    pub(super) pace: u32,
    case_height: Option<u64>,
    now: Option<i64>,
    ends_here: bool,
}

impl<'a> Chain<'a> {
    /// Whether the first header of the chain is known or free.
    pub(super) fn has_start(spec: &ChainSpec) -> bool {
        !matches!(spec.difficulty, Difficulty::Asert(_))
            && (spec.genesis.is_none() || genesis(spec).is_some())
    }

    /// The first header.
    pub(super) fn new(spec: &'a ChainSpec, random: SplitMix64) -> Self {
        let mut chain = Self {
            spec,
            random,
            headers: Vec::new(),
            clock: START_TIME,
            pace: 600,
            case_height: None,
            now: None,
            ends_here: false,
        };
        match genesis(spec) {
            Some(genesis) => chain.append(genesis),
            None => {
                let free = chain.free_first();
                chain.append(free);
            }
        }
        chain.clock = Header::decode(chain.last()).time;
        chain
    }

    /// A solved first header that no chain prescribes.
    pub(super) fn free_first(&mut self) -> HeaderBytes {
        let header = Header {
            version: VERSION,
            prev_block: BlockHash::ZERO,
            merkle_root: MerkleRoot(self.random.bytes()),
            time: START_TIME,
            bits: self.free_bits(),
            nonce: 0,
        };
        self.solved(header)
    }

    /// The easiest nBits; where there is no limit, regtest's.
    fn free_bits(&self) -> CompactTarget {
        if self.spec.limit == Target::MAX {
            return CompactTarget(0x207f_ffff);
        }
        self.spec.limit.to_compact_lossy()
    }

    /// Height of the next header.
    pub(super) fn height(&self) -> u64 {
        self.headers.len() as u64
    }

    /// The newest header.
    pub(super) fn last(&self) -> &HeaderBytes {
        self.headers.last().expect("the first is there from the start")
    }

    /// Hash of the newest header.
    pub(super) fn last_hash(&self) -> Digest {
        hash_header(self.spec.algorithm, self.last())
    }

    /// Median time past of the next header.
    pub(super) fn median(&self) -> u32 {
        let newest = self.headers.iter().rev().take(MEDIAN_TIME_SPAN_BLOCKS);
        let mut times: Vec<u32> = newest.map(|header| Header::decode(header).time).collect();
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// Headers in an epoch.
    pub(super) fn interval(&self) -> u64 {
        interval(self.spec)
    }

    /// The nBits that the next header must have if its time is `time`.
    pub(super) fn bits_at(&self, time: u32) -> CompactTarget {
        naive::expected_bits(self.spec, &self.headers, time)
            .map_or_else(|| self.free_bits(), CompactTarget)
    }

    /// The next header as it should be, not solved.
    pub(super) fn next(&mut self) -> Header {
        let jitter = self.random.within(0, self.pace / 2);
        self.clock = self.clock.saturating_add(self.pace - self.pace / 4 + jitter);
        let time = self.clock.max(self.median().saturating_add(1));
        self.next_at(time)
    }

    /// The next header as it should be at a time of one's own.
    pub(super) fn next_at(&mut self, time: u32) -> Header {
        let rolled = u32::try_from(self.random.next_u64() >> 32).expect("half of it");
        Header {
            version: VERSION | (rolled & VERSION_ROLLING_MASK).cast_signed(),
            prev_block: BlockHash(self.last_hash()),
            merkle_root: MerkleRoot(self.random.bytes()),
            time,
            bits: self.bits_at(time),
            nonce: 0,
        }
    }

    /// Appends ordinary headers.
    pub(super) fn grow(&mut self, count: u64) {
        for _ in 0..count {
            let header = self.next();
            self.push(header);
        }
    }

    /// Appends ordinary headers, a random number of them.
    pub(super) fn grow_somewhat(&mut self) {
        let count = self.random.within(1, 20);
        self.grow(count.into());
    }

    /// Appends ordinary headers up to a height.
    pub(super) fn grow_to(&mut self, height: u64) {
        self.grow(height.saturating_sub(self.height()));
    }

    /// Solves a header by its own nBits and appends it.
    pub(super) fn push(&mut self, header: Header) {
        let solved = self.solved(header);
        self.append(solved);
    }

    /// The same for the one header of the run that the case is about: the one that breaks a rule if any
    /// does.
    pub(super) fn push_case(&mut self, header: Header) {
        let solved = self.solved(header);
        self.append_case(solved);
    }

    /// Appends the header that the case is about as it is.
    pub(super) fn append_case(&mut self, header: HeaderBytes) {
        self.case_height = Some(self.height());
        self.append(header);
    }

    fn append(&mut self, header: HeaderBytes) {
        self.headers.push(header);
    }

    /// Replaces the first header by the one that the case is about.
    pub(super) fn restart_with(&mut self, header: HeaderBytes) {
        self.headers.clear();
        self.append_case(header);
    }

    /// Sets the verifier's clock.
    pub(super) fn set_now(&mut self, now: i64) {
        self.now = Some(now);
    }

    /// The header with the lowest nonce that meets its own nBits, or the easiest ones if they encode
    /// nothing that can be met. Another merkle root is drawn if no nonce does.
    pub(super) fn solved(&mut self, header: Header) -> HeaderBytes {
        let target = header
            .bits
            .to_target()
            .unwrap_or_else(|_| self.free_bits().to_target().expect("a limit is a target"));
        self.solved_by(header, target)
    }

    /// The same by a target of one's own.
    pub(super) fn solved_by(&mut self, mut header: Header, target: Target) -> HeaderBytes {
        loop {
            if let Some(solved) = lowest(self.spec, &header.encode(), target) {
                return solved;
            }
            header.merkle_root = MerkleRoot(self.random.bytes());
        }
    }

    /// No ordinary header can follow.
    pub(super) fn end_here(&mut self) {
        self.ends_here = true;
    }

    /// The case: a few ordinary headers more, and the bytes.
    pub(super) fn finish(mut self) -> Case {
        if !self.ends_here {
            let count = self.random.within(0, 3);
            self.grow(count.into());
        }
        let latest = self.headers.iter().map(|header| Header::decode(header).time).max();
        Case {
            bytes: self.headers.as_flattened().to_vec(),
            height: self.case_height,
            now: self.now.unwrap_or_else(|| latest.expect("never empty").into()),
            spends_unknown_coins: false,
        }
    }
}

/// Headers in an epoch of the chain's difficulty, or of the rules that speak of epochs without it.
pub(super) fn interval(spec: &ChainSpec) -> u64 {
    match spec.difficulty {
        Difficulty::Epochs(epochs) => epochs.interval_blocks.into(),
        _ => RETARGET_INTERVAL_BLOCKS.into(),
    }
}

/// The header with the lowest nonce that meets the target, if there is one. Kernels visit nonces in
/// order, so each finds the same.
pub(super) fn lowest(
    spec: &ChainSpec,
    header: &HeaderBytes,
    target: Target,
) -> Option<HeaderBytes> {
    const NONCES_MAX: u32 = 1 << 20;
    let algorithm = spec.algorithm;
    let kernel = Kernel::available(algorithm).next().expect("portable is available");
    let job = Job::new(algorithm, header, target);
    let mut hits = Hits::new();
    let (mut first, mut count) = (0_u32, 32_u32);
    loop {
        let last = first.saturating_add(count - 1);
        let range = NonceRange::new(first, last).expect("the last is not below the first");
        hits.clear();
        let resume = kernel.search(&job, range, &mut hits);
        for nonce in hits.as_slice() {
            let header = job.header_with(*nonce);
            if meets_target(algorithm, &header, &target).is_some() {
                return Some(header);
            }
        }
        first = match resume {
            Some(nonce) => nonce,
            None => last.checked_add(1)?,
        };
        count = (count * 2).min(NONCES_MAX);
    }
}

/// The header that the chain names as its genesis.
fn genesis(spec: &ChainSpec) -> Option<HeaderBytes> {
    let merkle_root = GENESIS_ROOT.parse().expect("64 hex digits");
    GENESIS
        .map(|(time, bits, nonce)| {
            let (prev_block, bits) = (BlockHash::ZERO, CompactTarget(bits));
            Header { version: 1, prev_block, merkle_root, time, bits, nonce }.encode()
        })
        .into_iter()
        .find(|header| spec.genesis == Some(BlockHash(hash_header(spec.algorithm, header))))
}
