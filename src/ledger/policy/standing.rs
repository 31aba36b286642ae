//! Whether a claim holds: walked at the height of use, from the claim through the claims of its issuers
//! to the genesis anchor. A pure function of what [`ReadClaims`] gives.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - An issuer may hold several claims; one that holds and covers is enough. Few of a kind can hold at a
//!   time, so a walk is short, whatever a dishonest issuer has built for it.
//! - An anchor's claim lets it issue everything except anchors, which only the genesis anchor makes.
//! - What names a site (a beacon, an emergency service, **a role at a site**) holds only by the word of
//!   the site's own issuer or of the site's key: otherwise any issuer could make nurses of a hospital
//!   that it has nothing to do with. A site key makes beacons and emergency claims by its `Site` claim
//!   alone; roles only if it holds an issuer's claim too.
//! - Who has to be another than some issuer has to stand without that issuer's word as well
//!   ([`Judge::without`]): an issuer makes issuers, and could be its own other one through them.
//! - Cells are a claim of the site's issuer, not of the site's key, so that a stolen site key cannot move
//!   the site.
//!
//! The limits on claims bound a walk: issuers who conspire can make a request that takes 0.4 ms to judge
//! instead of some microseconds (`benches/common/dearest.rs`), and every claim for it has cost a fee.

use std::rc::Rc;

use super::{Moment, RoleRef};
use crate::ledger::state::HeldClaim;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::{CoreId, PartyId};

/// Claims between a genesis anchor and what it stands for, that one included.
pub const CHAIN_CLAIMS_MAX: u8 = 3;

/// What the walk reads.
pub trait ReadClaims {
    /// A claim by its core id.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn claim(&mut self, core: &CoreId) -> Result<Option<Rc<HeldClaim>>, StoreError>;

    /// The claims about a party.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn holdings(&mut self, party: PartyId) -> Result<Rc<Vec<CoreId>>, StoreError>;

    /// The height at which an issuer's device model was withdrawn.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn model_withdrawn(
        &mut self,
        issuer: PartyId,
        model: [u8; 32],
    ) -> Result<Option<u32>, StoreError>;
}

/// What the walk needs to know of the chain, and when it judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judge {
    /// The genesis anchor.
    pub anchor: PartyId,
    /// Blocks before a claim holds.
    pub claim_delay: u32,
    /// Seconds between blocks.
    pub spacing_s: u32,
    /// When.
    pub now: Moment,
    /// A party whose word does not count.
    pub without: Option<PartyId>,
}

/// How far an issuer's right to make a claim goes; later is further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authority {
    /// No claim about the issuer covers it.
    None,
    /// One does, further than [`CHAIN_CLAIMS_MAX`] from the anchor.
    TooDeep,
    /// One does, but it or one that it rests on does not hold now.
    NotLive,
    /// It may.
    Live,
}

/// A site that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSite {
    /// Who vouches for it.
    pub issuer: PartyId,
    /// The claim that says so.
    pub claim: CoreId,
    /// What it says.
    pub held: Rc<HeldClaim>,
}

impl Judge {
    /// The same, if this party had never said anything. Without the genesis anchor nothing would hold: of
    /// its words none is dropped.
    #[must_use]
    pub const fn without(self, party: PartyId) -> Self {
        Self { without: Some(party), ..self }
    }

    /// The parties besides its issuer without whose word a claim that holds would not; the genesis anchor
    /// is not listed.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn rests_on(
        &self,
        state: &mut dyn ReadClaims,
        held: &HeldClaim,
    ) -> Result<Vec<PartyId>, StoreError> {
        // Between the anchor's claim and this one stands one more claim at most.
        const { assert!(CHAIN_CLAIMS_MAX == 3, "one party above the issuer") };
        let mut above: Vec<PartyId> = Vec::new();
        for core in state.holdings(held.issuer)?.iter() {
            let Some(holding) = state.claim(core)? else { continue };
            let party = holding.issuer;
            let is_new = party != self.anchor && party != held.issuer && !above.contains(&party);
            if is_new && covers_issuing(&holding) && self.is_in_force(&holding) {
                above.push(party);
            }
        }
        let mut needed = Vec::new();
        for party in above {
            if !self.without(party).is_live(state, held)? {
                needed.push(party);
            }
        }
        Ok(needed)
    }

    /// Whether a claim by itself holds: its window, its delay, no withdrawal. Not who stands behind it.
    #[must_use]
    pub fn is_in_force(&self, held: &HeldClaim) -> bool {
        let height = self.now.height;
        (held.from_h..held.to_h).contains(&height)
            && held.withdrawn.is_none_or(|withdrawn| withdrawn > height)
            && self.now.has_waited(held.at, self.claim_delay, self.spacing_s)
    }

    /// Whether a claim holds and everything that it rests on does.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn is_live(
        &self,
        state: &mut dyn ReadClaims,
        held: &HeldClaim,
    ) -> Result<bool, StoreError> {
        Ok(self.is_in_force(held) && self.is_backed(state, held.issuer, &held.claim)?)
    }

    /// Whether everything holds that a claim of this issuer rests on, whoever it is about.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn is_backed(
        &self,
        state: &mut dyn ReadClaims,
        issuer: PartyId,
        claim: &Claim,
    ) -> Result<bool, StoreError> {
        if self.authority(state, issuer, claim)? != Authority::Live {
            return Ok(false);
        }
        match claim {
            Claim::Device { model, .. } => {
                let withdrawn = state.model_withdrawn(issuer, *model)?;
                Ok(withdrawn.is_none_or(|withdrawn| withdrawn > self.now.height))
            }
            claim => match site_of(claim) {
                None => Ok(true),
                Some(site) => self.speaks_for_site(state, issuer, site),
            },
        }
    }

    /// The live claim of a party that `wanted` picks, if any; the earliest one of several.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn live_claim(
        &self,
        state: &mut dyn ReadClaims,
        party: PartyId,
        wanted: &dyn Fn(&HeldClaim) -> bool,
    ) -> Result<Option<(CoreId, Rc<HeldClaim>)>, StoreError> {
        for core in state.holdings(party)?.iter().copied() {
            let Some(held) = state.claim(&core)? else { continue };
            if wanted(&held) && self.is_live(state, &held)? {
                return Ok(Some((core, held)));
            }
        }
        Ok(None)
    }

    /// The live claim by which a party has a role.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn live_role(
        &self,
        state: &mut dyn ReadClaims,
        party: PartyId,
        role: RoleRef,
    ) -> Result<Option<(CoreId, Rc<HeldClaim>)>, StoreError> {
        self.live_claim(state, party, &|held| is_role(held, role))
    }

    /// A site, if it holds.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn live_site(
        &self,
        state: &mut dyn ReadClaims,
        site: PartyId,
    ) -> Result<Option<LiveSite>, StoreError> {
        let found = self.live_claim(state, site, &|held| matches!(held.claim, Claim::Site(_)))?;
        Ok(found.map(|(claim, held)| LiveSite { issuer: held.issuer, claim, held }))
    }

    /// Whether a party is the issuer of a site that holds, or the site itself.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn speaks_for_site(
        &self,
        state: &mut dyn ReadClaims,
        party: PartyId,
        site: PartyId,
    ) -> Result<bool, StoreError> {
        let live = self.live_site(state, site)?;
        Ok(live.is_some_and(|live| party == site || party == live.issuer))
    }

    /// How far a party's right to make a claim goes now. It does not look at whose site it is.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn authority(
        &self,
        state: &mut dyn ReadClaims,
        issuer: PartyId,
        claim: &Claim,
    ) -> Result<Authority, StoreError> {
        self.walk(state, issuer, claim, 1)
    }

    /// `depth` claims are on the way so far, `claim` included.
    fn walk(
        &self,
        state: &mut dyn ReadClaims,
        issuer: PartyId,
        claim: &Claim,
        depth: u8,
    ) -> Result<Authority, StoreError> {
        if depth > CHAIN_CLAIMS_MAX {
            return Ok(Authority::TooDeep);
        }
        if issuer == self.anchor {
            return Ok(Authority::Live);
        }
        if Some(issuer) == self.without {
            return Ok(Authority::None);
        }
        let mut best = Authority::None;
        for core in state.holdings(issuer)?.iter() {
            let Some(held) = state.claim(core)? else { continue };
            if !covers(&held, claim) {
                continue;
            }
            let found = if self.is_in_force(&held) {
                let above = self.walk(state, held.issuer, &held.claim, depth + 1)?;
                if above == Authority::None { Authority::NotLive } else { above }
            } else {
                // What has ended is not walked further, so that old claims cost one look each.
                Authority::NotLive
            };
            best = best.max(found);
            if best == Authority::Live {
                break;
            }
        }
        Ok(best)
    }

    /// Whether `party` stands above `issuer` on a way from the genesis anchor by which it came to make
    /// `claim`, held or ended: who may withdraw it, if `party` may still issue at all.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn ancestry(
        &self,
        state: &mut dyn ReadClaims,
        party: PartyId,
        issuer: PartyId,
        claim: &Claim,
    ) -> Result<Authority, StoreError> {
        self.climb(state, party, issuer, claim, 1)
    }

    fn climb(
        &self,
        state: &mut dyn ReadClaims,
        party: PartyId,
        issuer: PartyId,
        claim: &Claim,
        depth: u8,
    ) -> Result<Authority, StoreError> {
        if party == self.anchor {
            return Ok(Authority::Live);
        }
        if party == issuer {
            return self.walk(state, issuer, claim, depth);
        }
        let mut best = Authority::None;
        if depth < CHAIN_CLAIMS_MAX {
            for core in state.holdings(issuer)?.iter() {
                let Some(held) = state.claim(core)? else { continue };
                if covers(&held, claim) {
                    let above = self.climb(state, party, held.issuer, &held.claim, depth + 1)?;
                    best = best.max(above);
                }
            }
        }
        Ok(best)
    }
}

/// Whether a claim is of this role by this word.
#[must_use]
pub fn is_role(held: &HeldClaim, wanted: RoleRef) -> bool {
    matches!(held.claim, Claim::Role { role, site }
        if role == wanted.role && (held.issuer == wanted.issuer || site == Some(wanted.issuer)))
}

/// The site that a claim names besides its subject.
#[must_use]
pub fn site_of(claim: &Claim) -> Option<PartyId> {
    match claim {
        Claim::Role { site, .. } => *site,
        Claim::Beacon { site } | Claim::Emergency { site } => Some(*site),
        _ => None,
    }
}

/// Whether what is held lets its subject make any claims.
fn covers_issuing(held: &HeldClaim) -> bool {
    matches!(held.claim, Claim::Anchor | Claim::Issuer(_) | Claim::Site(_))
}

/// Whether what is held lets its subject make a claim.
fn covers(held: &HeldClaim, claim: &Claim) -> bool {
    match &held.claim {
        Claim::Anchor => !matches!(claim, Claim::Anchor),
        Claim::Issuer(set) => set.covers(claim),
        Claim::Site(_) => {
            matches!(claim, Claim::Beacon { site } | Claim::Emergency { site } if *site == held.subject)
        }
        _ => false,
    }
}
