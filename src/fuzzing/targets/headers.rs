//! Header runs: the batch verifier against the naive rules, on small chains of every kind.

use crate::consensus::difficulty::{Difficulty, Epochs};
use crate::consensus::{ChainSpec, VersionFloor};
use crate::engine::verify::{Run, Verdict, Verifier};
use crate::fuzzing::naive;
use crate::hash::{Algorithm, hash_header, meets_target};
use crate::kernel::Kernel;
use crate::primitives::codec::{DecodeError, Reader};
use crate::primitives::{CompactTarget, Digest, Header, HeaderBytes, MerkleRoot, Target, Work};

/// Enough for two batches of the verifier; a run that is longer repeats itself.
const HEADERS_MAX: usize = 700;
const START_TIME: u32 = 1_600_000_000;

/// The bytes describe a chain's rules, a clock and a run, header by header; the verifier must name the
/// same header and rule as the naive one, or the same work, also when it is given the first part of
/// the run as context. If the first byte is odd, the rest are raw headers for one of the presets.
///
/// # Panics
///
/// If the two disagree.
pub fn headers(data: &[u8]) {
    let mut reader = Reader::new(data);
    let Ok(kind) = reader.u8() else { return };
    if kind & 1 == 1 {
        let names = ChainSpec::NAMES;
        let name = names[usize::from(kind >> 1) % names.len()];
        let spec = ChainSpec::named(name).expect("one of the names");
        let (headers, _) = data[1..].as_chunks();
        compare(&spec, headers, Some(START_TIME.into()), 0);
        return;
    }
    let Ok((spec, now, split)) = read_chain(&mut reader) else { return };
    let mut headers = vec![first_header(&spec)];
    while headers.len() < HEADERS_MAX && extend(&mut headers, &spec, &mut reader).is_some() {}
    compare(&spec, &headers, now, split.into());
}

fn compare(spec: &ChainSpec, headers: &[HeaderBytes], now: Option<i64>, split: usize) {
    if headers.is_empty() {
        return;
    }
    let expected = naive::first_broken(spec, headers, now);
    // The parts before the split are context, which is trusted; so they must be in order.
    let split = split.min(headers.len() - 1).min(expected.map_or(usize::MAX, |(at, _)| at));
    let from = |height| match now {
        Some(now) => Run::from_height(spec, height).with_now(now),
        None => Run::from_height(spec, height),
    };
    for split in [0, split] {
        let height = u32::try_from(split).expect("a short run");
        let run = match split {
            0 => from(0),
            _ => from(height)
                .with_context(&headers[..split])
                .expect("the naive rules found the links in order"),
        };
        let kernel = Kernel::available(spec.algorithm).next().expect("there is always one");
        let verifier = Verifier::new(kernel, std::num::NonZeroUsize::MIN).expect("no thread");
        let verdict = verifier.verify(&run, &headers[split..]).expect("headers in memory");
        match (verdict, expected) {
            (Verdict::Invalid(failure), Some((at, rule))) => {
                assert_eq!((failure.height, failure.violation.rule().name()), (at as u64, rule));
            }
            (Verdict::Valid(report), None) => {
                assert_eq!(report.count, (headers.len() - split) as u64);
                assert_eq!(report.chain_work, work(&headers[split..]));
            }
            (verdict, expected) => panic!("{verdict:?} but naively {expected:?}"),
        }
    }
}

fn work(headers: &[HeaderBytes]) -> Work {
    let bits = headers.iter().map(|header| Header::decode(header).bits.0);
    bits.map(|bits| Work(Target::from_le_bytes(naive::work(&naive::expand(bits).0)).0)).sum()
}

/// Rules in any combination, with epochs of a few headers.
fn read_chain(reader: &mut Reader<'_>) -> Result<(ChainSpec, Option<i64>, u16), DecodeError> {
    let flags = reader.u8()?;
    let interval_blocks = u32::from(reader.u8()? % 40) + 1;
    let timespan_seconds = interval_blocks * 600;
    let limit_after_seconds = (flags & 4 != 0).then_some(1200);
    let epochs = Epochs { interval_blocks, timespan_seconds, limit_after_seconds };
    let bip54 = flags & 64 != 0;
    let spec = ChainSpec {
        algorithm: if flags & 128 != 0 { Algorithm::Blake3 } else { Algorithm::Sha256d },
        // So easy that almost every hash is work, and that a few retargets later some are not.
        limit: CompactTarget(0x2100_ffff).to_target().expect("a target below 2^256"),
        difficulty: match flags & 3 {
            0 => Difficulty::Any,
            1 => Difficulty::Limit,
            _ => Difficulty::Epochs(epochs),
        },
        median_time: flags & 8 == 0,
        future_seconds_max: (flags & 16 != 0).then_some(7200),
        version_floors: match flags & 32 {
            0 => Vec::new(),
            _ => [(2, 3), (3, 30), (4, 31)]
                .map(|(version, from_height)| VersionFloor { version, from_height })
                .to_vec(),
        },
        timewarp_seconds_max: bip54.then_some(600),
        epoch_not_negative: bip54,
        ..ChainSpec::none(Algorithm::Sha256d)
    };
    let now = i64::from(reader.u16()?.cast_signed()) * 64 + i64::from(START_TIME);
    let split = reader.u16()?;
    Ok((spec, (flags & 16 != 0).then_some(now), split))
}

fn first_header(spec: &ChainSpec) -> HeaderBytes {
    let header = Header {
        version: 4,
        prev_block: Default::default(),
        merkle_root: MerkleRoot::ZERO,
        time: START_TIME,
        bits: spec.limit.to_compact_lossy(),
        nonce: 0,
    };
    solved(spec, header).unwrap_or_else(|header| header)
}

/// Appends headers as the next six bytes say: what is odd about them, how many, seconds between them, a
/// word for whatever is odd. `None` if there are no six bytes, or if work is missing that should not be:
/// nothing after it counts.
fn extend(headers: &mut Vec<HeaderBytes>, spec: &ChainSpec, reader: &mut Reader<'_>) -> Option<()> {
    let (odd, count) = (reader.u8().ok()?, reader.u8().ok()?);
    let (seconds, word) = (reader.u16().ok()?.cast_signed(), reader.u16().ok()?);
    for _ in 0..=count {
        if headers.len() == HEADERS_MAX {
            break;
        }
        let parent = headers.last().expect("the first is there");
        let time = Header::decode(parent).time.wrapping_add_signed(seconds.into());
        let mut prev_block: Digest = hash_header(spec.algorithm, parent);
        let expected = naive::expected_bits(spec, headers, time);
        let mut bits = expected.unwrap_or(spec.limit.to_compact_lossy().0);
        let mut version = 4;
        if odd & 1 != 0 {
            prev_block[usize::from(word % 32)] ^= 1;
        }
        if odd & 2 != 0 {
            bits ^= u32::from(word) << (8 * (odd >> 6));
        }
        if odd & 4 != 0 {
            version = i32::from(word.cast_signed());
        }
        let header = Header {
            version,
            prev_block: crate::primitives::BlockHash(prev_block),
            merkle_root: MerkleRoot::ZERO,
            time,
            bits: CompactTarget(bits),
            nonce: u32::from(word),
        };
        if odd & 8 != 0 {
            headers.push(header.encode());
            continue;
        }
        match solved(spec, header) {
            Ok(header) => headers.push(header),
            Err(header) => {
                headers.push(header);
                return None;
            }
        }
    }
    Some(())
}

/// The header with the first of a few nonces that meets its own target, or with the last of them.
fn solved(spec: &ChainSpec, mut header: Header) -> Result<HeaderBytes, HeaderBytes> {
    const NONCES_MAX: u32 = 512;
    let target = Target::from_le_bytes(naive::expand(header.bits.0).0);
    for nonce in 0..NONCES_MAX {
        header.nonce = nonce;
        if meets_target(spec.algorithm, &header.encode(), &target).is_some() {
            return Ok(header.encode());
        }
    }
    Err(header.encode())
}
