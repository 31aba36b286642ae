//! The operations of the table, over points and sums in memory, for any lanes, and what is made of their
//! results on one.

use super::field::Element;
use super::limbs::{LANES_MAX, Limbs};
use super::point::{self, Affine, Extended, Point, Sum, each_row};

/// One sum with the points that it adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// Its index among the sums.
    pub sum: usize,
    /// The first of its entries.
    pub start: usize,
    /// How many entries it has.
    pub len: usize,
}

/// A point of a list, by its index, to be added or subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(u32);

impl Entry {
    /// The largest index of a point.
    pub const INDEX_MAX: u32 = u32::MAX / 2;

    /// Adds point `index`, or subtracts it.
    ///
    /// # Panics
    ///
    /// If the index is too large.
    #[must_use]
    #[inline(always)]
    pub fn new(index: u32, negative: bool) -> Self {
        assert!(index <= Self::INDEX_MAX, "at most 2^31 points");
        Self(index << 1 | u32::from(negative))
    }

    #[inline(always)]
    fn index(self) -> usize {
        (self.0 >> 1) as usize
    }

    #[inline(always)]
    fn sign(self) -> u32 {
        self.0 & 1
    }
}

/// Decodes every encoding; where it is none of a point the flag is false and the point any.
#[inline(always)]
pub(super) fn decode<L: Limbs>(
    proof: L::Proof,
    encodings: &[[u8; 32]],
    points: &mut [Point],
    are_points: &mut [bool],
) {
    let mut first = 0;
    while first < encodings.len() {
        let end = encodings.len().min(first + L::N);
        let mask = point::decode::<L>(proof, &encodings[first..end], &mut points[first..end]);
        let mut lane = 0;
        while first + lane < end {
            are_points[first + lane] = mask >> lane & 1 == 1;
            lane += 1;
        }
        first = end;
    }
}

/// Adds up every list, side by side: best for lists that come with ones of about their length.
#[inline(always)]
pub(super) fn add_up<L: Limbs>(
    proof: L::Proof,
    points: &[Point],
    entries: &[Entry],
    lists: &[List],
    sums: &mut [Sum],
) {
    let mut first = 0;
    while first < lists.len() {
        let side_by_side = &lists[first..lists.len().min(first + L::N)];
        let mut of_lane: [&[Entry]; LANES_MAX] = [&[]; LANES_MAX];
        let (mut lane, mut steps) = (0, 0);
        while lane < side_by_side.len() {
            let List { start, len, .. } = side_by_side[lane];
            of_lane[lane] = &entries[start..start + len];
            steps = if len > steps { len } else { steps };
            lane += 1;
        }
        let mut sum = Extended::of(proof, side::<L>(proof, points, &of_lane, 0));
        let mut step = 1;
        while step < steps {
            sum = sum.plus_affine(proof, side::<L>(proof, points, &of_lane, step));
            step += 1;
        }
        let of_lists = sum.store(proof);
        let mut lane = 0;
        while lane < side_by_side.len() {
            sums[side_by_side[lane].sum] = of_lists[lane];
            lane += 1;
        }
        first += L::N;
    }
}

/// The points that each lane adds in a step: the neutral one where its list has ended.
#[inline(always)]
fn side<L: Limbs>(
    proof: L::Proof,
    points: &[Point],
    of_lane: &[&[Entry]; LANES_MAX],
    step: usize,
) -> Affine<L> {
    let mut side = [&Point::NEUTRAL; LANES_MAX];
    let (mut lane, mut negative) = (0, 0);
    while lane < L::N {
        if let Some(entry) = of_lane[lane].get(step) {
            side[lane] = &points[entry.index()];
            negative |= entry.sign() << lane;
        }
        lane += 1;
    }
    Affine::load(proof, &side, negative)
}

/// For each window of `buckets` sums, `1 s_0 + 2 s_1 + 3 s_2 + ...`.
#[inline(always)]
pub(super) fn weigh<L: Limbs>(proof: L::Proof, sums: &[Sum], buckets: usize, weighed: &mut [Sum]) {
    let mut first = 0;
    while first < weighed.len() {
        let count = if weighed.len() - first < L::N { weighed.len() - first } else { L::N };
        let mut suffix = Extended::<L>::neutral(proof);
        let mut total = suffix;
        let mut bucket = buckets;
        while bucket > 0 {
            bucket -= 1;
            let mut side = [&Sum::EMPTY; LANES_MAX];
            let mut lane = 0;
            while lane < count {
                side[lane] = &sums[(first + lane) * buckets + bucket];
                lane += 1;
            }
            suffix = suffix.plus(proof, Extended::load(proof, &side));
            total = total.plus(proof, suffix);
        }
        let of_windows = total.store(proof);
        let mut lane = 0;
        while lane < count {
            weighed[first + lane] = of_windows[lane];
            lane += 1;
        }
        first += L::N;
    }
}

/// What [`probe`] makes of a pair of numbers a and b, canonical: ab; a^2; ab + a^2; ab - a^2; a + b; a - b; a
/// times -b; a if it is even, else b; and whether a = b and whether a is even.
pub(super) type Probed = [[u64; 5]; 9];

/// Arithmetic on pairs of numbers, `N` at a time, so that lanes can be compared with one another.
#[inline(always)]
pub(super) fn probe<L: Limbs>(proof: L::Proof, pairs: &[[[u64; 5]; 2]], results: &mut [Probed]) {
    let mut first = 0;
    while first < pairs.len() {
        let count = if pairs.len() - first < L::N { pairs.len() - first } else { L::N };
        let (mut a, mut b) = ([[0; 8]; LANES_MAX], [[0; 8]; LANES_MAX]);
        let mut lane = 0;
        while lane < count {
            let [one, other] = &pairs[first + lane];
            a[lane][..5].copy_from_slice(one);
            b[lane][..5].copy_from_slice(other);
            lane += 1;
        }
        let [a0, a1, a2, a3, a4, ..] = L::load8(proof, &each_row(&a));
        let [b0, b1, b2, b3, b4, ..] = L::load8(proof, &each_row(&b));
        let (a, b) = (Element([a0, a1, a2, a3, a4]), Element([b0, b1, b2, b3, b4]));
        let (product, square) = (a.times(b), a.squared());
        // Operands may have larger limbs than elements.
        let (a, b) = (a.as_product().carried(), b.as_product().carried());
        let canonical = [a.canonical(proof), b.canonical(proof)];
        let equal = canonical[0].equal_mask(canonical[1]);
        let even = canonical[0].0[0].even_mask(proof);
        let of_both = [
            product.carried(),
            square.carried(),
            product.plus(square),
            product.minus(proof, square),
            a.plus(b),
            a.minus(proof, b),
            a.times(b.negated_operand(proof)).carried(),
            Element::select(even, a, b),
        ];
        let mut which = 0;
        while which < of_both.len() {
            let Element([r0, r1, r2, r3, r4]) = of_both[which].canonical(proof);
            let zero = L::splat(proof, 0);
            let mut rows = [[0; 8]; LANES_MAX];
            L::store8([r0, r1, r2, r3, r4, zero, zero, zero], &mut rows);
            let mut lane = 0;
            while lane < count {
                results[first + lane][which].copy_from_slice(&rows[lane][..5]);
                lane += 1;
            }
            which += 1;
        }
        let mut lane = 0;
        while lane < count {
            let (equal, even) = (equal >> lane & 1, even >> lane & 1);
            results[first + lane][which] = [u64::from(equal), u64::from(even), 0, 0, 0];
            lane += 1;
        }
        first += L::N;
    }
}

/// Whether 8 times `w_0 + 2^bits w_1 + 2^(2 bits) w_2 + ...` is the neutral element, on one lane. What is no
/// point is refused, so that a fault of what added the windows up is not taken for that.
pub(super) fn is_of_small_order<L: Limbs>(proof: L::Proof, windows: &[Sum], bits: usize) -> bool {
    let mut sum = Extended::<L>::neutral(proof);
    let doubled_times =
        |sum: Extended<L>, times: usize| (0..times).fold(sum, |sum, _| sum.doubled(proof));
    for window in windows.iter().rev() {
        let window = Extended::load(proof, &[window; LANES_MAX]);
        if window.sound_mask(proof) & 1 == 0 {
            return false;
        }
        sum = doubled_times(sum, bits).plus(proof, window);
    }
    doubled_times(sum, 3).neutral_mask(proof) & 1 == 1
}
