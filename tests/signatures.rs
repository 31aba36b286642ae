//! Keys and signatures against published vectors, one by one and in batches, and the attacks on them.
//!
//! `PROOFWARD_SIGNATURE_POSITIONS=all` puts every vector at every position of a batch of 256 (minutes
//! to an hour) instead of eleven positions of a batch of 64.
#![cfg(feature = "ledger")]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_zebra::{Signature, SigningKey, VerificationKey, VerificationKeyBytes, batch};
use proofward::engine::pool::Pool;
use proofward::hash::blake3::Stream;
use proofward::hash::sha256::sha256d;
use proofward::hash::tagged::Tag;
use proofward::ledger::signature::{
    BATCH_MAX, BadSignature, Curve, KeyCache, KeyError, PubKey, Sig, Signed, backend, verify_all,
    verify_batch,
};
use serde_json::Value;
use sha2::{Digest as _, Sha512};

/// The order of the group, little-endian (RFC 8032, section 5.1).
const L: [u8; 32] = {
    let mut l = [0; 32];
    let low = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14,
    ];
    let mut i = 0;
    while i < low.len() {
        l[i] = low[i];
        i += 1;
    }
    l[31] = 0x10;
    l
};

struct Vector {
    name: String,
    key: PubKey,
    sig: Sig,
    message: Vec<u8>,
    is_valid: bool,
}

impl Vector {
    fn signed(&self) -> Signed<'_> {
        Signed { key: self.key, sig: self.sig, message: &self.message }
    }
}

fn vectors_dir() -> Option<PathBuf> {
    let Some(root) = std::env::var_os("PROOFWARD_DATA") else {
        println!("skipped: PROOFWARD_DATA is not set");
        return None;
    };
    Some(Path::new(&root).join("vectors/ed25519"))
}

fn read(dir: &Path, name: &str) -> Value {
    let bytes = std::fs::read(dir.join(name)).expect("a readable file of vectors");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn vector(name: String, key: &str, sig: &str, message: Vec<u8>, is_valid: bool) -> Vector {
    let key = key.parse().expect("a key of 32 bytes");
    Vector { name, key, sig: sig.parse().expect("64 bytes"), message, is_valid }
}

/// By CCTV's flags: the variants whose hash took a re-encoded key or R fail, unless the key has no
/// part outside the small subgroup.
fn cctv(dir: &Path) -> Vec<Vector> {
    let file = read(dir, "cctv_ed25519vectors.json");
    let vectors = file.as_array().expect("a list").iter().map(|case| {
        let has = |flag: &str| list(case, "flags").iter().any(|have| have == flag);
        let is_valid = !has("reencoded_k") || has("low_order_A");
        let name = format!("cctv {}", case["number"]);
        vector(name, text(case, "key"), text(case, "sig"), text(case, "msg").into(), is_valid)
    });
    vectors.collect()
}

fn zip215(dir: &Path) -> Vec<Vector> {
    let file = read(dir, "zip215_196.json");
    let message = text(&file, "message_ascii");
    let vectors = list(&file, "cases").iter().enumerate().map(|(i, case)| {
        let name = format!("zip215 {i}");
        vector(name, text(case, "vk"), text(case, "sig"), message.into(), true)
    });
    vectors.collect()
}

/// The vectors whose signature has 64 bytes, and how many have another length and are labelled invalid.
fn wycheproof(dir: &Path) -> (Vec<Vector>, usize) {
    let file = read(dir, "wycheproof_ed25519_test.json");
    let (mut vectors, mut other_lengths) = (Vec::new(), 0);
    for group in list(&file, "testGroups") {
        for case in list(group, "tests") {
            let is_valid = text(case, "result") == "valid" || case["tcId"] == 151;
            if text(case, "sig").parse::<Sig>().is_err() {
                assert!(!is_valid, "a valid signature of another length");
                other_lengths += 1;
                continue;
            }
            let name = format!("wycheproof {}", case["tcId"]);
            let message = hex::decode(text(case, "msg")).expect("hex");
            let key = text(&group["publicKey"], "pk");
            vectors.push(vector(name, key, text(case, "sig"), message, is_valid));
        }
    }
    (vectors, other_lengths)
}

fn speccheck(dir: &Path) -> Vec<Vector> {
    let file = read(dir, "speccheck_cases.json");
    let vectors = file.as_array().expect("a list").iter().enumerate().map(|(i, case)| {
        let message = hex::decode(text(case, "message")).expect("hex");
        let is_valid = !(6..=8).contains(&i);
        let name = format!("speccheck {i}");
        vector(name, text(case, "pub_key"), text(case, "signature"), message, is_valid)
    });
    vectors.collect()
}

fn every_vector(dir: &Path) -> Vec<Vector> {
    [cctv(dir), zip215(dir), wycheproof(dir).0, speccheck(dir)].into_iter().flatten().collect()
}

/// Good signatures, each by its own key over its own 32 bytes.
fn good(seed: u64, count: usize, signers: usize) -> Vec<Vector> {
    let make = |i: usize| {
        let mut secret = [0; 32];
        Stream::new("test keys", &[seed, (i % signers) as u64].map(u64::to_le_bytes).concat())
            .fill(&mut secret);
        let secret = SigningKey::from(secret);
        let message = sha256d(&[seed, i as u64].map(u64::to_le_bytes).concat());
        let key = PubKey(VerificationKeyBytes::from(&secret).into());
        let sig = Sig(secret.sign(&message).to_bytes());
        Vector { name: format!("good {i}"), key, sig, message: message.into(), is_valid: true }
    };
    (0..count).map(make).collect()
}

fn pool(threads: usize) -> Pool {
    Pool::new(NonZeroUsize::new(threads).expect("not zero")).expect("threads")
}

fn check_counts(vectors: &[Vector], total: usize, valid: usize) {
    assert_eq!(vectors.len(), total);
    for vector in vectors {
        assert_eq!(vector.signed().is_valid(), vector.is_valid, "{}", vector.name);
        let alone = verify_batch(&[vector.signed()]);
        assert_eq!(alone.is_ok(), vector.is_valid, "{} as a batch of one", vector.name);
    }
    assert_eq!(vectors.iter().filter(|vector| vector.is_valid).count(), valid);
}

#[test]
fn cctv_914_singly() {
    let Some(dir) = vectors_dir() else { return };
    check_counts(&cctv(&dir), 914, 826);
}

#[test]
fn zip215_196_singly() {
    let Some(dir) = vectors_dir() else { return };
    check_counts(&zip215(&dir), 196, 196);
}

#[test]
fn wycheproof_151_singly() {
    let Some(dir) = vectors_dir() else { return };
    let (vectors, other_lengths) = wycheproof(&dir);
    println!("{other_lengths} of 151 have not 64 bytes: refused before any arithmetic");
    check_counts(&vectors, 151 - other_lengths, vectors.iter().filter(|v| v.is_valid).count());
    assert_eq!(other_lengths, 12);
}

#[test]
fn speccheck_12_singly() {
    let Some(dir) = vectors_dir() else { return };
    check_counts(&speccheck(&dir), 12, 9);
}

#[test]
fn a31_batch_agrees_with_single() {
    let Some(dir) = vectors_dir() else { return };
    let every = std::env::var("PROOFWARD_SIGNATURE_POSITIONS").is_ok_and(|value| value == "all");
    let len = if every { 256 } else { 64 };
    let good = good(31, len, len);
    let vectors = every_vector(&dir);
    let batches = AtomicUsize::new(0);
    let caches: Vec<_> =
        Curve::available().map(|curve| (curve, cache_of(1 << 12, curve))).collect();
    assert!(caches.len() >= 2, "the library and one lane at least");
    pool(std::thread::available_parallelism().map_or(1, NonZeroUsize::get)).for_each(
        vectors.len(),
        |i| {
            let vector = &vectors[i];
            let mut positions: Vec<usize> = (0..len).collect();
            if !every {
                let mut seeded = [0; 8];
                Stream::new("test positions", &i.to_le_bytes()).fill(&mut seeded);
                positions = vec![0, len / 2, len - 1];
                positions.extend(seeded.map(|byte| usize::from(byte) % len));
            }
            let mut batch: Vec<Signed<'_>> = good.iter().map(Vector::signed).collect();
            for (nth, position) in positions.into_iter().enumerate() {
                batch[position] = vector.signed();
                let expected =
                    if vector.is_valid { Ok(()) } else { Err(BadSignature { index: position }) };
                for (curve, cache) in &caches {
                    // What is not used here has to do with three positions.
                    if nth < 3 || *curve == Curve::best() {
                        let found = cache.verify_batch(&batch);
                        assert_eq!(found, expected, "{} at {position}, {curve}", vector.name);
                        batches.fetch_add(1, Ordering::Relaxed);
                    }
                }
                batch[position] = good[position].signed();
            }
        },
    );
    let curves: Vec<_> = caches.iter().map(|(curve, _)| curve.to_string()).collect();
    let (vectors, batches) = (vectors.len(), batches.into_inner());
    println!("{vectors} vectors, {batches} batches of {len}, {}, {}", curves.join(", "), backend());
}

#[test]
fn a31_mixes_give_the_first_bad_one_whatever_the_threads() {
    let Some(dir) = vectors_dir() else { return };
    let vectors = every_vector(&dir);
    let few = good(311, 1500, 20);
    let pools = [1, 2, 3].map(pool);
    let many = |keys| Curve::available().map(move |curve| cache_of(keys, curve));
    let caches: Vec<_> =
        [1, 7].map(|keys| cache_of(keys, Curve::best())).into_iter().chain(many(1 << 17)).collect();
    for seed in 0..12_u64 {
        let mut random = Stream::new("test mixes", &seed.to_le_bytes());
        let mut number = |below: usize| {
            let mut bytes = [0; 8];
            random.fill(&mut bytes);
            usize::try_from(u64::from_le_bytes(bytes) % below as u64).expect("below a usize")
        };
        // Odd sizes around one batch, and more than two.
        let len = [1, 3, 63, BATCH_MAX - 1, BATCH_MAX, BATCH_MAX + 1, 1499][number(7)];
        let mut mix: Vec<&Vector> = few[..len].iter().collect();
        for _ in 0..number(6) {
            let at = number(len);
            mix[at] = &vectors[number(vectors.len())];
        }
        let expected = match mix.iter().position(|vector| !vector.is_valid) {
            Some(index) => Err(BadSignature { index }),
            None => Ok(()),
        };
        let mix: Vec<Signed<'_>> = mix.into_iter().map(Vector::signed).collect();
        assert_eq!(verify_batch(&mix), expected, "seed {seed}");
        // Keys of earlier mixes are known, forgotten, or on their way out.
        for cache in &caches {
            assert_eq!(cache.verify_batch(&mix), expected, "seed {seed}, {cache:?}");
        }
        for pool in &pools {
            let threads = pool.threads();
            assert_eq!(verify_all(pool, &mix), expected, "seed {seed}, {threads} threads");
        }
    }
}

/// One signature of each kind in which verifiers differ: by a key or with an R that has a component of
/// small order, written canonically or not; valid by ZIP-215 unless it is spoilt.
fn odd(random: &mut Stream, kind: u8) -> Vector {
    let mut scalar = || {
        let mut bytes = [0; 64];
        random.fill(&mut bytes);
        Scalar::from_bytes_mod_order_wide(&bytes)
    };
    let (secret, nonce) = (scalar(), scalar());
    let torsion = EIGHT_TORSION[usize::from(kind % 8)];
    let shifts = kind / 8;
    let base = |scalar: Scalar| EdwardsPoint::mul_base(&scalar);
    let key = match shifts % 3 {
        0 => base(secret) + torsion,
        1 => base(secret),
        // A key of small order, that anybody can sign for.
        _ => torsion,
    };
    let encodings = small_order_encodings();
    let (r, nonce) = match shifts % 5 {
        0 => ((base(nonce) + torsion).compress().0, nonce),
        1 => (base(nonce).compress().0, nonce),
        _ => (encodings[usize::from(kind) % encodings.len()], Scalar::ZERO),
    };
    let secret = if shifts % 3 == 2 { Scalar::ZERO } else { secret };
    let key = PubKey(key.compress().0);
    let message = vec![kind; usize::from(kind % 7)];
    let k = Sha512::new().chain_update(r).chain_update(key.0).chain_update(&message).finalize();
    let s = nonce + Scalar::from_bytes_mod_order_wide(&k.into()) * secret;
    let sig = Sig([r, s.to_bytes()].concat().try_into().expect("64 bytes"));
    Vector { name: format!("kind {kind}"), key, sig, message, is_valid: true }
}

#[test]
fn a31_odd_signatures_are_judged_as_zebra_judges_them() {
    let caches: Vec<_> = Curve::available().map(|curve| cache_of(16, curve)).collect();
    let mut refused = 0;
    for seed in 0..120_u64 {
        let mut random = Stream::new("test odd signatures", &seed.to_le_bytes());
        let mut bytes = [0; 64];
        random.fill(&mut bytes);
        let len = 1 + usize::from(bytes[0] % 40);
        let mut vectors: Vec<_> =
            bytes[1..=len].iter().map(|kind| odd(&mut random, *kind)).collect();
        assert!(vectors.iter().all(zebra_accepts), "seed {seed}");
        // Up to two of them are spoilt: in R, in S, in the message.
        for spoilt in 0..bytes[63] % 3 {
            let vector = &mut vectors[usize::from(bytes[62 - usize::from(spoilt)]) % len];
            match bytes[60 - usize::from(spoilt)] % 3 {
                0 => vector.sig.0[1] ^= 1,
                1 => vector.sig.0[33] ^= 1,
                _ => vector.message.push(0),
            }
        }
        let bad = vectors.iter().position(|vector| !zebra_accepts(vector));
        refused += usize::from(bad.is_some());
        let mut zebra = batch::Verifier::new();
        for vector in &vectors {
            let sig = Signature::from_bytes(&vector.sig.0);
            zebra.queue((VerificationKeyBytes::from(vector.key.0), sig, &vector.message));
        }
        let drawn = zebra.verify(Drawn(Stream::new("test zebra", &seed.to_le_bytes())));
        assert_eq!(drawn.is_ok(), bad.is_none(), "seed {seed}");
        let expected = bad.map_or(Ok(()), |index| Err(BadSignature { index }));
        let signed: Vec<_> = vectors.iter().map(Vector::signed).collect();
        assert_eq!(verify_batch(&signed), expected, "seed {seed}");
        for cache in &caches {
            assert_eq!(cache.verify_batch(&signed), expected, "seed {seed}, {cache:?}");
        }
        assert_eq!(verify_all(&pool(2), &signed), expected, "seed {seed}");
        let alone = signed.iter().position(|signed| !signed.is_valid());
        assert_eq!(alone, bad, "seed {seed}");
    }
    assert!((40..100).contains(&refused), "{refused} of 120 batches were refused");
}

fn cache_of(keys: usize, curve: Curve) -> KeyCache {
    KeyCache::with_generations_of(keys, curve)
}

fn zebra_accepts(vector: &Vector) -> bool {
    let key = VerificationKey::try_from(vector.key.0);
    let sig = Signature::from_bytes(&vector.sig.0);
    key.is_ok_and(|key| key.verify(&sig, &vector.message).is_ok())
}

/// Randomness for zebra's batch.
struct Drawn(Stream);

impl rand_core::TryRng for Drawn {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Drawn {}

#[test]
fn known_keys_are_bounded_and_judged_as_unknown_ones() {
    let caches: Vec<_> = Curve::available().map(|curve| cache_of(10, curve)).collect();
    let mut keys: Vec<_> = good(9, 100, 100).iter().map(|vector| vector.key).collect();
    keys.extend(small_order_encodings().into_iter().map(PubKey));
    keys.extend((0..100_u8).map(|i| PubKey(sha256d(&[i]))));
    let expected: Vec<_> = keys.iter().map(PubKey::check).collect();
    for cache in caches {
        for count in [1, 5, 100, keys.len()] {
            for _ in 0..2 {
                assert_eq!(cache.check_all(&pool(2), &keys[..count]), expected[..count]);
                assert!(cache.len() <= 20, "{cache:?}");
            }
        }
        for (key, expected) in keys.iter().zip(&expected) {
            assert_eq!(cache.check(key), *expected, "{cache:?}");
        }
        assert!(!cache.is_empty());
    }
}

#[test]
fn nothing_to_verify_is_valid() {
    assert_eq!(verify_batch(&[]), Ok(()));
    assert_eq!(verify_all(&pool(2), &[]), Ok(()));
}

#[test]
fn many_bad_signatures_give_the_first() {
    let mut vectors = good(7, 1100, 20);
    for vector in &mut vectors[3..] {
        vector.message[0] ^= 1;
    }
    let signed: Vec<_> = vectors.iter().map(Vector::signed).collect();
    assert_eq!(verify_batch(&signed), Err(BadSignature { index: 3 }));
    assert_eq!(verify_all(&pool(2), &signed), Err(BadSignature { index: 3 }));
}

#[test]
fn a32_s_plus_l_is_refused() {
    let vectors = good(32, 64, 64);
    for at in [0, 31, 63] {
        let mut malleated = vectors[at].sig;
        let mut carry = 0;
        for (byte, add) in malleated.0[32..].iter_mut().zip(L) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            [*byte, _] = sum.to_le_bytes();
            carry = sum >> 8;
        }
        assert_eq!(carry, 0, "S + L fits 32 bytes");
        let mut batch: Vec<_> = vectors.iter().map(Vector::signed).collect();
        assert!(batch[at].is_valid());
        batch[at].sig = malleated;
        assert!(!batch[at].is_valid());
        assert_eq!(verify_batch(&batch), Err(BadSignature { index: at }));
    }
}

/// Every encoding that decodes to a point of small order: the eight points, y also as y + p where that
/// fits 255 bits, with both signs.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut found = Vec::new();
    for point in EIGHT_TORSION {
        let mut y = point.compress().to_bytes();
        y[31] &= 0x7f;
        let mut encodings = vec![y];
        if y[0] < 19 && y[1..] == [0; 31] {
            let mut plus_p = [0xff; 32];
            plus_p[0] = 0xed + y[0];
            plus_p[31] = 0x7f;
            encodings.push(plus_p);
        }
        for encoding in encodings {
            for sign in [0, 0x80] {
                let mut encoding = encoding;
                encoding[31] |= sign;
                let decoded = CompressedEdwardsY(encoding).decompress();
                assert!(decoded.expect("a point").is_small_order());
                if !found.contains(&encoding) {
                    found.push(encoding);
                }
            }
        }
    }
    found
}

/// Were S not part of what the factors are drawn from, whoever can compute them could shift two S so that the
/// sum still holds.
#[test]
fn a31_factors_depend_on_every_s() {
    let mut vectors = good(36, 4, 1);
    let hash = |vector: &Vector| {
        let (r, _) = vector.sig.0.split_at(32);
        Sha512::new()
            .chain_update(r)
            .chain_update(vector.key.0)
            .chain_update(&vector.message)
            .finalize()
    };
    let hashes: Vec<u8> = vectors.iter().flat_map(hash).collect();
    let mut stream = Stream::new("proofward signature batch", &hashes);
    let factors = [(); 4].map(|()| {
        let mut bytes = [0; 16];
        stream.fill(&mut bytes);
        Scalar::from(u128::from_le_bytes(bytes))
    });
    for (at, shift) in [(0, factors[1]), (1, -factors[0])] {
        let s: [u8; 32] = vectors[at].sig.0[32..].try_into().expect("32 bytes");
        let s = Scalar::from_canonical_bytes(s).expect("a valid S") + shift;
        vectors[at].sig.0[32..].copy_from_slice(s.as_bytes());
    }
    let signed: Vec<_> = vectors.iter().map(Vector::signed).collect();
    for curve in Curve::available() {
        let found = cache_of(4, curve).verify_batch(&signed);
        assert_eq!(found, Err(BadSignature { index: 0 }), "{curve}");
    }
}

#[test]
fn a33_all_14_small_order_keys_are_refused() {
    let encodings = small_order_encodings();
    assert_eq!(encodings.len(), 14);
    let refused =
        |why| encodings.iter().filter(|encoding| PubKey(**encoding).check() == Err(why)).count();
    assert_eq!(refused(KeyError::SmallOrder), 8);
    assert_eq!(refused(KeyError::NonCanonical), 6);
}

#[test]
fn a34_non_canonical_keys_are_refused_but_verify() {
    // y = p + 3 .. 2^255 - 1 are the encodings of y = 3 .. 18 a second time.
    let (mut refused, mut decode) = (0, 0);
    for low in 0xed..=0xff_u8 {
        for sign in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            bytes[0] = low;
            bytes[31] = sign;
            assert_eq!(PubKey(bytes).check(), Err(KeyError::NonCanonical));
            refused += 1;
            decode += usize::from(CompressedEdwardsY(bytes).decompress().is_some());
        }
    }
    println!("{refused} encodings of y >= p, {decode} of them of a point");

    let Some(dir) = vectors_dir() else { return };
    let has_non_canonical_key =
        |vector: &Vector| vector.key.check() == Err(KeyError::NonCanonical) && vector.is_valid;
    let verify = cctv(&dir).iter().filter(|vector| has_non_canonical_key(vector)).count();
    assert!(verify > 0, "signatures follow ZIP-215, which accepts such keys");
}

#[test]
fn a35_swapped_signatures_are_both_refused() {
    let vectors = good(35, 64, 32);
    let mut batch: Vec<_> = vectors.iter().map(Vector::signed).collect();
    // The same signer, then different signers.
    for (a, b) in [(5, 37), (5, 40)] {
        (batch[a].sig, batch[b].sig) = (batch[b].sig, batch[a].sig);
        assert_eq!(verify_batch(&batch), Err(BadSignature { index: a }));
        let refused: Vec<usize> = (0..64).filter(|i| !batch[*i].is_valid()).collect();
        assert_eq!(refused, [a, b], "all others stay valid");
        let others: Vec<_> = (0..64).filter(|i| ![a, b].contains(i)).map(|i| batch[i]).collect();
        assert_eq!(verify_batch(&others), Ok(()));
        (batch[a].sig, batch[b].sig) = (batch[b].sig, batch[a].sig);
    }
    // The message of one under the key of another.
    (batch[5].key, batch[40].key) = (batch[40].key, batch[5].key);
    assert_eq!(verify_batch(&batch), Err(BadSignature { index: 5 }));
}

#[test]
fn a40_a_signature_serves_one_purpose() {
    let secret = SigningKey::from([40; 32]);
    let key = PubKey(VerificationKeyBytes::from(&secret).into());
    let data = [7; 80];
    let core = Tag::new("core").hash(&data);
    let sig = Sig(secret.sign(&core).to_bytes());
    assert!(Signed { key, sig, message: &core }.is_valid());
    // The same bytes as a transaction id, a login challenge, a header's hash, and themselves.
    let others = [Tag::new("tx").hash(&data), Tag::new("login").hash(&data), sha256d(&data)];
    for message in others {
        assert!(!Signed { key, sig, message: &message }.is_valid());
    }
    assert!(!Signed { key, sig, message: &data }.is_valid());
}

#[test]
fn text_of_keys_and_signatures_goes_both_ways() {
    let vector = &good(1, 1, 1)[0];
    assert_eq!(vector.key.to_string().parse(), Ok(vector.key));
    assert_eq!(vector.sig.to_string().parse(), Ok(vector.sig));
    for bad in ["", "00", "zz", &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
        assert!(bad.parse::<PubKey>().is_err(), "{bad:?}");
    }
    assert!(["avx512", "avx2", "serial"].contains(&backend()));
    println!("backend: {}", backend());
}
