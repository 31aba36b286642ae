//! Who has which role and where beacons stand, by the claims in a session: walked once for all transactions
//! of a block that ask, since most are about the same people and places.
//!
//! A claim that is written between two approvals must not have all people of a request read again: an
//! approval may ask for 64, about each of whom 32 things are claimed. So what is claimed about a person is
//! kept until something else is claimed about them.

use std::rc::Rc;

use crate::ledger::map::LongKeyMap;
use crate::ledger::policy::{Holding, Judge, Role, RoleRef, Site};
use crate::ledger::signature::PubKey;
use crate::ledger::state::HeldClaim;
use crate::ledger::transaction::PartyId;
use crate::ledger::transaction::attest::Claim;

/// What walks have found.
///
/// Invariant: each is what a walk by `judge` would find now. The session drops what rests on an entry that
/// is written.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Walked {
    judge: Option<Judge>,
    /// The claims about the roles of a key, as they were accepted; they are the same for every judge.
    roles: LongKeyMap<PubKey, Rc<[HeldClaim]>>,
    /// By key, for a few roles each: those by which something is claimed about it.
    holdings: LongKeyMap<PubKey, Vec<(RoleRef, Holding)>>,
    /// Whether roles hold that an issuer gives at a site, as far as that is not up to their own claims.
    pub(in crate::ledger) backed: LongKeyMap<(PartyId, Role, Option<PartyId>), bool>,
    /// By beacon.
    pub(in crate::ledger) sites: LongKeyMap<PubKey, Rc<[Site]>>,
}

impl Walked {
    /// What this judge has found: at another moment it might find something else.
    pub(super) fn by(&mut self, judge: Judge) -> &mut Self {
        if self.judge != Some(judge) {
            let roles = std::mem::take(&mut self.roles);
            *self = Self { judge: Some(judge), roles, ..Self::default() };
        }
        self
    }

    /// Who a key is in a role, if that is known.
    pub(in crate::ledger) fn holding(&self, key: &PubKey, role: &RoleRef) -> Option<Holding> {
        let found = self.holdings.get(key)?.iter().find(|(known, _)| known == role);
        found.map(|(_, holding)| *holding)
    }

    /// Keeps who a key is in a role.
    pub(in crate::ledger) fn keep_holding(&mut self, key: PubKey, role: RoleRef, found: Holding) {
        self.holdings.entry(key).or_default().push((role, found));
    }

    /// The claims about the roles of a key, if they are known.
    pub(in crate::ledger) fn roles(&self, key: &PubKey) -> Option<Rc<[HeldClaim]>> {
        self.roles.get(key).cloned()
    }

    /// Keeps the claims about the roles of a key.
    pub(in crate::ledger) fn keep_roles(&mut self, key: PubKey, claims: Rc<[HeldClaim]>) {
        self.roles.insert(key, claims);
    }

    /// Forgets what rests on a claim that comes or goes. A role gives nobody else anything; what else is
    /// claimed may let its subject claim.
    pub(super) fn forget(&mut self, subject: PartyId, claim: &Claim) {
        let key = PubKey(subject.0);
        self.roles.remove(&key);
        if matches!(claim, Claim::Role { .. }) {
            self.holdings.remove(&key);
        } else {
            self.holdings = LongKeyMap::default();
            self.backed = LongKeyMap::default();
            self.sites = LongKeyMap::default();
        }
    }
}
