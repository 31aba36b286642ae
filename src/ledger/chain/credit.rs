//! What a wearer has earned, as the state says after the tip.

use super::view::{View, corrupt};
use crate::ledger::signature::PubKey;
use crate::ledger::state::{EntryKey, HeldCredit, StateRead as _};
use crate::ledger::store::{StoreError, Table};
use crate::ledger::transaction::PartyId;

/// Models of which a wearer's credits are looked at; each costs a fee and an issuer's word.
pub const CREDIT_MODELS_MAX: usize = 256;

/// Credits by one model of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelCredit {
    /// Who vouches for the devices.
    pub issuer: PartyId,
    /// Their model.
    pub model: [u8; 32],
    /// What they have earned.
    pub held: HeldCredit,
    /// Height at which the model was withdrawn: then it counts for nothing.
    pub tainted_h: Option<u32>,
}

impl View<'_> {
    /// What each model of device has earned for a wearer, at most [`CREDIT_MODELS_MAX`] of them.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or holds something else.
    pub fn credits(&self, wearer: PubKey) -> Result<Vec<ModelCredit>, StoreError> {
        let from = EntryKey::Credit(wearer, PartyId([0; 32]), [0; 32]).encode();
        let mut credits = Vec::new();
        for (key, value) in self.0.range(Table::State, &from, CREDIT_MODELS_MAX)? {
            let Some(EntryKey::Credit(of, issuer, model)) = EntryKey::decode(&key) else { break };
            if of != wearer {
                break;
            }
            let held =
                borsh::from_slice(&value).map_err(|_| corrupt("a credit does not decode"))?;
            let tainted_h = match self.entry(&EntryKey::Model(issuer, model))? {
                None => None,
                Some(bytes) => Some(
                    borsh::from_slice(&bytes).map_err(|_| corrupt("a height does not decode"))?,
                ),
            };
            credits.push(ModelCredit { issuer, model, held, tainted_h });
        }
        Ok(credits)
    }

    /// Hashes that a wearer has earned in all, spent or not; what is tainted left out.
    ///
    /// # Errors
    ///
    /// As [`View::credits`].
    pub fn hashes_earned(&self, wearer: PubKey) -> Result<u64, StoreError> {
        let credits = self.credits(wearer)?;
        let sound = credits.iter().filter(|credit| credit.tainted_h.is_none());
        Ok(sound.fold(0, |sum: u64, credit| sum.saturating_add(credit.held.hashes)))
    }
}
