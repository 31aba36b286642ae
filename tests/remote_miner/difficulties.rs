//! Share difficulty against the numbers of other people's software.

use proofward::node::difficulty::{Difficulty, of_target};
use proofward::primitives::{CompactTarget, Target};

fn target(hex: &str) -> Target {
    hex.parse().expect("64 hex digits")
}

fn difficulty(value: f64) -> Difficulty {
    Difficulty::new(value).expect("a difficulty")
}

#[test]
fn difficulty_one_is_the_target_of_bitcoins_genesis() {
    let genesis = CompactTarget(0x1d00_ffff).to_target().expect("a target");
    assert_eq!(Difficulty::ONE.target_to_search(), genesis);
    assert_eq!(
        Difficulty::ONE.target_to_accept(),
        target("00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff")
    );
    assert!((of_target(&genesis) - 1.0).abs() < 1e-15);
}

#[test]
fn division_is_exact() {
    // 0xffff * 2^208 divided by 3, 2^-19 and 1000, worked out with another program's integers.
    let cases = [
        (2.0, "000000007fff8000000000000000000000000000000000000000000000000000"),
        (3.0, "0000000055550000000000000000000000000000000000000000000000000000"),
        (0.5, "00000001fffe0000000000000000000000000000000000000000000000000000"),
        (1.0 / 524_288.0, "0007fff800000000000000000000000000000000000000000000000000000000"),
        (1000.0, "00000000004188f5c28f5c28f5c28f5c28f5c28f5c28f5c28f5c28f5c28f5c28"),
    ];
    for (value, expected) in cases {
        assert_eq!(difficulty(value).target_to_search(), target(expected), "{value}");
    }
}

#[test]
fn who_judges_is_looser_than_who_searches() {
    for value in [1e-6, 0.000_15, 0.001, 0.1, 1.0, 7.3, 16384.0, 1e12, 1e70] {
        let difficulty = difficulty(value);
        let (search, accept) = (difficulty.target_to_search(), difficulty.target_to_accept());
        assert!(search < accept || value > 1e60, "{value}");
        let back = of_target(&search);
        assert!(value > 1e60 || (back / value - 1.0).abs() < 1e-9, "{value} came back as {back}");
    }
    assert_eq!(difficulty(f64::MAX).target_to_search().to_le_bytes(), [0; 32]);
}

#[test]
fn what_is_no_difficulty_is_refused() {
    for value in [0.0, -1.0, 9.9e-7, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Difficulty::new(value), None, "{value}");
    }
    assert!(Difficulty::LEAST.hashes() > 4294.0 && Difficulty::LEAST.hashes() < 4296.0);
}

#[test]
fn a_divisor_of_any_size_saturates() {
    assert_eq!(Target::DIFFICULTY_ONE.divided_by(0, 0), Target::MAX);
    assert_eq!(Target::DIFFICULTY_ONE.divided_by(1, i32::MIN), Target::MAX);
    assert_eq!(Target::DIFFICULTY_ONE.divided_by(1, -33), Target::MAX);
    assert_eq!(Target::DIFFICULTY_ONE.divided_by(1, i32::MAX).to_le_bytes(), [0; 32]);
    assert_eq!(Target::DIFFICULTY_ONE.divided_by(1, 0), Target::DIFFICULTY_ONE);
}
