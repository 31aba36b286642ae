//! The trace of a lot: its lineage with a grade for each move and what speaks against it, judged by the
//! state after the tip and by signed moves that the asker has seen elsewhere.

use std::collections::BTreeSet;

use super::grade::{Cells, too_far};
use super::{Grade, Label, Moved, SignedMove};
use crate::ledger::chain::View;
use crate::ledger::policy::Cell;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{EntryKey, EntryValue, HeldClaim, HeldLot, StateRead as _};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{CoreId, LotId, Move, PartyId};

/// What the chain tells of a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The lot.
    pub lot: LotId,
    /// What the state holds of it: nothing if it was consumed, or ended long ago.
    pub held: Option<HeldLot>,
    /// The Makes behind it.
    pub origins: Vec<Origin>,
    /// Every move that it or what it came from went through, in order.
    pub steps: Vec<TracedStep>,
    /// Keys that signed any of them, each counted once. Nobody knows whether they are as many people.
    pub signers: usize,
    /// Whether the beginning is missing.
    pub is_cut: bool,
}

/// A Make behind a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The lot that was made.
    pub made: LotId,
    /// The move.
    pub core: CoreId,
    /// Who made it.
    pub maker: PartyId,
    /// Height of its recall.
    pub recalled: Option<u32>,
}

/// A move of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedStep {
    /// Its core id.
    pub core: CoreId,
    /// The move.
    pub moved: Moved,
    /// What it is worth after everything that speaks against it.
    pub grade: Grade,
    /// What does.
    pub labels: Vec<Label>,
}

impl Trace {
    /// The lowest grade: a chain is worth its weakest claim. None of a lot that no move names.
    #[must_use]
    pub fn grade(&self) -> Option<Grade> {
        self.steps.iter().map(|step| step.grade).min()
    }
}

impl View<'_> {
    /// Traces a lot. `others` are signed moves that were seen elsewhere; `distance` gives kilometres
    /// between two cells.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn trace(
        &self,
        lot: &LotId,
        others: &[SignedMove],
        distance: &dyn Fn(Cell, Cell) -> Option<u32>,
    ) -> Result<Trace, StoreError> {
        let lineage = self.lineage(lot)?;
        let mut labels: Vec<Vec<Label>> = Vec::with_capacity(lineage.moves.len());
        for (_, moved) in &lineage.moves {
            labels.push(self.taints(moved.body())?);
        }
        self.find_travel(&lineage.lots, &lineage.moves, distance, &mut labels)?;
        self.find_doubles(&lineage.lots, &lineage.moves, others, &mut labels)?;

        let mut origins = Vec::new();
        let mut signers = BTreeSet::new();
        for (core, moved) in &lineage.moves {
            let body = moved.body();
            signers.extend(body.by.signers());
            signers.extend(body.witnesses.iter().map(|witness| witness.key));
            if let Step::Make { id, .. } = &body.step {
                let (maker, made) = (body.by.id(), LotId::made(body.by.id(), id));
                let held: Option<HeldLot> = self.value(&EntryKey::Lot(made))?;
                let recalled = held.and_then(|held| held.made).and_then(|made| made.recalled);
                origins.push(Origin { made, core: *core, maker, recalled });
            }
        }
        let handed_over = handed_over(&lineage.moves);
        let steps = lineage.moves.into_iter().zip(labels).map(|((core, moved), mut labels)| {
            labels.sort_unstable();
            labels.dedup();
            let grade = match labels.is_empty() {
                true => Grade::of(moved.body(), handed_over.contains(&core)),
                false => Grade::SelfClaimed,
            };
            TracedStep { core, moved, grade, labels }
        });
        Ok(Trace {
            lot: *lot,
            held: self.value(&EntryKey::Lot(*lot))?,
            origins,
            steps: steps.collect(),
            signers: signers.len(),
            is_cut: lineage.is_cut,
        })
    }

    /// Devices among those who signed whose model was withdrawn, whenever they signed.
    fn taints(&self, body: &Move) -> Result<Vec<Label>, StoreError> {
        let mut taints = Vec::new();
        let witnesses = body.witnesses.iter().map(|witness| witness.key);
        let beacon = body.presence.iter().map(|presence| presence.beacon);
        for device in body.by.signers().into_iter().chain(witnesses).chain(beacon) {
            taints.extend(self.taint(device)?);
        }
        Ok(taints)
    }

    fn taint(&self, device: PubKey) -> Result<Option<Label>, StoreError> {
        for held in self.claims_about(device.into())? {
            let Claim::Device { model, .. } = held.claim else { continue };
            if let Some(height) = self.value::<u32>(&EntryKey::Model(held.issuer, model))? {
                return Ok(Some(Label::Tainted { device, height }));
            }
        }
        Ok(None)
    }

    /// Moves of one lot, one after the other, at sites too far from each other.
    fn find_travel(
        &self,
        lots: &[LotId],
        moves: &[(CoreId, Moved)],
        distance: &dyn Fn(Cell, Cell) -> Option<u32>,
        labels: &mut [Vec<Label>],
    ) -> Result<(), StoreError> {
        let mut places: Vec<Option<Cells>> = Vec::with_capacity(moves.len());
        for (_, moved) in moves {
            places.push(match moved.body().site {
                Some(site) => Some((site, self.cells_of(site)?)),
                None => None,
            });
        }
        for lot in lots {
            let through = (0..moves.len()).filter(|at| goes_through(&moves[*at], lot));
            let mut before: Option<usize> = None;
            for at in through {
                let Some(here) = &places[at] else { continue };
                if let Some((last, there)) =
                    before.and_then(|last| Some((last, places[last].as_ref()?)))
                {
                    let (a, b) = (&moves[last], &moves[at]);
                    let seconds = b.1.at.median_time.saturating_sub(a.1.at.median_time);
                    if let Some(kilometres) = too_far(distance, there, here, seconds) {
                        let travel = |other| Label::ImpossibleTravel { other, kilometres, seconds };
                        labels[last].push(travel(b.0));
                        labels[at].push(travel(a.0));
                    }
                }
                before = Some(at);
            }
        }
        Ok(())
    }

    /// Moves seen elsewhere that contradict one on the chain.
    fn find_doubles(
        &self,
        lots: &[LotId],
        moves: &[(CoreId, Moved)],
        others: &[SignedMove],
        labels: &mut [Vec<Label>],
    ) -> Result<(), StoreError> {
        for other in others {
            // What is on the chain was in order there.
            if self.moved(&other.core)?.is_some() {
                continue;
            }
            for (at, (_, moved)) in moves.iter().enumerate() {
                let body = moved.body();
                if other.makes_again(body).is_some() {
                    labels[at].push(Label::DoubleMake(other.core));
                }
                // Signed for a time at which the lot had been given away, and it never came back.
                let is_double = |lot: &LotId| {
                    let comes_back = moves[at + 1..].iter().any(|(_, later)| {
                        matches!(later.body().step, Step::Receive { lot: back } if back == *lot)
                            && later.body().by.id() == body.by.id()
                    });
                    other.disposes_again(body, lot)
                        && other.valid_to >= moved.at.height
                        && !comes_back
                };
                if lots.iter().any(is_double) {
                    labels[at].push(Label::DoubleHold(other.core));
                }
            }
        }
        Ok(())
    }

    /// The cells of a site by every claim about it that is remembered.
    fn cells_of(&self, site: PartyId) -> Result<Vec<Cell>, StoreError> {
        let claims = self.claims_about(site)?.into_iter();
        Ok(claims
            .filter_map(|held| match held.claim {
                Claim::Site(cells) => Some(cells),
                _ => None,
            })
            .flatten()
            .collect())
    }

    fn claims_about(&self, party: PartyId) -> Result<Vec<HeldClaim>, StoreError> {
        let holdings: Vec<CoreId> = self.value(&EntryKey::Holdings(party))?.unwrap_or_default();
        let mut claims = Vec::with_capacity(holdings.len());
        for core in holdings {
            claims.extend(self.value::<HeldClaim>(&EntryKey::Claim(core))?);
        }
        Ok(claims)
    }

    fn value<T: EntryValue>(&self, key: &EntryKey) -> Result<Option<T>, StoreError> {
        let Some(bytes) = self.entry(key)? else { return Ok(None) };
        let corrupt = |_| StoreError::Corrupt { what: format!("state entry {key:?}") };
        borsh::from_slice(&bytes).map(Some).map_err(corrupt)
    }
}

fn goes_through((core, moved): &(CoreId, Moved), lot: &LotId) -> bool {
    moved.body().step.lots().contains(lot) || moved.body().created(core).contains(lot)
}

/// Ships and receipts of lots that changed hands: signed by both.
fn handed_over(moves: &[(CoreId, Moved)]) -> BTreeSet<CoreId> {
    let mut both = BTreeSet::new();
    for (at, (core, moved)) in moves.iter().enumerate() {
        let Step::Receive { lot } = moved.body().step else { continue };
        let ships = |(_, moved): &&(CoreId, Moved)| matches!(moved.body().step, Step::Ship { lot: shipped, .. } if shipped == lot);
        let shipped = moves[..at].iter().rev().find(ships);
        // Who takes a lot back signs alone.
        if let Some((ship, giving)) = shipped
            && giving.body().by.id() != moved.body().by.id()
        {
            both.extend([*ship, *core]);
        }
    }
    both
}
