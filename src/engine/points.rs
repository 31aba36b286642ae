//! Sums of many multiples of points, by Pippenger's method: every scalar is cut into windows of a few
//! bits, points with the same digit in a window are added up, and the sums of a window are weighed by
//! their digits. The kernel adds many such sums side by side, so they are handed to it by length.
//!
//! It is for public numbers: time and memory accesses depend on them.

pub use crate::kernel::curve::{CurveKernel, Point};
use crate::kernel::curve::{Entry, List, Sum, is_of_small_order};

/// Bits of the largest scalar: those of the group's order.
const SCALAR_BITS: usize = 253;
/// Bits of a short factor.
const SHORT_BITS: usize = 128;
/// Windows whose sums are kept at a time: what a kernel weighs side by side. They stay in a core's cache.
const WINDOWS_TOGETHER: usize = 8;
/// The widths of a window that are worth it, for a few terms and for thousands.
const WINDOW_BITS: std::ops::RangeInclusive<usize> = 3..=9;

/// Points with their factors.
#[derive(Debug, Clone, Default)]
pub struct Multiples {
    points: Vec<Point>,
    /// Little-endian words.
    factors: Vec<[u64; 4]>,
    /// How many of the first factors are below 2^128.
    short: usize,
}

impl Multiples {
    /// Points times factors of 128 bits, for half the price of longer ones; with room for `more`.
    ///
    /// # Panics
    ///
    /// If there are not as many points as factors.
    #[must_use]
    pub fn of_short(factors: &[u128], points: Vec<Point>, more: usize) -> Self {
        assert_eq!(factors.len(), points.len(), "a point for each factor");
        let low = u128::from(u64::MAX);
        let half = |half: u128| u64::try_from(half).expect("64 bits");
        let mut multiples = Self { points, factors: Vec::new(), short: factors.len() };
        multiples.points.reserve_exact(more);
        multiples.factors.reserve_exact(factors.len() + more);
        multiples
            .factors
            .extend(factors.iter().map(|factor| [half(factor & low), half(factor >> 64), 0, 0]));
        multiples
    }

    /// Adds a point times a factor, little-endian.
    ///
    /// # Panics
    ///
    /// If the factor has more than 253 bits.
    pub fn add(&mut self, factor: &[u8; 32], point: Point) {
        assert!(factor[31] >> 5 == 0, "a factor of 253 bits");
        let words = factor.as_chunks::<8>().0;
        self.points.push(point);
        self.factors.push(std::array::from_fn(|i| u64::from_le_bytes(words[i])));
    }

    /// Whether 8 times the sum is the neutral element.
    #[must_use]
    pub fn are_of_small_order(&self, kernel: CurveKernel) -> bool {
        let cut = Cut::best_for(self.factors.len(), self.short, kernel.lanes());
        let digits: Vec<Digits> = self.factors.iter().map(|factor| cut.digits(factor)).collect();
        let short_windows = windows_of(SHORT_BITS, cut.bits);
        let mut weighed = vec![Sum::EMPTY; cut.windows];
        let mut bins = Bins::new(&cut);
        for (group, weighed) in weighed.chunks_mut(WINDOWS_TOGETHER).enumerate() {
            let windows = group * WINDOWS_TOGETHER..group * WINDOWS_TOGETHER + weighed.len();
            // Short factors have no digits in the upper windows.
            let skipped = |window| if window < short_windows { 0 } else { self.short };
            bins.clear(windows.len());
            for (place, window) in windows.clone().enumerate() {
                bins.count(&cut, &digits[skipped(window)..], window, place);
            }
            bins.open();
            for (place, window) in windows.enumerate() {
                bins.fill(&cut, &digits, skipped(window), window, place);
            }
            let lists = bins.lists();
            let sums = &mut bins.sums[..weighed.len() * cut.buckets()];
            sums.fill(Sum::EMPTY);
            kernel.add_up(&self.points, &bins.entries, &lists, sums);
            kernel.weigh(sums, cut.buckets(), weighed);
        }
        is_of_small_order(&weighed, cut.bits)
    }
}

/// How factors are cut into windows. Digits are signed, so that half as many sums serve.
struct Cut {
    bits: usize,
    windows: usize,
    /// Half a window in every window: added to a factor it makes each digit a plain cut, off by that half.
    halves: Digits,
}

/// A factor with half a window added in each window, as little-endian words.
type Digits = [u64; 5];

impl Cut {
    fn new(bits: usize) -> Self {
        let windows = windows_of(SCALAR_BITS, bits);
        let mut halves = [0; 5];
        for window in 0..windows {
            let bit = window * bits + bits - 1;
            halves[bit / 64] |= 1 << (bit % 64);
        }
        Self { bits, windows, halves }
    }

    /// The width that costs the fewest additions.
    fn best_for(terms: usize, short: usize, lanes: usize) -> Self {
        let cuts = WINDOW_BITS.map(Self::new);
        let additions = |cut: &Self| {
            let entries = (terms - short) * cut.windows + short * windows_of(SHORT_BITS, cut.bits);
            // Weighing takes two longer additions a sum, and leaves lanes without a window idle.
            let rows = cut.windows.next_multiple_of(WINDOWS_TOGETHER.min(lanes));
            entries + 5 * rows * cut.buckets() / 2
        };
        cuts.min_by_key(additions).expect("there are widths")
    }

    /// Sums in a window: one for each digit but 0, up to a sign.
    fn buckets(&self) -> usize {
        1 << (self.bits - 1)
    }

    fn digits(&self, factor: &[u64; 4]) -> Digits {
        let mut carry = false;
        std::array::from_fn(|i| {
            let word = factor.get(i).copied().unwrap_or(0);
            let (sum, over) = word.overflowing_add(self.halves[i]);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            carry = over | over_again;
            sum
        })
    }

    /// The digit in a window: from -2^(bits - 1) to 2^(bits - 1) - 1.
    #[inline]
    fn digit(&self, digits: &Digits, window: usize) -> i32 {
        let bit = window * self.bits;
        let (word, shift) = (bit / 64, bit % 64);
        let low = digits[word] >> shift;
        let high = digits.get(word + 1).map_or(0, |next| next << 1 << (63 - shift));
        let mask = (1 << self.bits) - 1;
        let plain = (low | high) & mask;
        i32::try_from(plain).expect("a few bits") - (1 << (self.bits - 1))
    }
}

/// Windows of a factor of `bits` bits: with half a window added in each of them, which is at most 4/7 of all that
/// they hold, it still fits.
fn windows_of(bits: usize, width: usize) -> usize {
    (bits + 2).div_ceil(width)
}

/// The entries of a few windows by digit.
struct Bins {
    buckets: usize,
    /// Where each bin begins, then where its next entry goes; at last where it ends.
    ends: Vec<usize>,
    entries: Vec<Entry>,
    sums: Vec<Sum>,
}

impl Bins {
    fn new(cut: &Cut) -> Self {
        let bins = WINDOWS_TOGETHER * cut.buckets();
        Self {
            buckets: cut.buckets(),
            ends: Vec::with_capacity(bins),
            entries: Vec::new(),
            sums: vec![Sum::EMPTY; bins],
        }
    }

    fn clear(&mut self, windows: usize) {
        self.ends.clear();
        self.ends.resize(windows * self.buckets, 0);
    }

    fn count(&mut self, cut: &Cut, digits: &[Digits], window: usize, place: usize) {
        let bins = &mut self.ends[place * self.buckets..][..self.buckets];
        for digits in digits {
            let digit = cut.digit(digits, window);
            if digit != 0 {
                bins[digit.unsigned_abs() as usize - 1] += 1;
            }
        }
    }

    /// Turns counts into places.
    fn open(&mut self) {
        let mut start = 0;
        for end in &mut self.ends {
            let count = std::mem::replace(end, start);
            start += count;
        }
        self.entries.clear();
        self.entries.resize(start, Entry::new(0, false));
    }

    fn fill(&mut self, cut: &Cut, digits: &[Digits], skipped: usize, window: usize, place: usize) {
        let bins = &mut self.ends[place * self.buckets..][..self.buckets];
        for (index, digits) in digits.iter().enumerate().skip(skipped) {
            let digit = cut.digit(digits, window);
            if digit != 0 {
                let end = &mut bins[digit.unsigned_abs() as usize - 1];
                let index = u32::try_from(index).expect("fewer than 2^31 points");
                self.entries[*end] = Entry::new(index, digit < 0);
                *end += 1;
            }
        }
    }

    /// The bins that hold something, the fullest first.
    fn lists(&self) -> Vec<List> {
        let mut start = 0;
        let mut lists = Vec::with_capacity(self.ends.len());
        for (sum, end) in self.ends.iter().enumerate() {
            if *end > start {
                lists.push(List { sum, start, len: end - start });
            }
            start = *end;
        }
        lists.sort_unstable_by_key(|list| std::cmp::Reverse(list.len));
        lists
    }
}
