//! Values on the wire: what they encode to, what does not decode, and how targets, compact targets and
//! work relate. Validity is judged elsewhere.

mod common;

use proofward::primitives::codec::{DecodeError, Reader, write_compact_size};
use proofward::primitives::{
    BlockHash, CompactError, CompactTarget, Expanded, Header, MerkleRoot, Target, Work,
};
use proptest::prelude::*;
use ruint::aliases::U256;

const GENESIS: &str = "0100000000000000000000000000000000000000000000000000000000000000\
    000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";

fn from_hex<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).expect("hex of that length");
    bytes
}

#[test]
fn a_header_decodes_to_its_fields_and_back() {
    let bytes = from_hex(GENESIS);
    let header = Header::decode(&bytes);
    let merkle_root = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
    assert_eq!(
        header,
        Header {
            version: 1,
            prev_block: BlockHash::ZERO,
            merkle_root: merkle_root.parse().unwrap(),
            time: 1_231_006_505,
            bits: CompactTarget(0x1d00_ffff),
            nonce: 2_083_236_893,
        }
    );
    assert_eq!(header.encode(), bytes);
    assert_eq!(Header { version: -2, ..header }.encode()[..4], [0xfe, 0xff, 0xff, 0xff]);
}

#[test]
fn a_hash_is_displayed_in_reversed_order() {
    let mut wire = [0; 32];
    wire[0] = 0xab;
    wire[31] = 0x01;
    let text = format!("01{}ab", "00".repeat(30));
    assert_eq!(BlockHash(wire).to_string(), text);
    assert_eq!(text.parse(), Ok(BlockHash(wire)));
    assert_eq!(text.to_uppercase().parse(), Ok(BlockHash(wire)), "either case is read");
    assert_eq!(format!("{:?}", MerkleRoot(wire)), format!("MerkleRoot({text})"));
    for bad in ["", "0", &text[1..], &format!("{text}0"), &text.replace('b', "g"), &"é".repeat(32)]
    {
        assert!(bad.parse::<BlockHash>().is_err(), "{bad:?}");
    }
    let long = "x".repeat(1_000_000).parse::<BlockHash>().unwrap_err().to_string();
    assert!(long.len() < 200, "an error repeats only the start of a long text");
}

/// Bitcoin Core's `arith_uint256` cases and a few at the edges: nBits, magnitude in hex without leading
/// zeros (`-` if it is not stated), the compact form of that magnitude, and the verdict.
const COMPACT_CASES: &[(u32, &str, u32, &str)] = &[
    (0x0000_0000, "0", 0, "zero"),
    (0x0012_3456, "0", 0, "zero"),
    (0x0100_3456, "0", 0, "zero"),
    (0x0200_0056, "0", 0, "zero"),
    (0x0300_0000, "0", 0, "zero"),
    (0x0400_0000, "0", 0, "zero"),
    (0x0092_3456, "0", 0, "zero"),
    (0x0180_3456, "0", 0, "zero"),
    (0x0280_0056, "0", 0, "zero"),
    (0x0380_0000, "0", 0, "zero"),
    (0x0480_0000, "0", 0, "zero"),
    (0x0112_3456, "12", 0x0112_0000, "target"),
    (0x0180_0000, "0", 0, "zero"),
    (0x01fe_dcba, "7e", 0x017e_0000, "negative"),
    (0x0212_3456, "1234", 0x0212_3400, "target"),
    (0x0312_3456, "123456", 0x0312_3456, "target"),
    (0x0412_3456, "12345600", 0x0412_3456, "target"),
    (0x0492_3456, "12345600", 0x0412_3456, "negative"),
    (0x0500_9234, "92340000", 0x0500_9234, "target"),
    // The largest and the smallest that fit at each length above 32 bytes, and one more.
    (0x207f_ffff, "-", 0x207f_ffff, "target"),
    (0x2100_ffff, "-", 0x2100_ffff, "target"),
    (0x2101_0000, "-", 0, "overflow"),
    (0x2200_00ff, "-", 0x2100_ff00, "target"),
    (0x2200_0100, "-", 0, "overflow"),
    (0x2300_0001, "-", 0, "overflow"),
    (0xff12_3456, "-", 0, "overflow"),
    (0xff80_0000, "0", 0, "zero"),
    // Both: the sign is reported first.
    (0xffff_ffff, "-", 0, "negative"),
];

fn verdict(bits: CompactTarget) -> &'static str {
    match bits.to_target() {
        Ok(_) => "target",
        Err(CompactError::Negative(of)) if of == bits => "negative",
        Err(CompactError::Overflow(of)) if of == bits => "overflow",
        Err(CompactError::Zero(of)) if of == bits => "zero",
        Err(other) => panic!("{bits}: {other:?}"),
    }
}

#[test]
fn a08_compact_targets_expand_as_in_bitcoin_core() {
    for &(bits, magnitude, compact, expected) in COMPACT_CASES {
        let bits = CompactTarget(bits);
        assert_eq!(verdict(bits), expected, "{bits}");
        let expanded = bits.expand();
        if magnitude != "-" {
            assert_eq!(format!("{:x}", expanded.magnitude), magnitude, "{bits}");
        }
        if !expanded.overflow {
            let again = Target(expanded.magnitude).to_compact_lossy();
            assert_eq!(again, CompactTarget(compact), "{bits}");
        }
    }
}

/// The same, from the published file, which also states the sign and the overflow.
#[test]
fn a08_the_published_setcompact_cases_hold() {
    let Some(path) = common::data("vectors/difficulty/setcompact_cases.json") else { return };
    let text = std::fs::read_to_string(path).expect("a readable file");
    let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let cases = cases.as_array().expect("an array of cases");
    assert_eq!(cases.len(), 20);
    for case in cases {
        let word = |name: &str| {
            let text = case[name].as_str()?;
            Some(CompactTarget(u32::from_str_radix(text, 16).expect("eight hex digits")))
        };
        let bits = word("bits").expect("every case has bits");
        let Expanded { magnitude, negative, overflow } = bits.expand();
        assert_eq!(negative, case["negative"], "{bits}");
        assert_eq!(overflow, case["overflow"], "{bits}");
        assert_eq!(
            bits.to_target().is_ok(),
            !negative && !overflow && !magnitude.is_zero(),
            "{bits}"
        );
        if let Some(target) = case["target_hex"].as_str() {
            assert_eq!(format!("{magnitude:064x}"), target, "{bits}");
        }
        if let Some(compact) = word("get_compact") {
            let sign = if case["get_compact_negative_arg"] == true { 0x0080_0000 } else { 0 };
            // That row states the compact form of 0x80, Core's next assertion, not of its own target.
            let magnitude = if bits.0 == 0x0112_3456 { U256::from(0x80) } else { magnitude };
            assert_eq!(Target(magnitude).to_compact_lossy().0 | sign, compact.0, "{bits}");
        }
    }
}

#[test]
fn a_target_is_met_by_its_own_value_and_not_by_the_next() {
    let target = CompactTarget(0x1d00_ffff).to_target().unwrap();
    let equal = target.0.to_le_bytes::<32>();
    let above = (target.0 + U256::ONE).to_le_bytes::<32>();
    assert!(target.is_met_by(&equal));
    assert!(!target.is_met_by(&above));
    assert_eq!(target.top_word(), 0, "difficulty one wants 32 zero bits");
    assert_eq!(Target::from_le_bytes(equal), target);
    assert_eq!(target.to_string().parse(), Ok(target));
    assert!(Target::MAX.is_met_by(&[0xff; 32]));
}

#[test]
fn work_is_the_expected_number_of_hashes() {
    for (bits, work) in [
        (0x1d00_ffff_u32, "4295032833"),
        (0x207f_ffff, "2"),
        // Block 832608.
        (0x1703_8c12, "340816130162106878397460"),
        (
            0x0100_0000 | 0x0001_0000,
            "57896044618658097711785492504343953926634992332820282019728792003956564819968",
        ),
    ] {
        let target = CompactTarget(bits).to_target().unwrap();
        assert_eq!(target.work().to_string(), work, "{bits:08x}");
    }
    assert_eq!(Target::MAX.work(), Work(U256::ONE));
    assert_eq!(Target(U256::MAX - U256::ONE).work(), Work(U256::ONE));
    assert_eq!(Target(U256::ZERO).work(), Work(U256::MAX), "saturates: 2^256 does not fit");
}

#[test]
fn a65_sums_of_work_are_monotone_and_saturate() {
    let most = CompactTarget(0x0101_0000).to_target().unwrap().work();
    let sum: Work = std::iter::repeat_n(most, 3).sum();
    assert_eq!(sum, Work(U256::MAX), "2^255 three times");
    assert_eq!(Work(U256::MAX).plus(Work(U256::ONE)), Work(U256::MAX));
    assert_eq!(std::iter::empty::<Work>().sum::<Work>(), Work::ZERO);
}

#[test]
fn a18_compact_sizes_round_trip_at_every_boundary() {
    for (value, encoded) in [
        (0_u64, "00"),
        (0xfc, "fc"),
        (0xfd, "fdfd00"),
        (0xffff, "fdffff"),
        (0x1_0000, "fe00000100"),
        (0xffff_ffff, "feffffffff"),
        (0x1_0000_0000, "ff0000000001000000"),
        (u64::MAX, "ffffffffffffffffff"),
    ] {
        let mut bytes = Vec::new();
        write_compact_size(&mut bytes, value);
        assert_eq!(hex::encode(&bytes), encoded, "{value:#x}");
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.compact_size(), Ok(value));
        assert_eq!(reader.finish(), Ok(()));
        for len in 0..bytes.len() {
            let cut = Reader::new(&bytes[..len]).compact_size();
            assert!(matches!(cut, Err(DecodeError::Truncated { .. })), "{value:#x} cut at {len}");
        }
    }
}

#[test]
fn a18_longer_forms_than_needed_are_refused() {
    for text in [
        "fd0000",
        "fdfc00",
        "fe00000000",
        "fefc000000",
        "feffff0000",
        "ff0000000000000000",
        "ffffff000000000000",
        "ffffffffff00000000",
    ] {
        let bytes = [&[0x07], hex::decode(text).unwrap().as_slice()].concat();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.u8(), Ok(7));
        assert_eq!(reader.compact_size(), Err(DecodeError::NonCanonicalSize { at: 1 }), "{text}");
    }
}

#[test]
fn a_reader_never_takes_more_than_there_is() {
    let mut reader = Reader::new(&[1, 2, 3]);
    assert_eq!(reader.u16(), Ok(0x0201));
    let truncated = |wanted| Err(DecodeError::Truncated { at: 2, wanted, left: 1 });
    assert_eq!(reader.take(u64::MAX), truncated(u64::MAX));
    assert_eq!(reader.u32().map(|_| &[][..]), truncated(4));
    assert_eq!((reader.position(), reader.left()), (2, 1), "a failed read moves nothing");
    assert_eq!(reader.since(1), [2]);
    assert_eq!(reader.clone().finish(), Err(DecodeError::TrailingBytes { at: 2, left: 1 }));
    assert_eq!(reader.u8(), Ok(3));
    assert_eq!(reader.finish(), Ok(()));
}

/// Failures print their input; nothing is kept beside the tests.
fn quick() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(quick())]

    #[test]
    fn every_80_bytes_are_a_header(bytes in prop::array::uniform32(any::<u8>()), rest in any::<[u8; 32]>(), end in any::<[u8; 16]>()) {
        let mut header = [0; 80];
        header[..32].copy_from_slice(&bytes);
        header[32..64].copy_from_slice(&rest);
        header[64..].copy_from_slice(&end);
        prop_assert_eq!(Header::decode(&header).encode(), header);
    }

    #[test]
    fn a_compact_target_that_expands_is_kept_by_its_target(word in any::<u32>()) {
        let Ok(target) = CompactTarget(word).to_target() else { return Ok(()) };
        let compact = target.to_compact_lossy();
        prop_assert_eq!(compact.to_target(), Ok(target), "what came from 24 bits fits 24 bits");
    }

    #[test]
    fn the_compact_form_never_rounds_up(bytes in any::<[u8; 32]>()) {
        let target = Target::from_le_bytes(bytes);
        let Ok(kept) = target.to_compact_lossy().to_target() else {
            return Err(TestCaseError::reject("zero"));
        };
        prop_assert!(kept <= target);
        // At least 16 bits are kept: the loss is below one part in 2^15.
        prop_assert!(target.0 - kept.0 <= target.0 >> 15);
    }

    #[test]
    fn a65_more_difficult_is_never_less_work(a in any::<[u8; 32]>(), b in any::<[u8; 32]>(), shift in 0_usize..256) {
        let [a, b] = [a, b].map(|bytes| Target(U256::from_le_bytes(bytes) >> shift));
        let (easy, hard) = (a.max(b), a.min(b));
        prop_assert!(easy.work() <= hard.work());
        let sum = easy.work().plus(hard.work());
        prop_assert!(sum >= easy.work() && sum >= hard.work());
    }

    #[test]
    fn a18_every_size_takes_its_shortest_form(value in any::<u64>(), shift in 0_u32..64) {
        let value = value >> shift;
        let mut bytes = Vec::new();
        write_compact_size(&mut bytes, value);
        let shortest = match value { 0..=0xfc => 1, 0xfd..=0xffff => 3, 0x1_0000..=0xffff_ffff => 5, _ => 9 };
        prop_assert_eq!(bytes.len(), shortest);
        prop_assert_eq!(Reader::new(&bytes).compact_size(), Ok(value));
    }
}
