//! Debts: what a loan opens, a repayment lowers and an assignment hands on.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - A repayment names the lender of the loan, not who holds the claim: a creditor who hands the claim on
//!   in every block cannot make repayments invalid until the debt is overdue.
//! - A claim that comes to its debtor is forgiven: nobody could ever close it, since nobody pays himself.
//! - A loan may be due in its own block, at which it is repaid by a later transaction of the same block.
//! - Repaying late is valid: overdue is what the height says about a debt, not a state of its own.

use super::{PayError, refuse};
use crate::ledger::rules::context::{Context, Refusal, impossible};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::CLOSED_BLOCKS;
use crate::ledger::state::{EntryKey, HeldDebt, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::pay::LoanTerms;
use crate::ledger::transaction::{CoreId, Pay};

type Verdict = Result<(), Refusal<TransactionError>>;

pub(super) fn check_terms(context: &Context<'_>, terms: &LoanTerms) -> Verdict {
    if terms.due_h < context.height {
        let (due, height) = (terms.due_h, context.height);
        return refuse(PayError::DueInPast { due, height });
    }
    Ok(())
}

pub(super) fn check_repay(session: &mut Session<'_>, pay: &Pay, debt: CoreId) -> Verdict {
    let held = match open_debt(session, debt)? {
        Ok(held) => held,
        Err(error) => return refuse(error),
    };
    if pay.from != held.debtor {
        return refuse(PayError::NotDebtor);
    }
    let left = held.left();
    if pay.amount > left {
        return refuse(PayError::OverRepay { left, amount: pay.amount });
    }
    if pay.to != held.lender {
        return refuse(PayError::NotCreditor);
    }
    Ok(())
}

pub(super) fn check_assign(session: &mut Session<'_>, pay: &Pay, debt: CoreId) -> Verdict {
    match open_debt(session, debt)? {
        Ok(held) if held.creditor == pay.from => Ok(()),
        Ok(_) => refuse(PayError::NotCreditor),
        Err(error) => refuse(error),
    }
}

/// Who holds the claim, if there is one.
pub(super) fn creditor(
    session: &mut Session<'_>,
    debt: CoreId,
) -> Result<Option<PubKey>, StoreError> {
    Ok(session.get::<HeldDebt>(&EntryKey::Debt(debt))?.map(|held| held.creditor))
}

pub(super) fn open(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    pay: &Pay,
    terms: &LoanTerms,
) -> Result<(), StoreError> {
    let held = HeldDebt {
        lender: pay.from,
        creditor: pay.from,
        debtor: pay.to,
        lent: pay.amount,
        owed: terms.total_owed,
        repaid: 0,
        due_h: terms.due_h,
        document: terms.document,
        since_h: context.height,
        closed_h: None,
    };
    session.put(&EntryKey::Debt(core), Some(&held))
}

/// Lowers what is owed; who is to be paid.
pub(super) fn repay(
    context: &Context<'_>,
    session: &mut Session<'_>,
    debt: CoreId,
    amount: u64,
) -> Result<PubKey, StoreError> {
    let key = EntryKey::Debt(debt);
    let mut held: HeldDebt = session.get(&key)?.ok_or_else(impossible)?;
    held.repaid = held.repaid.checked_add(amount).ok_or_else(impossible)?;
    if held.repaid == held.owed {
        close(context, session, &key, &mut held);
    }
    session.put(&key, Some(&held))?;
    Ok(held.creditor)
}

pub(super) fn assign(
    context: &Context<'_>,
    session: &mut Session<'_>,
    debt: CoreId,
    to: PubKey,
) -> Result<(), StoreError> {
    let key = EntryKey::Debt(debt);
    let mut held: HeldDebt = session.get(&key)?.ok_or_else(impossible)?;
    held.creditor = to;
    if to == held.debtor {
        close(context, session, &key, &mut held);
    }
    session.put(&key, Some(&held))
}

/// Whether a debt has been closed for so long that it is forgotten.
pub(in crate::ledger::rules) fn is_over(context: &Context<'_>, held: &HeldDebt) -> bool {
    held.closed_h.is_some_and(|closed| context.height.saturating_sub(closed) >= CLOSED_BLOCKS)
}

fn close(context: &Context<'_>, session: &mut Session<'_>, key: &EntryKey, held: &mut HeldDebt) {
    held.closed_h = Some(context.height);
    session.look_at(context.height.saturating_add(CLOSED_BLOCKS), *key);
}

fn open_debt(
    session: &mut Session<'_>,
    debt: CoreId,
) -> Result<Result<HeldDebt, PayError>, StoreError> {
    let held: Option<HeldDebt> = session.get(&EntryKey::Debt(debt))?;
    Ok(match held {
        None => Err(PayError::DebtUnknown),
        Some(HeldDebt { closed_h: Some(closed), .. }) => Err(PayError::DebtClosed(closed)),
        Some(held) => Ok(held),
    })
}
