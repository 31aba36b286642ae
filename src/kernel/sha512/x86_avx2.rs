//! SHA-512 on AVX2: four messages side by side. No rotation: two shifts and an or, or a byte shuffle where
//! whole bytes move.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_castsi128_si256, _mm256_extracti128_si256,
    _mm256_inserti128_si256, _mm256_or_si256, _mm256_set1_epi64x, _mm256_setr_epi32,
    _mm256_shuffle_epi8, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::super::batch;
use super::super::x86::{load_piece, store_piece};
use super::super::x86_avx2::Avx2;
use super::Row;
use super::lanes::{Blocks, Lanes64, lane_count};
use crate::hash::sha512::{Block, Digest512};

pub(super) static ROW: Row = Row {
    isa: "avx2",
    lanes: lane_count::<U64x4>(),
    detect: || std::arch::is_x86_feature_detected!("avx2"),
    hash_blocks,
};

#[target_feature(enable = "avx2")]
fn hash_blocks(blocks: &[Block], digests: &mut [Digest512]) {
    batch::hash_many(Blocks::<U64x4>::new(Avx2::here()), blocks, digests);
}

/// Invariant: exists only where an `Avx2` was at hand.
#[derive(Clone, Copy)]
struct U64x4(__m256i);

/// Runs one intrinsic.
macro_rules! op {
    ($intrinsic:expr) => {
        // SAFETY: an `Avx2` or a `U64x4` is at hand, so the CPU has AVX2; no intrinsic here touches memory.
        unsafe { $intrinsic }
    };
}

impl Lanes64 for U64x4 {
    type Proof = Avx2;
    const N: usize = 4;

    #[inline(always)]
    fn splat(_: Avx2, word: u64) -> Self {
        Self(op!(_mm256_set1_epi64x(word.cast_signed())))
    }

    #[inline(always)]
    fn load2(proof: Avx2, blocks: &[Block], pair: usize) -> [Self; 2] {
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
        Self(op!(_mm256_add_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }

    #[inline(always)]
    fn rotr<const R: i32, const L: i32>(self) -> Self {
        const { assert!(R + L == 64) };
        if R == 8 {
            return self.shuffle_bytes([0x0403_0201, 0x0007_0605, 0x0c0b_0a09, 0x080f_0e0d]);
        }
        let right = op!(_mm256_srli_epi64::<R>(self.0));
        let left = op!(_mm256_slli_epi64::<L>(self.0));
        Self(op!(_mm256_or_si256(right, left)))
    }

    #[inline(always)]
    fn shr<const R: i32>(self) -> Self {
        Self(op!(_mm256_srli_epi64::<R>(self.0)))
    }

    #[inline(always)]
    fn choose(self, one: Self, zero: Self) -> Self {
        zero.xor(self.and(one.xor(zero)))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // `b` and `c` are the `a` and `b` of the round before, so the compiler has their difference already.
        b.xor(self.xor(b).and(b.xor(c)))
    }
}

impl U64x4 {
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(op!(_mm256_xor_si256(self.0, other.0)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(op!(_mm256_and_si256(self.0, other.0)))
    }

    #[inline(always)]
    fn swap_bytes(self) -> Self {
        self.shuffle_bytes([0x0405_0607, 0x0001_0203, 0x0c0d_0e0f, 0x0809_0a0b])
    }

    /// Byte `i` of each 128 bits becomes the byte whose number is byte `i` of `order`.
    #[inline(always)]
    fn shuffle_bytes(self, [a, b, c, d]: [i32; 4]) -> Self {
        let order = op!(_mm256_setr_epi32(a, b, c, d, a, b, c, d));
        Self(op!(_mm256_shuffle_epi8(self.0, order)))
    }

    /// Transposes the 2 x 2 words in each half of two vectors.
    #[inline(always)]
    fn unpack(self, other: Self) -> [Self; 2] {
        let low = op!(_mm256_unpacklo_epi64(self.0, other.0));
        let high = op!(_mm256_unpackhi_epi64(self.0, other.0));
        [Self(low), Self(high)]
    }
}

/// Sixteen bytes each of blocks `FIRST` and `FIRST` + 2.
#[inline(always)]
fn load_pairs<const FIRST: usize>(_: Avx2, blocks: &[Block], pair: usize) -> U64x4 {
    let pairs = op!(_mm256_castsi128_si256(load_piece(&blocks[FIRST], pair)));
    let second = load_piece(&blocks[FIRST + 2], pair);
    U64x4(op!(_mm256_inserti128_si256::<1>(pairs, second)))
}

/// The reverse, into digests.
#[inline(always)]
fn store_pairs<const FIRST: usize>(pairs: U64x4, digests: &mut [Digest512], pair: usize) {
    store_piece(&mut digests[FIRST], pair, op!(_mm256_extracti128_si256::<0>(pairs.0)));
    store_piece(&mut digests[FIRST + 2], pair, op!(_mm256_extracti128_si256::<1>(pairs.0)));
}
