//! BLAKE3 (the paper, section 2) generic over lanes, safe code: the hash of 80-byte headers.
//!
//! A header is one chunk of two blocks, the second of 16 bytes. What a search saves comes out of the
//! text by itself: additions of the zero words vanish, what does not see the nonce is constant in the
//! loop, and what only serves unread words of the hash is dropped.
//!
//! # Tried
//!
//! Cycles a nonce of the AVX-512 search on Golden Cove, where its 423 additions and xors and 198 rotates
//! for 16 nonces take two ports at least 19.4 cycles:
//!
//! - one vector: 21.3; two side by side ([`super::two`]): 21.0. Without native rotates two gain more:
//!   AVX2 49.7 and 45.3, SSE4.1 99.0 and 87.5, arrays 414 and 362;
//! - rotations by 16 as byte shuffles, on the other port than rotates: 22.6; those by 8 too: 22.8 (the
//!   compiler turns shuffles of known order back into rotates, so the order came from a volatile read);
//! - two vectors of headers instead of one: 56.3 instead of 54.3 cycles a header with AVX-512, no change
//!   with SSE4.1, so headers stay with one.
//!
//! Two vectors reach 91.5 % of that limit and 19.6 times the plain loop over the `blake3` crate, so that
//! vectors alone cannot reach 21.4 times on this core. Not tried: one more nonce in the integer units, at
//! most 6 % by their idle ports.

use super::lanes::{HeaderHash, Lanes, Rounds, splat8};
use crate::hash::blake3::{CHUNK_END, CHUNK_START, INITIAL_STATE, ROOT, SCHEDULE};

/// BLAKE3 of headers.
#[derive(Clone, Copy)]
pub(super) struct Blake3;

impl HeaderHash for Blake3 {
    #[inline(always)]
    fn first_block<L: Lanes>(proof: L::Proof, block: [L; 16]) -> [L; 8] {
        compress(proof, splat8(proof, &INITIAL_STATE), &block, 64, CHUNK_START)
    }

    #[inline(always)]
    fn last_block<L: Lanes>(proof: L::Proof, state: [L; 8], tail: [L; 4]) -> [L; 8] {
        let mut block = [L::splat(proof, 0); 16];
        [block[0], block[1], block[2], block[3]] = tail;
        compress(proof, state, &block, 16, CHUNK_END | ROOT)
    }

    #[inline(always)]
    fn top_words<L: Lanes>(proof: L::Proof, state: [L; 8], tail: [L; 4]) -> L {
        let [.., word] = Self::last_block(proof, state, tail);
        word
    }
}

/// The compression function with counter 0, its halves combined.
#[inline(always)]
fn compress<L: Lanes>(
    proof: L::Proof,
    cv: [L; 8],
    m: &[L; 16],
    block_bytes: u32,
    flags: u32,
) -> [L; 8] {
    let [c0, c1, c2, c3, c4, c5, c6, c7] = cv;
    let [i0, i1, i2, i3, ..] = splat8(proof, &INITIAL_STATE);
    let zero = L::splat(proof, 0);
    let block_bytes = L::splat(proof, block_bytes);
    let flags = L::splat(proof, flags);
    let mut v = [c0, c1, c2, c3, c4, c5, c6, c7, i0, i1, i2, i3, zero, zero, block_bytes, flags];
    match L::ROUNDS {
        Rounds::One => {
            let mut step = 0;
            while step < 7 * 8 {
                let order = &SCHEDULE[step / 8];
                let i = step % 8;
                mix(&mut v, STEPS[i], m[order[2 * i]], m[order[2 * i + 1]]);
                step += 1;
            }
        }
        Rounds::Turn | Rounds::TwoTurns | Rounds::All => {
            round(&mut v, m, &SCHEDULE[0]);
            round(&mut v, m, &SCHEDULE[1]);
            round(&mut v, m, &SCHEDULE[2]);
            round(&mut v, m, &SCHEDULE[3]);
            round(&mut v, m, &SCHEDULE[4]);
            round(&mut v, m, &SCHEDULE[5]);
            round(&mut v, m, &SCHEDULE[6]);
        }
    }
    let mut out = cv;
    let mut i = 0;
    while i < 8 {
        out[i] = v[i].xor(v[i + 8]);
        i += 1;
    }
    out
}

/// The words of the state that each step of a round mixes: four columns, four diagonals.
const STEPS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

#[inline(always)]
fn round<L: Lanes>(v: &mut [L; 16], m: &[L; 16], order: &[usize; 16]) {
    mix(v, STEPS[0], m[order[0]], m[order[1]]);
    mix(v, STEPS[1], m[order[2]], m[order[3]]);
    mix(v, STEPS[2], m[order[4]], m[order[5]]);
    mix(v, STEPS[3], m[order[6]], m[order[7]]);
    mix(v, STEPS[4], m[order[8]], m[order[9]]);
    mix(v, STEPS[5], m[order[10]], m[order[11]]);
    mix(v, STEPS[6], m[order[12]], m[order[13]]);
    mix(v, STEPS[7], m[order[14]], m[order[15]]);
}

/// The quarter-round `G`.
#[inline(always)]
fn mix<L: Lanes>(v: &mut [L; 16], [a, b, c, d]: [usize; 4], x: L, y: L) {
    v[a] = v[a].add(v[b]).add(x);
    v[d] = v[d].xor(v[a]).rotr::<16, 16>();
    v[c] = v[c].add(v[d]);
    v[b] = v[b].xor(v[c]).rotr::<12, 20>();
    v[a] = v[a].add(v[b]).add(y);
    v[d] = v[d].xor(v[a]).rotr::<8, 24>();
    v[c] = v[c].add(v[d]);
    v[b] = v[b].xor(v[c]).rotr::<7, 25>();
}
