//! The suite that every row must pass, against the scalar oracle of [`crate::hash`]. Its quick part runs
//! at start-up; the whole runs in `tests/kernels.rs`, which also feeds it kernels that are wrong on
//! purpose. It knows no row: it judges anything that claims to be a kernel.

use super::{Hits, Job, Kernel, NonceRange, Pair, Step};
use crate::hash::{Algorithm, hash_header, sha256};
use crate::primitives::{Digest, HeaderBytes, Target};

/// What the suite judges: the operations of a [`Kernel`], with their contracts.
pub trait Subject {
    /// What it computes.
    fn algorithm(&self) -> Algorithm;
    /// Messages hashed side by side.
    fn lanes(&self) -> u32;
    /// See [`Kernel::search`].
    fn search(&self, job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32>;
    /// See [`Kernel::hash_headers`].
    fn hash_headers(&self, headers: &[HeaderBytes], digests: &mut [Digest]);
    /// See [`Kernel::hash_pairs`].
    fn hash_pairs(&self, pairs: &[Pair], digests: &mut [Digest]) -> Option<()>;
    /// See [`Kernel::compress`].
    fn compress(&self, steps: &[Step], states: &mut [Digest]) -> Option<()>;
}

impl Subject for Kernel {
    fn algorithm(&self) -> Algorithm {
        (*self).algorithm()
    }

    fn lanes(&self) -> u32 {
        (*self).lanes()
    }

    fn search(&self, job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32> {
        (*self).search(job, range, hits)
    }

    fn hash_headers(&self, headers: &[HeaderBytes], digests: &mut [Digest]) {
        (*self).hash_headers(headers, digests);
    }

    fn hash_pairs(&self, pairs: &[Pair], digests: &mut [Digest]) -> Option<()> {
        (*self).hash_pairs(pairs, digests)
    }

    fn compress(&self, steps: &[Step], states: &mut [Digest]) -> Option<()> {
        (*self).compress(steps, states)
    }
}

/// Where a subject and the oracle disagree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disagreement {
    /// A search found other nonces.
    #[error(
        "search of {first}..={last} for words up to {target_top:08x}: expected {expected:?}, got {found:?}"
    )]
    Search {
        /// First nonce of the range.
        first: u32,
        /// Last nonce of the range.
        last: u32,
        /// Most significant word of the target.
        target_top: u32,
        /// The oracle's nonces.
        expected: Vec<u32>,
        /// The subject's.
        found: Vec<u32>,
    },
    /// A search that filled its list resumes at a nonce that repeats or loses a hit, or gave up early.
    #[error(
        "search of {first}..={last}: resumes at {resume} after {hits} hits, the last {last_hit:?}"
    )]
    Resume {
        /// First nonce of the range.
        first: u32,
        /// Last nonce of the range.
        last: u32,
        /// Where it wants to go on.
        resume: u32,
        /// How many hits it returned.
        hits: usize,
        /// The last of them.
        last_hit: Option<u32>,
    },
    /// A digest differs.
    #[error("message {index} of {count} ({what}): expected {expected}, got {found}")]
    Digest {
        /// Which kind of messages.
        what: &'static str,
        /// Which of them.
        index: usize,
        /// How many were hashed at once.
        count: usize,
        /// The oracle's digest in hex.
        expected: String,
        /// The subject's.
        found: String,
    },
    /// A digest beside the output was written.
    #[error("hashing {count} messages ({what}) wrote outside its output")]
    Canary {
        /// Which kind of messages.
        what: &'static str,
        /// How many were hashed at once.
        count: usize,
    },
}

/// Known nonces whose hash starts its display with 32 zero bits: Bitcoin's genesis header
/// (bitcoin/src/kernel/chainparams.cpp) and, with BLAKE3, the only such nonce of the same header.
const KNOWN: [(Algorithm, u32); 2] =
    [(Algorithm::Sha256d, 2_083_236_893), (Algorithm::Blake3, 1_158_006_187)];

/// Bitcoin's genesis header: version 1, no parent, its merkle root, time and bits.
fn genesis() -> HeaderBytes {
    const MERKLE_ROOT: [u8; 32] = [
        0x3b, 0xa3, 0xed, 0xfd, 0x7a, 0x7b, 0x12, 0xb2, 0x7a, 0xc7, 0x2c, 0x3e, 0x67, 0x76, 0x8f,
        0x61, 0x7f, 0xc8, 0x1b, 0xc3, 0x88, 0x8a, 0x51, 0x32, 0x3a, 0x9f, 0xb8, 0xaa, 0x4b, 0x1e,
        0x5e, 0x4a,
    ];
    let mut header = [0; 80];
    header[0] = 1;
    header[36..68].copy_from_slice(&MERKLE_ROOT);
    header[68..72].copy_from_slice(&0x495f_ab29_u32.to_le_bytes());
    header[72..76].copy_from_slice(&0x1d00_ffff_u32.to_le_bytes());
    header
}

/// The part that runs at start-up, in about a hundred microseconds: a known nonce is found in every
/// lane, as the last one of a tail too, and is not found when it lies just outside; one group of
/// messages and one message more hash as the oracle says.
///
/// # Errors
///
/// The first disagreement.
pub fn quick(subject: &dyn Subject) -> Result<(), Disagreement> {
    let algorithm = subject.algorithm();
    let lanes = subject.lanes();
    for (_, known) in KNOWN.into_iter().filter(|(of, _)| *of == algorithm) {
        let job = Job::new(algorithm, &genesis(), top_target(0));
        for lane in 0..lanes {
            let first = known - lane;
            expect_search(subject, &job, 0, first, known, &[known])?;
            expect_search(subject, &job, 0, first, first + 2 * lanes, &[known])?;
        }
        expect_search(subject, &job, 0, known - lanes, known - 1, &[])?;
        expect_search(subject, &job, 0, known + 1, known + lanes, &[])?;
    }
    let mut random = SplitMix64::new(1);
    let count = lanes as usize + 1;
    check_headers(subject, "random", &random.messages(count))?;
    check_pairs(subject, "random", &random.messages(count))?;
    check_steps(subject, "random", &random.messages(count))
}

/// Everything, with `random_headers` random messages of each kind on top.
///
/// # Errors
///
/// The first disagreement.
pub fn full(subject: &dyn Subject, seed: u64, random_headers: u32) -> Result<(), Disagreement> {
    quick(subject)?;
    let mut random = SplitMix64::new(seed);
    check_counts(subject, &mut random)?;
    check_structured(subject)?;
    check_ranges(subject, &mut random)?;
    check_overflow(subject, &mut random)?;
    check_target_boundary(subject, &mut random)?;
    // An odd number at once, so that groups and tails take turns.
    let mut left = random_headers as usize;
    while left > 0 {
        let count = left.min(4095);
        check_headers(subject, "random", &random.messages(count))?;
        left -= count;
    }
    Ok(())
}

/// Counts 0 to 2 groups and one more.
fn check_counts(subject: &dyn Subject, random: &mut SplitMix64) -> Result<(), Disagreement> {
    for count in 0..=2 * subject.lanes() as usize + 1 {
        check_headers(subject, "counted", &random.messages(count))?;
        check_pairs(subject, "counted", &random.messages(count))?;
        check_steps(subject, "counted", &random.messages(count))?;
    }
    Ok(())
}

/// All zeros, all ones, each single bit set and each single bit clear.
fn check_structured(subject: &dyn Subject) -> Result<(), Disagreement> {
    check_headers(subject, "structured", &structured())?;
    check_pairs(subject, "structured", &structured())?;
    check_steps(subject, "structured", &structured())
}

pub(super) fn structured<const N: usize>() -> Vec<[u8; N]> {
    let mut messages = vec![[0; N], [0xff; N]];
    for bit in 0..8 * N {
        let mut one = [0; N];
        one[bit / 8] = 1 << (bit % 8);
        messages.push(one);
        messages.push(one.map(|byte| !byte));
    }
    messages
}

/// Range lengths around the number of lanes, at both ends of the nonces and across the sign bit, with
/// a hit every 2, 16 and 256 nonces or so.
fn check_ranges(subject: &dyn Subject, random: &mut SplitMix64) -> Result<(), Disagreement> {
    let lanes = subject.lanes();
    let lengths = (1..=2 * lanes + 1).chain([3 * lanes, 4 * lanes - 1, 16 + 8 + 4 + 2 + 1]);
    for length in lengths {
        let header = random.header();
        let firsts = [
            0,
            1,
            random.below(u32::MAX - length),
            i32::MAX as u32 - length / 2,
            i32::MAX as u32,
            u32::MAX - length,
            u32::MAX - (length - 1),
        ];
        for first in firsts {
            let top = u32::MAX >> [1, 4, 8][random.below(3) as usize];
            let job = Job::new(subject.algorithm(), &header, top_target(top));
            check_search(subject, &job, top, first, first + (length - 1))?;
        }
    }
    let top = u32::MAX >> 8;
    let job = Job::new(subject.algorithm(), &random.header(), top_target(top));
    check_search(subject, &job, top, 0, 4999)?;
    check_search(subject, &job, top, u32::MAX - 4999, u32::MAX)
}

/// Targets that every nonce and that no nonce meets, over more nonces than a list of hits holds.
fn check_overflow(subject: &dyn Subject, random: &mut SplitMix64) -> Result<(), Disagreement> {
    let header = random.header();
    let capacity = u32::try_from(Hits::CAPACITY).expect("a small constant");
    for top in [0, u32::MAX, u32::MAX / 2] {
        let job = Job::new(subject.algorithm(), &header, top_target(top));
        for length in [capacity - 1, capacity, capacity + 1, 3 * capacity + subject.lanes() + 1] {
            for first in [0, 7, i32::MAX as u32 - capacity, u32::MAX - (length - 1)] {
                check_search(subject, &job, top, first, first + (length - 1))?;
            }
        }
    }
    Ok(())
}

/// In every lane, a hash whose word equals the target's is a hit, and one above it is not.
fn check_target_boundary(
    subject: &dyn Subject,
    random: &mut SplitMix64,
) -> Result<(), Disagreement> {
    for lane in 0..subject.lanes() {
        let header = random.header();
        let first = random.below(u32::MAX - 64);
        let probe = Job::new(subject.algorithm(), &header, Target::MAX);
        let word = top_word(subject.algorithm(), &probe.header_with(first + lane));
        for top in [word, word.saturating_sub(1)] {
            let job = Job::new(subject.algorithm(), &header, top_target(top));
            check_search(subject, &job, top, first, first + subject.lanes())?;
        }
    }
    Ok(())
}

/// A target whose most significant word is `top`, the rest ones.
fn top_target(top: u32) -> Target {
    let mut bytes = [0xff; 32];
    bytes[28..].copy_from_slice(&top.to_le_bytes());
    Target::from_le_bytes(bytes)
}

fn top_word(algorithm: Algorithm, header: &HeaderBytes) -> u32 {
    let digest = hash_header(algorithm, header);
    u32::from_le_bytes([digest[28], digest[29], digest[30], digest[31]])
}

/// Compares a search with the oracle's loop.
fn check_search(
    subject: &dyn Subject,
    job: &Job,
    target_top: u32,
    first: u32,
    last: u32,
) -> Result<(), Disagreement> {
    let is_hit = |nonce: &u32| top_word(job.algorithm(), &job.header_with(*nonce)) <= target_top;
    let expected: Vec<u32> = (first..=last).filter(is_hit).collect();
    expect_search(subject, job, target_top, first, last, &expected)
}

/// Searches to the end, resuming as often as the subject asks for.
fn expect_search(
    subject: &dyn Subject,
    job: &Job,
    target_top: u32,
    first: u32,
    last: u32,
    expected: &[u32],
) -> Result<(), Disagreement> {
    let mut found = Vec::new();
    let mut at = first;
    let mut hits = Hits::new();
    loop {
        let range = NonceRange::new(at, last).expect("resumes inside the range");
        hits.clear();
        let resume = subject.search(job, range, &mut hits);
        found.extend_from_slice(hits.as_slice());
        let Some(resume) = resume else { break };
        let last_hit = hits.as_slice().last().copied();
        let moves_on = at < resume && resume <= last && last_hit < Some(resume);
        if !hits.is_full() || !moves_on {
            let hits = hits.as_slice().len();
            return Err(Disagreement::Resume { first, last, resume, hits, last_hit });
        }
        at = resume;
    }
    if found == expected {
        return Ok(());
    }
    Err(Disagreement::Search { first, last, target_top, expected: expected.to_vec(), found })
}

/// Compares the digests of headers with the oracle's.
///
/// # Errors
///
/// The first disagreement.
pub fn check_headers(
    subject: &dyn Subject,
    what: &'static str,
    headers: &[HeaderBytes],
) -> Result<(), Disagreement> {
    let algorithm = subject.algorithm();
    let hash = |digests: &mut [Digest]| subject.hash_headers(headers, digests);
    check_digests(what, headers.len(), hash, |i| hash_header(algorithm, &headers[i]))
}

/// Compares the digests of merkle nodes with the oracle's, if the subject has them.
///
/// # Errors
///
/// The first disagreement.
pub fn check_pairs(
    subject: &dyn Subject,
    what: &'static str,
    pairs: &[Pair],
) -> Result<(), Disagreement> {
    if subject.hash_pairs(&[], &mut []).is_none() {
        return Ok(());
    }
    let hash = |digests: &mut [Digest]| {
        // The call above said that there are merkle nodes; if not, the digests will differ.
        let _ = subject.hash_pairs(pairs, digests);
    };
    check_digests(what, pairs.len(), hash, |i| sha256::sha256d(&pairs[i]))
}

/// Compares the states after single steps with the oracle's, if the subject has them.
///
/// # Errors
///
/// The first disagreement.
pub fn check_steps(
    subject: &dyn Subject,
    what: &'static str,
    steps: &[Step],
) -> Result<(), Disagreement> {
    if subject.compress(&[], &mut []).is_none() {
        return Ok(());
    }
    let hash = |states: &mut [Digest]| {
        // As for merkle nodes.
        let _ = subject.compress(steps, states);
    };
    check_digests(what, steps.len(), hash, |i| {
        let (state, block) = steps[i].split_first_chunk().expect("a state");
        sha256::compress(state, block.try_into().expect("a block"))
    })
}

pub(super) fn check_digests<const N: usize>(
    what: &'static str,
    count: usize,
    hash: impl FnOnce(&mut [[u8; N]]),
    oracle: impl Fn(usize) -> [u8; N],
) -> Result<(), Disagreement> {
    const BESIDE: usize = 16;
    let canary = [0xa5; N];
    let mut digests = vec![canary; count + 2 * BESIDE];
    hash(&mut digests[BESIDE..BESIDE + count]);
    for (index, found) in digests[BESIDE..BESIDE + count].iter().enumerate() {
        let expected = oracle(index);
        if *found != expected {
            let [expected, found] = [expected, *found].map(hex::encode);
            return Err(Disagreement::Digest { what, index, count, expected, found });
        }
    }
    let beside = digests[..BESIDE].iter().chain(&digests[BESIDE + count..]);
    if beside.copied().any(|digest| digest != canary) {
        return Err(Disagreement::Canary { what, count });
    }
    Ok(())
}

/// A small random generator (Steele, Lea, Flood 2014), so that a seed repeats a run.
#[derive(Debug, Clone)]
pub(super) struct SplitMix64(u64);

impl SplitMix64 {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number from 0 to `bound - 1`, not quite uniform.
    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).expect("less than a u32")
    }

    fn header(&mut self) -> HeaderBytes {
        self.bytes()
    }

    pub(super) fn messages<const N: usize>(&mut self, count: usize) -> Vec<[u8; N]> {
        (0..count).map(|_| self.bytes()).collect()
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for eight in bytes.as_chunks_mut().0 {
            *eight = self.next().to_le_bytes();
        }
        bytes
    }
}
