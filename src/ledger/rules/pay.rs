//! The rules of `Pay`, and what it changes.

use super::context::{Refusal, credit, impossible};
use super::error::{PayError, TransactionError};
use crate::ledger::state::{Account, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{Pay, PayKind, Transaction};

/// Judges a payment.
pub(super) fn check(
    session: &mut Session<'_>,
    transaction: &Transaction,
    pay: &Pay,
) -> Result<(), Refusal<TransactionError>> {
    let refuse = |error: PayError| Err(TransactionError::from(error).into());
    match pay.kind {
        PayKind::Plain => {}
    }
    if pay.amount == 0 {
        return refuse(PayError::ZeroAmount);
    }
    if pay.from == pay.to {
        return refuse(PayError::SelfPay);
    }
    let mut balance = session.account(pay.from)?.balance;
    if pay.from == transaction.payer {
        balance = balance.saturating_sub(transaction.fee);
    }
    if balance < pay.amount {
        return refuse(PayError::Insufficient { balance, amount: pay.amount });
    }
    Ok(())
}

/// Moves the units.
pub(super) fn apply(session: &mut Session<'_>, pay: &Pay) -> Result<(), StoreError> {
    let from = session.account(pay.from)?;
    let left = from.balance.checked_sub(pay.amount).ok_or_else(impossible)?;
    session.put_account(pay.from, Account { balance: left, ..from })?;
    credit(session, pay.to, pay.amount)
}
