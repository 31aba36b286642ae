//! What the predicate reads, out of the state as it stands in a block.

use std::cell::RefCell;
use std::rc::Rc;

use crate::ledger::policy::{
    AccessRead, Holding, Judge, Leaf, Moment, ReadClaims, RoleRef, Site, Standing, Threshold,
    is_role,
};
use crate::ledger::rules::context::Context;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::REVIEW_BLOCKS;
use crate::ledger::state::{Emergency, EntryKey, HeldClaim, HeldRecord, Person, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::record::ShareSet;
use crate::ledger::transaction::{CoreId, PartyId};

/// A session as the predicate sees it. A session keeps what it reads, so reading borrows it for a moment.
pub(super) struct Eyes<'a, 's> {
    session: RefCell<&'a mut Session<'s>>,
    judge: Judge,
    known: Option<(&'a Leaf, [u8; 32])>,
}

impl<'a, 's> Eyes<'a, 's> {
    pub(super) fn new(context: &Context<'_>, session: &'a mut Session<'s>) -> Self {
        Self { session: RefCell::new(session), judge: context.judge(), known: None }
    }

    /// The same for who has the hash of a leaf at hand.
    pub(super) fn knowing(self, leaf: &'a Leaf, hash: [u8; 32]) -> Self {
        Self { known: Some((leaf, hash)), ..self }
    }

    fn judge_at(&self, now: Moment) -> Judge {
        Judge { now, ..self.judge }
    }
}

impl AccessRead for Eyes<'_, '_> {
    type Error = StoreError;

    fn spacing_s(&self) -> u32 {
        self.judge.spacing_s
    }

    fn hash_of(&self, leaf: &Leaf) -> [u8; 32] {
        match self.known {
            Some((known, hash)) if std::ptr::eq(known, leaf) => hash,
            _ => leaf.hash(),
        }
    }

    fn standing(&self, rid: &PubKey, at: Moment) -> Result<Option<Standing>, StoreError> {
        let record = self.session.borrow_mut().shared::<HeldRecord>(&EntryKey::Record(*rid))?;
        Ok(record.map(|record| {
            let policy = record.policy_at(at, self.judge.spacing_s);
            let threshold =
                |set: &ShareSet| Threshold { n: set.n, k: set.k, required: set.required };
            let mut sets = record.share_sets.iter().map(threshold);
            Standing {
                is_active: !record.is_retired(at, self.judge.spacing_s),
                seq: policy.seq,
                root: policy.root,
                sets: [sets.next(), sets.next()],
            }
        }))
    }

    fn holding(
        &self,
        key: &PubKey,
        role: &RoleRef,
        at: Moment,
    ) -> Result<Option<Holding>, StoreError> {
        let judge = self.judge_at(at);
        let mut session = self.session.borrow_mut();
        if let Some(found) = session.walked(judge).holding(key, role) {
            return Ok(Some(found));
        }
        let found = holding(&mut session, &judge, *key, *role)?;
        if let Some(found) = found {
            session.walked(judge).keep_holding(*key, *role, found);
        }
        Ok(found)
    }

    fn sites(&self, beacon: &PubKey, at: Moment) -> Result<Rc<[Site]>, StoreError> {
        let judge = self.judge_at(at);
        let mut session = self.session.borrow_mut();
        if let Some(found) = session.walked(judge).sites.get(beacon) {
            return Ok(Rc::clone(found));
        }
        let found: Rc<[Site]> = sites(&mut session, &judge, *beacon)?.into();
        session.walked(judge).sites.insert(*beacon, Rc::clone(&found));
        Ok(found)
    }

    fn reads(&self, rid: &PubKey, seq: u32, leaf: &[u8; 32]) -> Result<u16, StoreError> {
        let key = EntryKey::Reads(*rid, seq, *leaf);
        Ok(self.session.borrow_mut().get::<u16>(&key)?.unwrap_or(0))
    }

    fn owes_review(&self, person: &Person, at: Moment) -> Result<bool, StoreError> {
        let key = EntryKey::Emergencies(*person);
        let open = self.session.borrow_mut().get::<Vec<Emergency>>(&key)?.unwrap_or_default();
        let is_due = |emergency: &Emergency| {
            at.height.checked_sub(emergency.height).is_some_and(|blocks| blocks > REVIEW_BLOCKS)
        };
        Ok(open.iter().any(is_due))
    }
}

/// The claim by which a key has a role: a live one if there is any, the earliest of several.
fn holding(
    session: &mut Session<'_>,
    judge: &Judge,
    key: PubKey,
    role: RoleRef,
) -> Result<Option<Holding>, StoreError> {
    let claims = match session.walked(*judge).roles(&key) {
        Some(claims) => claims,
        None => {
            let claims: Rc<[HeldClaim]> = roles(session, key)?.into();
            session.walked(*judge).keep_roles(key, Rc::clone(&claims));
            claims
        }
    };
    let mut ended = None;
    for held in claims.iter().filter(|held| is_role(held, role)) {
        let is_live = judge.is_in_force(held) && is_backed(session, judge, held)?;
        let person = Person { issuer: held.issuer, tag: held.tag };
        let holding = Holding { person, is_live, since: held.at };
        if is_live {
            return Ok(Some(holding));
        }
        ended = ended.or(Some(holding));
    }
    Ok(ended)
}

/// Whether everything holds that a claim about a role rests on: the same for all whom its issuer gives it.
fn is_backed(
    session: &mut Session<'_>,
    judge: &Judge,
    held: &HeldClaim,
) -> Result<bool, StoreError> {
    let Claim::Role { role, site } = held.claim else { return Ok(false) };
    let given = (held.issuer, role, site);
    if let Some(found) = session.walked(*judge).backed.get(&given) {
        return Ok(*found);
    }
    let found = judge.is_backed(session, held.issuer, &held.claim)?;
    session.walked(*judge).backed.insert(given, found);
    Ok(found)
}

/// The claims about the roles of a key.
fn roles(session: &mut Session<'_>, key: PubKey) -> Result<Vec<HeldClaim>, StoreError> {
    let mut claims = Vec::new();
    // Others ask for what is made of these entries, not for them.
    let cores = session.glance::<Vec<CoreId>>(&EntryKey::Holdings(key.into()))?;
    for core in cores.unwrap_or_default() {
        let held = session.glance::<HeldClaim>(&EntryKey::Claim(core))?;
        claims.extend(held.filter(|held| matches!(held.claim, Claim::Role { .. })));
    }
    Ok(claims)
}

/// The live sites of which a key is a beacon by a live claim.
fn sites(
    session: &mut Session<'_>,
    judge: &Judge,
    beacon: PubKey,
) -> Result<Vec<Site>, StoreError> {
    let mut sites: Vec<Site> = Vec::new();
    for core in session.holdings(beacon.into())?.iter() {
        let Some(held) = session.claim(core)? else { continue };
        let Claim::Beacon { site: key } = held.claim else { continue };
        // A beacon's claim is live only if its site is.
        if sites.iter().any(|site| site.key == key) || !judge.is_live(session, &held)? {
            continue;
        }
        let Some(live) = judge.live_site(session, key)? else { continue };
        let above = judge.rests_on(session, &live.held)?;
        let Claim::Site(cells) = &live.held.claim else { continue };
        let emergency = emergency_vouchers(session, judge, key)?;
        sites.push(Site { key, issuer: live.issuer, above, cells: cells.clone(), emergency });
    }
    Ok(sites)
}

/// Who vouches for a site's emergency service, by live claims, each with others without whom it could not.
fn emergency_vouchers(
    session: &mut Session<'_>,
    judge: &Judge,
    site: PartyId,
) -> Result<Vec<Vec<PartyId>>, StoreError> {
    let mut vouchers: Vec<Vec<PartyId>> = Vec::new();
    for core in session.holdings(site)?.iter() {
        let Some(held) = session.claim(core)? else { continue };
        let is_emergency = matches!(held.claim, Claim::Emergency { .. });
        let is_known = vouchers.iter().any(|voucher| voucher.first() == Some(&held.issuer));
        if is_emergency && !is_known && judge.is_live(session, &held)? {
            let mut voucher = vec![held.issuer];
            voucher.extend(judge.rests_on(session, &held)?);
            vouchers.push(voucher);
        }
    }
    Ok(vouchers)
}

/// The person that a key is by the first role that it ever had.
pub(super) fn first_person(
    session: &mut Session<'_>,
    key: PubKey,
) -> Result<Option<Person>, StoreError> {
    for core in session.holdings(key.into())?.iter() {
        let held = session.claim(core)?;
        if let Some(held) = held.filter(|held| matches!(held.claim, Claim::Role { .. })) {
            return Ok(Some(Person { issuer: held.issuer, tag: held.tag }));
        }
    }
    Ok(None)
}
