//! AVX-512 IFMA: eight lanes, the low or the high half of eight products of 52 bits added in one
//! instruction.

use std::arch::is_x86_feature_detected as detected;
use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_loadu_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_rol_epi64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_srli_epi64,
    _mm512_storeu_si512, _mm512_sub_epi64, _mm512_testn_epi64_mask, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi64,
};

use super::curve_row;
use super::limbs::{LIMB_BITS, LIMB_MAX, Limbs, Row};

curve_row! {
    isa: "avx512", lanes: U64x8, proof: Ifma::here(),
    detect: detected!("avx512f") && detected!("avx512ifma"),
    #[target_feature(enable = "avx512f,avx512ifma")]
}

/// Proof that this CPU has AVX-512 F and IFMA.
#[derive(Clone, Copy)]
pub(super) struct Ifma(());

impl Ifma {
    /// Safe to call only where the features are enabled, so somebody has proved them.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn here() -> Self {
        Self(())
    }
}

/// Invariant: exists only where an `Ifma` was at hand.
#[derive(Clone, Copy)]
pub(super) struct U64x8(__m512i);

/// Runs one intrinsic.
macro_rules! op {
    ($intrinsic:expr) => {
        // SAFETY: an `Ifma` or a `U64x8` is at hand, so the CPU has AVX-512 F and IFMA; no intrinsic
        // here touches memory.
        unsafe { $intrinsic }
    };
}

/// A sum of halves of products, on top of a vector.
macro_rules! accumulate {
    ($half:ident, $first:expr $(, $a:ident * $b:ident)+) => {{
        let sum: U64x8 = $first;
        $(let sum = U64x8(op!($half(sum.0, $a.0, $b.0)));)+
        sum
    }};
}

macro_rules! low {
    ($($terms:tt)+) => { accumulate!(_mm512_madd52lo_epu64, $($terms)+) };
}

macro_rules! high {
    ($($terms:tt)+) => { accumulate!(_mm512_madd52hi_epu64, $($terms)+) };
}

impl Limbs for U64x8 {
    type Proof = Ifma;
    const N: usize = 8;

    #[inline(always)]
    fn splat(_: Ifma, word: u64) -> Self {
        Self(op!(_mm512_set1_epi64(word.cast_signed())))
    }

    #[inline(always)]
    fn load8(proof: Ifma, rows: &[&Row]) -> [Self; 8] {
        let rows = rows.first_chunk::<8>().expect("a row for each lane");
        transpose([
            load(proof, rows[0]),
            load(proof, rows[1]),
            load(proof, rows[2]),
            load(proof, rows[3]),
            load(proof, rows[4]),
            load(proof, rows[5]),
            load(proof, rows[6]),
            load(proof, rows[7]),
        ])
    }

    #[inline(always)]
    fn store8(words: [Self; 8], rows: &mut [Row]) {
        let rows = rows.first_chunk_mut::<8>().expect("a row for each lane");
        let [a, b, c, d, e, f, g, h] = transpose(words);
        store(a, &mut rows[0]);
        store(b, &mut rows[1]);
        store(c, &mut rows[2]);
        store(d, &mut rows[3]);
        store(e, &mut rows[4]);
        store(f, &mut rows[5]);
        store(g, &mut rows[6]);
        store(h, &mut rows[7]);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(op!(_mm512_add_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(op!(_mm512_sub_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn carry(self) -> Self {
        Self(op!(_mm512_srli_epi64::<{ LIMB_BITS as u32 }>(self.0)))
    }

    #[inline(always)]
    fn rest(self) -> Self {
        let mask = op!(_mm512_set1_epi64(LIMB_MAX.cast_signed()));
        Self(op!(_mm512_and_si512(self.0, mask)))
    }

    #[inline(always)]
    fn add19(self, other: Self) -> Self {
        Self(op!(_mm512_madd52lo_epu64(self.0, other.0, _mm512_set1_epi64(19))))
    }

    #[inline(always)]
    fn even_mask(self, _: Ifma) -> u32 {
        u32::from(op!(_mm512_testn_epi64_mask(self.0, _mm512_set1_epi64(1))))
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u32 {
        u32::from(op!(_mm512_cmpeq_epi64_mask(self.0, other.0)))
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a bit for each of eight lanes")]
    fn select(mask: u32, one: Self, zero: Self) -> Self {
        Self(op!(_mm512_mask_blend_epi64(mask as u8, zero.0, one.0)))
    }

    // A product of limbs i and j is lo + 2^52 hi: lo belongs to limb i + j, and hi, twice, to the next.

    #[inline(always)]
    fn product([a0, a1, a2, a3, a4]: [Self; 5], [b0, b1, b2, b3, b4]: [Self; 5]) -> [Self; 5] {
        let zero = U64x8(op!(_mm512_setzero_si512()));
        let h1 = twice(high!(zero, a0 * b0));
        let h2 = twice(high!(zero, a0 * b1, a1 * b0));
        let h3 = twice(high!(zero, a0 * b2, a1 * b1, a2 * b0));
        let h4 = twice(high!(zero, a0 * b3, a1 * b2, a2 * b1, a3 * b0));
        let h5 = twice(high!(zero, a0 * b4, a1 * b3, a2 * b2, a3 * b1, a4 * b0));
        let h6 = twice(high!(zero, a1 * b4, a2 * b3, a3 * b2, a4 * b1));
        let h7 = twice(high!(zero, a2 * b4, a3 * b3, a4 * b2));
        let h8 = twice(high!(zero, a3 * b4, a4 * b3));
        let h9 = twice(high!(zero, a4 * b4));
        folded(
            [
                low!(zero, a0 * b0),
                low!(h1, a0 * b1, a1 * b0),
                low!(h2, a0 * b2, a1 * b1, a2 * b0),
                low!(h3, a0 * b3, a1 * b2, a2 * b1, a3 * b0),
                low!(h4, a0 * b4, a1 * b3, a2 * b2, a3 * b1, a4 * b0),
            ],
            [
                low!(h5, a1 * b4, a2 * b3, a3 * b2, a4 * b1),
                low!(h6, a2 * b4, a3 * b3, a4 * b2),
                low!(h7, a3 * b4, a4 * b3),
                low!(h8, a4 * b4),
                h9,
            ],
        )
    }

    // Products of different limbs count twice: they are added up first.

    #[inline(always)]
    fn square([a0, a1, a2, a3, a4]: [Self; 5]) -> [Self; 5] {
        let zero = U64x8(op!(_mm512_setzero_si512()));
        let h2 = twice(high!(zero, a0 * a1));
        let h3 = twice(high!(zero, a0 * a2));
        let h4 = twice(high!(zero, a0 * a3, a1 * a2));
        let h5 = twice(high!(zero, a0 * a4, a1 * a3));
        let h6 = twice(high!(zero, a1 * a4, a2 * a3));
        let h7 = twice(high!(zero, a2 * a4));
        let h8 = twice(high!(zero, a3 * a4));
        let l1 = twice(high!(low!(zero, a0 * a1), a0 * a0));
        let l2 = twice(low!(h2, a0 * a2));
        let l3 = twice(high!(low!(h3, a0 * a3, a1 * a2), a1 * a1));
        let l4 = twice(low!(h4, a0 * a4, a1 * a3));
        let l5 = twice(high!(low!(h5, a1 * a4, a2 * a3), a2 * a2));
        let l6 = twice(low!(h6, a2 * a4));
        let l7 = twice(high!(low!(h7, a3 * a4), a3 * a3));
        let l8 = twice(h8);
        let l9 = twice(high!(zero, a4 * a4));
        folded(
            [low!(zero, a0 * a0), l1, low!(l2, a1 * a1), l3, low!(l4, a2 * a2)],
            [l5, low!(l6, a3 * a3), l7, low!(l8, a4 * a4), l9],
        )
    }
}

#[inline(always)]
fn twice(words: U64x8) -> U64x8 {
    words.add(words)
}

/// Ten limbs of a product as five: 2^255 = 19. By the number of halves that meet in each, every limb is
/// at most 267 * 2^52.
#[inline(always)]
fn folded([l0, l1, l2, l3, l4]: [U64x8; 5], [h0, h1, h2, h3, h4]: [U64x8; 5]) -> [U64x8; 5] {
    [plus19(l0, h0), plus19(l1, h1), plus19(l2, h2), plus19(l3, h3), plus19(l4, h4)]
}

/// 19 times `high`, which is below 2^60, added to `low`. A rotation, since the compiler would turn a shift
/// and additions into a multiplication, for which it has only 32 bits.
#[inline(always)]
fn plus19(low: U64x8, high: U64x8) -> U64x8 {
    let sixteen_times = U64x8(op!(_mm512_rol_epi64::<4>(high.0)));
    low.add(sixteen_times).add(high).add(twice(high))
}

#[inline(always)]
fn load(_: Ifma, row: &Row) -> U64x8 {
    // SAFETY: the reference covers the 64 bytes, any alignment is allowed, and the CPU has AVX-512 F.
    U64x8(unsafe { _mm512_loadu_si512(row.as_ptr().cast()) })
}

#[inline(always)]
fn store(words: U64x8, row: &mut Row) {
    // SAFETY: the exclusive reference covers the 64 bytes, any alignment is allowed, and the CPU has
    // AVX-512 F.
    unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), words.0) }
}

/// Rows as columns.
#[inline(always)]
fn transpose([a, b, c, d, e, f, g, h]: [U64x8; 8]) -> [U64x8; 8] {
    let [s0, s2, s4, s6] = blocks(low2(a, b), low2(c, d), low2(e, f), low2(g, h));
    let [s1, s3, s5, s7] = blocks(high2(a, b), high2(c, d), high2(e, f), high2(g, h));
    [s0, s1, s2, s3, s4, s5, s6, s7]
}

/// Words 0, 2, 4, 6 of both, by turns.
#[inline(always)]
fn low2(a: U64x8, b: U64x8) -> U64x8 {
    U64x8(op!(_mm512_unpacklo_epi64(a.0, b.0)))
}

/// Words 1, 3, 5, 7 of both, by turns.
#[inline(always)]
fn high2(a: U64x8, b: U64x8) -> U64x8 {
    U64x8(op!(_mm512_unpackhi_epi64(a.0, b.0)))
}

/// Rows of four blocks of 128 bits as columns.
#[inline(always)]
fn blocks(a: U64x8, b: U64x8, c: U64x8, d: U64x8) -> [U64x8; 4] {
    let (ab_low, cd_low) = (shuffle::<0x44>(a, b), shuffle::<0x44>(c, d));
    let (ab_high, cd_high) = (shuffle::<0xee>(a, b), shuffle::<0xee>(c, d));
    [
        shuffle::<0x88>(ab_low, cd_low),
        shuffle::<0xdd>(ab_low, cd_low),
        shuffle::<0x88>(ab_high, cd_high),
        shuffle::<0xdd>(ab_high, cd_high),
    ]
}

#[inline(always)]
fn shuffle<const BLOCKS: i32>(a: U64x8, b: U64x8) -> U64x8 {
    U64x8(op!(_mm512_shuffle_i64x2::<BLOCKS>(a.0, b.0)))
}
