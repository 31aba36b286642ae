//! SHA-512 (FIPS 180-4) generic over lanes of 64 bits, safe code: what it needs from a vector, and the
//! hash of messages that are one block each. The style and its reasons are those of [`crate::kernel`]'s
//! 32-bit lanes.

use super::super::batch::{HashGroup, LANES_MAX};
use super::super::lanes::for_each_of_16;
use crate::hash::sha512::{Block, Digest512, INITIAL_STATE, ROUND_CONSTANTS};

/// A vector of `N` 64-bit words, one for each message hashed side by side. All arithmetic is by lane.
pub(super) trait Lanes64: Copy {
    /// Evidence that this CPU has the instructions: holding it, or a vector, is enough for any operation.
    type Proof: Copy;

    /// Words in a vector: at most [`LANES_MAX`].
    const N: usize;

    /// The same word in every lane.
    fn splat(proof: Self::Proof, word: u64) -> Self;
    /// Big-endian words `2 * pair..` of the first `N` blocks: vector `i` of the result holds word
    /// `2 * pair + i` of each.
    fn load2(proof: Self::Proof, blocks: &[Block], pair: usize) -> [Self; 2];
    /// The reverse: big-endian words `2 * pair..` of the first `N` digests.
    fn store2(words: [Self; 2], digests: &mut [Digest512], pair: usize);

    /// Sum modulo 2^64.
    fn add(self, other: Self) -> Self;
    /// Exclusive or of three.
    fn xor3(self, b: Self, c: Self) -> Self;
    /// Rotation to the right by `R` bits; `L` is 64 - `R`.
    fn rotr<const R: i32, const L: i32>(self) -> Self;
    /// Shift to the right by `R` bits, zeros shifted in.
    fn shr<const R: i32>(self) -> Self;
    /// For each bit, that of `one` where `self` has a one and that of `zero` where it has a zero.
    fn choose(self, one: Self, zero: Self) -> Self;
    /// For each bit, what at least two of the three say.
    fn majority(self, b: Self, c: Self) -> Self;
}

/// `N` as a number of messages.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most LANES_MAX")]
pub(super) const fn lane_count<L: Lanes64>() -> u32 {
    const { assert!(1 <= L::N && L::N <= LANES_MAX) };
    L::N as u32
}

/// SHA-512 of messages with their padding, one block each.
#[derive(Clone, Copy)]
pub(super) struct Blocks<L: Lanes64>(L::Proof);

impl<L: Lanes64> Blocks<L> {
    #[inline(always)]
    pub(super) fn new(proof: L::Proof) -> Self {
        Self(proof)
    }
}

impl<L: Lanes64> HashGroup<128, 64> for Blocks<L> {
    const LANES: usize = L::N;

    #[inline(always)]
    fn hash_group(self, blocks: &[Block], digests: &mut [Digest512]) {
        let Self(proof) = self;
        let mut w = [L::splat(proof, 0); 16];
        let mut pair = 0;
        while pair < 8 {
            [w[2 * pair], w[2 * pair + 1]] = L::load2(proof, blocks, pair);
            pair += 1;
        }
        let state = first_compression(proof, w);
        let mut pair = 0;
        while pair < 4 {
            L::store2([state[2 * pair], state[2 * pair + 1]], digests, pair);
            pair += 1;
        }
    }
}

/// The constants of the rounds, a turn of sixteen in each row.
static K: [[u64; 16]; 5] = {
    let mut turns = [[0; 16]; 5];
    let mut t = 0;
    while t < 80 {
        turns[t / 16][t % 16] = ROUND_CONSTANTS[t];
        t += 1;
    }
    turns
};

/// The compression function (FIPS 180-4, section 6.4.2) from the initial state. Sixteen rounds are written
/// out and five times run: all eighty would not fit the cache of decoded instructions.
#[inline(always)]
fn first_compression<L: Lanes64>(proof: L::Proof, block: [L; 16]) -> [L; 8] {
    let mut start = [L::splat(proof, 0); 8];
    let mut i = 0;
    while i < 8 {
        start[i] = L::splat(proof, INITIAL_STATE[i]);
        i += 1;
    }
    let mut state = start;
    let mut w = block;
    first_turn(proof, &mut state, &w, &K[0]);
    let mut turn = 1;
    while turn < 5 {
        next_turn(proof, &mut state, &mut w, &K[turn]);
        turn += 1;
    }
    let mut i = 0;
    while i < 8 {
        state[i] = state[i].add(start[i]);
        i += 1;
    }
    state
}

/// Sixteen rounds with the words `w`.
#[inline(always)]
fn first_turn<L: Lanes64>(proof: L::Proof, state: &mut [L; 8], w: &[L; 16], k: &[u64; 16]) {
    for_each_of_16!(|T| *state = round(*state, w[T].add(L::splat(proof, k[T]))));
}

/// Sixteen more rounds; `w` goes from the sixteen words of the schedule before them to theirs.
#[inline(always)]
fn next_turn<L: Lanes64>(proof: L::Proof, state: &mut [L; 8], w: &mut [L; 16], k: &[u64; 16]) {
    for_each_of_16!(|T| {
        w[T] = schedule(w[T], w[(T + 1) % 16], w[(T + 9) % 16], w[(T + 14) % 16]);
        *state = round(*state, w[T].add(L::splat(proof, k[T])));
    });
}

/// A word of the message schedule from the words 16, 15, 7 and 2 before it.
#[inline(always)]
fn schedule<L: Lanes64>(w16: L, w15: L, w7: L, w2: L) -> L {
    let sigma_0 = w15.rotr::<1, 63>().xor3(w15.rotr::<8, 56>(), w15.shr::<7>());
    let sigma_1 = w2.rotr::<19, 45>().xor3(w2.rotr::<61, 3>(), w2.shr::<6>());
    sigma_1.add(w7).add(sigma_0).add(w16)
}

#[inline(always)]
fn round<L: Lanes64>([a, b, c, d, e, f, g, h]: [L; 8], k_plus_w: L) -> [L; 8] {
    let sigma_1 = e.rotr::<14, 50>().xor3(e.rotr::<18, 46>(), e.rotr::<41, 23>());
    let t1 = h.add(k_plus_w).add(e.choose(f, g)).add(sigma_1);
    let sigma_0 = a.rotr::<28, 36>().xor3(a.rotr::<34, 30>(), a.rotr::<39, 25>());
    let t2 = sigma_0.add(a.majority(b, c));
    [t1.add(t2), a, b, c, d.add(t1), e, f, g]
}
