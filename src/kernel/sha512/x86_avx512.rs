//! SHA-512 on AVX-512 F and BW: eight messages side by side.

use std::arch::is_x86_feature_detected as detected;
use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_castsi128_si512, _mm512_extracti32x4_epi32,
    _mm512_inserti32x4, _mm512_ror_epi64, _mm512_set1_epi64, _mm512_set4_epi32,
    _mm512_shuffle_epi8, _mm512_srlv_epi64, _mm512_ternarylogic_epi64, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi64,
};

use super::super::batch;
use super::super::x86::{load_piece, store_piece};
use super::super::x86_avx512::Avx512;
use super::Row;
use super::lanes::{Blocks, Lanes64, lane_count};
use crate::hash::sha512::{Block, Digest512};

pub(super) static ROW: Row = Row {
    isa: "avx512",
    lanes: lane_count::<U64x8>(),
    detect: || detected!("avx512f") && detected!("avx512bw"),
    hash_blocks,
};

#[target_feature(enable = "avx512f,avx512bw")]
fn hash_blocks(blocks: &[Block], digests: &mut [Digest512]) {
    batch::hash_many(Blocks::<U64x8>::new(Avx512::here()), blocks, digests);
}

/// Invariant: exists only where an `Avx512` was at hand.
#[derive(Clone, Copy)]
struct U64x8(__m512i);

/// Runs one intrinsic.
macro_rules! op {
    ($intrinsic:expr) => {
        // SAFETY: an `Avx512` or a `U64x8` is at hand, so the CPU has AVX-512 F and BW; no intrinsic
        // here touches memory.
        unsafe { $intrinsic }
    };
}

impl Lanes64 for U64x8 {
    type Proof = Avx512;
    const N: usize = 8;

    #[inline(always)]
    fn splat(_: Avx512, word: u64) -> Self {
        Self(op!(_mm512_set1_epi64(word.cast_signed())))
    }

    #[inline(always)]
    fn load2(proof: Avx512, blocks: &[Block], pair: usize) -> [Self; 2] {
        let even = load_pairs::<0>(proof, blocks, pair).swap_bytes();
        let odd = load_pairs::<1>(proof, blocks, pair).swap_bytes();
        even.unpack(odd)
    }

    #[inline(always)]
    fn store2([first, second]: [Self; 2], digests: &mut [Digest512], pair: usize) {
        let [even, odd] = first.swap_bytes().unpack(second.swap_bytes());
        store_pairs::<0>(even, digests, pair);
        store_pairs::<1>(odd, digests, pair);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(op!(_mm512_add_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self(op!(_mm512_ternarylogic_epi64::<0b1001_0110>(self.0, b.0, c.0)))
    }

    #[inline(always)]
    fn rotr<const R: i32, const L: i32>(self) -> Self {
        const { assert!(R + L == 64) };
        Self(op!(_mm512_ror_epi64::<R>(self.0)))
    }

    #[inline(always)]
    fn shr<const R: i32>(self) -> Self {
        // The immediate of the other form is unsigned; both become the same instruction.
        Self(op!(_mm512_srlv_epi64(self.0, _mm512_set1_epi64(const { R as i64 }))))
    }

    #[inline(always)]
    fn choose(self, one: Self, zero: Self) -> Self {
        Self(op!(_mm512_ternarylogic_epi64::<0b1100_1010>(self.0, one.0, zero.0)))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self(op!(_mm512_ternarylogic_epi64::<0b1110_1000>(self.0, b.0, c.0)))
    }
}

impl U64x8 {
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        let reversed = op!(_mm512_set4_epi32(0x0809_0a0b, 0x0c0d_0e0f, 0x0001_0203, 0x0405_0607));
        Self(op!(_mm512_shuffle_epi8(self.0, reversed)))
    }

    /// Transposes the 2 x 2 words in each quarter of two vectors.
    #[inline(always)]
    fn unpack(self, other: Self) -> [Self; 2] {
        let low = op!(_mm512_unpacklo_epi64(self.0, other.0));
        let high = op!(_mm512_unpackhi_epi64(self.0, other.0));
        [Self(low), Self(high)]
    }
}

/// Sixteen bytes each of blocks `FIRST`, `FIRST` + 2, + 4 and + 6.
#[inline(always)]
fn load_pairs<const FIRST: usize>(_: Avx512, blocks: &[Block], pair: usize) -> U64x8 {
    let pairs = op!(_mm512_castsi128_si512(load_piece(&blocks[FIRST], pair)));
    let second = load_piece(&blocks[FIRST + 2], pair);
    let pairs = op!(_mm512_inserti32x4::<1>(pairs, second));
    let third = load_piece(&blocks[FIRST + 4], pair);
    let pairs = op!(_mm512_inserti32x4::<2>(pairs, third));
    let fourth = load_piece(&blocks[FIRST + 6], pair);
    U64x8(op!(_mm512_inserti32x4::<3>(pairs, fourth)))
}

/// The reverse, into digests.
#[inline(always)]
fn store_pairs<const FIRST: usize>(pairs: U64x8, digests: &mut [Digest512], pair: usize) {
    store_piece(&mut digests[FIRST], pair, op!(_mm512_extracti32x4_epi32::<0>(pairs.0)));
    store_piece(&mut digests[FIRST + 2], pair, op!(_mm512_extracti32x4_epi32::<1>(pairs.0)));
    store_piece(&mut digests[FIRST + 4], pair, op!(_mm512_extracti32x4_epi32::<2>(pairs.0)));
    store_piece(&mut digests[FIRST + 6], pair, op!(_mm512_extracti32x4_epi32::<3>(pairs.0)));
}
