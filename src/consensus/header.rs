//! The header rules themselves: one function each, over what is known of a header's ancestors.

use super::difficulty::Difficulty;
use super::rule::{Rule, RuleSet, Violation};
use super::spec::ChainSpec;
use super::time::latest_time;
use crate::hash::hash_header;
use crate::primitives::{BlockHash, CompactTarget, Digest, Header, HeaderBytes};

/// The header before the one that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Its hash.
    pub hash: BlockHash,
    /// Its time.
    pub time: u32,
    /// Its nBits.
    pub bits: CompactTarget,
}

/// What is known about a header before it is judged. What is `None` is not known, and the rules that
/// need it are reported as not judged; [`Ancestry`](super::Ancestry) fills it in from a run of headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Context {
    /// Height of the header that is judged.
    pub height: Option<u64>,
    /// The header before it.
    pub parent: Option<Parent>,
    /// Median time of the 11 headers before it, or of all if there are fewer.
    pub median_time_past: Option<u32>,
    /// Time of the first header of the epoch that its parent belongs to.
    pub epoch_first_time: Option<u32>,
    /// Chains with the 20-minute exception: nBits of the last ancestor in the parent's epoch that is not
    /// at the limit, or of the epoch's first header.
    pub epoch_bits: Option<CompactTarget>,
    /// The verifier's clock in seconds since 1970.
    pub now: Option<i64>,
}

/// Judges a header by every rule of the chain, in order. `Ok` holds the rules that could not be judged
/// for want of context; those that the chain does not have are not among them.
///
/// # Errors
///
/// The first rule that the header breaks.
pub fn check_header(
    spec: &ChainSpec,
    context: &Context,
    header: &HeaderBytes,
) -> Result<RuleSet, Violation> {
    check_hashed_header(spec, context, header, &hash_header(spec.algorithm, header))
}

/// As [`check_header`], for a header whose digest is known already.
///
/// # Errors
///
/// The first rule that the header breaks.
pub fn check_hashed_header(
    spec: &ChainSpec,
    context: &Context,
    header: &HeaderBytes,
    digest: &Digest,
) -> Result<RuleSet, Violation> {
    let case = Case { spec, context, header: Header::decode(header), hash: BlockHash(*digest) };
    let mut not_judged = RuleSet::EMPTY;
    for rule in Rule::ALL {
        if case.judge(rule)? == Judgement::Unknown {
            not_judged.insert(rule);
        }
    }
    Ok(not_judged)
}

/// What a rule that is not broken says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    /// It holds, or the chain does not have it.
    Holds,
    /// The context does not tell.
    Unknown,
}
use Judgement::{Holds, Unknown};

type Outcome = Result<Judgement, Violation>;

struct Case<'a> {
    spec: &'a ChainSpec,
    context: &'a Context,
    header: Header,
    hash: BlockHash,
}

impl Case<'_> {
    fn judge(&self, rule: Rule) -> Outcome {
        match rule {
            Rule::HighHash => self.high_hash(),
            Rule::BadPrevblk => self.bad_prevblk(),
            // As in Bitcoin Core, the genesis block is named by the chain and judged no further.
            _ if self.is_genesis() => Ok(Holds),
            Rule::BadDiffbits => self.bad_diffbits(),
            Rule::TimeTooOld => self.time_too_old(),
            Rule::TimeTimewarpAttack => self.time_timewarp_attack(),
            Rule::TimeNegativeInterval => self.time_negative_interval(),
            Rule::TimeTooNew => self.time_too_new(),
            Rule::BadVersion => self.bad_version(),
        }
    }

    fn is_genesis(&self) -> bool {
        self.context.height == Some(0)
    }

    /// Position in its epoch: 0 is the first header, whose nBits are new.
    fn position(&self, interval_blocks: u32) -> Option<u64> {
        self.context.height.map(|height| height % u64::from(interval_blocks))
    }

    fn high_hash(&self) -> Outcome {
        let bits = self.header.bits;
        let target = bits.to_target()?;
        let limit = self.spec.limit;
        if target > limit {
            return Err(Violation::AboveLimit { bits, limit });
        }
        if !target.is_met_by(&self.hash.0) {
            return Err(Violation::HashAboveTarget { bits, target });
        }
        Ok(Holds)
    }

    fn bad_prevblk(&self) -> Outcome {
        if self.is_genesis() {
            return match self.spec.genesis {
                Some(expected) if expected != self.hash => Err(Violation::NotGenesis { expected }),
                _ => Ok(Holds),
            };
        }
        let Some(parent) = self.context.parent else { return Ok(Unknown) };
        let actual = self.header.prev_block;
        if actual != parent.hash {
            return Err(Violation::WrongParent { expected: parent.hash, actual });
        }
        Ok(Holds)
    }

    fn bad_diffbits(&self) -> Outcome {
        let expected = match self.spec.difficulty {
            Difficulty::Any => return Ok(Holds),
            _ => self.expected_bits(),
        };
        let Some(expected) = expected else { return Ok(Unknown) };
        let actual = self.header.bits;
        if actual != expected {
            return Err(Violation::WrongBits { expected, actual });
        }
        Ok(Holds)
    }

    /// What the difficulty rule asks for, if the context tells.
    fn expected_bits(&self) -> Option<CompactTarget> {
        let limit = self.spec.limit;
        match self.spec.difficulty {
            Difficulty::Any => None,
            Difficulty::Limit => Some(limit.to_compact_lossy()),
            Difficulty::Asert(asert) => {
                let parent_height = self.context.height?.checked_sub(1)?;
                Some(asert.bits(self.context.parent?.time, parent_height, limit))
            }
            Difficulty::Epochs(epochs) => {
                let parent = self.context.parent?;
                if self.position(epochs.interval_blocks)? == 0 {
                    let first_time = self.context.epoch_first_time?;
                    return Some(epochs.retarget(parent.bits, first_time, parent.time, limit));
                }
                let Some(seconds) = epochs.limit_after_seconds else { return Some(parent.bits) };
                let late = u64::from(parent.time) + u64::from(seconds);
                if u64::from(self.header.time) > late {
                    return Some(limit.to_compact_lossy());
                }
                self.context.epoch_bits
            }
        }
    }

    fn time_too_old(&self) -> Outcome {
        if !self.spec.median_time {
            return Ok(Holds);
        }
        let Some(median) = self.context.median_time_past else { return Ok(Unknown) };
        let time = self.header.time;
        if time <= median {
            return Err(Violation::NotAfterMedian { median, time });
        }
        Ok(Holds)
    }

    fn time_timewarp_attack(&self) -> Outcome {
        let (Some(seconds_max), Some(interval)) =
            (self.spec.timewarp_seconds_max, self.spec.epoch_blocks())
        else {
            return Ok(Holds);
        };
        match self.position(interval) {
            None => return Ok(Unknown),
            Some(0) => {}
            Some(_) => return Ok(Holds),
        }
        let Some(parent) = self.context.parent else { return Ok(Unknown) };
        let earliest = i64::from(parent.time) - i64::from(seconds_max);
        let time = self.header.time;
        if i64::from(time) < earliest {
            return Err(Violation::Timewarp { earliest, time });
        }
        Ok(Holds)
    }

    fn time_negative_interval(&self) -> Outcome {
        let (true, Some(interval)) = (self.spec.epoch_not_negative, self.spec.epoch_blocks())
        else {
            return Ok(Holds);
        };
        match self.position(interval) {
            None => return Ok(Unknown),
            // In an epoch of one header it is its own first.
            Some(position) if position > 0 && position + 1 == u64::from(interval) => {}
            Some(_) => return Ok(Holds),
        }
        let Some(first_time) = self.context.epoch_first_time else { return Ok(Unknown) };
        let time = self.header.time;
        if time < first_time {
            return Err(Violation::NegativeEpoch { first_time, time });
        }
        Ok(Holds)
    }

    fn time_too_new(&self) -> Outcome {
        let Some(seconds_max) = self.spec.future_seconds_max else { return Ok(Holds) };
        let Some(now) = self.context.now else { return Ok(Unknown) };
        let latest = latest_time(now, seconds_max);
        let time = self.header.time;
        if i64::from(time) > latest {
            return Err(Violation::TooFarAhead { latest, time });
        }
        Ok(Holds)
    }

    fn bad_version(&self) -> Outcome {
        if self.spec.version_floors.is_empty() {
            return Ok(Holds);
        }
        let Some(height) = self.context.height else { return Ok(Unknown) };
        let version = self.header.version;
        match self.spec.version_floor(height) {
            Some(minimum) if version < minimum => Err(Violation::OldVersion { minimum, version }),
            _ => Ok(Holds),
        }
    }
}
