//! What field arithmetic needs from a vector of 64-bit words, and the one such word that every CPU has.
//!
//! As in `lanes.rs`, everything generic is `inline(always)` and free of closures.

/// Elements side by side at most.
pub(super) const LANES_MAX: usize = 16;

/// Bits of a limb: five make the 255 of an element.
pub(super) const LIMB_BITS: i32 = 51;
/// The largest limb of a fully reduced element.
pub(super) const LIMB_MAX: u64 = (1 << LIMB_BITS) - 1;

/// Eight words of a point in memory.
pub(super) type Row = [u64; 8];

/// One limb of each of `N` field elements. All arithmetic is by lane, and nothing wraps: callers keep
/// the bounds that [`super::field`] states.
pub(super) trait Limbs: Copy {
    /// Evidence that this CPU has the instructions, as in `lanes.rs`.
    type Proof: Copy;

    /// Elements side by side: at most [`LANES_MAX`].
    const N: usize;

    /// The same word in every lane.
    fn splat(proof: Self::Proof, word: u64) -> Self;
    /// Word `i` of the result holds word `i` of each of the first `N` rows.
    fn load8(proof: Self::Proof, rows: &[&Row]) -> [Self; 8];
    /// The reverse, into the first `N` rows.
    fn store8(words: [Self; 8], rows: &mut [Row]);

    /// Sum.
    fn add(self, other: Self) -> Self;
    /// Difference.
    fn sub(self, other: Self) -> Self;
    /// What a limb carries into the next one: the bits above 51.
    fn carry(self) -> Self;
    /// What stays: the lowest 51 bits.
    fn rest(self) -> Self;
    /// The sum with 19 times another, which is below 2^47.
    fn add19(self, other: Self) -> Self;
    /// Bit `i` is set where lane `i` is even.
    fn even_mask(self, proof: Self::Proof) -> u32;
    /// Bit `i` is set where lane `i` of both is the same.
    fn equal_mask(self, other: Self) -> u32;
    /// For each bit of the mask, the lane of `one` where it is set and that of `zero` where not.
    fn select(mask: u32, one: Self, zero: Self) -> Self;

    /// The product of two elements whose limbs are below 2^52; its limbs stay below 2^61.
    fn product(a: [Self; 5], b: [Self; 5]) -> [Self; 5];
    /// The product of an element with itself.
    fn square(a: [Self; 5]) -> [Self; 5];
}

/// Every CPU multiplies words.
#[derive(Clone, Copy)]
pub(super) struct Always;

impl Limbs for u64 {
    type Proof = Always;
    const N: usize = 1;

    #[inline(always)]
    fn splat(_: Always, word: u64) -> Self {
        word
    }

    #[inline(always)]
    fn load8(_: Always, rows: &[&Row]) -> [Self; 8] {
        *rows[0]
    }

    #[inline(always)]
    fn store8(words: [Self; 8], rows: &mut [Row]) {
        rows[0] = words;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self - other
    }

    #[inline(always)]
    fn carry(self) -> Self {
        self >> LIMB_BITS
    }

    #[inline(always)]
    fn rest(self) -> Self {
        self & LIMB_MAX
    }

    #[inline(always)]
    fn add19(self, other: Self) -> Self {
        self + 19 * other
    }

    #[inline(always)]
    fn even_mask(self, _: Always) -> u32 {
        u32::from(self & 1 == 0)
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u32 {
        u32::from(self == other)
    }

    #[inline(always)]
    fn select(mask: u32, one: Self, zero: Self) -> Self {
        if mask & 1 == 0 { zero } else { one }
    }

    #[inline(always)]
    fn product(a: [Self; 5], b: [Self; 5]) -> [Self; 5] {
        debug_assert!(are_operands(a) && are_operands(b), "limbs below 2^52");
        let ([a0, a1, a2, a3, a4], [b0, b1, b2, b3, b4]) = (a, b);
        // 2^255 = 19: what would be limb 5 and above comes back, times 19.
        let (c1, c2, c3, c4) = (19 * b1, 19 * b2, 19 * b3, 19 * b4);
        settle([
            wide(a0, b0) + wide(a1, c4) + wide(a2, c3) + wide(a3, c2) + wide(a4, c1),
            wide(a0, b1) + wide(a1, b0) + wide(a2, c4) + wide(a3, c3) + wide(a4, c2),
            wide(a0, b2) + wide(a1, b1) + wide(a2, b0) + wide(a3, c4) + wide(a4, c3),
            wide(a0, b3) + wide(a1, b2) + wide(a2, b1) + wide(a3, b0) + wide(a4, c4),
            wide(a0, b4) + wide(a1, b3) + wide(a2, b2) + wide(a3, b1) + wide(a4, b0),
        ])
    }

    #[inline(always)]
    fn square(a: [Self; 5]) -> [Self; 5] {
        debug_assert!(are_operands(a), "limbs below 2^52");
        let [a0, a1, a2, a3, a4] = a;
        let (c3, c4, d0, d1, d2) = (19 * a3, 19 * a4, 2 * a0, 2 * a1, 2 * a2);
        settle([
            wide(a0, a0) + wide(d1, c4) + wide(d2, c3),
            wide(d0, a1) + wide(d2, c4) + wide(a3, c3),
            wide(d0, a2) + wide(a1, a1) + wide(2 * a3, c4),
            wide(d0, a3) + wide(d1, a2) + wide(a4, c4),
            wide(d0, a4) + wide(d1, a3) + wide(a2, a2),
        ])
    }
}

#[inline(always)]
fn are_operands([a, b, c, d, e]: [u64; 5]) -> bool {
    (a | b | c | d | e) >> 52 == 0
}

/// A product of two words below 2^58.
#[inline(always)]
fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// Sums of products, below 2^111, as limbs below 2^61: one carry into the next limb, all at once.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the low limb, and carries below 2^60")]
fn settle([c0, c1, c2, c3, c4]: [u128; 5]) -> [u64; 5] {
    let low = LIMB_MAX as u128;
    [
        (c0 & low) as u64 + 19 * (c4 >> LIMB_BITS) as u64,
        (c1 & low) as u64 + (c0 >> LIMB_BITS) as u64,
        (c2 & low) as u64 + (c1 >> LIMB_BITS) as u64,
        (c3 & low) as u64 + (c2 >> LIMB_BITS) as u64,
        (c4 & low) as u64 + (c3 >> LIMB_BITS) as u64,
    ]
}

/// The lanes of the first, then those of the second: for chains of operations too long for one vector
/// to keep the CPU busy.
#[derive(Clone, Copy)]
pub(super) struct Two<L>(L, L);

impl<L: Limbs> Limbs for Two<L> {
    type Proof = L::Proof;
    const N: usize = 2 * L::N;

    #[inline(always)]
    fn splat(proof: L::Proof, word: u64) -> Self {
        Self(L::splat(proof, word), L::splat(proof, word))
    }

    #[inline(always)]
    fn load8(proof: L::Proof, rows: &[&Row]) -> [Self; 8] {
        let [a0, a1, a2, a3, a4, a5, a6, a7] = L::load8(proof, rows);
        let [b0, b1, b2, b3, b4, b5, b6, b7] = L::load8(proof, &rows[L::N..]);
        [
            Self(a0, b0),
            Self(a1, b1),
            Self(a2, b2),
            Self(a3, b3),
            Self(a4, b4),
            Self(a5, b5),
            Self(a6, b6),
            Self(a7, b7),
        ]
    }

    #[inline(always)]
    fn store8([w0, w1, w2, w3, w4, w5, w6, w7]: [Self; 8], rows: &mut [Row]) {
        L::store8([w0.0, w1.0, w2.0, w3.0, w4.0, w5.0, w6.0, w7.0], rows);
        L::store8([w0.1, w1.1, w2.1, w3.1, w4.1, w5.1, w6.1, w7.1], &mut rows[L::N..]);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0.sub(other.0), self.1.sub(other.1))
    }

    #[inline(always)]
    fn carry(self) -> Self {
        Self(self.0.carry(), self.1.carry())
    }

    #[inline(always)]
    fn rest(self) -> Self {
        Self(self.0.rest(), self.1.rest())
    }

    #[inline(always)]
    fn add19(self, other: Self) -> Self {
        Self(self.0.add19(other.0), self.1.add19(other.1))
    }

    #[inline(always)]
    fn even_mask(self, proof: L::Proof) -> u32 {
        self.0.even_mask(proof) | self.1.even_mask(proof) << L::N
    }

    #[inline(always)]
    fn equal_mask(self, other: Self) -> u32 {
        self.0.equal_mask(other.0) | self.1.equal_mask(other.1) << L::N
    }

    #[inline(always)]
    fn select(mask: u32, one: Self, zero: Self) -> Self {
        Self(L::select(mask, one.0, zero.0), L::select(mask >> L::N, one.1, zero.1))
    }

    #[inline(always)]
    fn product(a: [Self; 5], b: [Self; 5]) -> [Self; 5] {
        let (a, b) = (halves(a), halves(b));
        both(L::product(a.0, b.0), L::product(a.1, b.1))
    }

    #[inline(always)]
    fn square(a: [Self; 5]) -> [Self; 5] {
        let a = halves(a);
        both(L::square(a.0), L::square(a.1))
    }
}

#[inline(always)]
fn halves<L: Limbs>([a, b, c, d, e]: [Two<L>; 5]) -> ([L; 5], [L; 5]) {
    ([a.0, b.0, c.0, d.0, e.0], [a.1, b.1, c.1, d.1, e.1])
}

#[inline(always)]
fn both<L: Limbs>([a, b, c, d, e]: [L; 5], [f, g, h, i, j]: [L; 5]) -> [Two<L>; 5] {
    [Two(a, f), Two(b, g), Two(c, h), Two(d, i), Two(e, j)]
}
