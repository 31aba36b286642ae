//! The state as the predicate reads it: claims walked to the anchor, the policy in force, counters.

use std::cell::RefCell;

use crate::ledger::policy::{
    AccessRead, Holding, Judge, Moment, ReadClaims, RoleRef, Site, Standing, Threshold, is_role,
};
use crate::ledger::rules::context::Context;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{EntryKey, HeldClaim, HeldRecord, OwedReview, Person, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::{ANCHOR_DEPTH_BLOCKS_MAX, CoreId, PartyId};
use crate::primitives::BlockHash;

/// Blocks within which an emergency has to be reviewed.
pub const REVIEW_BLOCKS: u32 = 2016;

/// A session under the predicate's eyes. What it reads it remembers, hence the cell; it changes nothing.
#[expect(missing_debug_implementations, reason = "a session has none")]
pub struct StateView<'a, 's> {
    judge: Judge,
    session: RefCell<&'a mut Session<'s>>,
}

impl<'a, 's> StateView<'a, 's> {
    /// The session as it stands.
    #[must_use]
    pub fn new(context: &Context<'_>, session: &'a mut Session<'s>) -> Self {
        Self { judge: context.judge(), session: RefCell::new(session) }
    }

    fn at(&self, now: Moment) -> Judge {
        Judge { now, ..self.judge }
    }

    /// Claims about a party, one after another, until `pick` takes one.
    fn find<T>(
        &self,
        party: PartyId,
        mut pick: impl FnMut(&mut Session<'s>, HeldClaim) -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut session = self.session.borrow_mut();
        for core in session.holdings(party)? {
            let Some(held) = session.claim(&core)? else { continue };
            if let Some(found) = pick(&mut session, held)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl AccessRead for StateView<'_, '_> {
    type Error = StoreError;

    fn spacing_s(&self) -> u32 {
        self.judge.spacing_s
    }

    fn standing(&self, rid: &PubKey, at: Moment) -> Result<Option<Standing>, StoreError> {
        let record: Option<HeldRecord> = self.session.borrow_mut().get(&EntryKey::Record(*rid))?;
        Ok(record.map(|record| {
            let spacing_s = self.judge.spacing_s;
            let policy = record.policy_at(at, spacing_s);
            let set = |index: usize| {
                let set = record.share_sets.get(index)?;
                Some(Threshold { n: set.n, k: set.k, required: set.required })
            };
            Standing {
                is_active: !record.is_retired(at, spacing_s),
                seq: policy.seq,
                root: policy.root,
                sets: [set(0), set(1)],
            }
        }))
    }

    fn holding(
        &self,
        key: &PubKey,
        role: &RoleRef,
        at: Moment,
    ) -> Result<Option<Holding>, StoreError> {
        let party = PartyId::from(*key);
        let holding = |held: &HeldClaim, is_live| {
            let person = Person { issuer: held.issuer, tag: held.tag };
            Holding { person, is_live, since: held.at }
        };
        let live = {
            let mut session = self.session.borrow_mut();
            self.at(at).live_role(&mut **session, party, *role)?
        };
        if let Some((_, held)) = live {
            return Ok(Some(holding(&held, true)));
        }
        self.find(party, |_, held| Ok(is_role(&held, *role).then(|| holding(&held, false))))
    }

    fn sites(&self, beacon: &PubKey, at: Moment) -> Result<Vec<Site>, StoreError> {
        let judge = self.at(at);
        let mut keys = Vec::new();
        self.find(PartyId::from(*beacon), |session, held| {
            if let Claim::Beacon { site } = held.claim
                && !keys.contains(&site)
                && judge.is_live(session, &held)?
            {
                keys.push(site);
            }
            Ok(None::<()>)
        })?;
        let mut sites = Vec::new();
        for key in keys {
            let live = judge.live_site(&mut **self.session.borrow_mut(), key)?;
            let Some(live) = live else { continue };
            let mut emergency = Vec::new();
            self.find(key, |session, held| {
                if matches!(held.claim, Claim::Emergency { .. }) && judge.is_live(session, &held)? {
                    emergency.push(held.issuer);
                }
                Ok(None::<()>)
            })?;
            let Claim::Site(cells) = live.held.claim else { continue };
            sites.push(Site { key, issuer: live.issuer, cells, emergency });
        }
        Ok(sites)
    }

    fn reads(&self, rid: &PubKey, seq: u32, leaf: &[u8; 32]) -> Result<u16, StoreError> {
        let key = EntryKey::Reads(*rid, seq, *leaf);
        Ok(self.session.borrow_mut().get(&key)?.unwrap_or_default())
    }

    fn owes_review(&self, person: &Person, at: Moment) -> Result<bool, StoreError> {
        let owed: Option<Vec<OwedReview>> =
            self.session.borrow_mut().get(&EntryKey::Owed(*person))?;
        let is_due = |owed: &OwedReview| at.height > owed.since_h.saturating_add(REVIEW_BLOCKS);
        Ok(owed.unwrap_or_default().iter().any(is_due))
    }
}

/// The height of an anchor that may be named by a transaction in this block; `None` for no anchor and
/// for any other.
///
/// # Errors
///
/// If the store cannot be read.
pub fn anchor_height(context: &Context<'_>, anchor: &[u8; 32]) -> Result<Option<u32>, StoreError> {
    if *anchor == BlockHash::ZERO.0 {
        return Ok(None);
    }
    let lowest = context.height.saturating_sub(ANCHOR_DEPTH_BLOCKS_MAX);
    let height = context.ancestors.height_of(&BlockHash(*anchor))?;
    Ok(height.filter(|height| (lowest..context.height).contains(height)))
}

/// Names a request in the state.
pub(super) fn request_key(request: &[u8; 32]) -> EntryKey {
    EntryKey::Request(CoreId(*request))
}
