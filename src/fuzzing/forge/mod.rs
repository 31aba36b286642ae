//! Forged input with real work: header runs and blocks that break exactly one rule at one known place,
//! or none, at both sides of every boundary. They are solved, so that production builds of other
//! verifiers can be given them as they are.
//!
//! What a header should contain is computed by [`naive`](super::naive), not by the rules under test.
//! The same seed gives the same bytes on every machine.

mod blocks;
mod body;
mod chain;
mod difficulty;
mod headers;
mod random;
mod times;
#[cfg(feature = "ledger")]
pub mod worlds;

pub use random::SplitMix64;

use crate::consensus::ChainSpec;

/// What a case consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Headers from the chain's genesis on, 80 bytes each.
    Headers,
    /// One block, the child of the chain's genesis.
    Block,
}

impl Kind {
    /// The name in manifests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Block => "block",
        }
    }
}

/// One side of a rule's boundary.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// What it consists of.
    pub kind: Kind,
    /// The rule at whose boundary it stands, in Bitcoin Core's words.
    pub rule: &'static str,
    /// Which side, in a few words with dashes.
    pub name: &'static str,
    /// Whether it breaks the rule.
    pub is_broken: bool,
    /// Rules, judged later than the broken one, that it cannot help breaking too where the chain has them.
    pub also: &'static [&'static str],
    /// Whether a chain has this boundary.
    applies: fn(&ChainSpec) -> bool,
    /// Headers up to the interesting one, at most.
    headers_max: fn(&ChainSpec) -> u64,
    forge: Forge,
}

#[derive(Debug, Clone, Copy)]
enum Forge {
    Headers(fn(&mut chain::Chain)),
    Block(fn(&mut body::Draft)),
}

/// A forged input and what a verifier must say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Case {
    /// The input.
    pub bytes: Vec<u8>,
    /// Height of the header that breaks the rule, if one does; 1 for a block.
    pub height: Option<u64>,
    /// The clock to verify with, in seconds since 1970. No other time than that of the rule
    /// `time-too-new` is near it.
    pub now: i64,
    /// A block that spends coins which do not exist: good for checks without coins only.
    pub spends_unknown_coins: bool,
}

/// Every variant, rule by rule.
pub fn variants() -> impl Iterator<Item = &'static Variant> {
    [headers::VARIANTS, difficulty::VARIANTS, times::VARIANTS, blocks::VARIANTS]
        .into_iter()
        .flatten()
}

impl Variant {
    /// Whether the chain has this boundary and its genesis is known or free to choose.
    #[must_use]
    pub fn applies_to(&self, spec: &ChainSpec) -> bool {
        let is_block_chain = spec.algorithm == crate::hash::Algorithm::Sha256d;
        chain::Chain::has_start(spec)
            && (self.kind == Kind::Headers || is_block_chain)
            && (self.applies)(spec)
    }

    /// Hashes that solving a case takes on average, at most. Where a chain gets harder it is more.
    #[must_use]
    pub fn expected_hashes(&self, spec: &ChainSpec) -> u128 {
        let per_header = u128::try_from(spec.limit.work().0).unwrap_or(u128::MAX);
        per_header.saturating_mul((self.headers_max)(spec).into())
    }

    /// Forges a case on a chain to which the variant applies.
    ///
    /// # Panics
    ///
    /// If it does not apply.
    #[must_use]
    pub fn forge(&self, spec: &ChainSpec, seed: u64) -> Case {
        assert!(self.applies_to(spec), "{} does not apply to {}", self.name, spec.name);
        let random = SplitMix64::new(seed);
        let mut case = match self.forge {
            Forge::Headers(forge) => {
                let mut chain = chain::Chain::new(spec, random);
                forge(&mut chain);
                chain.finish()
            }
            Forge::Block(forge) => body::forge(spec, random, forge),
        };
        if !self.is_broken {
            case.height = None;
        }
        case
    }
}
