//! Points of Ed25519's curve by the batch: decoding, and the additions that a sum of many multiples is
//! made of. One row in a table for each instruction set, as for hashes.
//!
//! It is for public numbers: time and memory accesses depend on them.

mod conformance;
mod field;
mod limbs;
mod lists;
mod point;

#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

pub use lists::{Entry, List};
pub use point::{Point, Sum};

use std::fmt;

/// A way to decode and add points on this CPU. Only `available` makes one, after it looked, so holding one
/// proves that the CPU has what it needs.
#[derive(Clone, Copy)]
pub struct CurveKernel(&'static Operations);

/// One instruction set. Contract of the functions: `detect` returned true.
struct Operations {
    isa: &'static str,
    lanes: usize,
    detect: fn() -> bool,
    decode: unsafe fn(&[[u8; 32]], &mut [Point], &mut [bool]),
    add_up: AddUp,
    weigh: unsafe fn(&[Sum], usize, &mut [Sum]),
    probe: unsafe fn(&[[[u64; 5]; 2]], &mut [lists::Probed]),
}

type AddUp = unsafe fn(&[Point], &[Entry], &[List], &mut [Sum]);

/// Every row, expected best first.
static KERNELS: &[&Operations] = &[
    #[cfg(target_arch = "x86_64")]
    &avx512::OPERATIONS,
    &portable::OPERATIONS,
];

/// A kernel computes something else than arithmetic on one lane does: it must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("self-test of the curve kernel {isa} failed: {what}")]
pub struct CurveSelfTestError {
    isa: &'static str,
    what: &'static str,
}

impl CurveKernel {
    /// Those that this CPU can run, expected best first; never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        KERNELS.iter().filter(|row| (row.detect)()).map(|row| Self(row))
    }

    /// Its instruction set.
    #[must_use]
    pub fn isa(self) -> &'static str {
        self.0.isa
    }

    /// Points side by side.
    #[must_use]
    pub fn lanes(self) -> usize {
        self.0.lanes
    }

    /// Compares it with arithmetic on one lane, at the ends of what limbs may be and on points whose sums
    /// are known; takes a millisecond or two.
    ///
    /// # Errors
    ///
    /// What went wrong first.
    pub fn self_test(self) -> Result<(), CurveSelfTestError> {
        conformance::quick(self).map_err(|what| CurveSelfTestError { isa: self.0.isa, what })
    }

    /// [`lists::probe`].
    fn probe(self, pairs: &[[[u64; 5]; 2]], results: &mut [lists::Probed]) {
        assert_eq!(pairs.len(), results.len(), "one result a pair");
        // SAFETY: as in `decode`.
        unsafe { (self.0.probe)(pairs, results) }
    }

    /// Decodes points as ZIP-215 does: y little-endian, of p or more as well, the sign of x in the last
    /// bit. Where an encoding is none of a point its flag is false and its point any.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn decode(self, encodings: &[[u8; 32]], points: &mut [Point], are_points: &mut [bool]) {
        assert_eq!(encodings.len(), points.len(), "one point an encoding");
        assert_eq!(encodings.len(), are_points.len(), "one flag an encoding");
        // SAFETY: whoever made `self` saw `detect` return true, and CPU features do not go away while
        // the process runs.
        unsafe { (self.0.decode)(encodings, points, are_points) }
    }

    /// Writes the sum of each list; other sums stay as they are.
    ///
    /// # Panics
    ///
    /// If a list, an entry or a sum is out of bounds.
    pub fn add_up(self, points: &[Point], entries: &[Entry], lists: &[List], sums: &mut [Sum]) {
        // SAFETY: as in `decode`.
        unsafe { (self.0.add_up)(points, entries, lists, sums) }
    }

    /// Of each `buckets` sums in a row, `1 s_0 + 2 s_1 + 3 s_2 + ...`.
    ///
    /// # Panics
    ///
    /// If there are not `buckets` times as many sums as results.
    pub fn weigh(self, sums: &[Sum], buckets: usize, weighed: &mut [Sum]) {
        assert_eq!(sums.len(), buckets * weighed.len(), "every sum in one result");
        // SAFETY: as in `decode`.
        unsafe { (self.0.weigh)(sums, buckets, weighed) }
    }
}

/// Whether 8 times `w_0 + 2^bits w_1 + 2^(2 bits) w_2 + ...` is the neutral element.
#[must_use]
pub fn is_of_small_order(windows: &[Sum], bits: usize) -> bool {
    lists::is_of_small_order::<u64>(limbs::Always, windows, bits)
}

impl fmt::Debug for CurveKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CurveKernel({})", self.0.isa)
    }
}

impl PartialEq for CurveKernel {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for CurveKernel {}

/// Turns vectors of limbs into a row: its entries are the only functions that enable CPU features.
/// Decoding is one long chain of squarings, so it takes two vectors at once.
macro_rules! curve_row {
    (isa: $isa:literal, lanes: $lanes:ty, proof: $proof:expr, detect: $detect:expr, $(#[$features:meta])?) => {
        pub(super) static OPERATIONS: $crate::kernel::curve::Operations =
            $crate::kernel::curve::Operations {
                isa: $isa,
                lanes: <$lanes as $crate::kernel::curve::limbs::Limbs>::N,
                detect: || $detect,
                decode,
                add_up,
                weigh,
                probe,
            };

        $(#[$features])?
        fn decode(
            encodings: &[[u8; 32]],
            points: &mut [$crate::kernel::curve::Point],
            are_points: &mut [bool],
        ) {
            $crate::kernel::curve::lists::decode::<$crate::kernel::curve::limbs::Two<$lanes>>(
                $proof, encodings, points, are_points,
            );
        }

        $(#[$features])?
        fn add_up(
            points: &[$crate::kernel::curve::Point],
            entries: &[$crate::kernel::curve::Entry],
            lists: &[$crate::kernel::curve::List],
            sums: &mut [$crate::kernel::curve::Sum],
        ) {
            $crate::kernel::curve::lists::add_up::<$lanes>($proof, points, entries, lists, sums);
        }

        $(#[$features])?
        fn weigh(
            sums: &[$crate::kernel::curve::Sum],
            buckets: usize,
            weighed: &mut [$crate::kernel::curve::Sum],
        ) {
            $crate::kernel::curve::lists::weigh::<$lanes>($proof, sums, buckets, weighed);
        }

        $(#[$features])?
        fn probe(
            pairs: &[[[u64; 5]; 2]],
            results: &mut [$crate::kernel::curve::lists::Probed],
        ) {
            $crate::kernel::curve::lists::probe::<$lanes>($proof, pairs, results);
        }
    };
}
use curve_row;
