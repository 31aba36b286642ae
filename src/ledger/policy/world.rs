//! Everything that decides who can open one record, as plain lists: what a wallet gathers from the chain
//! and its own files to ask [`super::who_can_open`], and what tests judge by. Claims are flattened: each
//! is live from one height to another, whatever it rests on.

use std::convert::Infallible;
use std::rc::Rc;

use super::asked::{AccessRead, Holding, Site, Standing};
use super::{Leaf, Moment, Place, Role, RoleRef};
use crate::ledger::signature::PubKey;
use crate::ledger::state::Person;
use crate::ledger::transaction::PartyId;

/// One record and everybody around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The record.
    pub rid: PubKey,
    /// Seconds between blocks.
    pub spacing_s: u32,
    /// How the record stands from which height on, heights ascending.
    pub standings: Vec<(u32, Standing)>,
    /// Who has which role.
    pub roles: Vec<RoleClaim>,
    /// Which beacons stand where.
    pub beacons: Vec<BeaconClaim>,
    /// The leaves that the asker knows.
    pub branches: Vec<KnownBranch>,
    /// The guardians that the asker knows, by share set and index.
    pub guardians: [Vec<PubKey>; 2],
    /// Who owes the review of an emergency.
    pub owing: Vec<Person>,
}

/// A key in a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleClaim {
    /// The key.
    pub key: PubKey,
    /// The person: its issuer is the claim's.
    pub person: Person,
    /// The role.
    pub role: Role,
    /// The site that the claim names.
    pub site: Option<PartyId>,
    /// First height at which it is live.
    pub from_h: u32,
    /// First height at which it is live no more.
    pub to_h: u32,
    /// When it was accepted.
    pub since: Moment,
}

/// A beacon of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeaconClaim {
    /// The beacon.
    pub key: PubKey,
    /// Its site.
    pub site: Site,
    /// First height at which both are live.
    pub from_h: u32,
    /// First height at which they are not.
    pub to_h: u32,
}

/// A leaf with the lists that its roots stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBranch {
    /// The policy that it is in.
    pub seq: u32,
    /// The leaf.
    pub leaf: Leaf,
    /// Who may read.
    pub readers: Vec<RoleRef>,
    /// Where.
    pub places: Vec<Place>,
    /// How many requests it has opened.
    pub reads: u16,
}

impl RoleClaim {
    /// Whether it is of this role by this word.
    #[must_use]
    pub fn is_of(&self, role: &RoleRef) -> bool {
        self.role == role.role
            && (self.person.issuer == role.issuer || self.site == Some(role.issuer))
    }

    /// Whether it is live at a height.
    #[must_use]
    pub fn is_live(&self, height: u32) -> bool {
        (self.from_h..self.to_h).contains(&height)
    }
}

impl World {
    /// How the record stands at a height.
    #[must_use]
    pub fn standing_at(&self, height: u32) -> Option<Standing> {
        let begun = self.standings.iter().take_while(|(from, _)| *from <= height);
        begun.last().map(|(_, standing)| *standing)
    }

    /// As [`AccessRead::holding`].
    #[must_use]
    pub fn holding_at(&self, key: &PubKey, role: &RoleRef, height: u32) -> Option<Holding> {
        let fitting = || self.roles.iter().filter(|claim| claim.key == *key && claim.is_of(role));
        let live = fitting().filter(|claim| claim.is_live(height)).min_by_key(|claim| claim.since);
        let found = live.or_else(|| fitting().next())?;
        Some(Holding { person: found.person, is_live: live.is_some(), since: found.since })
    }
}

impl AccessRead for World {
    type Error = Infallible;

    fn spacing_s(&self) -> u32 {
        self.spacing_s
    }

    fn standing(&self, rid: &PubKey, at: Moment) -> Result<Option<Standing>, Infallible> {
        Ok(self.standing_at(at.height).filter(|_| *rid == self.rid))
    }

    fn holding(
        &self,
        key: &PubKey,
        role: &RoleRef,
        at: Moment,
    ) -> Result<Option<Holding>, Infallible> {
        Ok(self.holding_at(key, role, at.height))
    }

    fn sites(&self, beacon: &PubKey, at: Moment) -> Result<Rc<[Site]>, Infallible> {
        let live = self.beacons.iter().filter(|claim| {
            claim.key == *beacon && (claim.from_h..claim.to_h).contains(&at.height)
        });
        Ok(live.map(|claim| claim.site.clone()).collect())
    }

    fn reads(&self, _rid: &PubKey, seq: u32, leaf: &[u8; 32]) -> Result<u16, Infallible> {
        let known = self.branches.iter().find(|b| b.seq == seq && b.leaf.hash() == *leaf);
        Ok(known.map_or(0, |branch| branch.reads))
    }

    fn owes_review(&self, person: &Person, _at: Moment) -> Result<bool, Infallible> {
        Ok(self.owing.contains(person))
    }
}
