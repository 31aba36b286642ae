//! Taking a transaction in: the cheapest checks first, signatures last, and nothing changes before all of
//! them have passed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::effects::{Effects, Hold, spends};
use super::entries::Entry;
use super::next::{Available, NextState};
use super::order::{FeeRate, Key, weight};
use super::refused::{Dropped, Refused, Why};
use super::source::{SCORE_MAX, Source};
use super::{AGE_BLOCKS_MAX, DEBITS_MAX, LIFE_BLOCKS_MIN, Mempool};
use crate::ledger::block::Included;
use crate::ledger::chain::View;
use crate::ledger::rules::TransactionError;
use crate::ledger::rules::context::{
    Ancestors as _, Refusal, Signatures, apply_transaction, check_window, fee_least, new_entries,
};
use crate::ledger::rules::isolation::{Ids, check_signatures};
use crate::ledger::rules::structure::{check_canonical, check_form};
use crate::ledger::spec::IDLE_BLOCKS;
use crate::ledger::state::{Account, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{ANCHOR_DEPTH_BLOCKS_MAX, Transaction};
use crate::primitives::BlockHash;

/// A transaction that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// Its ids.
    pub ids: Ids,
    /// What had to go for it.
    pub dropped: Vec<Dropped>,
}

impl From<Refused> for Refusal<Refused> {
    fn from(refused: Refused) -> Self {
        Self::Rule(refused)
    }
}

/// What taking one in means for those that are here.
struct Plan {
    replaced: Vec<u32>,
    evicted: Vec<u32>,
}

impl Mempool {
    /// Judges a transaction at the tip of `view`, which must be the one that the pool follows, and takes
    /// it in.
    ///
    /// # Errors
    ///
    /// Why not, or a store that cannot be read: the pool is as it was, but for the score of the source.
    pub fn admit(
        &mut self,
        view: &View<'_>,
        bytes: &[u8],
        source: Source,
    ) -> Result<Admitted, Refusal<Refused>> {
        let score = self.sources.score(source);
        if score >= SCORE_MAX {
            return Err(Refused::Source { score, max: SCORE_MAX - 1 }.into());
        }
        let mut signatures = 0;
        let admitted = Transaction::decode(bytes)
            .map_err(|error| Refusal::Rule(Refused::Rule(error.into())))
            .and_then(|transaction| {
                signatures = transaction.signature_count();
                let included = Included { transaction, bytes: bytes.to_vec() };
                self.judge_and_enter(view, included, source)
            });
        if let Err(Refusal::Rule(refused)) = &admitted {
            self.sources.punish(source, refused, signatures);
        }
        admitted
    }

    fn judge_and_enter(
        &mut self,
        view: &View<'_>,
        included: Included,
        source: Source,
    ) -> Result<Admitted, Refusal<Refused>> {
        self.check_alone(&included, source)?;
        let entry = self.find_request(self.entry_of(Arc::new(included), None))?;
        let replaced = self.replaced_by(&entry)?;
        let plan = self.plan(&entry, replaced)?;
        let entry = self.judge(view, entry, &plan.replaced)?;
        check_signatures(&entry.included.transaction, &entry.ids, Signatures::Verify)
            .map_err(Refused::from)?;
        Ok(self.take_in(view, entry, &plan)?)
    }

    /// Takes in again what was pending or on chain before the chain moved: its signatures have been
    /// verified, and it gives way to what is here.
    pub(super) fn return_in(
        &mut self,
        view: &View<'_>,
        included: Arc<Included>,
        ids: Option<Ids>,
    ) -> Result<Admitted, Refusal<Refused>> {
        let core = &included.transaction.core;
        check_window(core, self.next.height).map_err(Refused::from)?;
        let entry = self.find_request(self.entry_of(included, ids))?;
        if let Some(holder) = self.holders(&entry).first() {
            let least = self.entries[*holder].fee().saturating_add(1);
            return Err(Refused::Underbid { least, got: entry.fee() }.into());
        }
        let plan = self.plan(&entry, Vec::new())?;
        let entry = self.judge(view, entry, &[])?;
        Ok(self.take_in(view, entry, &plan)?)
    }

    /// Everything that needs nothing but the transaction and the height.
    fn check_alone(&self, included: &Included, source: Source) -> Result<(), Refused> {
        let transaction = &included.transaction;
        let core = &transaction.core;
        check_form(core, &self.chain.chain_id)?;
        check_window(core, self.next.height)?;
        check_canonical(core)?;
        let least = self.next.height.saturating_add(LIFE_BLOCKS_MIN - 1);
        if source != Source::Own && core.valid_to < least {
            return Err(Refused::ExpiresSoon { to: core.valid_to, least });
        }
        let (expected, got) = (transaction.signers().len(), transaction.sigs.len());
        if expected != got {
            return Err(TransactionError::WrongSigners { expected, got }.into());
        }
        // Only the state shows whether a body about access may go without.
        let is_about_access = Effects::of(&core.body).is_dependent;
        let least = fee_least(included.bytes.len(), transaction, 0);
        if transaction.fee < least && !is_about_access {
            return Err(TransactionError::FeeTooLow { least, got: transaction.fee }.into());
        }
        Ok(())
    }

    /// The entry, its place and last block not settled.
    fn entry_of(&self, included: Arc<Included>, ids: Option<Ids>) -> Entry {
        let transaction = &included.transaction;
        Entry {
            ids: ids.unwrap_or_else(|| Ids::of(&included, &self.chain.genesis)),
            leaf: included.leaf(),
            effects: Effects::of(&transaction.core.body),
            rate: FeeRate::of(
                transaction.fee,
                weight(included.bytes.len(), transaction.signature_count()),
            ),
            arrival: self.arrivals,
            last_height: 0,
            key: Key::FIRST,
            behind: None,
            outbid: None,
            included,
        }
    }

    /// Those that hold something that a transaction would hold.
    fn holders(&self, entry: &Entry) -> Vec<u32> {
        let mut holders: BTreeSet<u32> =
            Hold::all(entry).filter_map(|hold| self.holds.get(&hold).copied()).collect();
        holders.extend(self.accounts.at(&entry.payer(), entry.nonce()));
        holders.into_iter().collect()
    }

    /// The same, if it pays for their fees and its own relaying, at a better rate than each.
    fn replaced_by(&self, entry: &Entry) -> Result<Vec<u32>, Refused> {
        let replaced = self.holders(entry);
        let transaction = &entry.included.transaction;
        let mut least = fee_least(entry.bytes(), transaction, 0);
        let weight = weight(entry.bytes(), entry.signatures());
        let mut least_at_rate = 0;
        for slot in &replaced {
            let other = &self.entries[*slot];
            if other.ids.transaction == entry.ids.transaction {
                return Err(Refused::Known);
            }
            least = least.saturating_add(other.fee());
            if other.ids.core != entry.ids.core {
                let behind = self.behind(&other.ids.core).map(|slot| self.entries[slot].fee());
                least = behind.fold(least, u64::saturating_add);
            }
            least_at_rate = least_at_rate.max(other.rate.fee(weight).saturating_add(1));
        }
        let least = least.max(least_at_rate);
        if !replaced.is_empty() && transaction.fee < least {
            return Err(Refused::Underbid { least, got: transaction.fee });
        }
        Ok(replaced)
    }

    /// Whether there is room for it, and who makes it.
    fn plan(&self, entry: &Entry, replaced: Vec<u32>) -> Result<Plan, Refused> {
        let transaction = &entry.included.transaction;
        for (account, _) in spends(transaction, &entry.effects) {
            let Some(pending) = self.accounts.get(&account) else { continue };
            let gone = replaced.iter().filter(|slot| pending.debited_by.contains(slot)).count();
            if pending.debited_by.len() - gone >= DEBITS_MAX {
                return Err(Refused::AccountBusy(DEBITS_MAX));
            }
        }
        let sequence = self.accounts.get(&transaction.payer).map(|account| &account.sequence);
        let before = sequence.and_then(|sequence| {
            let mut earlier = sequence.range(..transaction.nonce).rev().map(|(_, slot)| *slot);
            earlier.find(|slot| !replaced.contains(slot))
        });
        let before = before.map(|slot| self.entries[slot].key);
        let rate = Key::after(before.as_ref(), entry.rank(), entry.arrival, transaction.nonce, 0);
        let rate = rate.rate();
        let full = |least: FeeRate| Refused::PoolFull {
            least: least.fee(weight(entry.bytes(), entry.signatures())),
            got: transaction.fee,
        };
        if rate < self.floor {
            return Err(full(self.floor));
        }
        self.check_free(entry)?;
        let mut totals = self.totals;
        totals.add(entry);
        replaced.iter().for_each(|slot| totals.take(&self.entries[*slot]));
        let mut evicted = Vec::new();
        for key in self.order.iter().rev() {
            if totals.is_within(&self.limits) {
                break;
            }
            if key.rate() >= rate {
                return Err(full(key.rate().plus(FeeRate::STEP)));
            }
            if !replaced.contains(&key.slot) {
                totals.take(&self.entries[key.slot]);
                evicted.push(key.slot);
            }
        }
        if totals.is_within(&self.limits) {
            Ok(Plan { replaced, evicted })
        } else {
            Err(full(FeeRate::STEP))
        }
    }

    /// Judges it by the rules, what the others have reserved taken off, as if `freed` were gone.
    pub(super) fn judge(
        &self,
        view: &View<'_>,
        mut entry: Entry,
        freed: &[u32],
    ) -> Result<Entry, Refusal<Refused>> {
        let before = entry.behind.and_then(|behind| self.request_slot(&behind.request));
        let before = before.filter(|slot| !freed.contains(slot));
        let freed = freed.iter().chain(&before).map(|slot| &self.entries[*slot]);
        let state = NextState { next: &self.next, view };
        let available = Available::new(state, &self.accounts, freed);
        let context = self.next.context(&self.chain, view);
        let mut session = Session::new(&available, self.next.height);
        if let Some(before) = before.map(|slot| &self.entries[slot]) {
            let (request, verified) = (&before.included.transaction, Signatures::Verified);
            match apply_transaction(&context, &mut session, request, &before.ids, verified) {
                Ok(_) => {}
                // Then there is nothing to approve, which the approval's own rules say.
                Err(Refusal::Rule(_)) => {}
                Err(Refusal::Store(error)) => return Err(error.into()),
            }
        }
        let transaction = &entry.included.transaction;
        let new = new_entries(&mut session, &transaction.core.body)?;
        let judged = apply_transaction(
            &context,
            &mut session,
            transaction,
            &entry.ids,
            Signatures::Verified,
        );
        match judged {
            Ok(_) => {}
            Err(Refusal::Rule(error)) => return Err(Refused::from(error).into()),
            Err(Refusal::Store(error)) => return Err(error.into()),
        }
        let prunable = self.prunable(view, &entry.effects)?;
        let least = fee_least(entry.bytes(), transaction, new + prunable);
        if prunable > 0 && transaction.fee < least {
            let error = TransactionError::FeeTooLow { least, got: transaction.fee };
            return Err(Refused::from(error).into());
        }
        entry.last_height = self.last_height(view, transaction)?;
        Ok(entry)
    }

    /// Accounts that exist but are empty, and may be pruned while the transaction is pending.
    fn prunable(&self, view: &View<'_>, effects: &Effects) -> Result<u64, StoreError> {
        let mut prunable = 0;
        for key in &effects.credits {
            let account = self.next.account(view, *key)?;
            let kept_until = |account: &Account| account.touched.saturating_add(IDLE_BLOCKS);
            prunable += u64::from(account.is_some_and(|account| {
                account.balance == 0 && kept_until(&account) <= self.next.height + AGE_BLOCKS_MAX
            }));
        }
        Ok(prunable)
    }

    fn last_height(&self, view: &View<'_>, transaction: &Transaction) -> Result<u32, StoreError> {
        let core = &transaction.core;
        let last = core.valid_to.min(self.next.height.saturating_add(AGE_BLOCKS_MAX - 1));
        let anchor = BlockHash(core.anchor);
        if anchor == BlockHash::ZERO {
            return Ok(last);
        }
        let reach = |height: u32| height.saturating_add(ANCHOR_DEPTH_BLOCKS_MAX);
        Ok(view.height_of(&anchor)?.map_or(last, |height| last.min(reach(height))))
    }

    fn take_in(
        &mut self,
        view: &View<'_>,
        mut entry: Entry,
        plan: &Plan,
    ) -> Result<Admitted, StoreError> {
        entry.outbid = self.outbid_by(&entry, &plan.replaced);
        self.arrivals += 1;
        let ids = entry.ids.clone();
        let mut dropped = self.remove_all(&plan.replaced, &Why::Replaced(ids.transaction));
        let replaced = dropped.clone();
        for slot in &plan.evicted {
            let evicted = self.entries[*slot].key.rate();
            self.floor = self.floor.max(evicted.plus(FeeRate::STEP));
        }
        dropped.extend(self.drop_all(&plan.evicted, &Why::Evicted));
        self.enter(entry);
        self.reseat_behind(std::iter::once(ids.core));
        dropped.extend(self.adopt_orphans(view)?);
        // What waited with a request goes on waiting if it is the same one under another sponsor.
        dropped.extend(self.drop_behind(&replaced));
        Ok(Admitted { ids, dropped })
    }

    /// What is kept of those that sponsor the same core and are replaced: the first that another sponsor
    /// has outbid.
    fn outbid_by(&self, entry: &Entry, replaced: &[u32]) -> Option<Arc<Included>> {
        let mut replaced = replaced.iter().map(|slot| &self.entries[*slot]);
        let same = replaced.find(|other| other.ids.core == entry.ids.core)?;
        let is_other = same.payer() != entry.payer();
        same.outbid.clone().or_else(|| is_other.then(|| Arc::clone(&same.included)))
    }

    /// Takes in again what was outbid by a sponsor who has gone without a block.
    pub(super) fn adopt_orphans(&mut self, view: &View<'_>) -> Result<Vec<Dropped>, StoreError> {
        let mut dropped = Vec::new();
        for included in std::mem::take(&mut self.orphans) {
            let core = included.transaction.core.id(&self.chain.genesis);
            if self.slot_of(&core).is_some() {
                continue;
            }
            match self.return_in(view, included, None) {
                Ok(admitted) => dropped.extend(admitted.dropped),
                Err(Refusal::Rule(_)) => {}
                Err(Refusal::Store(error)) => return Err(error),
            }
        }
        Ok(dropped)
    }
}
