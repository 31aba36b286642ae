//! The rules of `Pay`, and what it changes: accounts here, debts in [`debt`].

pub(super) mod debt;
mod error;

pub use error::PayError;

use super::context::{Context, Refusal, credit, impossible};
use super::error::TransactionError;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{Account, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{CoreId, Pay, PayKind, Transaction};

/// What is not canonical, if anything.
pub(super) fn fault(pay: &Pay) -> Option<&'static str> {
    let is_assignment = matches!(pay.kind, PayKind::Assign { .. });
    (is_assignment && pay.amount != 0).then_some("an assignment hands the claim on whole")
}

/// Judges a payment.
pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    transaction: &Transaction,
    pay: &Pay,
) -> Result<(), Refusal<TransactionError>> {
    let is_nothing = match &pay.kind {
        PayKind::Plain | PayKind::Repay { .. } => pay.amount == 0,
        PayKind::LoanOffer(terms) | PayKind::Loan(terms) => {
            pay.amount == 0 || terms.total_owed == 0
        }
        PayKind::Assign { .. } => false,
    };
    if is_nothing {
        return refuse(PayError::ZeroAmount);
    }
    if pay.from == pay.to {
        return refuse(PayError::SelfPay);
    }
    let mut balance = session.account(pay.from)?.balance;
    if pay.from == transaction.payer {
        balance = balance.saturating_sub(transaction.fee);
    }
    let amount = pay.debit();
    if balance < amount {
        return refuse(PayError::Insufficient { balance, amount });
    }
    match &pay.kind {
        PayKind::Plain => Ok(()),
        PayKind::LoanOffer(terms) | PayKind::Loan(terms) => debt::check_terms(context, terms),
        PayKind::Repay { debt } => debt::check_repay(session, pay, CoreId(*debt)),
        PayKind::Assign { debt } => debt::check_assign(session, pay, CoreId(*debt)),
    }
}

/// Moves the units and writes down who owes what.
pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    pay: &Pay,
) -> Result<(), StoreError> {
    match &pay.kind {
        PayKind::Plain => transfer(session, pay.from, pay.to, pay.amount),
        // Public, and no more: the lender may lend elsewhere meanwhile.
        PayKind::LoanOffer(_) => Ok(()),
        PayKind::Loan(terms) => {
            transfer(session, pay.from, pay.to, pay.amount)?;
            debt::open(context, session, core, pay, terms)
        }
        PayKind::Repay { debt } => {
            let creditor = debt::repay(context, session, CoreId(*debt), pay.amount)?;
            transfer(session, pay.from, creditor, pay.amount)
        }
        PayKind::Assign { debt } => debt::assign(context, session, CoreId(*debt), pay.to),
    }
}

/// Entries that a payment adds to the state for longer than its core id is remembered.
pub(super) fn new_entries(session: &mut Session<'_>, pay: &Pay) -> Result<u64, StoreError> {
    let (paid, debts) = match &pay.kind {
        PayKind::Plain => (Some(pay.to), 0),
        PayKind::Loan(_) => (Some(pay.to), 1),
        PayKind::Repay { debt } => (debt::creditor(session, CoreId(*debt))?, 0),
        PayKind::LoanOffer(_) | PayKind::Assign { .. } => (None, 0),
    };
    Ok(match paid {
        Some(paid) => debts + u64::from(!session.has_account(paid)?),
        None => debts,
    })
}

fn transfer(
    session: &mut Session<'_>,
    from: PubKey,
    to: PubKey,
    amount: u64,
) -> Result<(), StoreError> {
    let account = session.account(from)?;
    let balance = account.balance.checked_sub(amount).ok_or_else(impossible)?;
    session.put_account(from, Account { balance, ..account })?;
    credit(session, to, amount)
}

fn refuse(error: PayError) -> Result<(), Refusal<TransactionError>> {
    Err(TransactionError::from(error).into())
}
