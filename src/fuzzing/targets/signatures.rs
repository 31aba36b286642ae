//! Batches of signatures against judging them one by one.

use crate::ledger::signature::{BadSignature, Curve, KeyCache, PubKey, Sig, Signed};
use crate::primitives::codec::Reader;
use crate::wallet::{Purpose, SecretKey, Signer};

/// Soon judged alone.
const SIGNATURES_MAX: usize = 40;
/// So few that keys come and go within a batch.
const KEYS_KEPT: usize = 4;

/// A list of signatures, some made here and then spoilt where the input says, some the input's own bytes:
/// everything that adds up batches must name the first bad one that judging them alone finds, and refuse
/// the keys that decoding them alone refuses.
///
/// # Panics
///
/// If two disagree.
pub fn signature_batch(data: &[u8]) {
    let mut reader = Reader::new(data);
    let mut given = Vec::new();
    while given.len() < SIGNATURES_MAX {
        let Some(one) = read_one(&mut reader) else { break };
        given.push(one);
    }
    let signed: Vec<_> = given
        .iter()
        .map(|(key, sig, message)| Signed { key: *key, sig: *sig, message: message.as_slice() })
        .collect();
    let expected = match signed.iter().position(|signed| !signed.is_valid()) {
        Some(index) => Err(BadSignature { index }),
        None => Ok(()),
    };
    for curve in Curve::available() {
        let cache = KeyCache::with_generations_of(KEYS_KEPT, curve);
        // With keys that are not known, then with some that are.
        assert_eq!(cache.verify_batch(&signed), expected, "{curve}");
        assert_eq!(cache.verify_batch(&signed), expected, "{curve}");
        for (key, _, _) in &given {
            assert_eq!(cache.check(key), key.check(), "{curve}: {key}");
        }
    }
}

/// A byte says which: below 128 a signature by the key that the byte stands for, with one byte of it
/// changed; else the bytes of a key and a signature.
fn read_one(reader: &mut Reader<'_>) -> Option<(PubKey, Sig, [u8; 32])> {
    let [kind] = reader.array().ok()?;
    let [first] = reader.array().ok()?;
    let message = [first; 32];
    if kind >= 128 {
        let key = PubKey(reader.array().ok()?);
        return Some((key, Sig(reader.array().ok()?), message));
    }
    let secret = SecretKey::from_seed(&[kind; 32]);
    let mut key = secret.public_key();
    let mut sig = secret.sign(&message, Purpose::Core).expect("a key in memory signs");
    let [place, change] = reader.array().ok()?;
    match usize::from(place) {
        place @ 0..64 => sig.0[place] ^= change,
        place @ 64..96 => key.0[place - 64] ^= change,
        _ => {}
    }
    Some((key, sig, message))
}
