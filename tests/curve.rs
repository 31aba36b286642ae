//! Points and sums on every row of the curve kernels, beside `curve25519-dalek`.
#![cfg(feature = "ledger")]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use proofward::engine::points::{CurveKernel, Multiples, Point};
use proofward::hash::blake3::Stream;
use proofward::ledger::signature::{KeyError, PubKey};
use proptest::prelude::*;

fn kernels() -> Vec<CurveKernel> {
    let kernels: Vec<_> = CurveKernel::available().collect();
    println!("rows: {kernels:?}");
    assert_eq!(kernels.last().map(|kernel| kernel.lanes()), Some(1), "the portable row");
    kernels
}

fn random<const N: usize>(seed: &str, number: usize) -> [u8; N] {
    let mut bytes = [0; N];
    Stream::new("test curve", &[seed.as_bytes(), &number.to_le_bytes()].concat()).fill(&mut bytes);
    bytes
}

fn scalar(seed: &str, number: usize) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&random(seed, number))
}

fn decode(kernel: CurveKernel, encodings: &[[u8; 32]]) -> (Vec<Point>, Vec<bool>) {
    let mut points = vec![Point::NEUTRAL; encodings.len()];
    let mut are_points = vec![false; encodings.len()];
    kernel.decode(encodings, &mut points, &mut are_points);
    (points, are_points)
}

fn decoded(kernel: CurveKernel, points: &[EdwardsPoint]) -> Vec<Point> {
    let encodings: Vec<_> = points.iter().map(|point| point.compress().0).collect();
    let (points, are_points) = decode(kernel, &encodings);
    assert!(!are_points.contains(&false), "{kernel:?}");
    points
}

/// Whether a decoded point is the given one, up to points of small order, on which no verdict depends.
fn is(kernel: CurveKernel, point: Point, expected: EdwardsPoint) -> bool {
    let other = decoded(kernel, &[-expected])[0];
    let mut multiples = Multiples::of_short(&[5], vec![point], 1);
    multiples.add(Scalar::from(5_u64).as_bytes(), other);
    multiples.are_of_small_order(kernel)
}

/// Encodings at the edges of the field, of points of small order, and random ones.
fn encodings() -> Vec<[u8; 32]> {
    let mut encodings: Vec<[u8; 32]> = Vec::new();
    for low in 0..=255 {
        for (fill, top) in [(0, 0), (0, 0x80), (0xff, 0x7f), (0xff, 0xff)] {
            let mut bytes = [fill; 32];
            (bytes[0], bytes[31]) = (low, top);
            encodings.push(bytes);
        }
    }
    // Limbs of ones and zeros, and what lies around their ends.
    for limb in 0..5 {
        for bits in [50, 51, 52] {
            for sign in [0, 0x80] {
                let mut bytes = [0; 32];
                for bit in (51 * limb..).take(bits).filter(|bit| *bit < 255) {
                    bytes[bit / 8] |= 1 << (bit % 8);
                }
                encodings.push(bytes);
                bytes.iter_mut().for_each(|byte| *byte = !*byte);
                bytes[31] = bytes[31] & 0x7f | sign;
                encodings.push(bytes);
            }
        }
    }
    encodings.extend(EIGHT_TORSION.map(|point| point.compress().0));
    encodings.extend((0..2000).map(|number| random("encodings", number)));
    encodings
}

#[test]
fn every_row_passes_its_self_test() {
    for kernel in kernels() {
        assert_eq!(kernel.self_test(), Ok(()));
    }
}

#[test]
fn encodings_decode_as_the_library_decodes_them() {
    let encodings = encodings();
    let one_lane = kernels().pop().expect("the portable row");
    for kernel in kernels() {
        let (points, are_points) = decode(kernel, &encodings);
        let (on_one_lane, _) = decode(one_lane, &encodings);
        let mut good = 0;
        for (i, encoding) in encodings.iter().enumerate() {
            let expected = CompressedEdwardsY(*encoding).decompress();
            assert_eq!(are_points[i], expected.is_some(), "{kernel:?}: {}", hex::encode(encoding));
            if let Some(expected) = expected {
                assert_eq!(points[i], on_one_lane[i], "{kernel:?}: {}", hex::encode(encoding));
                assert!(is(kernel, points[i], expected), "{kernel:?}: {}", hex::encode(encoding));
                good += 1;
            }
        }
        assert!(good > 1000 && encodings.len() - good > 1000, "{good} of {}", encodings.len());
    }
}

#[test]
fn any_count_of_points_decodes_in_any_lane() {
    for kernel in kernels() {
        let lanes = kernel.lanes();
        let all = &encodings()[900..];
        let (whole, whole_are) = decode(kernel, all);
        for count in 0..=4 * lanes + 1 {
            for start in [0, 1, 5] {
                let (points, are_points) = decode(kernel, &all[start..start + count]);
                assert_eq!(are_points, whole_are[start..start + count], "{kernel:?}");
                for i in (0..count).filter(|i| are_points[*i]) {
                    assert_eq!(points[i], whole[start + i], "{kernel:?}");
                }
            }
        }
    }
}

/// Terms whose sum is known: the last one makes it neutral, or neutral but for `off`.
fn check_sum(kernel: CurveKernel, short: &[u128], long: &[Scalar], off: EdwardsPoint) -> bool {
    let point =
        |number| EdwardsPoint::mul_base(&scalar("points", number)) + EIGHT_TORSION[number % 8];
    let points: Vec<_> = (0..short.len() + long.len()).map(point).collect();
    let scalars: Vec<_> =
        short.iter().map(|z| Scalar::from(*z)).chain(long.iter().copied()).collect();
    let sum = EdwardsPoint::vartime_multiscalar_mul(&scalars, &points);
    let all = decoded(kernel, &[points.as_slice(), &[off - sum]].concat());
    let mut multiples = Multiples::of_short(short, all[..short.len()].to_vec(), 2 + long.len());
    for (factor, point) in long.iter().zip(&all[short.len()..]) {
        multiples.add(factor.as_bytes(), *point);
    }
    multiples.add(Scalar::ONE.as_bytes(), all[points.len()]);
    multiples.are_of_small_order(kernel)
}

#[test]
fn sums_of_any_length_are_those_of_the_library() {
    let most = 0_u128.wrapping_sub(1);
    let largest = -Scalar::ONE;
    for kernel in kernels() {
        // Every width of a window has its turn, with factors at their ends and between.
        let counts = (0..=40).chain([64, 100, 150, 200, 300, 500, 900, 1025, 2500]);
        for count in counts.filter(|count| kernel.lanes() > 1 || *count < 950) {
            let shorts: Vec<_> = (0..count)
                .map(|i| match i % 3 {
                    0 => most,
                    1 => u128::from_le_bytes(random("short", i)),
                    _ => 1 << (i % 128),
                })
                .collect();
            let longs: Vec<_> = (0..count / 2)
                .map(|i| match i % 3 {
                    0 => largest,
                    1 => scalar("long", i),
                    _ => Scalar::ZERO,
                })
                .collect();
            for torsion in [0, 1, 4].map(|i| EIGHT_TORSION[i]) {
                assert!(check_sum(kernel, &shorts, &longs, torsion), "{kernel:?}, {count}");
            }
            let off = ED25519_BASEPOINT_POINT;
            assert!(!check_sum(kernel, &shorts, &longs, off), "{kernel:?}, {count}");
        }
    }
}

/// Factors whose words are all ones once half a window has been added, where a carry comes from below.
#[test]
fn carries_run_through_whole_words() {
    let ones = [u64::MAX; 4].map(u64::to_le_bytes).concat();
    for kernel in kernels() {
        for count in [1, 3, 10, 40, 100, 300, 900] {
            let factors = (0..count).map(|i| {
                // All ones less a digit's half in every window of `width` bits, and a little more or less.
                let (width, more) = (3 + i % 7, i / 7 % 3);
                let mut factor: [u8; 32] = ones.clone().try_into().expect("32 bytes");
                for bit in (width - 1..256).step_by(width) {
                    factor[bit / 8] &= !(1 << (bit % 8));
                }
                factor[0] = factor[0].wrapping_add(u8::try_from(more).expect("small"));
                factor[31] &= 0x0f;
                Scalar::from_canonical_bytes(factor).expect("below the order")
            });
            let longs: Vec<_> = factors.collect();
            assert!(check_sum(kernel, &[], &longs, EIGHT_TORSION[0]), "{kernel:?}, {count}");
        }
    }
}

#[test]
fn one_point_many_times_adds_up() {
    // All in one list: each step doubles, cancels, or adds to the neutral element.
    for kernel in kernels() {
        for torsion in EIGHT_TORSION {
            let point = ED25519_BASEPOINT_POINT + torsion;
            let pair = decoded(kernel, &[point, -point]);
            for count in [1, 2, 3, 7, 8, 9, 100] {
                let mut multiples =
                    Multiples::of_short(&vec![1; count], vec![pair[0]; count], count);
                for _ in 1..count {
                    multiples.add(Scalar::ONE.as_bytes(), pair[1]);
                }
                assert!(!multiples.are_of_small_order(kernel), "{kernel:?}, {count}");
                multiples.add(Scalar::ONE.as_bytes(), pair[1]);
                assert!(multiples.are_of_small_order(kernel), "{kernel:?}, {count}");
            }
        }
    }
}

#[test]
fn the_library_calls_sums_of_small_order_what_we_do() {
    for kernel in kernels() {
        for point in EIGHT_TORSION {
            assert!(point.mul_by_cofactor().is_identity());
            let point = decoded(kernel, &[point])[0];
            for factor in [0, 1, 2, 7, 8, 0x0123_4567_89ab_cdef] {
                let multiples = Multiples::of_short(&[factor], vec![point], 0);
                assert!(multiples.are_of_small_order(kernel));
            }
        }
        assert!(Multiples::default().are_of_small_order(kernel));
        let base = decoded(kernel, &[ED25519_BASEPOINT_POINT])[0];
        for factor in [1, 2, 8, u128::MAX] {
            assert!(!Multiples::of_short(&[factor], vec![base], 0).are_of_small_order(kernel));
        }
    }
}

#[test]
fn key_check_agrees_with_the_curve() {
    let mut random = Stream::new("test keys", b"bytes");
    let (mut good, mut off_curve) = (0, 0);
    for i in 0..4000 {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        // Half of them at the edge of the field.
        if i % 2 == 0 {
            bytes[1..31].fill(if i % 4 == 0 { 0 } else { 0xff });
            bytes[31] = if i % 4 == 0 { bytes[31] & 0x80 } else { bytes[31] | 0x7f };
        }
        let decoded = CompressedEdwardsY(bytes).decompress();
        let expected = match decoded {
            Some(point) if point.compress().to_bytes() != bytes => Err(KeyError::NonCanonical),
            Some(point) if point.is_small_order() => Err(KeyError::SmallOrder),
            Some(_) => Ok(()),
            // A y of p or more is called so before anybody asks for the point.
            None if bytes[0] >= 0xed && bytes[1..31] == [0xff; 30] && bytes[31] | 0x80 == 0xff => {
                Err(KeyError::NonCanonical)
            }
            None => Err(KeyError::NotOnCurve),
        };
        assert_eq!(PubKey(bytes).check(), expected, "{}", PubKey(bytes));
        good += usize::from(expected.is_ok());
        off_curve += usize::from(expected == Err(KeyError::NotOnCurve));
    }
    assert!(good > 1000 && off_curve > 1000, "{good} good, {off_curve} off the curve");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_sums_are_those_of_the_library(
        shorts in prop::collection::vec(any::<u128>(), 0..20),
        longs in prop::collection::vec(any::<[u8; 32]>(), 0..20),
        torsion in 0_usize..8,
        is_off in any::<bool>(),
    ) {
        let longs: Vec<_> = longs.into_iter().map(Scalar::from_bytes_mod_order).collect();
        let off = EIGHT_TORSION[torsion] + if is_off { ED25519_BASEPOINT_POINT } else { EIGHT_TORSION[0] };
        for kernel in CurveKernel::available() {
            prop_assert_eq!(check_sum(kernel, &shorts, &longs, off), !is_off);
        }
    }
}
