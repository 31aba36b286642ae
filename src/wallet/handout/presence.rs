//! What a beacon said in a round: for each key that it heard the presence that its holder shows. Whoever
//! gets the presence of one key learns nothing of the others.

use borsh::{BorshDeserialize, BorshSerialize};

use super::Handout;
use crate::ledger::policy::{Presence, Roll};
use crate::ledger::signature::{PubKey, Signed};
use crate::primitives::BlockHash;
use crate::wallet::NoEntropy;
use crate::wallet::secret::fill_random;
use crate::wallet::signer::{Purpose, Signer, SignerError};

/// Keys that one round hears.
const KEYS_MAX: usize = 256;

/// Keys with their presences.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeardKeys {
    /// Invariant of what was read: each presence is of its key, and its beacon's signature holds.
    pub heard: Vec<(PubKey, Presence)>,
}

/// Why a beacon says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RollError {
    /// Nobody, or more than a round hears.
    #[error("{0} keys heard, expected 1 to {KEYS_MAX}")]
    Count(usize),
    /// No random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The beacon does not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl HeardKeys {
    /// A round in which the beacon heard these keys after the block `anchor`, signed.
    ///
    /// # Errors
    ///
    /// See [`RollError`].
    pub fn sign(
        beacon: &dyn Signer,
        genesis: &BlockHash,
        round: u64,
        anchor: BlockHash,
        keys: &[PubKey],
    ) -> Result<Self, RollError> {
        if keys.len() > KEYS_MAX {
            return Err(RollError::Count(keys.len()));
        }
        let mut salted = Vec::with_capacity(keys.len());
        for key in keys {
            let mut salt = [0; 16];
            fill_random(&mut salt)?;
            salted.push((*key, salt));
        }
        let roll = Roll::new(beacon.public_key(), round, anchor, salted);
        let roll = roll.ok_or(RollError::Count(keys.len()))?;
        let sig = beacon.sign(&roll.message(genesis), Purpose::Presence)?;
        let heard = keys.iter().filter_map(|key| Some((*key, roll.presence(*key, sig)?)));
        Ok(Self { heard: heard.collect() })
    }

    /// The presence of a key.
    #[must_use]
    pub fn of(&self, key: &PubKey) -> Option<&Presence> {
        self.heard.iter().find(|(heard, _)| heard == key).map(|(_, presence)| presence)
    }

    /// What the holder of one key gets: its presence alone.
    #[must_use]
    pub fn only(&self, key: &PubKey) -> Option<Self> {
        Some(Self { heard: vec![(*key, self.of(key)?.clone())] })
    }
}

impl Handout for HeardKeys {
    const FORMAT: &'static str = "proofward-presence";
    const NAME: &'static str = "presence file";

    fn fault(&self, genesis: &BlockHash) -> Option<String> {
        if self.heard.is_empty() || self.heard.len() > KEYS_MAX {
            return Some(format!("{} keys, expected 1 to {KEYS_MAX}", self.heard.len()));
        }
        self.heard.iter().find_map(|(key, presence)| {
            let message = presence.message(genesis);
            let signed = Signed { key: presence.beacon, sig: presence.sig, message: &message };
            if key.check().is_err() || presence.beacon.check().is_err() || !presence.is_of(*key) {
                Some(format!("the beacon did not hear {key}"))
            } else if !signed.is_valid() {
                Some(format!("the signature of beacon {} does not hold", presence.beacon))
            } else {
                None
            }
        })
    }
}
