//! 256-bit numbers as digits of one byte, the least significant first.

use crate::primitives::Digest;

/// nBits taken apart: 256 bits with the least significant byte first, the sign, and whether bytes fell
/// off the upper end.
#[must_use]
pub fn expand(bits: u32) -> (Digest, bool, bool) {
    let [low, middle, high, length] = bits.to_le_bytes();
    let is_negative = high & 0x80 != 0;
    let mut number = [0; 32];
    let (mut is_zero, mut is_too_long) = (true, false);
    for (place, byte) in [(3, low), (2, middle), (1, high & 0x7f)] {
        // The mantissa's highest byte is the number's byte `length - 1`; below zero it is cut off.
        let Some(index) = usize::from(length).checked_sub(place) else { continue };
        if byte != 0 {
            is_zero = false;
            match number.get_mut(index) {
                Some(digit) => *digit = byte,
                None => is_too_long = true,
            }
        }
    }
    (number, is_negative && !is_zero, is_too_long)
}

/// The nBits of a number with the least significant byte first; digits below the mantissa are dropped.
#[must_use]
pub fn compact(number: &[u8]) -> u32 {
    let Some(top) = number.iter().rposition(|byte| *byte != 0) else { return 0 };
    // A highest byte with its top bit set would read as a sign: one more length, a zero byte first.
    let top = if number[top] >= 0x80 { top + 1 } else { top };
    let byte = |place: usize| top.checked_sub(place).and_then(|at| number.get(at)).copied();
    let length = u8::try_from(top + 1).expect("a number of at most 254 bytes");
    u32::from_be_bytes([length, byte(0).unwrap_or(0), byte(1).unwrap_or(0), byte(2).unwrap_or(0)])
}

/// Whether a hash, its last byte the most significant, is at most the target.
#[must_use]
pub fn is_at_most(hash: &Digest, target: &Digest) -> bool {
    hash.iter().rev().le(target.iter().rev())
}

/// 2^256 / (target + 1), by long division bit for bit; all ones if that does not fit.
#[must_use]
pub fn work(target: &Digest) -> Digest {
    let divisor = plus_one(target);
    if divisor == plus_one(&[0; 32]) {
        return [0xff; 32];
    }
    let (mut remainder, mut quotient) = ([0_u8; 33], [0_u8; 32]);
    // 2^256 is a one and 256 zeros; the one alone is below the divisor, which is at least two.
    remainder[0] = 1;
    for bit in (0..256).rev() {
        double(&mut remainder);
        if divisor.iter().rev().le(remainder.iter().rev()) {
            subtract(&mut remainder, &divisor);
            quotient[bit / 8] |= 1 << (bit % 8);
        }
    }
    quotient
}

/// `number * factor / divisor`, rounded down, in as many digits as that can have.
pub(super) fn scale(number: &Digest, factor: u32, divisor: u32) -> [u8; 36] {
    let mut digits = [0; 36];
    let mut carry = 0;
    for (digit, by) in digits.iter_mut().zip(number.iter().chain(&[0; 4])) {
        let sum = u64::from(*by) * u64::from(factor) + carry;
        (*digit, carry) = (low_byte(sum), sum >> 8);
    }
    let mut remainder = 0;
    for digit in digits.iter_mut().rev() {
        let dividend = remainder << 8 | u64::from(*digit);
        (*digit, remainder) =
            (low_byte(dividend / u64::from(divisor)), dividend % u64::from(divisor));
    }
    digits
}

fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

fn plus_one(number: &Digest) -> [u8; 33] {
    let mut sum = [0; 33];
    sum[..32].copy_from_slice(number);
    for digit in &mut sum {
        *digit = digit.wrapping_add(1);
        if *digit != 0 {
            break;
        }
    }
    sum
}

fn double(number: &mut [u8; 33]) {
    let mut carry = 0;
    for digit in number {
        (*digit, carry) = (*digit << 1 | carry, *digit >> 7);
    }
}

fn subtract(number: &mut [u8; 33], less: &[u8; 33]) {
    let mut borrow = false;
    for (digit, less) in number.iter_mut().zip(less) {
        (*digit, borrow) = digit.borrowing_sub(*less, borrow);
    }
}
