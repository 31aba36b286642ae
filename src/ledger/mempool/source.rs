//! Who sends what is refused: a score for each source, raised by what it costs us, lowered by each block.

use std::collections::BTreeMap;

use super::refused::Refused;
use crate::ledger::rules::{AttestError, PayError, TransactionError};

/// Where a transaction comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The people of this machine: not scored, bounded by their inbox.
    Own,
    /// Somebody else, by a number that the caller gives and keeps.
    Peer(u64),
}

/// At this score nothing more is looked at.
pub const SCORE_MAX: u32 = 100;
/// What a block takes off every score.
pub const SCORE_DECAY_PER_BLOCK: u32 = 10;
/// Something that can never be valid, on no branch and at no height.
const SCORE_FORGED: u32 = 20;
/// Something that lost a race, or is made to look so: it has cost us reads of the state.
const SCORE_LATE: u32 = 1;
/// Sources whose scores are kept.
const SOURCES_MAX: usize = 4096;

#[derive(Debug, Clone, Default)]
pub(super) struct Sources(BTreeMap<u64, u32>);

impl Sources {
    pub(super) fn score(&self, source: Source) -> u32 {
        match source {
            Source::Own => 0,
            Source::Peer(peer) => self.0.get(&peer).copied().unwrap_or(0),
        }
    }

    pub(super) fn punish(&mut self, source: Source, refused: &Refused, signatures: usize) {
        let (Source::Peer(peer), score @ 1..) = (source, cost(refused, signatures)) else { return };
        if self.0.len() >= SOURCES_MAX && !self.0.contains_key(&peer) {
            // Who has many names loses the memory of the least guilty of them.
            let least = self.0.iter().min_by_key(|(_, score)| **score).map(|(peer, _)| *peer);
            least.map(|peer| self.0.remove(&peer));
        }
        let entry = self.0.entry(peer).or_default();
        *entry = entry.saturating_add(score);
    }

    pub(super) fn decay(&mut self) {
        self.0.retain(|_, score| {
            *score = score.saturating_sub(SCORE_DECAY_PER_BLOCK);
            *score > 0
        });
    }
}

/// What a refusal tells about who sent it.
fn cost(refused: &Refused, signatures: usize) -> u32 {
    let Refused::Rule(rule) = refused else {
        // Policy that the sender cannot know.
        return 0;
    };
    match rule {
        TransactionError::BadSig(_) => {
            SCORE_FORGED.saturating_add(u32::try_from(signatures).unwrap_or(u32::MAX))
        }
        TransactionError::BadVersion(_)
        | TransactionError::WrongChain { .. }
        | TransactionError::BadKey { .. }
        | TransactionError::WrongSigners { .. }
        | TransactionError::NonCanonical(_)
        | TransactionError::TooLarge(_)
        | TransactionError::Pay(PayError::ZeroAmount | PayError::SelfPay)
        | TransactionError::Attest(
            AttestError::NotAllowedToIssue | AttestError::CheckpointOffGrid(_),
        ) => SCORE_FORGED,
        _ => SCORE_LATE,
    }
}
