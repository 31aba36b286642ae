//! Addresses against BIP173 and a second encoder.

use super::*;

const CHARSET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// BIP173 once more, as its text describes it.
fn bech32_by_hand(prefix: &str, program: &[u8; 32]) -> String {
    let mut words = vec![0];
    let bits: Vec<u8> =
        program.iter().flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1)).collect();
    words.extend(
        bits.chunks(5)
            .map(|five| five.iter().fold(0, |word, bit| word << 1 | bit) << (5 - five.len())),
    );
    let mut values: Vec<u8> = prefix.bytes().map(|c| c >> 5).collect();
    values.push(0);
    values.extend(prefix.bytes().map(|c| c & 31));
    values.extend(&words);
    values.extend([0; 6]);
    let polymod = values.iter().fold(1_u32, |sum, value| {
        let generator = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(*value);
        (0..5).filter(|i| sum >> 25 >> i & 1 == 1).fold(next, |sum, i| sum ^ generator[i])
    }) ^ 1;
    words.extend((0..6).map(|i| (polymod >> (5 * (5 - i)) & 31).to_le_bytes()[0]));
    let text: String = words.iter().map(|word| char::from(CHARSET[usize::from(*word)])).collect();
    format!("{prefix}1{text}")
}

fn prefix(text: &str) -> Prefix {
    text.parse().expect("a prefix")
}

#[test]
fn printed_as_bip173_says() {
    for (text, key) in [("lpw", secret().public_key()), ("a", PubKey([0xff; 32]))] {
        let printed = Address { prefix: prefix(text), key }.to_string();
        assert_eq!(printed, bech32_by_hand(text, &key.0));
    }
    // From BIP173's list of valid addresses: version 0 with 32 bytes, which as a key are no point.
    let program = "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262";
    let key: PubKey = program.parse().expect("32 bytes");
    let text = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7";
    assert_eq!(Address { prefix: prefix("tb"), key }.to_string(), text);
    let expected = key.check().map_err(AddressError::Key).map(|()| key);
    assert_eq!(text.parse().map(|address: Address| address.key), expected);
}

#[test]
fn read_back_in_either_case() {
    for seed in 0..50 {
        let key = SecretKey::from_seed(&[seed; 32]).public_key();
        let address = Address { prefix: prefix("lpw"), key };
        let text = address.to_string();
        assert_eq!(text.parse(), Ok(address));
        assert_eq!(text.to_uppercase().parse(), Ok(address));
        assert_eq!(Address::parse_for(prefix("lpw"), &text), Ok(key));
        let other = Address::parse_for(prefix("tpw"), &text);
        assert!(matches!(other, Err(AddressError::OtherChain { .. })));
    }
}

/// Any one character wrong, and any two swapped, is a checksum error or worse (BIP173 promises up to
/// four wrong ones).
#[test]
fn typing_errors_are_found() {
    let address = Address { prefix: prefix("lpw"), key: secret().public_key() };
    let text = address.to_string();
    let start = "lpw1".len();
    for at in start..text.len() {
        for wrong in CHARSET.iter().filter(|wrong| **wrong != text.as_bytes()[at]) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = *wrong;
            let wrong = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(wrong.parse::<Address>(), Err(AddressError::Checksum), "{wrong}");
        }
        if at + 1 < text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes.swap(at, at + 1);
            let swapped = String::from_utf8(bytes).expect("ASCII");
            let expected = if swapped == text { Ok(address) } else { Err(AddressError::Checksum) };
            assert_eq!(swapped.parse::<Address>(), expected);
        }
    }
}

#[test]
fn bip173_invalid_addresses_are_refused() {
    let cases = [
        // Valid for Bitcoin, but not a key: 20 bytes, witness version 1 with 40 and 2 with 16.
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "NotAKey"),
        ("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx", "NotAKey"),
        ("bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj", "NotAKey"),
        // Its list of invalid ones.
        ("tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", "NotAKey"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "Checksum"),
        ("BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", "NotAKey"),
        ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "NotAKey"),
        ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7", "MixedCase"),
        ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv", "NotAKey"),
        ("bc1gmk9yu", "NotAKey"),
        // Texts that are no bech32 at all.
        ("", "NoSeparator"),
        ("pzry9x0s0muk", "NoSeparator"),
        ("x1b4n0q5v", "Character('b')"),
        ("lpw1é", "Character"),
    ];
    for (text, expected) in cases {
        let error = format!("{:?}", text.parse::<Address>().expect_err("refused"));
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let long = "a".repeat(91);
    assert_eq!(long.parse::<Address>(), Err(AddressError::TooLong(91)));
}

#[test]
fn keys_that_may_not_be_paid_have_no_address() {
    let text = Address { prefix: prefix("lpw"), key: PubKey([0; 32]) }.to_string();
    assert_eq!(text.parse::<Address>(), Err(AddressError::Key(KeyError::SmallOrder)));
}

#[test]
fn prefixes_are_plain() {
    assert_eq!(prefix("pw2").to_string(), "pw2");
    for bad in ["", "PW", "p w", "abcdefghijk", "é", "p-w"] {
        assert!(bad.parse::<Prefix>().is_err(), "{bad:?}");
    }
}
