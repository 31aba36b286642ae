//! What an algorithm needs from a vector of 32-bit words, and the macro that turns one such vector
//! type into rows of the table. No algorithm and no instruction set is named here.
//!
//! Everything generic is `inline(always)` and free of closures and iterator adapters: code takes the
//! CPU features of the function it is inlined into, and only the entries that [`lane_kernels!`] writes
//! enable any.

use std::marker::PhantomData;

use super::Job;
use super::batch::{HashGroup, LANES_MAX, Search};
use crate::primitives::{Digest, HeaderBytes};

/// A vector of `N` 32-bit words, one for each message hashed side by side. All arithmetic is by lane.
pub(super) trait Lanes: Copy {
    /// Evidence that this CPU has the instructions. It can only be had inside an entry that enables
    /// them, so holding it, or a vector, is enough for any operation.
    type Proof: Copy;

    /// Words in a vector: a power of two, at least 4 and at most [`LANES_MAX`].
    const N: usize;

    /// How much of the rounds is written out.
    const ROUNDS: Rounds;

    /// The same word in every lane.
    fn splat(proof: Self::Proof, word: u32) -> Self;
    /// 0, 1, 2, ...
    fn lane_index(proof: Self::Proof) -> Self;
    /// Little-endian words `4 * quarter..` of the first `N` messages: vector `i` of the result holds
    /// word `4 * quarter + i` of each.
    fn load4<const BYTES: usize>(
        proof: Self::Proof,
        messages: &[[u8; BYTES]],
        quarter: usize,
    ) -> [Self; 4];
    /// The reverse: little-endian words `4 * half..` of the first `N` digests.
    fn store4(words: [Self; 4], digests: &mut [Digest], half: usize);

    /// Sum modulo 2^32.
    fn add(self, other: Self) -> Self;
    /// Exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Rotation to the right by `R` bits; `L` is 32 - `R`.
    fn rotr<const R: i32, const L: i32>(self) -> Self;
    /// Shift to the right by `R` bits, zeros shifted in.
    fn shr<const R: i32>(self) -> Self;
    /// For each bit, that of `one` where `self` has a one and that of `zero` where it has a zero.
    fn choose(self, one: Self, zero: Self) -> Self;
    /// For each bit, what at least two of the three say.
    fn majority(self, b: Self, c: Self) -> Self;
    /// Each word with its bytes reversed.
    fn swap_bytes(self) -> Self;
    /// Bit `i` is set where lane `i` of `self` is at most lane `i` of `other`, both unsigned.
    fn le_mask(self, other: Self) -> u32;

    /// Runs a task as a function of its own, compiled for the same CPU features, so that its code
    /// stands once however often it is asked for.
    fn outlined<T: Task>(proof: Self::Proof, task: T) -> T::Output;

    /// Exclusive or of three.
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }
}

/// A piece of an algorithm with its arguments.
pub(super) trait Task {
    /// What comes out.
    type Output;

    /// Does it.
    fn run(self) -> Self::Output;
}

/// How much of a compression function's rounds is written out as straight code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounds {
    /// One step, with the state in memory. For arrays, which the compiler turns into vectors only after
    /// it has looked at every lane: it would take a minute over more.
    One,
    /// A turn of the message's sixteen words, with the state in registers.
    Turn,
    /// The first two turns: words of padding still thin out the schedule of the second. Without native
    /// rotates the three parts of a header's hash then exceed the first-level cache for code: SSE4.1
    /// takes 1131 instead of 883 cycles.
    TwoTurns,
    /// Everything where constants fold into it, in a search: for vectors with registers to spare.
    All,
}

impl Rounds {
    /// For code that runs over different messages: nothing to fold, and it has to fit the cache.
    #[inline(always)]
    pub(super) const fn of_messages(self) -> Self {
        match self {
            Self::One => Self::One,
            Self::Turn | Self::TwoTurns | Self::All => Self::Turn,
        }
    }

    /// The same where a part of the messages is padding.
    #[inline(always)]
    pub(super) const fn of_padded(self) -> Self {
        match self {
            Self::All => Self::TwoTurns,
            rolled => rolled,
        }
    }
}

/// An algorithm over 80-byte headers, written for any lanes. Words are little-endian as they stand in
/// the header and in the digest; an algorithm of the other order swaps them itself.
pub(super) trait HeaderHash: Copy {
    /// The state after the first 64 bytes.
    fn first_block<L: Lanes>(proof: L::Proof, block: [L; 16]) -> [L; 8];

    /// The digest, from that state and the last 16 bytes.
    fn last_block<L: Lanes>(proof: L::Proof, state: [L; 8], tail: [L; 4]) -> [L; 8];

    /// The last word of that digest, the most significant one, where the state and most of the tail are
    /// the same for a whole search.
    fn top_words<L: Lanes>(proof: L::Proof, state: [L; 8], tail: [L; 4]) -> L;
}

/// A job with its words in vectors: the search of `H`.
#[derive(Clone, Copy)]
pub(super) struct Nonces<L: Lanes, H> {
    proof: L::Proof,
    midstate: [L; 8],
    tail: [L; 3],
    target_top: L,
    hash: PhantomData<H>,
}

impl<L: Lanes, H: HeaderHash> Nonces<L, H> {
    #[inline(always)]
    pub(super) fn new(proof: L::Proof, job: &Job) -> Self {
        let [w0, w1, w2] = job.tail;
        Self {
            proof,
            midstate: splat8(proof, &job.midstate),
            tail: [L::splat(proof, w0), L::splat(proof, w1), L::splat(proof, w2)],
            target_top: L::splat(proof, job.target_top),
            hash: PhantomData,
        }
    }
}

impl<L: Lanes, H: HeaderHash> Search for Nonces<L, H> {
    const LANES: u32 = lane_count::<L>();

    #[inline(always)]
    fn candidates(self, first: u32) -> u32 {
        let [w0, w1, w2] = self.tail;
        let nonces = L::splat(self.proof, first).add(L::lane_index(self.proof));
        let tail = [w0, w1, w2, nonces];
        H::top_words(self.proof, self.midstate, tail).le_mask(self.target_top)
    }
}

/// The header hash `H` of `N` headers.
#[derive(Clone, Copy)]
pub(super) struct Headers<L: Lanes, H>(L::Proof, PhantomData<H>);

impl<L: Lanes, H: HeaderHash> Headers<L, H> {
    #[inline(always)]
    pub(super) fn new(proof: L::Proof) -> Self {
        Self(proof, PhantomData)
    }
}

impl<L: Lanes, H: HeaderHash> HashGroup<80> for Headers<L, H> {
    const LANES: usize = L::N;

    #[inline(always)]
    fn hash_group(self, headers: &[HeaderBytes], digests: &mut [Digest]) {
        let proof = self.0;
        let state = H::first_block(proof, load16::<L, 80>(proof, headers, 0));
        let tail = L::load4(proof, headers, 4);
        store8(H::last_block(proof, state, tail), digests);
    }
}

/// 64 bytes of `N` messages, from the quarter `first` on.
#[inline(always)]
pub(super) fn load16<L: Lanes, const BYTES: usize>(
    proof: L::Proof,
    messages: &[[u8; BYTES]],
    first: usize,
) -> [L; 16] {
    let [w0, w1, w2, w3] = L::load4(proof, messages, first);
    let [w4, w5, w6, w7] = L::load4(proof, messages, first + 1);
    let [w8, w9, w10, w11] = L::load4(proof, messages, first + 2);
    let [w12, w13, w14, w15] = L::load4(proof, messages, first + 3);
    [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15]
}

/// `N` as a number of nonces.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most LANES_MAX")]
pub(super) const fn lane_count<L: Lanes>() -> u32 {
    const { assert!(L::N.is_power_of_two() && 4 <= L::N && L::N <= LANES_MAX) };
    L::N as u32
}

/// Each word in all lanes of a vector of its own.
#[inline(always)]
pub(super) fn splat8<L: Lanes>(proof: L::Proof, words: &[u32; 8]) -> [L; 8] {
    let mut vectors = [L::splat(proof, 0); 8];
    let mut i = 0;
    while i < 8 {
        vectors[i] = L::splat(proof, words[i]);
        i += 1;
    }
    vectors
}

/// The digests of the first `N` messages, from vectors of their words.
#[inline(always)]
pub(super) fn store8<L: Lanes>([a, b, c, d, e, f, g, h]: [L; 8], digests: &mut [Digest]) {
    L::store4([a, b, c, d], digests, 0);
    L::store4([e, f, g, h], digests, 1);
}

/// Turns a vector type into rows: one entry for each operation, the only functions that enable CPU
/// features, and the table `ROWS` that names them.
macro_rules! lane_kernels {
    (isa: $isa:literal, lanes: $lanes:ty, proof: $proof:expr, detect: $detect:expr, $(#[$features:meta])?) => {
        pub(super) static ROWS: &[$crate::kernel::Row] = &[
            $crate::kernel::Row {
                algorithm: $crate::hash::Algorithm::Sha256d,
                isa: $isa,
                lanes: $crate::kernel::lanes::lane_count::<$lanes>(),
                detect: || $detect,
                search: search_sha256d,
                hash_headers: hash_headers_sha256d,
                hash_pairs: Some(hash_pairs_sha256d),
                compress: Some(compress_sha256),
            },
            $crate::kernel::Row {
                algorithm: $crate::hash::Algorithm::Blake3,
                isa: $isa,
                lanes: $crate::kernel::lanes::lane_count::<$crate::kernel::two::Two<$lanes>>(),
                detect: || $detect,
                search: search_blake3,
                hash_headers: hash_headers_blake3,
                hash_pairs: None,
                compress: None,
            },
        ];

        lane_kernels! { @header $lanes, $lanes, $proof, $crate::kernel::sha256d::Sha256d,
        search_sha256d, hash_headers_sha256d, $(#[$features])? }
        lane_kernels! { @header $crate::kernel::two::Two<$lanes>, $lanes, $proof, $crate::kernel::blake3::Blake3,
        search_blake3, hash_headers_blake3, $(#[$features])? }

        $(#[$features])?
        fn hash_pairs_sha256d(
            pairs: &[$crate::kernel::Pair],
            digests: &mut [$crate::primitives::Digest],
        ) {
            let group = $crate::kernel::sha256d::Pairs::<$lanes>::new($proof);
            $crate::kernel::batch::hash_many(group, pairs, digests);
        }

        $(#[$features])?
        fn compress_sha256(
            steps: &[$crate::kernel::Step],
            states: &mut [$crate::primitives::Digest],
        ) {
            let group = $crate::kernel::sha256d::Steps::<$lanes>::new($proof);
            $crate::kernel::batch::hash_many(group, steps, states);
        }
    };
    (@header $search_lanes:ty, $lanes:ty, $proof:expr, $hash:ty, $search:ident, $hash_headers:ident, $(#[$features:meta])?) => {
        $(#[$features])?
        fn $search(
            job: &$crate::kernel::Job,
            range: $crate::kernel::NonceRange,
            hits: &mut $crate::kernel::Hits,
        ) -> Option<u32> {
            let nonces = $crate::kernel::lanes::Nonces::<$search_lanes, $hash>::new($proof, job);
            $crate::kernel::batch::search(nonces, range, hits)
        }

        $(#[$features])?
        fn $hash_headers(
            headers: &[$crate::primitives::HeaderBytes],
            digests: &mut [$crate::primitives::Digest],
        ) {
            let group = $crate::kernel::lanes::Headers::<$lanes, $hash>::new($proof);
            $crate::kernel::batch::hash_many(group, headers, digests);
        }
    };
}
pub(super) use lane_kernels;

/// Writes an expression out for each of 0..16. Not a closure, see the rules of [`super`].
macro_rules! for_each_of_16 {
    (|$t:ident| $body:expr) => {
        for_each_of_16!(@ $t, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $t:ident, $body:expr, $($number:literal)*) => {
        $({
            const $t: usize = $number;
            $body
        })*
    };
}
pub(super) use for_each_of_16;
