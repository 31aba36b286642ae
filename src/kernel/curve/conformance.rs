//! What every row is asked before it is used. The one-lane row is plain arithmetic on words, which
//! `tests/curve.rs` compares with a library; other rows are compared with it.

use super::field::ELEMENT_LIMB;
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

/// y of a point of order 8, little-endian.
const ORDER_8: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
    0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];

/// What does not hold.
pub(super) fn quick(kernel: CurveKernel) -> Result<(), &'static str> {
    let one_lane = CurveKernel(&portable::OPERATIONS);
    calculates(kernel, one_lane)?;
    decodes(kernel, one_lane)?;
    adds(kernel)
}

/// Arithmetic at the ends of what limbs may be; and whether numbers are told apart, by every single bit.
fn calculates(kernel: CurveKernel, one_lane: CurveKernel) -> Result<(), &'static str> {
    let probed = |kernel: CurveKernel, pairs: &[[[u64; 5]; 2]]| {
        let mut results = vec![[[0; 5]; 9]; pairs.len()];
        kernel.probe(pairs, &mut results);
        results
    };
    let extremes = extremes(kernel.lanes());
    if probed(kernel, &extremes) != probed(one_lane, &extremes) {
        return Err("arithmetic differs from that on one lane");
    }
    let number = [0x5_5555_5555_5555, 0x2_aaaa_aaaa_aaaa, 0, LIMB_MAX, 0x1_2345_6789_abcd];
    let mut pairs = vec![[number; 2]; kernel.lanes() + 1];
    pairs.extend((0..255).map(|bit| {
        let mut other = number;
        other[bit / 51] ^= 1 << (bit % 51);
        [number, other]
    }));
    let told_apart = probed(kernel, &pairs);
    if pairs.iter().zip(told_apart).any(|([a, b], found)| (a == b) != (found[8][0] == 1)) {
        return Err("numbers that differ are taken for the same");
    }
    Ok(())
}

/// Pairs of operands of the smallest and the largest limbs and of some between, in changing lanes.
fn extremes(lanes: usize) -> Vec<[[u64; 5]; 2]> {
    let limbs = [0, 1, LIMB_MAX - 18, LIMB_MAX, ELEMENT_LIMB - 1, OPERAND_MAX];
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

/// Encodings of points and of none, canonical and not, with both signs, each in several lanes.
fn decodes(kernel: CurveKernel, one_lane: CurveKernel) -> Result<(), &'static str> {
    let mut encodings = vec![GENERATOR, ORDER_8];
    for low in 0..=25 {
        for fill in [0x00, 0x31, 0x7f, 0xff] {
            for top in [0, 0x40, 0x7f] {
                let mut encoding = [fill; 32];
                (encoding[0], encoding[31]) = (fill ^ low, top);
                encodings.push(encoding);
            }
        }
    }
    for index in 0..encodings.len() {
        let mut negative = encodings[index];
        negative[31] |= 0x80;
        encodings.push(negative);
    }
    let decoded = |kernel: CurveKernel| {
        let mut points = vec![Point::NEUTRAL; encodings.len()];
        let mut are_points = vec![false; encodings.len()];
        kernel.decode(&encodings, &mut points, &mut are_points);
        let points = points.into_iter().zip(are_points);
        points.map(|(point, is_point)| is_point.then_some(point)).collect::<Vec<_>>()
    };
    let found = decoded(kernel);
    if found[0] != Some(Point::GENERATOR) {
        return Err("the generator decodes to something else");
    }
    if found != decoded(one_lane) {
        return Err("encodings decode to something else than on one lane");
    }
    Ok(())
}

/// The order times the generator, with a point of order 8 beside it, is of small order; once more or less is
/// not. Each digit's sum adds the generator, and subtracts and adds it again a changing number of times.
fn adds(kernel: CurveKernel) -> Result<(), &'static str> {
    let mut points = [Point::NEUTRAL; 2];
    kernel.decode(&[GENERATOR, ORDER_8], &mut points, &mut [false; 2]);
    for (change, is_small) in [(0, true), (1, false), (-1, false)] {
        // Windows of 4 bits: 15 sums each.
        let digits = ORDER.map(|digit| i32::from(digit) - if digit > b'9' { 87 } else { 48 });
        let (mut entries, mut lists) = (Vec::new(), Vec::new());
        for (window, digit) in digits.into_iter().enumerate() {
            let digit = if window == 0 { digit + change } else { digit };
            if let Some(bucket) = usize::try_from(digit).ok().and_then(|digit| digit.checked_sub(1))
            {
                let start = entries.len();
                entries.push(Entry::new(0, false));
                for _ in 0..window % 3 {
                    entries.extend([true, false].map(|negative| Entry::new(0, negative)));
                }
                if window == 0 {
                    entries.push(Entry::new(1, false));
                }
                lists.push(List { sum: window * 15 + bucket, start, len: entries.len() - start });
            }
        }
        let mut sums = vec![Sum::EMPTY; digits.len() * 15];
        kernel.add_up(&points, &entries, &lists, &mut sums);
        let mut windows = vec![Sum::EMPTY; digits.len()];
        kernel.weigh(&sums, 15, &mut windows);
        if is_of_small_order(&windows, 4) != is_small {
            return Err("multiples of the generator do not add up");
        }
    }
    // Only all three doublings make nothing of it.
    let mut of_order_8 = [Sum::EMPTY];
    kernel.add_up(
        &points,
        &[Entry::new(1, false)],
        &[List { sum: 0, start: 0, len: 1 }],
        &mut of_order_8,
    );
    if !is_of_small_order(&of_order_8, 1) {
        return Err("a point of order 8 is not of small order");
    }
    if is_of_small_order(&[Sum::ZEROS], 1) {
        return Err("what is no point is of small order");
    }
    Ok(())
}
