//! SHA-256d (FIPS 180-4) generic over lanes, safe code: the hash of 80-byte headers and of 64-byte
//! merkle nodes.
//!
//! The text is the standard's. What a search saves comes out of it by itself where the rounds are
//! written out: rounds and schedule words that do not see the nonce are constants of the loop, sums
//! with padding words fold, and what only serves unread words of the hash is dropped.

use super::batch::HashGroup;
use super::lanes::{HeaderHash, Lanes, Rounds, Task, for_each_of_16, load16, splat8, store8};
use super::{Pair, Step};
use crate::hash::sha256::{INITIAL_STATE, ROUND_CONSTANTS};
use crate::primitives::Digest;

/// The constants of the rounds (FIPS 180-4, section 4.2.2), a turn of sixteen in each row. A static: as
/// constants in the code they make the AVX-512 search 2 % slower.
pub(super) static K: [[u32; 16]; 4] = turns(&ROUND_CONSTANTS);

/// The sums of constants and schedule words for the block of padding after 64 bytes.
static PADDING_K: [[u32; 16]; 4] = turns(&padding_k());

const fn turns(words: &[u32; 64]) -> [[u32; 16]; 4] {
    let mut turns = [[0; 16]; 4];
    let mut t = 0;
    while t < 64 {
        turns[t / 16][t % 16] = words[t];
        t += 1;
    }
    turns
}

const fn padding_k() -> [u32; 64] {
    let mut w = [0; 64];
    w[0] = PADDING_START;
    w[15] = 64 * 8;
    let mut sums = ROUND_CONSTANTS;
    let mut t = 0;
    while t < 64 {
        if t >= 16 {
            let (w15, w2): (u32, u32) = (w[t - 15], w[t - 2]);
            let sigma_0 = w15.rotate_right(7) ^ w15.rotate_right(18) ^ w15 >> 3;
            let sigma_1 = w2.rotate_right(17) ^ w2.rotate_right(19) ^ w2 >> 10;
            w[t] = sigma_1.wrapping_add(w[t - 7]).wrapping_add(sigma_0).wrapping_add(w[t - 16]);
        }
        sums[t] = sums[t].wrapping_add(w[t]);
        t += 1;
    }
    sums
}

/// SHA-256d of headers.
#[derive(Clone, Copy)]
pub(super) struct Sha256d;

impl HeaderHash for Sha256d {
    #[inline(always)]
    fn first_block<L: Lanes>(proof: L::Proof, block: [L; 16]) -> [L; 8] {
        L::outlined(proof, FirstBlock { proof, block })
    }

    #[inline(always)]
    fn last_block<L: Lanes>(proof: L::Proof, state: [L; 8], tail: [L; 4]) -> [L; 8] {
        let digest = L::outlined(proof, LastBlock { proof, state, tail });
        L::outlined(proof, SecondHash { proof, digest })
    }

    #[inline(always)]
    fn top_words<L: Lanes>(proof: L::Proof, state: [L; 8], tail: [L; 4]) -> L {
        let [.., word] = if L::ROUNDS == Rounds::All {
            let digest = compress(proof, state, padded_tail(proof, tail), Rounds::All);
            second_hash(proof, digest, Rounds::All)
        } else {
            Self::last_block(proof, state, tail)
        };
        word
    }
}

/// SHA-256d of merkle nodes.
#[derive(Clone, Copy)]
pub(super) struct Pairs<L: Lanes>(L::Proof);

impl<L: Lanes> Pairs<L> {
    #[inline(always)]
    pub(super) fn new(proof: L::Proof) -> Self {
        Self(proof)
    }
}

impl<L: Lanes> HashGroup<64> for Pairs<L> {
    const LANES: usize = L::N;

    #[inline(always)]
    fn hash_group(self, pairs: &[Pair], digests: &mut [Digest]) {
        let Self(proof) = self;
        let block = load16::<L, 64>(proof, pairs, 0);
        let state = L::outlined(proof, FirstBlock { proof, block });
        let digest = L::outlined(proof, PaddingBlock { proof, state });
        store8(L::outlined(proof, SecondHash { proof, digest }), digests);
    }
}

/// Single steps of SHA-256.
#[derive(Clone, Copy)]
pub(super) struct Steps<L: Lanes>(L::Proof);

impl<L: Lanes> Steps<L> {
    #[inline(always)]
    pub(super) fn new(proof: L::Proof) -> Self {
        Self(proof)
    }
}

impl<L: Lanes> HashGroup<96> for Steps<L> {
    const LANES: usize = L::N;

    #[inline(always)]
    fn hash_group(self, steps: &[Step], states: &mut [Digest]) {
        let Self(proof) = self;
        let [a, b, c, d] = L::load4(proof, steps, 0);
        let [e, f, g, h] = L::load4(proof, steps, 1);
        let block = load16::<L, 96>(proof, steps, 2);
        store8(
            L::outlined(proof, OneStep { proof, state: [a, b, c, d, e, f, g, h], block }),
            states,
        );
    }
}

/// The state after one more block, its words as they stand in the bytes of a digest before and after.
struct OneStep<L: Lanes> {
    proof: L::Proof,
    state: [L; 8],
    block: [L; 16],
}

impl<L: Lanes> Task for OneStep<L> {
    type Output = [L; 8];

    #[inline(always)]
    fn run(self) -> [L; 8] {
        let Self { proof, state, block } = self;
        let words = swap16(block);
        swap8(compress(proof, swap8(state), words, L::ROUNDS.of_messages()))
    }
}

/// The state after the first 64 bytes.
struct FirstBlock<L: Lanes> {
    proof: L::Proof,
    block: [L; 16],
}

impl<L: Lanes> Task for FirstBlock<L> {
    type Output = [L; 8];

    #[inline(always)]
    fn run(self) -> [L; 8] {
        let Self { proof, block } = self;
        let words = swap16(block);
        compress(proof, splat8(proof, &INITIAL_STATE), words, L::ROUNDS.of_messages())
    }
}

/// SHA-256 of a header, from the state after 64 bytes and the last 16.
struct LastBlock<L: Lanes> {
    proof: L::Proof,
    state: [L; 8],
    tail: [L; 4],
}

impl<L: Lanes> Task for LastBlock<L> {
    type Output = [L; 8];

    #[inline(always)]
    fn run(self) -> [L; 8] {
        let Self { proof, state, tail } = self;
        compress(proof, state, padded_tail(proof, tail), L::ROUNDS.of_padded())
    }
}

/// SHA-256 of a merkle node, from the state after its 64 bytes: what follows is the same for all.
struct PaddingBlock<L: Lanes> {
    proof: L::Proof,
    state: [L; 8],
}

impl<L: Lanes> Task for PaddingBlock<L> {
    type Output = [L; 8];

    #[inline(always)]
    fn run(self) -> [L; 8] {
        let Self { proof, state } = self;
        if L::ROUNDS == Rounds::One {
            let no_words = [L::splat(proof, 0); 64];
            return add8(state, rounds_one_by_one(proof, state, &no_words, &PADDING_K));
        }
        let mut end = state;
        let mut turn = 0;
        while turn < 4 {
            first_turn(proof, &mut end, &[L::splat(proof, 0); 16], &PADDING_K[turn]);
            turn += 1;
        }
        add8(state, end)
    }
}

/// SHA-256 of a digest.
struct SecondHash<L: Lanes> {
    proof: L::Proof,
    digest: [L; 8],
}

impl<L: Lanes> Task for SecondHash<L> {
    type Output = [L; 8];

    #[inline(always)]
    fn run(self) -> [L; 8] {
        second_hash(self.proof, self.digest, L::ROUNDS.of_padded())
    }
}

/// The padding's one bit (FIPS 180-4, section 5.1.1).
const PADDING_START: u32 = 1 << 31;

/// The last block of a header.
#[inline(always)]
fn padded_tail<L: Lanes>(proof: L::Proof, tail: [L; 4]) -> [L; 16] {
    let mut block = [L::splat(proof, 0); 16];
    [block[0], block[1], block[2], block[3]] = swap4(tail);
    block[4] = L::splat(proof, PADDING_START);
    block[15] = L::splat(proof, 80 * 8);
    block
}

/// SHA-256 of a digest, its words as they stand in the result's bytes.
#[inline(always)]
fn second_hash<L: Lanes>(proof: L::Proof, digest: [L; 8], rounds: Rounds) -> [L; 8] {
    let mut block = [L::splat(proof, 0); 16];
    [block[0], block[1], block[2], block[3], block[4], block[5], block[6], block[7]] = digest;
    block[8] = L::splat(proof, PADDING_START);
    block[15] = L::splat(proof, 32 * 8);
    let start = splat8(proof, &INITIAL_STATE);
    swap8(compress(proof, start, block, rounds))
}

/// The compression function (FIPS 180-4, section 6.2.2).
#[inline(always)]
fn compress<L: Lanes>(proof: L::Proof, start: [L; 8], block: [L; 16], rounds: Rounds) -> [L; 8] {
    if rounds == Rounds::One {
        let w = whole_schedule(proof, block);
        return add8(start, rounds_one_by_one(proof, start, &w, &K));
    }
    let mut state = start;
    let mut w = block;
    first_turn(proof, &mut state, &w, &K[0]);
    let mut turn = 1;
    if rounds == Rounds::TwoTurns {
        next_turn(proof, &mut state, &mut w, &K[1]);
        turn = 2;
    }
    if rounds == Rounds::All {
        next_turn(proof, &mut state, &mut w, &K[1]);
        next_turn(proof, &mut state, &mut w, &K[2]);
        next_turn(proof, &mut state, &mut w, &K[3]);
        turn = 4;
    }
    while turn < 4 {
        next_turn(proof, &mut state, &mut w, &K[turn]);
        turn += 1;
    }
    add8(start, state)
}

#[inline(always)]
fn add8<L: Lanes>(x: [L; 8], y: [L; 8]) -> [L; 8] {
    let mut sum = x;
    let mut i = 0;
    while i < 8 {
        sum[i] = x[i].add(y[i]);
        i += 1;
    }
    sum
}

/// All 64 words of the schedule, one after the other.
#[inline(always)]
fn whole_schedule<L: Lanes>(proof: L::Proof, block: [L; 16]) -> [L; 64] {
    let mut w = [L::splat(proof, 0); 64];
    let mut t = 0;
    while t < 16 {
        w[t] = block[t];
        t += 1;
    }
    while t < 64 {
        w[t] = schedule(w[t - 16], w[t - 15], w[t - 7], w[t - 2]);
        t += 1;
    }
    w
}

/// All 64 rounds as a loop of one, with the history of `a` and `e` in memory instead of eight variables
/// that change places.
#[inline(always)]
fn rounds_one_by_one<L: Lanes>(
    proof: L::Proof,
    start: [L; 8],
    w: &[L; 64],
    k: &[[u32; 16]; 4],
) -> [L; 8] {
    let mut a = [L::splat(proof, 0); 68];
    let mut e = a;
    [a[3], a[2], a[1], a[0], e[3], e[2], e[1], e[0]] = start;
    let mut t = 0;
    while t < 64 {
        let k_plus_w = w[t].add(L::splat(proof, k[t / 16][t % 16]));
        let state = [a[t + 3], a[t + 2], a[t + 1], a[t], e[t + 3], e[t + 2], e[t + 1], e[t]];
        [a[t + 4], _, _, _, e[t + 4], _, _, _] = round(state, k_plus_w);
        t += 1;
    }
    [a[67], a[66], a[65], a[64], e[67], e[66], e[65], e[64]]
}

/// Sixteen rounds with the words `w`.
#[inline(always)]
fn first_turn<L: Lanes>(proof: L::Proof, state: &mut [L; 8], w: &[L; 16], k: &[u32; 16]) {
    for_each_of_16!(|T| *state = round(*state, w[T].add(L::splat(proof, k[T]))));
}

/// Sixteen more rounds; `w` goes from the sixteen words of the schedule before them to theirs.
#[inline(always)]
fn next_turn<L: Lanes>(proof: L::Proof, state: &mut [L; 8], w: &mut [L; 16], k: &[u32; 16]) {
    for_each_of_16!(|T| {
        w[T] = schedule(w[T], w[(T + 1) % 16], w[(T + 9) % 16], w[(T + 14) % 16]);
        *state = round(*state, w[T].add(L::splat(proof, k[T])));
    });
}

/// A word of the message schedule from the words 16, 15, 7 and 2 before it.
#[inline(always)]
fn schedule<L: Lanes>(w16: L, w15: L, w7: L, w2: L) -> L {
    let sigma_0 = w15.rotr::<7, 25>().xor3(w15.rotr::<18, 14>(), w15.shr::<3>());
    let sigma_1 = w2.rotr::<17, 15>().xor3(w2.rotr::<19, 13>(), w2.shr::<10>());
    sigma_1.add(w7).add(sigma_0).add(w16)
}

#[inline(always)]
fn round<L: Lanes>([a, b, c, d, e, f, g, h]: [L; 8], k_plus_w: L) -> [L; 8] {
    let sigma_1 = e.rotr::<6, 26>().xor3(e.rotr::<11, 21>(), e.rotr::<25, 7>());
    let t1 = h.add(k_plus_w).add(e.choose(f, g)).add(sigma_1);
    let sigma_0 = a.rotr::<2, 30>().xor3(a.rotr::<13, 19>(), a.rotr::<22, 10>());
    let t2 = sigma_0.add(a.majority(b, c));
    [t1.add(t2), a, b, c, d.add(t1), e, f, g]
}

#[inline(always)]
fn swap4<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 4] {
    [a.swap_bytes(), b.swap_bytes(), c.swap_bytes(), d.swap_bytes()]
}

#[inline(always)]
fn swap8<L: Lanes>([a, b, c, d, e, f, g, h]: [L; 8]) -> [L; 8] {
    let [a, b, c, d] = swap4([a, b, c, d]);
    let [e, f, g, h] = swap4([e, f, g, h]);
    [a, b, c, d, e, f, g, h]
}

#[inline(always)]
fn swap16<L: Lanes>(words: [L; 16]) -> [L; 16] {
    let [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15] = words;
    let [w0, w1, w2, w3, w4, w5, w6, w7] = swap8([w0, w1, w2, w3, w4, w5, w6, w7]);
    let [w8, w9, w10, w11, w12, w13, w14, w15] = swap8([w8, w9, w10, w11, w12, w13, w14, w15]);
    [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15]
}
