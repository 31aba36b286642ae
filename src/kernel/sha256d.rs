//! SHA-256d (FIPS 180-4) generic over lanes, safe code: the hash of 80-byte headers and of 64-byte
//! merkle nodes.
//!
//! The text is the standard's. What a search saves comes out of it by itself where the rounds are
//! written out: rounds and schedule words that do not see the nonce are constants of the loop, sums
//! with padding words fold, and what only serves unread words of the hash is dropped.

use super::Pair;
use super::batch::HashGroup;
use super::lanes::{HeaderHash, Lanes, Rounds, load16, splat8, store8};
use crate::hash::sha256::INITIAL_STATE;
use crate::primitives::Digest;

/// The constants of the rounds (FIPS 180-4, section 4.2.2), a turn of sixteen in each row.
#[rustfmt::skip]
pub(super) static K: [[u32; 16]; 4] = [
    [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5,
        0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3,
        0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    ],
    [
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc,
        0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
        0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    ],
    [
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13,
        0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3,
        0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    ],
    [
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5,
        0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208,
        0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ],
];

/// SHA-256d of headers.
#[derive(Clone, Copy)]
pub(super) struct Sha256d;

impl HeaderHash for Sha256d {
    #[inline(always)]
    fn first_block<L: Lanes>(proof: L::Proof, block: [L; 16]) -> [L; 8] {
        first_block(proof, block)
    }

    #[inline(always)]
    fn last_block<L: Lanes>(
        proof: L::Proof,
        state: [L; 8],
        tail: [L; 4],
        rounds: Rounds,
    ) -> [L; 8] {
        let mut block = [L::splat(proof, 0); 16];
        [block[0], block[1], block[2], block[3]] = swap4(tail);
        block[4] = L::splat(proof, PADDING_START);
        block[15] = L::splat(proof, 80 * 8);
        second_hash(proof, compress(proof, state, block, rounds), rounds)
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
        let state = first_block(proof, load16::<L, 64>(proof, pairs));
        let mut padding = [L::splat(proof, 0); 16];
        padding[0] = L::splat(proof, PADDING_START);
        padding[15] = L::splat(proof, 64 * 8);
        let rounds = L::ROUNDS.at_most_turn();
        let digest = compress(proof, state, padding, rounds);
        store8(second_hash(proof, digest, rounds), digests);
    }
}

/// The padding's one bit (FIPS 180-4, section 5.1.1).
const PADDING_START: u32 = 1 << 31;

/// The state after the first 64 bytes of each message.
#[inline(always)]
fn first_block<L: Lanes>(proof: L::Proof, block: [L; 16]) -> [L; 8] {
    let [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15] = block;
    let [w0, w1, w2, w3] = swap4([w0, w1, w2, w3]);
    let [w4, w5, w6, w7] = swap4([w4, w5, w6, w7]);
    let [w8, w9, w10, w11] = swap4([w8, w9, w10, w11]);
    let [w12, w13, w14, w15] = swap4([w12, w13, w14, w15]);
    let block = [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15];
    compress(proof, splat8(proof, &INITIAL_STATE), block, L::ROUNDS.at_most_turn())
}

/// SHA-256 of a digest, its words as they stand in the result's bytes.
#[inline(always)]
fn second_hash<L: Lanes>(proof: L::Proof, digest: [L; 8], rounds: Rounds) -> [L; 8] {
    let mut block = [L::splat(proof, 0); 16];
    [block[0], block[1], block[2], block[3], block[4], block[5], block[6], block[7]] = digest;
    block[8] = L::splat(proof, PADDING_START);
    block[15] = L::splat(proof, 32 * 8);
    let [a, b, c, d, e, f, g, h] = compress(proof, splat8(proof, &INITIAL_STATE), block, rounds);
    let [a, b, c, d] = swap4([a, b, c, d]);
    let [e, f, g, h] = swap4([e, f, g, h]);
    [a, b, c, d, e, f, g, h]
}

/// The compression function (FIPS 180-4, section 6.2.2).
#[inline(always)]
fn compress<L: Lanes>(proof: L::Proof, start: [L; 8], block: [L; 16], rounds: Rounds) -> [L; 8] {
    let end = match rounds {
        Rounds::One => rounds_one_by_one(proof, start, block),
        Rounds::Turn => {
            let mut state = start;
            let mut w = block;
            first_turn(proof, &mut state, &w);
            let mut turn = 1;
            while turn < 4 {
                next_turn(proof, &mut state, &mut w, &K[turn]);
                turn += 1;
            }
            state
        }
        Rounds::All => {
            let mut state = start;
            let mut w = block;
            first_turn(proof, &mut state, &w);
            next_turn(proof, &mut state, &mut w, &K[1]);
            next_turn(proof, &mut state, &mut w, &K[2]);
            next_turn(proof, &mut state, &mut w, &K[3]);
            state
        }
    };
    let mut sum = start;
    let mut i = 0;
    while i < 8 {
        sum[i] = start[i].add(end[i]);
        i += 1;
    }
    sum
}

/// All 64 rounds as loops of one, with the history of `a` and `e` in memory instead of eight variables
/// that change places.
#[inline(always)]
fn rounds_one_by_one<L: Lanes>(proof: L::Proof, start: [L; 8], block: [L; 16]) -> [L; 8] {
    let zero = L::splat(proof, 0);
    let mut w = [zero; 64];
    let mut t = 0;
    while t < 16 {
        w[t] = block[t];
        t += 1;
    }
    while t < 64 {
        w[t] = schedule(w[t - 16], w[t - 15], w[t - 7], w[t - 2]);
        t += 1;
    }
    let mut a = [zero; 68];
    let mut e = [zero; 68];
    [a[3], a[2], a[1], a[0], e[3], e[2], e[1], e[0]] = start;
    t = 0;
    while t < 64 {
        let k_plus_w = w[t].add(L::splat(proof, K[t / 16][t % 16]));
        let state = [a[t + 3], a[t + 2], a[t + 1], a[t], e[t + 3], e[t + 2], e[t + 1], e[t]];
        [a[t + 4], _, _, _, e[t + 4], _, _, _] = round(state, k_plus_w);
        t += 1;
    }
    [a[67], a[66], a[65], a[64], e[67], e[66], e[65], e[64]]
}

/// Writes an expression out for each of 0..16. Not a closure, see [`super::lanes`].
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

/// Rounds 0 to 15.
#[inline(always)]
fn first_turn<L: Lanes>(proof: L::Proof, state: &mut [L; 8], w: &[L; 16]) {
    for_each_of_16!(|T| *state = round(*state, w[T].add(L::splat(proof, K[0][T]))));
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
