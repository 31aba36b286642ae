//! SHA-NI: whole messages, four words a vector, two rounds an instruction. The instructions form one
//! long chain of dependencies, so several messages go side by side.

use std::arch::is_x86_feature_detected as detected;
use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_cvtsi128_si32, _mm_setr_epi32, _mm_setzero_si128,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
    _mm_shuffle_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi64,
};

use super::batch::{self, HashGroup, Search};
use super::sha256d::K;
use super::x86::{load_piece, store_piece};
use super::{Hits, Job, NonceRange, Pair, Row, Step};
use crate::hash::Algorithm;
use crate::hash::sha256::INITIAL_STATE;
use crate::primitives::{Digest, HeaderBytes};

/// Messages side by side.
const LANES: u32 = 2;
const STREAMS: usize = LANES as usize;

pub(super) static ROWS: &[Row] = &[Row {
    algorithm: Algorithm::Sha256d,
    isa: "sha-ni",
    lanes: LANES,
    detect: || detected!("sha") && detected!("sse4.1"),
    search,
    hash_headers,
    hash_pairs: Some(hash_pairs),
    compress: Some(compress_steps),
}];

#[target_feature(enable = "sha,sse4.1")]
fn search(job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32> {
    let sha = Sha::here();
    let [w0, w1, w2] = job.tail;
    let nonces = Nonces {
        sha,
        midstate: State::new(sha, &job.midstate),
        tail: [w0.swap_bytes(), w1.swap_bytes(), w2.swap_bytes()],
        target_top: job.target_top,
    };
    batch::search(nonces, range, hits)
}

#[target_feature(enable = "sha,sse4.1")]
fn hash_headers(headers: &[HeaderBytes], digests: &mut [Digest]) {
    batch::hash_many(Messages(Sha::here()), headers, digests);
}

#[target_feature(enable = "sha,sse4.1")]
fn hash_pairs(pairs: &[Pair], digests: &mut [Digest]) {
    batch::hash_many(Messages(Sha::here()), pairs, digests);
}

#[target_feature(enable = "sha,sse4.1")]
fn compress_steps(steps: &[Step], states: &mut [Digest]) {
    batch::hash_many(Messages(Sha::here()), steps, states);
}

/// Proof that this CPU has SHA-NI and SSE4.1.
#[derive(Clone, Copy)]
struct Sha(());

impl Sha {
    /// Safe to call only where the features are enabled, so somebody has proved them.
    #[inline]
    #[target_feature(enable = "sha,sse4.1")]
    fn here() -> Self {
        Self(())
    }
}

/// Four words of one message. Invariant: exists only where a `Sha` was at hand.
#[derive(Clone, Copy)]
struct Words(__m128i);

/// Runs one intrinsic.
macro_rules! op {
    ($intrinsic:expr) => {
        // SAFETY: a `Sha` or `Words` is at hand, so the CPU has SHA-NI and SSE4.1; no intrinsic here
        // touches memory.
        unsafe { $intrinsic }
    };
}

impl Words {
    #[inline(always)]
    fn new(_: Sha, [a, b, c, d]: [u32; 4]) -> Self {
        Self(op!(_mm_setr_epi32(
            a.cast_signed(),
            b.cast_signed(),
            c.cast_signed(),
            d.cast_signed()
        )))
    }

    /// Big-endian words of a message.
    #[inline(always)]
    fn load<const BYTES: usize>(_: Sha, message: &[u8; BYTES], quarter: usize) -> Self {
        Self(load_piece(message, quarter)).swap_bytes()
    }

    #[inline(always)]
    fn swap_bytes(self) -> Self {
        let order = op!(_mm_setr_epi32(0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f));
        Self(op!(_mm_shuffle_epi8(self.0, order)))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(op!(_mm_add_epi32(self.0, other.0)))
    }
}

/// The state as the instructions want it; most significant word first, `a b e f` and `c d g h`.
#[derive(Clone, Copy)]
struct State {
    abef: Words,
    cdgh: Words,
}

impl State {
    #[inline(always)]
    fn new(sha: Sha, [a, b, c, d, e, f, g, h]: &[u32; 8]) -> Self {
        Self { abef: Words::new(sha, [*f, *e, *b, *a]), cdgh: Words::new(sha, [*h, *g, *d, *c]) }
    }

    /// From the words in their order: `a b c d` and `e f g h`.
    #[inline(always)]
    fn of_words([abcd, efgh]: [Words; 2]) -> Self {
        let ba_dc = op!(_mm_shuffle_epi32::<0b10_11_00_01>(abcd.0));
        let fe_hg = op!(_mm_shuffle_epi32::<0b10_11_00_01>(efgh.0));
        Self {
            abef: Words(op!(_mm_unpacklo_epi64(fe_hg, ba_dc))),
            cdgh: Words(op!(_mm_unpackhi_epi64(fe_hg, ba_dc))),
        }
    }

    /// The words in their order: `a b c d` and `e f g h`.
    #[inline(always)]
    fn words(self) -> [Words; 2] {
        let ba_dc = op!(_mm_unpackhi_epi64(self.abef.0, self.cdgh.0));
        let fe_hg = op!(_mm_unpacklo_epi64(self.abef.0, self.cdgh.0));
        [
            Words(op!(_mm_shuffle_epi32::<0b10_11_00_01>(ba_dc))),
            Words(op!(_mm_shuffle_epi32::<0b10_11_00_01>(fe_hg))),
        ]
    }

    /// Four rounds.
    #[inline(always)]
    fn four_rounds(&mut self, k_plus_w: Words) {
        let Self { abef, cdgh } = *self;
        let high = op!(_mm_shuffle_epi32::<0b00_00_11_10>(k_plus_w.0));
        self.cdgh = Words(op!(_mm_sha256rnds2_epu32(cdgh.0, abef.0, k_plus_w.0)));
        self.abef = Words(op!(_mm_sha256rnds2_epu32(abef.0, self.cdgh.0, high)));
    }
}

/// A message block of each stream: sixteen words.
type Blocks = [[Words; 4]; STREAMS];

#[derive(Clone, Copy)]
struct Nonces {
    sha: Sha,
    midstate: State,
    tail: [u32; 3],
    target_top: u32,
}

impl Search for Nonces {
    const LANES: u32 = LANES;

    #[inline(always)]
    fn candidates(self, first: u32) -> u32 {
        let Self { sha, midstate, tail: [w0, w1, w2], target_top } = self;
        let mut tails = [Words(op!(_mm_setzero_si128())); STREAMS];
        let mut nonce = first;
        let mut i = 0;
        while i < STREAMS {
            tails[i] = Words::new(sha, [w0, w1, w2, nonce.swap_bytes()]);
            nonce = nonce.wrapping_add(1);
            i += 1;
        }
        let digests = last_block(sha, [midstate; STREAMS], tails);
        let mut found = 0;
        i = STREAMS;
        while i > 0 {
            i -= 1;
            let h = op!(_mm_cvtsi128_si32(digests[i].cdgh.0)).cast_unsigned();
            found = found << 1 | u32::from(h.swap_bytes() <= target_top);
        }
        found
    }
}

#[derive(Clone, Copy)]
struct Messages(Sha);

impl HashGroup<80> for Messages {
    const LANES: usize = STREAMS;

    #[inline(always)]
    fn hash_group(self, headers: &[HeaderBytes], digests: &mut [Digest]) {
        let Self(sha) = self;
        let states = first_block(sha, headers);
        let mut tails = [Words(op!(_mm_setzero_si128())); STREAMS];
        let mut i = 0;
        while i < STREAMS {
            tails[i] = Words::load(sha, &headers[i], 4);
            i += 1;
        }
        store(last_block(sha, states, tails), digests);
    }
}

impl HashGroup<64> for Messages {
    const LANES: usize = STREAMS;

    #[inline(always)]
    fn hash_group(self, pairs: &[Pair], digests: &mut [Digest]) {
        let Self(sha) = self;
        let states = first_block(sha, pairs);
        let zero = Words::new(sha, [0; 4]);
        let start = Words::new(sha, [PADDING_START, 0, 0, 0]);
        let padding = [start, zero, zero, Words::new(sha, [0, 0, 0, 64 * 8])];
        store(second_hash(sha, compress(sha, states, [padding; STREAMS])), digests);
    }
}

impl HashGroup<96> for Messages {
    const LANES: usize = STREAMS;

    #[inline(always)]
    fn hash_group(self, steps: &[Step], digests: &mut [Digest]) {
        let Self(sha) = self;
        let zero = Words(op!(_mm_setzero_si128()));
        let mut states = [State { abef: zero, cdgh: zero }; STREAMS];
        let mut blocks = [[zero; 4]; STREAMS];
        let mut i = 0;
        while i < STREAMS {
            let state = [Words::load(sha, &steps[i], 0), Words::load(sha, &steps[i], 1)];
            states[i] = State::of_words(state);
            blocks[i] = [
                Words::load(sha, &steps[i], 2),
                Words::load(sha, &steps[i], 3),
                Words::load(sha, &steps[i], 4),
                Words::load(sha, &steps[i], 5),
            ];
            i += 1;
        }
        store(compress(sha, states, blocks), digests);
    }
}

/// The padding's one bit (FIPS 180-4, section 5.1.1).
const PADDING_START: u32 = 1 << 31;

/// The states after the first 64 bytes of each message.
#[inline(always)]
fn first_block<const BYTES: usize>(sha: Sha, messages: &[[u8; BYTES]]) -> [State; STREAMS] {
    let mut blocks = [[Words(op!(_mm_setzero_si128())); 4]; STREAMS];
    let mut i = 0;
    while i < STREAMS {
        blocks[i] = [
            Words::load(sha, &messages[i], 0),
            Words::load(sha, &messages[i], 1),
            Words::load(sha, &messages[i], 2),
            Words::load(sha, &messages[i], 3),
        ];
        i += 1;
    }
    compress(sha, [State::new(sha, &INITIAL_STATE); STREAMS], blocks)
}

/// The digests of headers, from their states after 64 bytes and their last 16.
#[inline(always)]
fn last_block(sha: Sha, states: [State; STREAMS], tails: [Words; STREAMS]) -> [State; STREAMS] {
    let start = Words::new(sha, [PADDING_START, 0, 0, 0]);
    let zero = Words::new(sha, [0; 4]);
    let end = Words::new(sha, [0, 0, 0, 80 * 8]);
    let mut blocks = [[zero, start, zero, end]; STREAMS];
    let mut i = 0;
    while i < STREAMS {
        blocks[i][0] = tails[i];
        i += 1;
    }
    second_hash(sha, compress(sha, states, blocks))
}

/// SHA-256 of digests.
#[inline(always)]
fn second_hash(sha: Sha, digests: [State; STREAMS]) -> [State; STREAMS] {
    let start = Words::new(sha, [PADDING_START, 0, 0, 0]);
    let end = Words::new(sha, [0, 0, 0, 32 * 8]);
    let mut blocks = [[start, start, start, end]; STREAMS];
    let mut i = 0;
    while i < STREAMS {
        [blocks[i][0], blocks[i][1]] = digests[i].words();
        i += 1;
    }
    compress(sha, [State::new(sha, &INITIAL_STATE); STREAMS], blocks)
}

#[inline(always)]
fn store(states: [State; STREAMS], digests: &mut [Digest]) {
    let mut i = 0;
    while i < STREAMS {
        let [abcd, efgh] = states[i].words();
        store_piece(&mut digests[i], 0, abcd.swap_bytes().0);
        store_piece(&mut digests[i], 1, efgh.swap_bytes().0);
        i += 1;
    }
}

/// The compression function (FIPS 180-4, section 6.2.2) of each stream.
#[inline(always)]
fn compress(sha: Sha, start: [State; STREAMS], mut w: Blocks) -> [State; STREAMS] {
    let mut states = start;
    first_four::<0>(sha, &mut states, &w);
    first_four::<1>(sha, &mut states, &w);
    first_four::<2>(sha, &mut states, &w);
    first_four::<3>(sha, &mut states, &w);
    next_sixteen(sha, &mut states, &mut w, &K[1]);
    next_sixteen(sha, &mut states, &mut w, &K[2]);
    next_sixteen(sha, &mut states, &mut w, &K[3]);
    let mut i = 0;
    while i < STREAMS {
        states[i].abef = states[i].abef.add(start[i].abef);
        states[i].cdgh = states[i].cdgh.add(start[i].cdgh);
        i += 1;
    }
    states
}

/// Four of the first sixteen rounds.
#[inline(always)]
fn first_four<const FOUR: usize>(sha: Sha, states: &mut [State; STREAMS], w: &Blocks) {
    let k = four_of(sha, &K[0], FOUR);
    let mut i = 0;
    while i < STREAMS {
        states[i].four_rounds(w[i][FOUR].add(k));
        i += 1;
    }
}

#[inline(always)]
fn next_sixteen(sha: Sha, states: &mut [State; STREAMS], w: &mut Blocks, k: &[u32; 16]) {
    next_four::<0>(sha, states, w, k);
    next_four::<1>(sha, states, w, k);
    next_four::<2>(sha, states, w, k);
    next_four::<3>(sha, states, w, k);
}

/// Four more rounds: a quarter of the schedule moves sixteen words on.
#[inline(always)]
fn next_four<const FOUR: usize>(
    sha: Sha,
    states: &mut [State; STREAMS],
    w: &mut Blocks,
    k: &[u32; 16],
) {
    let k = four_of(sha, k, FOUR);
    let mut i = 0;
    while i < STREAMS {
        let w16 = w[i][FOUR];
        let w12 = w[i][(FOUR + 1) % 4];
        let w8 = w[i][(FOUR + 2) % 4];
        let w4 = w[i][(FOUR + 3) % 4];
        let sigma_0 = op!(_mm_sha256msg1_epu32(w16.0, w12.0));
        let w7 = op!(_mm_alignr_epi8::<4>(w4.0, w8.0));
        let sum = op!(_mm_add_epi32(sigma_0, w7));
        w[i][FOUR] = Words(op!(_mm_sha256msg2_epu32(sum, w4.0)));
        states[i].four_rounds(w[i][FOUR].add(k));
        i += 1;
    }
}

#[inline(always)]
fn four_of(sha: Sha, k: &[u32; 16], four: usize) -> Words {
    Words::new(sha, [k[4 * four], k[4 * four + 1], k[4 * four + 2], k[4 * four + 3]])
}
