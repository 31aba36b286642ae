//! Headers for tests: real ones, mined ones, and a second opinion on their validity that shares no code
//! with the library: rust-bitcoin's arithmetic and the rules written down again, one after another.
#![allow(dead_code, reason = "each test binary uses a part")]

use bitcoin::consensus::Params;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{CompactTarget as Bits, Network, Target};

use proofward::consensus::difficulty::{Difficulty, Epochs};
use proofward::consensus::{ChainSpec, Rule};
use proofward::engine::verify::{Failure, Report, Run, Verdict, Verifier};
use proofward::fuzzing::forge::SplitMix64;
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;
use proofward::primitives::{BlockHash, CompactTarget, Header, HeaderBytes, MerkleRoot};

pub(crate) fn headers_of(bytes: &[u8]) -> Vec<HeaderBytes> {
    let (headers, rest) = bytes.as_chunks::<80>();
    assert!(rest.is_empty(), "whole headers");
    headers.to_vec()
}

pub(crate) fn header_of(hex80: &str) -> HeaderBytes {
    let mut header = [0; 80];
    hex::decode_to_slice(hex80, &mut header).expect("160 hex digits");
    header
}

/// Headers of a file of the real-world data.
pub(crate) fn real_headers(name: &str) -> Option<Vec<HeaderBytes>> {
    let path = crate::common::data(&format!("headers/{name}"))?;
    Some(headers_of(&std::fs::read(path).expect("a readable file")))
}

/// Rows of a table of the real-world data; no field of these tables holds a comma.
pub(crate) fn real_rows(name: &str) -> Option<Vec<Row>> {
    let path = crate::common::data(&format!("headers/{name}"))?;
    let text = std::fs::read_to_string(path).expect("a readable file");
    let mut lines = text.lines();
    let names: Vec<String> = lines.next().expect("a head").split(',').map(str::to_owned).collect();
    let row = |line: &str| {
        let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        assert_eq!(fields.len(), names.len(), "{line}");
        Row(names.iter().cloned().zip(fields).collect())
    };
    Some(lines.map(row).collect())
}

/// One row of a table, by column.
pub(crate) struct Row(std::collections::BTreeMap<String, String>);

impl Row {
    pub(crate) fn text(&self, column: &str) -> &str {
        &self.0[column]
    }

    pub(crate) fn number(&self, column: &str) -> u64 {
        self.text(column).parse().expect("a number")
    }
}

pub(crate) fn kernels() -> impl Iterator<Item = Kernel> {
    Kernel::available(Algorithm::Sha256d)
}

pub(crate) fn verifier(threads: usize) -> Verifier {
    let kernel = kernels().next().expect("the portable row");
    Verifier::new(kernel, threads.try_into().expect("not zero")).expect("threads")
}

/// The verdict on a run from height 0.
pub(crate) fn verdict(spec: &ChainSpec, headers: &[HeaderBytes]) -> Verdict {
    verifier(2).verify(&Run::from_height(spec, 0), headers).expect("headers")
}

pub(crate) fn report(verdict: Verdict) -> Report {
    match verdict {
        Verdict::Valid(report) => report,
        Verdict::Invalid(failure) => panic!("invalid: {failure:?}"),
    }
}

pub(crate) fn failure(verdict: Verdict) -> Failure {
    match verdict {
        Verdict::Invalid(failure) => failure,
        Verdict::Valid(report) => panic!("valid: {report:?}"),
    }
}

/// Height and rule of a failure, or the work: what two opinions are compared by.
pub(crate) fn outcome(verdict: &Verdict) -> Result<String, (u64, &'static str)> {
    match verdict {
        Verdict::Valid(report) => Ok(report.chain_work.to_string()),
        Verdict::Invalid(failure) => Err((failure.height, failure.violation.rule().name())),
    }
}

pub(crate) fn hash_of(header: &HeaderBytes) -> BlockHash {
    BlockHash(sha256d::Hash::hash(header).to_byte_array())
}

/// Finds a nonce for the header's own nBits, which must be easy.
pub(crate) fn solve(header: &mut Header) -> HeaderBytes {
    let target = header.bits.to_target().expect("a target");
    loop {
        let bytes = header.encode();
        if target.is_met_by(&hash_of(&bytes).0) {
            return bytes;
        }
        header.nonce = header.nonce.wrapping_add(1);
    }
}

/// A chain on Bitcoin's rules with epochs of 16 blocks and a limit of some thousand hashes, so that
/// retargets can be mined, and low enough that Bitcoin Core's product of target and timespan fits 256
/// bits; with or without testnet's exception.
pub(crate) fn short_epochs(limit_after_seconds: Option<u32>) -> ChainSpec {
    let difficulty = Difficulty::Epochs(Epochs {
        interval_blocks: 16,
        timespan_seconds: 16 * 10,
        limit_after_seconds,
    });
    let mut spec = ChainSpec {
        name: "short epochs",
        difficulty,
        limit: CompactTarget(0x1f3f_ffff).to_target().expect("a target"),
        ..ChainSpec::regtest()
    };
    spec.genesis = Some(hash_of(&genesis(&spec)));
    spec
}

/// Regtest's genesis block with the limit of `spec` as its target.
fn genesis(spec: &ChainSpec) -> HeaderBytes {
    let regtest = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3ed\
        fd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000";
    let mut header = Header::decode(&header_of(regtest));
    header.bits = spec.limit.to_compact_lossy();
    solve(&mut header)
}

/// A genesis block and `count - 1` headers on top, valid under `spec`, with uneven times.
pub(crate) fn mined(spec: &ChainSpec, count: usize, seed: u64) -> Vec<HeaderBytes> {
    let opinion = Opinion::new(spec);
    let mut random = SplitMix64::new(seed);
    let mut chain = vec![genesis(spec)];
    let mut header = Header::decode(&chain[0]);
    let mut latest = header.time;
    while chain.len() < count {
        header.version = 0x2000_0000;
        header.prev_block = hash_of(chain.last().expect("genesis"));
        header.merkle_root = MerkleRoot([u8::try_from(random.index(256)).expect("a byte"); 32]);
        let median = opinion.median(&chain);
        // Around the pace of 10 s, sometimes before the parent, sometimes after a long gap.
        header.time = match random.below(8) {
            0 => median + 1,
            gap => {
                latest += if gap == 1 { 30 } else { 7 + random.number(6) };
                latest
            }
        };
        header.bits = opinion.bits(&chain, header.time);
        chain.push(solve(&mut header));
    }
    chain
}

/// The second opinion: slow, in rust-bitcoin's terms.
pub(crate) struct Opinion<'a> {
    spec: &'a ChainSpec,
    params: Params,
    epochs: Option<Epochs>,
}

impl<'a> Opinion<'a> {
    pub(crate) fn new(spec: &'a ChainSpec) -> Self {
        let mut params = Params::new(Network::Bitcoin);
        params.max_attainable_target = Target::from_le_bytes(spec.limit.0.to_le_bytes());
        let epochs = match spec.difficulty {
            Difficulty::Epochs(epochs) => {
                params.pow_target_timespan = epochs.timespan_seconds.into();
                params.pow_target_spacing =
                    u64::from(epochs.timespan_seconds / epochs.interval_blocks);
                Some(epochs)
            }
            _ => None,
        };
        Self { spec, params, epochs }
    }

    pub(crate) fn median(&self, before: &[HeaderBytes]) -> u32 {
        let mut times: Vec<u32> =
            before.iter().rev().take(11).map(|header| Header::decode(header).time).collect();
        times.sort_unstable();
        times[times.len() / 2]
    }

    pub(crate) fn bits(&self, before: &[HeaderBytes], time: u32) -> CompactTarget {
        let limit = self.params.max_attainable_target.to_compact_lossy();
        let parent = Header::decode(before.last().expect("genesis"));
        let parent_bits = Bits::from_consensus(parent.bits.0);
        let bits = match self.epochs {
            None => limit,
            Some(epochs) => {
                let interval = epochs.interval_blocks as usize;
                let height = before.len();
                if height.is_multiple_of(interval) {
                    let first = Header::decode(&before[height - interval]);
                    let timespan = i64::from(parent.time) - i64::from(first.time);
                    let timespan = u64::try_from(timespan).unwrap_or(0);
                    Bits::from_next_work_required(parent_bits, timespan, &self.params)
                } else if let Some(seconds) = epochs.limit_after_seconds {
                    if u64::from(time) > u64::from(parent.time) + u64::from(seconds) {
                        limit
                    } else {
                        let mut at = height - 1;
                        let bits_at = |at: usize| Header::decode(&before[at]).bits.0;
                        while !at.is_multiple_of(interval) && bits_at(at) == limit.to_consensus() {
                            at -= 1;
                        }
                        Bits::from_consensus(bits_at(at))
                    }
                } else {
                    parent_bits
                }
            }
        };
        CompactTarget(bits.to_consensus())
    }

    /// The verdict on a run from genesis: its work, or the first bad height and rule.
    pub(crate) fn outcome(
        &self,
        headers: &[HeaderBytes],
        now: Option<i64>,
    ) -> Result<String, (u64, &'static str)> {
        self.first_bad(headers, 0, now).map_or(Ok(()), Err)?;
        let works = headers.iter().map(|header| {
            let bits = Bits::from_consensus(Header::decode(header).bits.0);
            Target::from_compact(bits).to_work()
        });
        let none = bitcoin::Work::from_le_bytes([0; 32]);
        Ok(works.fold(none, |sum, work| sum + work).to_string())
    }

    /// The first bad height and rule at or above `from`; the headers below are known to be good.
    pub(crate) fn first_bad(
        &self,
        headers: &[HeaderBytes],
        from: usize,
        now: Option<i64>,
    ) -> Option<(u64, &'static str)> {
        (from..headers.len()).find_map(|height| {
            let rule = self.rule(&headers[..height], &headers[height], now)?;
            Some((height as u64, rule.name()))
        })
    }

    /// The first rule that a header breaks after those before it, all the way from genesis.
    fn rule(&self, before: &[HeaderBytes], bytes: &HeaderBytes, now: Option<i64>) -> Option<Rule> {
        let header = Header::decode(bytes);
        let hash = hash_of(bytes);
        let bits = header.bits.0;
        let target = Target::from_compact(Bits::from_consensus(bits));
        // rust-bitcoin knows no sign and shifts overflow out.
        let (exponent, mantissa) = (bits >> 24, bits & 0x00ff_ffff);
        let is_negative = mantissa & 0x0080_0000 != 0;
        let overflows =
            exponent > 32 && u64::from(mantissa) << (8 * (exponent.min(36) - 32)) > 0xff_ffff;
        if is_negative
            || overflows
            || target > self.params.max_attainable_target
            || !target.is_met_by(bitcoin::BlockHash::from_byte_array(hash.0))
        {
            return Some(Rule::HighHash);
        }
        let height = before.len();
        let Some(parent_bytes) = before.last() else {
            return (self.spec.genesis != Some(hash)).then_some(Rule::BadPrevblk);
        };
        if header.prev_block != hash_of(parent_bytes) {
            return Some(Rule::BadPrevblk);
        }
        if bits != self.bits(before, header.time).0 {
            return Some(Rule::BadDiffbits);
        }
        if header.time <= self.median(before) {
            return Some(Rule::TimeTooOld);
        }
        if let Some(epochs) = self.epochs {
            let interval = epochs.interval_blocks as usize;
            let parent = Header::decode(parent_bytes);
            if let Some(seconds) = self.spec.timewarp_seconds_max
                && height.is_multiple_of(interval)
                && u64::from(header.time) + u64::from(seconds) < u64::from(parent.time)
            {
                return Some(Rule::TimeTimewarpAttack);
            }
            if self.spec.epoch_not_negative
                && height % interval == interval - 1
                && header.time < Header::decode(&before[height + 1 - interval]).time
            {
                return Some(Rule::TimeNegativeInterval);
            }
        }
        if now.is_some_and(|now| i64::from(header.time) > now + 7200) {
            return Some(Rule::TimeTooNew);
        }
        let floors = &self.spec.version_floors;
        let is_old = floors
            .iter()
            .any(|floor| height as u64 >= floor.from_height && header.version < floor.version);
        is_old.then_some(Rule::BadVersion)
    }
}
