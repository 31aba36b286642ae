//! AVX-512 F and BW: sixteen lanes, a rotation or any function of three inputs in one instruction.

use std::arch::is_x86_feature_detected as detected;
use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_castsi128_si512, _mm512_cmple_epu32_mask,
    _mm512_extracti32x4_epi32, _mm512_inserti32x4, _mm512_ror_epi32, _mm512_set_epi32,
    _mm512_set1_epi32, _mm512_set4_epi32, _mm512_shuffle_epi8, _mm512_srlv_epi32,
    _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::lanes::{Lanes, Rounds, Task, lane_kernels};
use super::x86::{load_piece, store_piece};
use crate::primitives::Digest;

lane_kernels! {
    isa: "avx512", lanes: U32x16, proof: Avx512::here(),
    detect: detected!("avx512f") && detected!("avx512bw"),
    #[target_feature(enable = "avx512f,avx512bw")]
}

/// Proof that this CPU has AVX-512 F and BW.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// Safe to call only where the features are enabled, so somebody has proved them.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn here() -> Self {
        Self(())
    }
}

/// Invariant: exists only where an `Avx512` was at hand.
#[derive(Clone, Copy)]
pub(super) struct U32x16(__m512i);

/// Runs one intrinsic.
macro_rules! op {
    ($intrinsic:expr) => {
        // SAFETY: an `Avx512` or a `U32x16` is at hand, so the CPU has AVX-512 F and BW; no intrinsic
        // here touches memory.
        unsafe { $intrinsic }
    };
}

impl Lanes for U32x16 {
    type Proof = Avx512;
    const N: usize = 16;
    const ROUNDS: Rounds = Rounds::All;

    #[inline(always)]
    fn splat(_: Avx512, word: u32) -> Self {
        Self(op!(_mm512_set1_epi32(word.cast_signed())))
    }

    #[inline(always)]
    fn lane_index(_: Avx512) -> Self {
        Self(op!(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)))
    }

    #[inline(always)]
    fn load4<const BYTES: usize>(
        proof: Avx512,
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
    fn outlined<T: Task>(_: Avx512, task: T) -> T::Output {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512bw")]
        fn run<T: Task>(task: T) -> T::Output {
            task.run()
        }
        // SAFETY: the caller has the proof that the CPU has the feature.
        unsafe { run(task) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(op!(_mm512_add_epi32(self.0, other.0)))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(op!(_mm512_xor_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self(op!(_mm512_ternarylogic_epi32::<0b1001_0110>(self.0, b.0, c.0)))
    }

    #[inline(always)]
    fn rotr<const R: i32, const L: i32>(self) -> Self {
        const { assert!(R + L == 32) };
        Self(op!(_mm512_ror_epi32::<R>(self.0)))
    }

    #[inline(always)]
    fn shr<const R: i32>(self) -> Self {
        // The immediate of the other form is unsigned; both become the same instruction.
        Self(op!(_mm512_srlv_epi32(self.0, _mm512_set1_epi32(R))))
    }

    #[inline(always)]
    fn choose(self, one: Self, zero: Self) -> Self {
        Self(op!(_mm512_ternarylogic_epi32::<0b1100_1010>(self.0, one.0, zero.0)))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self(op!(_mm512_ternarylogic_epi32::<0b1110_1000>(self.0, b.0, c.0)))
    }

    #[inline(always)]
    fn swap_bytes(self) -> Self {
        let reversed = op!(_mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203));
        Self(op!(_mm512_shuffle_epi8(self.0, reversed)))
    }

    #[inline(always)]
    fn le_mask(self, other: Self) -> u32 {
        u32::from(op!(_mm512_cmple_epu32_mask(self.0, other.0)))
    }
}

/// Sixteen bytes each of messages `FIRST`, `FIRST` + 4, + 8 and + 12.
#[inline(always)]
fn load_blocks<const BYTES: usize, const FIRST: usize>(
    _: Avx512,
    messages: &[[u8; BYTES]],
    quarter: usize,
) -> U32x16 {
    let blocks = op!(_mm512_castsi128_si512(load_piece(&messages[FIRST], quarter)));
    let second = load_piece(&messages[FIRST + 4], quarter);
    let blocks = op!(_mm512_inserti32x4::<1>(blocks, second));
    let third = load_piece(&messages[FIRST + 8], quarter);
    let blocks = op!(_mm512_inserti32x4::<2>(blocks, third));
    let fourth = load_piece(&messages[FIRST + 12], quarter);
    U32x16(op!(_mm512_inserti32x4::<3>(blocks, fourth)))
}

/// The reverse, into halves of digests.
#[inline(always)]
fn store_blocks<const FIRST: usize>(blocks: U32x16, digests: &mut [Digest], half: usize) {
    store_piece(&mut digests[FIRST], half, op!(_mm512_extracti32x4_epi32::<0>(blocks.0)));
    store_piece(&mut digests[FIRST + 4], half, op!(_mm512_extracti32x4_epi32::<1>(blocks.0)));
    store_piece(&mut digests[FIRST + 8], half, op!(_mm512_extracti32x4_epi32::<2>(blocks.0)));
    store_piece(&mut digests[FIRST + 12], half, op!(_mm512_extracti32x4_epi32::<3>(blocks.0)));
}

/// Transposes the 4 x 4 words in each quarter of four vectors.
#[inline(always)]
fn transpose([a, b, c, d]: [U32x16; 4]) -> [U32x16; 4] {
    let ab_low = op!(_mm512_unpacklo_epi32(a.0, b.0));
    let cd_low = op!(_mm512_unpacklo_epi32(c.0, d.0));
    let ab_high = op!(_mm512_unpackhi_epi32(a.0, b.0));
    let cd_high = op!(_mm512_unpackhi_epi32(c.0, d.0));
    [
        U32x16(op!(_mm512_unpacklo_epi64(ab_low, cd_low))),
        U32x16(op!(_mm512_unpackhi_epi64(ab_low, cd_low))),
        U32x16(op!(_mm512_unpacklo_epi64(ab_high, cd_high))),
        U32x16(op!(_mm512_unpackhi_epi64(ab_high, cd_high))),
    ]
}
