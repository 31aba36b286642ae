//! SSE4.1: four lanes. No rotation: two shifts and an or, or a byte shuffle where whole bytes move.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_and_si128, _mm_castsi128_ps, _mm_cmpeq_epi32, _mm_min_epu32,
    _mm_movemask_ps, _mm_or_si128, _mm_set1_epi32, _mm_setr_epi32, _mm_shuffle_epi8,
    _mm_slli_epi32, _mm_srli_epi32, _mm_unpackhi_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi32,
    _mm_unpacklo_epi64, _mm_xor_si128,
};

use super::lanes::{Lanes, Rounds, Task, lane_kernels};
use super::x86::{load_piece, store_piece};
use crate::primitives::Digest;

lane_kernels! {
    isa: "sse4.1", lanes: U32x4, proof: Sse41::here(),
    detect: std::arch::is_x86_feature_detected!("sse4.1"),
    #[target_feature(enable = "sse4.1")]
}

/// Proof that this CPU has SSE4.1.
#[derive(Clone, Copy)]
pub(super) struct Sse41(());

impl Sse41 {
    /// Safe to call only where the feature is enabled, so somebody has proved it.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn here() -> Self {
        Self(())
    }
}

/// Invariant: exists only where an `Sse41` was at hand.
#[derive(Clone, Copy)]
pub(super) struct U32x4(__m128i);

/// Runs one intrinsic.
macro_rules! op {
    ($intrinsic:expr) => {
        // SAFETY: an `Sse41` or a `U32x4` is at hand, so the CPU has SSE4.1; no intrinsic
        // here touches memory.
        unsafe { $intrinsic }
    };
}

impl Lanes for U32x4 {
    type Proof = Sse41;
    const N: usize = 4;
    const ROUNDS: Rounds = Rounds::Turn;

    #[inline(always)]
    fn splat(_: Sse41, word: u32) -> Self {
        Self(op!(_mm_set1_epi32(word.cast_signed())))
    }

    #[inline(always)]
    fn lane_index(_: Sse41) -> Self {
        Self(op!(_mm_setr_epi32(0, 1, 2, 3)))
    }

    #[inline(always)]
    fn load4<const BYTES: usize>(_: Sse41, messages: &[[u8; BYTES]], quarter: usize) -> [Self; 4] {
        transpose([
            Self(load_piece(&messages[0], quarter)),
            Self(load_piece(&messages[1], quarter)),
            Self(load_piece(&messages[2], quarter)),
            Self(load_piece(&messages[3], quarter)),
        ])
    }

    #[inline(always)]
    fn store4(words: [Self; 4], digests: &mut [Digest], half: usize) {
        let [a, b, c, d] = transpose(words);
        store_piece(&mut digests[0], half, a.0);
        store_piece(&mut digests[1], half, b.0);
        store_piece(&mut digests[2], half, c.0);
        store_piece(&mut digests[3], half, d.0);
    }

    #[inline(always)]
    fn outlined<T: Task>(_: Sse41, task: T) -> T::Output {
        #[inline(never)]
        #[target_feature(enable = "sse4.1")]
        fn run<T: Task>(task: T) -> T::Output {
            task.run()
        }
        // SAFETY: the caller has the proof that the CPU has the feature.
        unsafe { run(task) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(op!(_mm_add_epi32(self.0, other.0)))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(op!(_mm_xor_si128(self.0, other.0)))
    }

    #[inline(always)]
    fn rotr<const R: i32, const L: i32>(self) -> Self {
        const { assert!(R + L == 32) };
        match R {
            8 => self.shuffle_bytes([0x0003_0201, 0x0407_0605, 0x080b_0a09, 0x0c0f_0e0d]),
            16 => self.shuffle_bytes([0x0100_0302, 0x0504_0706, 0x0908_0b0a, 0x0d0c_0f0e]),
            _ => {
                let right = op!(_mm_srli_epi32::<R>(self.0));
                let left = op!(_mm_slli_epi32::<L>(self.0));
                Self(op!(_mm_or_si128(right, left)))
            }
        }
    }

    #[inline(always)]
    fn shr<const R: i32>(self) -> Self {
        Self(op!(_mm_srli_epi32::<R>(self.0)))
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
        let least = op!(_mm_min_epu32(self.0, other.0));
        let equal = op!(_mm_cmpeq_epi32(least, self.0));
        op!(_mm_movemask_ps(_mm_castsi128_ps(equal))).cast_unsigned()
    }
}

impl U32x4 {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(op!(_mm_and_si128(self.0, other.0)))
    }

    /// Byte `i` of each 128 bits becomes the byte whose number is byte `i` of `order`.
    #[inline(always)]
    fn shuffle_bytes(self, [a, b, c, d]: [i32; 4]) -> Self {
        let order = op!(_mm_setr_epi32(a, b, c, d));
        Self(op!(_mm_shuffle_epi8(self.0, order)))
    }
}

/// Transposes 4 x 4 words.
#[inline(always)]
fn transpose([a, b, c, d]: [U32x4; 4]) -> [U32x4; 4] {
    let ab_low = op!(_mm_unpacklo_epi32(a.0, b.0));
    let cd_low = op!(_mm_unpacklo_epi32(c.0, d.0));
    let ab_high = op!(_mm_unpackhi_epi32(a.0, b.0));
    let cd_high = op!(_mm_unpackhi_epi32(c.0, d.0));
    [
        U32x4(op!(_mm_unpacklo_epi64(ab_low, cd_low))),
        U32x4(op!(_mm_unpackhi_epi64(ab_low, cd_low))),
        U32x4(op!(_mm_unpacklo_epi64(ab_high, cd_high))),
        U32x4(op!(_mm_unpackhi_epi64(ab_high, cd_high))),
    ]
}
