//! Three opinions on the same input: the verifier, rust-bitcoin where it has the rule, and the naive rules
//! that were written apart. They agree on everything that is forged, at both sides of every boundary,
//! and on random headers and nBits. Where rust-bitcoin is known to differ, the test says so.

mod common;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use bitcoin::consensus::deserialize;
use bitcoin::hashes::Hash as _;
use bitcoin::params::Params;
use bitcoin::pow;
use proofward::consensus::block::Block;
use proofward::consensus::difficulty::{Difficulty, Epochs};
use proofward::consensus::{ChainSpec, VersionFloor};
use proofward::engine::verify::{BlockRun, BlockVerdict, Run, Verdict, Verifier};
use proofward::fuzzing::forge::{self, Case, Kind, SplitMix64, Variant};
use proofward::fuzzing::naive;
use proofward::hash::{Algorithm, hash_header};
use proofward::kernel::Kernel;
use proofward::primitives::{CompactTarget, Header, HeaderBytes, Target};

const SEEDS: u64 = 3;
const ONE: [u8; 32] = {
    let mut one = [0; 32];
    one[0] = 1;
    one
};

fn epochs(limit_after_seconds: Option<u32>) -> ChainSpec {
    let floors = [(2, 3), (3, 30), (4, 31)];
    ChainSpec {
        genesis: None,
        difficulty: Difficulty::Epochs(Epochs {
            interval_blocks: 20,
            timespan_seconds: 20 * 600,
            limit_after_seconds,
        }),
        version_floors: floors
            .map(|(version, from_height)| VersionFloor { version, from_height })
            .to_vec(),
        ..ChainSpec::regtest()
    }
}

/// Chains that together have every boundary.
fn specs() -> Vec<ChainSpec> {
    vec![
        ChainSpec::regtest(),
        ChainSpec::regtest().with_bip54(),
        epochs(None),
        epochs(None).with_bip54(),
        epochs(Some(1200)),
        ChainSpec { algorithm: Algorithm::Blake3, ..epochs(Some(1200)) },
        ChainSpec::none(Algorithm::Sha256d),
        ChainSpec::none(Algorithm::Blake3),
    ]
}

fn verifier(spec: &ChainSpec, threads: usize) -> Verifier {
    let kernel = Kernel::available(spec.algorithm).next().expect("portable is available");
    let threads = NonZeroUsize::new(threads).expect("at least one");
    Verifier::new(kernel, threads).expect("threads")
}

/// What a case should be called, as height and rule.
fn expected(variant: &Variant, case: &Case) -> Option<(u64, String)> {
    let height = case.height?;
    Some((height, variant.rule.to_owned()))
}

#[test]
fn all_agree_on_forged_header_runs() {
    let mut sides = BTreeSet::new();
    let mut runs = 0;
    for spec in specs() {
        let verifiers = [1, 3].map(|threads| verifier(&spec, threads));
        for variant in forge::variants().filter(|v| v.kind == Kind::Headers) {
            if !variant.applies_to(&spec) {
                continue;
            }
            sides.insert((variant.rule, variant.is_broken));
            for seed in 0..SEEDS {
                let case = variant.forge(&spec, seed);
                let what = format!("{} {} seed {seed}", spec.name, variant.name);
                let expected = expected(variant, &case);
                assert_eq!(expected.is_some(), variant.is_broken, "{what}");
                let (headers, []) = case.bytes.as_chunks::<80>() else { panic!("{what}") };

                let naively = naive::first_broken(&spec, headers, Some(case.now));
                let naively = naively.map(|(at, rule)| (at as u64, rule.to_owned()));
                assert_eq!(naively, expected, "naively: {what}");
                for verifier in &verifiers {
                    let run = Run::from_height(&spec, 0).with_now(case.now);
                    let ours = match verifier.verify(&run, headers).expect("headers") {
                        Verdict::Valid(report) => {
                            assert_eq!(report.count, headers.len() as u64, "{what}");
                            assert!(report.not_judged.is_empty(), "{what}: {report:?}");
                            None
                        }
                        Verdict::Invalid(failure) => {
                            let rule = failure.violation.rule().name();
                            Some((failure.height, rule.to_owned()))
                        }
                    };
                    assert_eq!(ours, expected, "{what}");
                }
                if spec.algorithm == Algorithm::Sha256d {
                    compare_with_rust_bitcoin(variant, &case, headers, &what);
                }
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
    for rule in proofward::consensus::Rule::ALL {
        for is_broken in [false, true] {
            assert!(sides.contains(&(rule.name(), is_broken)), "{rule}: one side is not forged");
        }
    }
}

/// rust-bitcoin knows links and work; it has no limit for headers, no median and no versions.
fn compare_with_rust_bitcoin(variant: &Variant, case: &Case, headers: &[HeaderBytes], what: &str) {
    let decoded: Vec<bitcoin::block::Header> =
        headers.iter().map(|bytes| deserialize(bytes).expect("80 bytes")).collect();
    for (at, header) in decoded.iter().enumerate() {
        let is_case = case.height == Some(at as u64);
        let has_work = header.validate_pow(header.target()).is_ok();
        if is_case && variant.rule == "high-hash" {
            // It wraps targets above 2^256 and knows no limit.
            if !variant.name.contains("overflow") && !variant.name.contains("limit") {
                assert!(!has_work, "rust-bitcoin: {what} height {at}");
            }
        } else {
            assert!(has_work, "rust-bitcoin: {what} height {at}");
        }
        let parent = at.checked_sub(1).map(|before| decoded[before].block_hash());
        let is_linked = parent.is_none_or(|hash| header.prev_blockhash == hash);
        let should_be = !(is_case && variant.rule == "bad-prevblk" && at > 0);
        assert_eq!(is_linked, should_be, "rust-bitcoin: {what} height {at}");
    }
}

#[test]
fn all_agree_on_forged_blocks() {
    let spec = ChainSpec::regtest();
    let verifier = verifier(&spec, 1);
    let mut blocks = 0;
    for variant in forge::variants().filter(|v| v.kind == Kind::Block) {
        for seed in 0..SEEDS {
            let case = variant.forge(&spec, seed);
            let what = format!("{} {} seed {seed}", variant.rule, variant.name);
            let run = BlockRun::new(&spec).from_height(1).with_now(case.now);
            match verifier.verify_block(&run, case.bytes.as_slice()).expect("a block's bytes") {
                BlockVerdict::Valid(_) => assert!(!variant.is_broken, "{what} is valid"),
                BlockVerdict::Invalid(failure) => {
                    assert!(variant.is_broken, "{what}: {failure:?}");
                    assert_eq!(failure.violation.rule(), variant.rule, "{what}");
                }
            }
            compare_block_with_rust_bitcoin(variant, &case, &what);
            blocks += 1;
        }
    }
    println!("{blocks} blocks");
}

fn compare_block_with_rust_bitcoin(variant: &Variant, case: &Case, what: &str) {
    let broken = |rule: &str| variant.is_broken && variant.rule == rule;
    let ours = Block::read(&case.bytes);
    let theirs = deserialize::<bitcoin::Block>(&case.bytes);
    assert_eq!(ours.is_err(), broken("block-decode-failed"), "{what}");
    // It decodes no transaction without inputs and outputs.
    if broken("bad-txns-vin-empty") {
        return;
    }
    assert_eq!(ours.is_err(), theirs.is_err(), "{what}: {:?}", theirs.err());
    let (Ok(ours), Ok(theirs)) = (ours, theirs) else { return };
    assert!(theirs.header.validate_pow(theirs.header.target()).is_ok(), "{what}");
    let txids: Vec<[u8; 32]> =
        theirs.txdata.iter().map(|body| body.compute_txid().to_byte_array()).collect();
    assert_eq!(ours.txids(), txids, "{what}");
    assert_eq!(ours.weight(), theirs.weight().to_wu(), "{what}");
    // It does not see repeated transactions: their root is the right one.
    let no_root = theirs.txdata.is_empty();
    assert_eq!(theirs.check_merkle_root(), !broken("bad-txnmrklroot") && !no_root, "{what}");
    let is_committed =
        !["bad-witness-nonce-size", "bad-witness-merkle-match", "unexpected-witness"]
            .into_iter()
            .any(broken);
    assert_eq!(theirs.check_witness_commitment(), is_committed, "{what}");
}

#[test]
fn a_seed_always_gives_the_same_bytes() {
    let spec = ChainSpec::regtest();
    let digest = |seed: u64| {
        let cases = forge::variants().filter(|variant| variant.applies_to(&spec));
        let bytes: Vec<u8> = cases.flat_map(|variant| variant.forge(&spec, seed).bytes).collect();
        hex::encode(proofward::hash::sha256::sha256(&bytes))
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
    // What everybody else gets; it changes when a variant does.
    let digest_of_seven = "3a348668e512e6c90299164e1917f6bf488b8203a281370c7e1c680b540e409b";
    assert_eq!(digest(7), digest_of_seven);
}

/// nBits of every length with mantissas at and around the edges, or random.
fn random_bits(random: &mut SplitMix64) -> CompactTarget {
    let edges = [0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x01_0000, 0x7f_ffff, 0x80_0000];
    let word = random.within(0, u32::MAX);
    let mantissa = match word % 3 {
        0 => edges[usize::try_from(word / 3 % 10).expect("a few")] | word & 0x80_0000,
        _ => word & 0xff_ffff,
    };
    let length = if word & 1 == 0 { random.within(0, 36) } else { random.within(0, 255) };
    CompactTarget(length << 24 | mantissa)
}

#[test]
fn all_agree_on_random_nbits() {
    let mut random = SplitMix64::new(0xb175);
    let (mut compared, mut valid) = (0, 0);
    for _ in 0..200_000 {
        let bits = random_bits(&mut random);
        let ours = bits.expand();
        let (magnitude, negative, overflow) = naive::expand(bits.0);
        let naively = (magnitude, negative, overflow);
        assert_eq!((ours.magnitude.to_le_bytes(), ours.negative, ours.overflow), naively, "{bits}");
        // rust-bitcoin has no verdict on overflow, and reads the sign as a digit where it is cut off.
        let is_cut_sign = bits.0 >> 24 < 3 && bits.0 & 0x80_0000 != 0;
        if overflow || is_cut_sign {
            continue;
        }
        let theirs = pow::Target::from_compact(pow::CompactTarget::from_consensus(bits.0));
        let magnitude = if negative { [0; 32] } else { magnitude };
        assert_eq!(theirs.to_le_bytes(), magnitude, "{bits}");
        compared += 1;
        if let Ok(target) = bits.to_target() {
            assert_eq!(target.work().0.to_le_bytes(), naive::work(&magnitude), "{bits}");
            // rust-bitcoin gives a target of one all the work there is; Bitcoin Core half of that.
            if magnitude != ONE {
                assert_eq!(theirs.to_work().to_le_bytes(), naive::work(&magnitude), "{bits}");
            }
            let compact = theirs.to_compact_lossy().to_consensus();
            assert_eq!(compact, target.to_compact_lossy().0, "{bits}");
            assert_eq!(compact, naive::compact(&magnitude), "{bits}");
            valid += 1;
        }
    }
    println!("{compared} nBits compared with rust-bitcoin, {valid} of them targets");
    assert!(valid > 20_000, "most nBits of random length are no targets, but not all: {valid}");
}

#[test]
fn all_agree_on_random_headers() {
    let mut random = SplitMix64::new(0x4ead);
    let kernels: Vec<Kernel> = Kernel::available(Algorithm::Sha256d).collect();
    let mut met = 0;
    for _ in 0..100 {
        let headers: Vec<HeaderBytes> = (0..1_000)
            .map(|_| {
                let mut header = [0; 80];
                header[..32].copy_from_slice(&random.bytes());
                header[32..64].copy_from_slice(&random.bytes());
                header[48..].copy_from_slice(&random.bytes());
                // Half of them easy enough to be met.
                if header[72] & 1 == 0 {
                    header[75] = 0x20;
                }
                header
            })
            .collect();
        let mut digests = vec![[0; 32]; headers.len()];
        let kernel = kernels[usize::try_from(random.within(0, 1_000)).unwrap() % kernels.len()];
        kernel.hash_headers(&headers, &mut digests);
        for (header, digest) in headers.iter().zip(&digests) {
            let theirs: bitcoin::block::Header = deserialize(header).expect("80 bytes");
            assert_eq!(theirs.block_hash().to_byte_array(), *digest);
            assert_eq!(hash_header(Algorithm::Sha256d, header), *digest);
            let ours = Header::decode(header);
            assert_eq!(theirs.version.to_consensus(), ours.version);
            assert_eq!((theirs.time, theirs.nonce), (ours.time, ours.nonce));
            let Ok(target) = ours.bits.to_target() else { continue };
            if ours.bits.0 >> 24 < 3 {
                continue;
            }
            let is_met = target.is_met_by(digest);
            assert_eq!(theirs.validate_pow(theirs.target()).is_ok(), is_met, "{ours:?}");
            assert_eq!(naive::is_at_most(digest, &target.0.to_le_bytes()), is_met);
            met += u32::from(is_met);
        }
    }
    assert!(met > 5_000, "both verdicts occur: {met} met");
}

/// The retarget of Bitcoin's epochs from random nBits and times: a target of 255 bits would wrap in
/// rust-bitcoin, as in Bitcoin Core.
#[test]
fn all_agree_on_random_retargets() {
    let mut random = SplitMix64::new(0x2016);
    let spec = ChainSpec::bitcoin();
    let Difficulty::Epochs(epochs) = spec.difficulty else { panic!("Bitcoin has epochs") };
    // Two headers are an epoch here, so that the naive rules need no more.
    let short = ChainSpec {
        difficulty: Difficulty::Epochs(Epochs { interval_blocks: 2, ..epochs }),
        ..spec.clone()
    };
    for _ in 0..20_000 {
        let bits =
            CompactTarget(random.within(0x04, 0x1c) << 24 | random.within(0x8000, 0x7f_ffff));
        let first = random.within(0, 2_000_000_000);
        // Around both clamps and far beyond, also backwards.
        let took = match random.within(0, 3) {
            0 => i64::from(random.within(302_000, 303_000)),
            1 => i64::from(random.within(4_838_000, 4_839_000)),
            2 => -i64::from(random.within(0, first)),
            _ => i64::from(random.within(0, 10_000_000)),
        };
        let last = u32::try_from(i64::from(first) + took).expect("32 bits");
        let ours = epochs.retarget(bits, first, last, spec.limit);
        let theirs = pow::CompactTarget::from_next_work_required(
            pow::CompactTarget::from_consensus(bits.0),
            u64::try_from(took).unwrap_or(0),
            &Params::BITCOIN,
        );
        assert_eq!(ours.0, theirs.to_consensus(), "{bits} {first} {last}");
        let mut past = [[0; 80]; 2];
        past[0][68..72].copy_from_slice(&first.to_le_bytes());
        past[1][68..72].copy_from_slice(&last.to_le_bytes());
        past[1][72..76].copy_from_slice(&bits.0.to_le_bytes());
        assert_eq!(naive::expected_bits(&short, &past, 0), Some(ours.0), "{bits} {first} {last}");
    }
}

#[test]
fn a20_foreign_blocks_decode_alike() {
    let Some(folder) = common::data("corpus/bitcoin_block") else { return };
    let (mut decoded, mut refused) = (0, 0);
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a readable file");
        let ours = Block::read(&bytes);
        match deserialize::<bitcoin::Block>(&bytes) {
            Ok(theirs) => {
                let ours = ours.unwrap_or_else(|why| panic!("{}: {why}", path.display()));
                assert_eq!(ours.txids().len(), theirs.txdata.len());
                assert_eq!(ours.weight(), theirs.weight().to_wu());
                decoded += 1;
            }
            Err(why) => {
                assert!(ours.is_err(), "{}: they say {why}", path.display());
                refused += 1;
            }
        }
    }
    println!("{decoded} decoded, {refused} refused");
    assert_eq!(decoded + refused, 359);
}

#[test]
fn targets_compare_alike_at_the_byte() {
    let mut random = SplitMix64::new(5);
    for _ in 0..20_000 {
        let target = random.bytes();
        let mut hash = target;
        let at = usize::try_from(random.within(0, 31)).unwrap();
        hash[at] = hash[at].wrapping_add_signed(i8::try_from(random.within(0, 2)).unwrap() - 1);
        let ours = Target::from_le_bytes(target).is_met_by(&hash);
        assert_eq!(ours, naive::is_at_most(&hash, &target));
        let theirs = pow::Target::from_le_bytes(target);
        let hash = bitcoin::BlockHash::from_byte_array(hash);
        assert_eq!(theirs.is_met_by(hash), ours);
    }
}
