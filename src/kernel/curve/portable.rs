//! One lane, for every CPU: products of 64-bit words, in 128 bits. No intrinsics and no `unsafe`.

use super::curve_row;
use super::limbs::Always;

curve_row! { isa: "portable", lanes: u64, proof: Always, detect: true, }
