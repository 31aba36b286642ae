//! What every row is asked before it is used. The one-lane row is plain arithmetic on words, which
//! `tests/curve.rs` compares with a library; other rows are compared with it.

use super::limbs::LIMB_MAX;
use super::{CurveKernel, Entry, List, Point, Sum, is_of_small_order, portable};

/// The largest limb of an operand: twice p without anything taken from it.
const OPERAND_MAX: u64 = (1 << 52) - 2;
/// y of the generator (RFC 8032, section 5.1): 4/5.
const GENERATOR: [u8; 32] = {
    let mut y = [0x66; 32];
    y[0] = 0x58;
    y
};
/// The order of the generator, 2^252 + 27742317777372353535851937790883648493 (RFC 8032, section 5.1), in
/// digits of 4 bits, the lowest first.
const ORDER: [u8; 64] = *b"de3d5fc5a13621856dc97f2aed9fed4100000000000000000000000000000001";

/// What does not hold.
pub(super) fn quick(kernel: CurveKernel) -> Result<(), &'static str> {
    let pairs = extremes(kernel.lanes());
    let probed = |kernel: CurveKernel| {
        let mut results = vec![[[0; 5]; 4]; pairs.len()];
        kernel.probe(&pairs, &mut results);
        results
    };
    if probed(kernel) != probed(CurveKernel(&portable::OPERATIONS)) {
        return Err("arithmetic differs from that on one lane");
    }
    decodes(kernel)?;
    adds(kernel)
}

/// Pairs of operands of the smallest and the largest limbs and of some between, in changing lanes.
fn extremes(lanes: usize) -> Vec<[[u64; 5]; 2]> {
    let limbs = [0, 1, LIMB_MAX - 18, LIMB_MAX, LIMB_MAX + (1 << 17), OPERAND_MAX];
    let mut numbers: Vec<[u64; 5]> = limbs.iter().map(|limb| [*limb; 5]).collect();
    for place in 0..5 {
        for limb in limbs {
            let mut number = [OPERAND_MAX - limb; 5];
            number[place] = limb;
            numbers.push(number);
        }
    }
    // So many pairs that they begin in another lane each time round.
    let count = numbers.len() * (lanes + 1);
    (0..count).map(|i| [numbers[i % numbers.len()], numbers[i * 7 / 3 % numbers.len()]]).collect()
}

/// The generator in every lane but one, which has an encoding of no point.
fn decodes(kernel: CurveKernel) -> Result<(), &'static str> {
    let no_point = {
        let mut y = [0; 32];
        y[0] = 2;
        y
    };
    let count = 2 * kernel.lanes() + 1;
    let mut points = vec![Point::NEUTRAL; count];
    for odd in 0..count {
        let mut encodings = vec![GENERATOR; count];
        encodings[odd] = no_point;
        let mut are_points = vec![false; count];
        kernel.decode(&encodings, &mut points, &mut are_points);
        if are_points.iter().enumerate().any(|(i, is_point)| *is_point == (i == odd)) {
            return Err("encodings are taken for what they are not");
        }
    }
    Ok(())
}

/// The order times the generator is the neutral element; once more or less is not. Each digit's sum adds it,
/// subtracts it, and adds it again.
fn adds(kernel: CurveKernel) -> Result<(), &'static str> {
    let mut generator = [Point::NEUTRAL];
    kernel.decode(&[GENERATOR], &mut generator, &mut [false]);
    for (change, is_neutral) in [(0, true), (1, false), (-1, false)] {
        // Digits of the order as lists of the generator in windows of 4 bits: 15 sums each.
        let digits = ORDER.map(|digit| i32::from(digit) - if digit > b'9' { 87 } else { 48 });
        let (mut entries, mut lists) = (Vec::new(), Vec::new());
        for (window, digit) in digits.into_iter().enumerate() {
            let digit = if window == 0 { digit + change } else { digit };
            if let Some(bucket) = usize::try_from(digit).ok().and_then(|digit| digit.checked_sub(1))
            {
                lists.push(List { sum: window * 15 + bucket, start: entries.len(), len: 3 });
                entries.extend([false, true, false].map(|negative| Entry::new(0, negative)));
            }
        }
        let mut sums = vec![Sum::EMPTY; digits.len() * 15];
        kernel.add_up(&generator, &entries, &lists, &mut sums);
        let mut windows = vec![Sum::EMPTY; digits.len()];
        kernel.weigh(&sums, 15, &mut windows);
        if is_of_small_order(&windows, 4) != is_neutral {
            return Err("multiples of the generator do not add up");
        }
    }
    Ok(())
}
