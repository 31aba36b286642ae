//! The one predicate: may this reader open this record now? Pure: everything it knows comes from the
//! request, the leaf and what [`AccessRead`] gives for a moment.
//!
//! A request lives through three questions, and the same clauses answer them:
//!
//! | question | clauses |
//! |---|---|
//! | [`refusal`]: is it refused when it is asked? | 3 to 6 |
//! | [`completion`]: does this approval complete it? | 1 to 8, no veto, a read left |
//! | [`allow`]: is it open now? | before completion all nine; afterwards 1, the windows of 3, the liveness in 5 to 7, and 9 |
//!
//! Opening is derived, never an event: a completed request is open while `allow` says so. What is judged
//! once, in the approval that completes it, is not judged again: presence, togetherness, the time to
//! answer, reads, the price.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - The age of the reader's presence is measured at the request's own block. Later its beacon and site
//!   must still be live; togetherness measures its age again where the leaf asks for it.
//! - Togetherness is judged over those who are close enough: a signature that is too old counts for
//!   clause 7 and not for clause 8, so nobody can hold a request up by approving too early. Modes 2 and 3
//!   ask for the window of mode 1 as well. A signature is as young as the latest block that it covers:
//!   the core's anchor or the presence's. Completing keeps only those who counted.
//! - The emergency service of `AnyEmergency` must be vouched for by another issuer than the reader's; so
//!   must its site, and the site must not be that issuer, or a hospital would vouch for itself. Issuers
//!   that the reader's issuer has made are not others.
//! - The age of a claim (emergencies) is asked of approvers as well as of the reader.
//! - The read window ends `read_within` blocks after the nominal opening, even where slow medians made
//!   the delay longer.

use std::ops::Range;

use super::asked::{AccessRead, Approval, Asked, Heard, Holding, Site, Threshold};
use super::verdict::{Clause, Reason, Verdict};
use super::{EMERGENCY_SET, Leaf, Moment, Place, RoleRef, Together};
use crate::ledger::transaction::CoreId;

/// How old a claim has to be to count in an emergency.
pub const EMERGENCY_CLAIM_BLOCKS: u32 = 144;
/// Approvals that a request keeps.
pub const APPROVALS_MAX: usize = 64;

/// Approvals by index: bit i stands for number i.
type Few = u64;

/// The approvals that completed a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted(Few);

const _: () = assert!(APPROVALS_MAX <= Few::BITS as usize);

/// One question, with what all clauses need.
struct Case<'a, V> {
    view: &'a V,
    asked: &'a Asked,
    leaf: &'a Leaf,
    at: Moment,
}

/// `None` if the clause holds.
type Judged<E> = Result<Option<Reason>, E>;

/// Whether the record is open to the reader at a moment.
///
/// # Errors
///
/// If the view cannot be read.
pub fn allow<V: AccessRead>(
    view: &V,
    asked: &Asked,
    leaf: &Leaf,
    at: Moment,
) -> Result<Verdict, V::Error> {
    let failing = failing(view, asked, leaf, at, Clause::Open)?;
    Ok(failing.map_or(Verdict::Allow, Verdict::Deny))
}

/// The answer of every clause in order, for whoever wants to know what else is missing.
///
/// # Errors
///
/// If the view cannot be read.
pub fn findings<V: AccessRead>(
    view: &V,
    asked: &Asked,
    leaf: &Leaf,
    at: Moment,
) -> Result<[Option<Reason>; 9], V::Error> {
    let case = Case { view, asked, leaf, at };
    let mut findings = [None; 9];
    for (finding, clause) in findings.iter_mut().zip(Case::CLAUSES) {
        *finding = clause(&case)?;
    }
    Ok(findings)
}

/// Why a request cannot be asked at all: the first of clauses 1 and 2 that fails.
///
/// # Errors
///
/// If the view cannot be read.
pub fn unfit<V: AccessRead>(
    view: &V,
    asked: &Asked,
    leaf: &Leaf,
    at: Moment,
) -> Result<Option<Reason>, V::Error> {
    failing(view, asked, leaf, at, Clause::Leaf)
}

/// The first clause up to this one that fails.
///
/// # Errors
///
/// If the view cannot be read.
pub fn failing<V: AccessRead>(
    view: &V,
    asked: &Asked,
    leaf: &Leaf,
    at: Moment,
    last: Clause,
) -> Result<Option<Reason>, V::Error> {
    Case { view, asked, leaf, at }.failing(0..usize::from(last.number()))
}

/// Why a request is refused when it is asked, if it is: the first of clauses 3 to 6 that fails.
///
/// # Errors
///
/// If the view cannot be read.
pub fn refusal<V: AccessRead>(
    view: &V,
    asked: &Asked,
    leaf: &Leaf,
    at: Moment,
) -> Result<Option<Reason>, V::Error> {
    if let Some(reason) = (Case { view, asked, leaf, at }).failing(2..6)? {
        return Ok(Some(reason));
    }
    // Asked here and not in clause 5, so that a review that falls due closes nothing that is under way.
    if let (true, Some(person)) = (leaf.is_emergency(), &asked.person)
        && view.owes_review(person, at)?
    {
        return Ok(Some(Reason::ReviewOwed));
    }
    Ok(None)
}

/// Whether the approvals so far complete the request at a moment: those that count, or what is missing.
///
/// # Errors
///
/// If the view cannot be read.
pub fn completion<V: AccessRead>(
    view: &V,
    asked: &Asked,
    leaf: &Leaf,
    at: Moment,
) -> Result<Result<Vec<Approval>, Reason>, V::Error> {
    let counted = complete(&Case { view, asked, leaf, at }, 0)?;
    Ok(counted.map(|counted| {
        let mut approvals = asked.approvals.clone();
        counted.keep(&mut approvals);
        approvals
    }))
}

/// The same where the clauses up to `known` are known to hold: [`failing`] has asked them at this moment,
/// and only approvals have come since. `None` if they do not complete it.
///
/// # Errors
///
/// If the view cannot be read.
pub fn completion_after<V: AccessRead>(
    view: &V,
    asked: &Asked,
    leaf: &Leaf,
    at: Moment,
    known: Clause,
) -> Result<Option<Counted>, V::Error> {
    let case = Case { view, asked, leaf, at };
    // To read who still holds what is what costs: in vain where even all of them would be too few.
    if case.together(Few::MAX)?.is_err() {
        return Ok(None);
    }
    Ok(complete(&case, usize::from(known.number()).min(6))?.ok())
}

fn complete<V: AccessRead>(
    case: &Case<'_, V>,
    first: usize,
) -> Result<Result<Counted, Reason>, V::Error> {
    if let Some(reason) = case.failing(first..6)? {
        return Ok(Err(reason));
    }
    let live = case.live()?;
    if let Some(reason) = case.tally(live)? {
        return Ok(Err(reason));
    }
    if let Some(reason) = case.veto_or_reads()? {
        return Ok(Err(reason));
    }
    Ok(case.together(live)?.map(Counted))
}

impl Counted {
    /// Keeps those that counted of the approvals that were asked about.
    pub fn keep(self, approvals: &mut Vec<Approval>) {
        let mut left = self.0;
        approvals.retain(|_| {
            let is_counted = left & 1 == 1;
            left >>= 1;
            is_counted
        });
    }
}

/// Whether a claim counts under a leaf at a moment; why not.
#[must_use]
pub fn role_fault(
    holding: Option<&Holding>,
    role: RoleRef,
    leaf: &Leaf,
    at: Moment,
    spacing_s: u32,
) -> Option<Reason> {
    match holding {
        None => Some(Reason::RoleNotHeld(role)),
        Some(holding) if !holding.is_live => Some(Reason::RoleNotLive(role)),
        Some(holding) => {
            let is_old = at.has_waited(holding.since, EMERGENCY_CLAIM_BLOCKS, spacing_s);
            (leaf.is_emergency() && !is_old).then_some(Reason::RoleTooYoung(role))
        }
    }
}

/// How one clause is judged.
type Judge<'a, V> = fn(&Case<'a, V>) -> Judged<<V as AccessRead>::Error>;

impl<'a, V: AccessRead> Case<'a, V> {
    const CLAUSES: [Judge<'a, V>; 9] = [
        Self::record,
        Self::leaf,
        Self::time,
        Self::purpose,
        Self::reader,
        Self::place,
        Self::approvers,
        Self::is_together,
        Self::open,
    ];

    /// The first of these clauses, counted from 0, that fails.
    fn failing(&self, clauses: Range<usize>) -> Judged<V::Error> {
        for clause in &Self::CLAUSES[clauses] {
            if let Some(reason) = clause(self)? {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    /// 1: the record is active, the request's policy in force.
    fn record(&self) -> Judged<V::Error> {
        let Some(standing) = self.view.standing(&self.asked.rid, self.at)? else {
            return Ok(Some(Reason::NoRecord));
        };
        let (current, asked) = (standing.seq, self.asked.seq);
        Ok(if !standing.is_active {
            Some(Reason::Retired)
        } else if standing.root == [0; 32] {
            Some(Reason::Revoked)
        } else if current != asked {
            Some(Reason::OtherPolicy { current, asked })
        } else {
            None
        })
    }

    /// 2: the leaf is in the policy, makes sense, and asks for at least what its share set does.
    fn leaf(&self) -> Judged<V::Error> {
        if self.asked.completed.is_some() {
            return Ok(None);
        }
        let Some(standing) = self.view.standing(&self.asked.rid, self.at)? else {
            return Ok(Some(Reason::NotInPolicy));
        };
        if self.asked.root != Some(standing.root) || self.asked.leaf != self.view.hash_of(self.leaf)
        {
            return Ok(Some(Reason::NotInPolicy));
        }
        if let Err(error) = self.leaf.check(self.view.spacing_s()) {
            return Ok(Some(Reason::BadLeaf(error)));
        }
        let is_enough = |set: Threshold| {
            let is_bare = self.leaf.set != EMERGENCY_SET || set.required == 0;
            self.leaf.k >= set.k && self.leaf.k <= set.n && is_bare
        };
        let set = standing.sets.get(usize::from(self.leaf.set)).copied().flatten();
        Ok((!set.is_some_and(is_enough)).then_some(Reason::BadSet))
    }

    /// 3: the median time is in the windows; there is time to answer, or to read.
    fn time(&self) -> Judged<V::Error> {
        let Moment { height, median_time } = self.at;
        if !self.leaf.is_within(median_time) {
            return Ok(Some(Reason::OutsideWindow { median_time }));
        }
        Ok(match self.asked.completed {
            None => {
                let to = self.asked.at.height.saturating_add(self.leaf.answer_within);
                (height > to).then_some(Reason::AnswerOver { to })
            }
            Some(completed) => {
                let opened = completed.height.max(self.delay_ends());
                let to = opened.saturating_add(self.leaf.read_within);
                (height > to).then_some(Reason::ReadOver { to })
            }
        })
    }

    /// 4: the purpose is permitted.
    fn purpose(&self) -> Judged<V::Error> {
        let purpose = self.asked.purpose;
        let is_permitted = self.leaf.purposes.holds(purpose);
        Ok((!is_permitted).then_some(Reason::PurposeNotPermitted(purpose)))
    }

    /// 5: the reader holds a live claim that the leaf's readers name.
    fn reader(&self) -> Judged<V::Error> {
        let shown = self.asked.role.filter(|role| role.root == Some(self.leaf.readers));
        let Some(role) = shown.map(|role| role.value) else {
            return Ok(Some(Reason::RoleNotShown));
        };
        let holding = self.view.holding(&self.asked.reader, &role, self.at)?;
        Ok(role_fault(holding.as_ref(), role, self.leaf, self.at, self.view.spacing_s()))
    }

    /// 6: anywhere, or the reader is heard at a place that the leaf names.
    fn place(&self) -> Judged<V::Error> {
        let shown = self.asked.place.filter(|place| place.root == Some(self.leaf.places));
        let Some(place) = shown.map(|place| place.value) else {
            return Ok(Some(Reason::PlaceNotShown));
        };
        if place == Place::Anywhere {
            return Ok(None);
        }
        let Some(heard) = self.asked.heard else {
            return Ok(Some(Reason::NotPresent));
        };
        let least = self.asked.at.height.saturating_sub(self.leaf.together_within);
        match heard {
            Heard { is_signer: false, .. } => return Ok(Some(Reason::NotHeard)),
            Heard { anchor_h: None, .. } => return Ok(Some(Reason::UnknownAnchor)),
            Heard { anchor_h: Some(anchor), .. } if anchor < least => {
                return Ok(Some(Reason::StalePresence { anchor, least }));
            }
            Heard { .. } => {}
        }
        let sites = self.view.sites(&heard.beacon, self.at)?;
        Ok(if sites.is_empty() {
            Some(Reason::BeaconNotLive)
        } else if sites.iter().any(|site| self.is_at(site, place)) {
            None
        } else {
            Some(Reason::ElsePlace)
        })
    }

    fn is_at(&self, site: &Site, place: Place) -> bool {
        match place {
            Place::Anywhere => true,
            Place::Site(key) => site.key == key,
            Place::Cell(cell, issuer) => {
                site.issuer == issuer
                    && !site.cells.is_empty()
                    && site.cells.iter().all(|inner| cell.contains(*inner))
            }
            Place::AnyEmergency => {
                self.asked.person.is_some_and(|reader| site.is_emergency_besides(reader.issuer))
            }
        }
    }

    /// 7: enough live approvers of every role, those required, enough guardians.
    fn approvers(&self) -> Judged<V::Error> {
        let live = self.live()?;
        self.tally(live)
    }

    /// 8: enough of them are together as the leaf says.
    fn is_together(&self) -> Judged<V::Error> {
        if self.asked.completed.is_some() {
            return Ok(None);
        }
        let live = self.live()?;
        Ok(self.together(live)?.err())
    }

    /// 9: the delay is over, the owners do not object, a read is left.
    fn open(&self) -> Judged<V::Error> {
        let waited = self.at.has_waited(self.asked.at, self.leaf.delay, self.view.spacing_s());
        if !waited {
            return Ok(Some(Reason::Delay { until: self.delay_ends() }));
        }
        self.veto_or_reads()
    }

    fn veto_or_reads(&self) -> Judged<V::Error> {
        if self.asked.vetoed {
            return Ok(Some(Reason::Vetoed));
        }
        // The approval that completes a request takes its read.
        let Asked { rid, seq, leaf, completed: None, .. } = self.asked else { return Ok(None) };
        let most = self.leaf.max_reads;
        Ok((self.view.reads(rid, *seq, leaf)? >= most).then_some(Reason::NoReads { most }))
    }

    fn delay_ends(&self) -> u32 {
        self.asked.at.height.saturating_add(self.leaf.delay)
    }

    /// Approvals that count: distinct live people who are not the reader and have not refused. Of two
    /// that are one person or one key, the earlier counts.
    fn live(&self) -> Result<Few, V::Error> {
        let mut live: Few = 0;
        let approvals = &self.asked.approvals;
        for (i, approval) in approvals.iter().enumerate().take(APPROVALS_MAX) {
            let is_same =
                |other: &Approval| other.key == approval.key || other.person == approval.person;
            let is_counted = approvals[..i]
                .iter()
                .enumerate()
                .any(|(j, other)| live >> j & 1 == 1 && is_same(other));
            let is_reader =
                approval.key == self.asked.reader || Some(approval.person) == self.asked.person;
            let has_refused =
                approval.guardian.is_some_and(|index| bit(index) & self.asked.denied != 0);
            if is_counted || is_reader || has_refused {
                continue;
            }
            let holding = self.view.holding(&approval.key, &approval.role, self.at)?;
            let holding = holding.filter(|holding| holding.person == approval.person);
            let spacing_s = self.view.spacing_s();
            if role_fault(holding.as_ref(), approval.role, self.leaf, self.at, spacing_s).is_none()
            {
                live |= 1 << i;
            }
        }
        Ok(live)
    }

    /// What is missing if only these approvals count.
    fn tally(&self, few: Few) -> Judged<V::Error> {
        let counted = || {
            let numbered = self.asked.approvals.iter().enumerate().take(APPROVALS_MAX);
            numbered.filter(move |(i, _)| few >> i & 1 == 1).map(|(_, approval)| approval)
        };
        for need in &self.leaf.need {
            let have = counted().filter(|approval| approval.role == need.role).count();
            if have < usize::from(need.count) {
                let have = u8::try_from(have).expect("below a count of 8 bits");
                return Ok(Some(Reason::TooFew { role: need.role, have, need: need.count }));
            }
        }
        let guardians = counted()
            .filter_map(|approval| approval.guardian)
            .fold(0, |all, index| all | bit(index));
        let standing = self.view.standing(&self.asked.rid, self.at)?;
        let set = standing
            .and_then(|standing| standing.sets.get(usize::from(self.leaf.set)).copied().flatten());
        let required = set.map_or(0, |set| set.required);
        let missing = (required & !guardians).count_ones();
        if missing > 0 {
            let missing = u8::try_from(missing).expect("at most 32 bits");
            return Ok(Some(Reason::RequiredMissing { missing }));
        }
        let have = u8::try_from(guardians.count_ones()).expect("at most 32 bits");
        let need = self.leaf.k;
        Ok((have < need).then_some(Reason::TooFewGuardians { have, need }))
    }

    /// Those of the live approvals that are together as the leaf says, if they are enough.
    fn together(&self, live: Few) -> Result<Result<Few, Reason>, V::Error> {
        let mode = self.leaf.together;
        if mode == Together::Apart {
            return Ok(self.tally(live)?.map_or(Ok(live), |_| Err(Reason::Apart)));
        }
        let floor = self.at.height.saturating_sub(self.leaf.together_within);
        let is_young = |after_h: Option<u32>| after_h.is_some_and(|height| height >= floor);
        if !is_young(self.asked.after_h) {
            return Ok(Err(Reason::ReaderApart));
        }
        let select = |test: &dyn Fn(&Approval) -> bool| -> Few {
            let numbered = self.asked.approvals.iter().enumerate().take(APPROVALS_MAX);
            numbered
                .filter(|(i, approval)| {
                    live >> i & 1 == 1 && is_young(approval.after_h) && test(approval)
                })
                .fold(0, |few, (i, _)| few | 1 << i)
        };
        let enough = |few: Few| -> Result<Option<Few>, V::Error> {
            Ok(self.tally(few)?.is_none().then_some(few))
        };
        let found = match mode {
            Together::Apart | Together::Within => enough(select(&|_| true))?,
            Together::OneTransaction => {
                let mut found = None;
                let mut cores: Vec<CoreId> = self.asked.approvals.iter().map(|a| a.core).collect();
                cores.sort_unstable();
                cores.dedup();
                for core in cores {
                    if found.is_none() {
                        found = enough(select(&|approval| approval.core == core))?;
                    }
                }
                found
            }
            Together::OneRound => {
                let heard =
                    self.asked.heard.filter(|heard| heard.is_signer && is_young(heard.anchor_h));
                let Some(heard) = heard else { return Ok(Err(Reason::ReaderApart)) };
                // Clause 6 does not ask where the place is anywhere: a round needs a real beacon all the same.
                if self.view.sites(&heard.beacon, self.at)?.is_empty() {
                    return Ok(Err(Reason::ReaderApart));
                }
                enough(select(&|approval| approval.round == Some(heard.round)))?
            }
        };
        Ok(found.ok_or(Reason::Apart))
    }
}

/// Indexes of guardians are below 32; a higher one is nobody.
fn bit(index: u8) -> u32 {
    1_u32.checked_shl(u32::from(index)).unwrap_or(0)
}
