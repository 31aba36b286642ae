//! AVX2: eight lanes. No rotation: two shifts and an or, or a byte shuffle where whole bytes move.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi128_si256, _mm256_castsi256_ps,
    _mm256_cmpeq_epi32, _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_min_epu32,
    _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_shuffle_epi8,
    _mm256_slli_epi32, _mm256_srli_epi32, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::lanes::{Lanes, Rounds, Task, lane_kernels};
use super::x86::{load_piece, store_piece};
use crate::primitives::Digest;

lane_kernels! {
    isa: "avx2", lanes: U32x8, proof: Avx2::here(),
    detect: std::arch::is_x86_feature_detected!("avx2"),
    #[target_feature(enable = "avx2")]
}

/// Proof that this CPU has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Safe to call only where the feature is enabled, so somebody has proved it.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn here() -> Self {
        Self(())
    }
}

/// Invariant: exists only where an `Avx2` was at hand.
#[derive(Clone, Copy)]
pub(super) struct U32x8(__m256i);

/// Runs one intrinsic.
macro_rules! op {
    ($intrinsic:expr) => {
        // SAFETY: an `Avx2` or a `U32x8` is at hand, so the CPU has AVX2; no intrinsic
        // here touches memory.
        unsafe { $intrinsic }
    };
}

impl Lanes for U32x8 {
    type Proof = Avx2;
    const N: usize = 8;
    const ROUNDS: Rounds = Rounds::All;

    #[inline(always)]
    fn splat(_: Avx2, word: u32) -> Self {
        Self(op!(_mm256_set1_epi32(word.cast_signed())))
    }

    #[inline(always)]
    fn lane_index(_: Avx2) -> Self {
        Self(op!(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)))
    }

    #[inline(always)]
    fn load4<const BYTES: usize>(
        proof: Avx2,
        messages: &[[u8; BYTES]],
        quarter: usize,
    ) -> [Self; 4] {
        transpose([
            load_blocks::<_, 0>(proof, messages, quarter),
            load_blocks::<_, 1>(proof, messages, quarter),
            load_blocks::<_, 2>(proof, messages, quarter),
            load_blocks::<_, 3>(proof, messages, quarter),
        ])
    }

    #[inline(always)]
    fn store4(words: [Self; 4], digests: &mut [Digest], half: usize) {
        let [a, b, c, d] = transpose(words);
        store_blocks::<0>(a, digests, half);
        store_blocks::<1>(b, digests, half);
        store_blocks::<2>(c, digests, half);
        store_blocks::<3>(d, digests, half);
    }

    #[inline(always)]
    fn outlined<T: Task>(_: Avx2, task: T) -> T::Output {
        #[inline(never)]
        #[target_feature(enable = "avx2")]
        fn run<T: Task>(task: T) -> T::Output {
            task.run()
        }
        // SAFETY: the caller has the proof that the CPU has the feature.
        unsafe { run(task) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(op!(_mm256_add_epi32(self.0, other.0)))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(op!(_mm256_xor_si256(self.0, other.0)))
    }

    #[inline(always)]
    fn rotr<const R: i32, const L: i32>(self) -> Self {
        const { assert!(R + L == 32) };
        match R {
            8 => self.shuffle_bytes([0x0003_0201, 0x0407_0605, 0x080b_0a09, 0x0c0f_0e0d]),
            16 => self.shuffle_bytes([0x0100_0302, 0x0504_0706, 0x0908_0b0a, 0x0d0c_0f0e]),
            _ => {
                let right = op!(_mm256_srli_epi32::<R>(self.0));
                let left = op!(_mm256_slli_epi32::<L>(self.0));
                Self(op!(_mm256_or_si256(right, left)))
            }
        }
    }

    #[inline(always)]
    fn shr<const R: i32>(self) -> Self {
        Self(op!(_mm256_srli_epi32::<R>(self.0)))
    }

    #[inline(always)]
    fn choose(self, one: Self, zero: Self) -> Self {
        zero.xor(self.and(one.xor(zero)))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // In SHA-256 `b` and `c` are the `a` and `b` of the round before, so the compiler has their
        // difference already.
        b.xor(self.xor(b).and(b.xor(c)))
    }

    #[inline(always)]
    fn swap_bytes(self) -> Self {
        self.shuffle_bytes([0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f])
    }

    #[inline(always)]
    fn le_mask(self, other: Self) -> u32 {
        // There is no unsigned comparison, but a minimum.
        let least = op!(_mm256_min_epu32(self.0, other.0));
        let equal = op!(_mm256_cmpeq_epi32(least, self.0));
        op!(_mm256_movemask_ps(_mm256_castsi256_ps(equal))).cast_unsigned()
    }
}

impl U32x8 {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(op!(_mm256_and_si256(self.0, other.0)))
    }

    /// Byte `i` of each 128 bits becomes the byte whose number is byte `i` of `order`.
    #[inline(always)]
    fn shuffle_bytes(self, [a, b, c, d]: [i32; 4]) -> Self {
        let order = op!(_mm256_setr_epi32(a, b, c, d, a, b, c, d));
        Self(op!(_mm256_shuffle_epi8(self.0, order)))
    }
}

/// Sixteen bytes each of messages `FIRST` and `FIRST` + 4.
#[inline(always)]
fn load_blocks<const BYTES: usize, const FIRST: usize>(
    _: Avx2,
    messages: &[[u8; BYTES]],
    quarter: usize,
) -> U32x8 {
    let blocks = op!(_mm256_castsi128_si256(load_piece(&messages[FIRST], quarter)));
    let second = load_piece(&messages[FIRST + 4], quarter);
    U32x8(op!(_mm256_inserti128_si256::<1>(blocks, second)))
}

/// The reverse, into halves of digests.
#[inline(always)]
fn store_blocks<const FIRST: usize>(blocks: U32x8, digests: &mut [Digest], half: usize) {
    store_piece(&mut digests[FIRST], half, op!(_mm256_extracti128_si256::<0>(blocks.0)));
    store_piece(&mut digests[FIRST + 4], half, op!(_mm256_extracti128_si256::<1>(blocks.0)));
}

/// Transposes the 4 x 4 words in each half of four vectors.
#[inline(always)]
fn transpose([a, b, c, d]: [U32x8; 4]) -> [U32x8; 4] {
    let ab_low = op!(_mm256_unpacklo_epi32(a.0, b.0));
    let cd_low = op!(_mm256_unpacklo_epi32(c.0, d.0));
    let ab_high = op!(_mm256_unpackhi_epi32(a.0, b.0));
    let cd_high = op!(_mm256_unpackhi_epi32(c.0, d.0));
    [
        U32x8(op!(_mm256_unpacklo_epi64(ab_low, cd_low))),
        U32x8(op!(_mm256_unpackhi_epi64(ab_low, cd_low))),
        U32x8(op!(_mm256_unpacklo_epi64(ab_high, cd_high))),
        U32x8(op!(_mm256_unpackhi_epi64(ab_high, cd_high))),
    ]
}
