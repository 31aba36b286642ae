//! The names of broken rules of `Pay`, in the order of the checks.

use crate::ledger::rules::names::names;

/// Rules of `Pay`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayError {
    /// Nothing is moved, or nothing is to be given back.
    #[error("the amount is zero")]
    ZeroAmount,
    /// To oneself.
    #[error("from and to are the same key")]
    SelfPay,
    /// The account holds less, the fee deducted if it also pays that.
    #[error("the account holds {balance}, the amount is {amount}")]
    Insufficient {
        /// What it holds.
        balance: u64,
        /// What it would move.
        amount: u64,
    },
    /// The loan would be due before the block.
    #[error("due at height {due}, this is {height}")]
    DueInPast {
        /// Last height in time.
        due: u32,
        /// Of the including block.
        height: u32,
    },
    /// There is no such debt, or it was closed long ago.
    #[error("no such debt")]
    DebtUnknown,
    /// Nothing is owed any more.
    #[error("the debt was closed at height {0}")]
    DebtClosed(u32),
    /// Somebody else owes it.
    #[error("not the debtor")]
    NotDebtor,
    /// More than is still owed.
    #[error("{left} are still owed, the amount is {amount}")]
    OverRepay {
        /// What is still owed.
        left: u64,
        /// What would be repaid.
        amount: u64,
    },
    /// Who hands the claim on does not hold it, or a repayment names another lender.
    #[error("not the creditor")]
    NotCreditor,
}

names! {
    PayError: ZeroAmount SelfPay Insufficient DueInPast DebtUnknown DebtClosed NotDebtor OverRepay
        NotCreditor;
}
