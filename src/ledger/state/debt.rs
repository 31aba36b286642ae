//! What the state holds about loans.

use borsh::{BorshDeserialize, BorshSerialize};

use super::EntryValue;
use crate::ledger::signature::PubKey;

/// A debt, from the loan that opened it until it has been closed for long.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeldDebt {
    /// Who lent; repayments name it for ever.
    pub lender: PubKey,
    /// Who holds the claim and is paid.
    pub creditor: PubKey,
    /// Who owes.
    pub debtor: PubKey,
    /// Units that were lent.
    pub lent: u64,
    /// Units to be given back in all.
    pub owed: u64,
    /// Units given back so far.
    pub repaid: u64,
    /// Last height at which a repayment is in time.
    pub due_h: u32,
    /// Commitment to whatever else was agreed.
    pub document: [u8; 32],
    /// Height of the loan.
    pub since_h: u32,
    /// Height at which it was closed.
    pub closed_h: Option<u32>,
}

/// What the height says about a debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebtStanding {
    /// Something is owed, and there is time.
    Open,
    /// Something is owed, and the time is over.
    Overdue,
    /// All of it was given back.
    Repaid,
    /// The creditor let the debtor off what was left.
    Forgiven,
}

impl EntryValue for HeldDebt {}

impl HeldDebt {
    /// Units that are still to be given back.
    #[must_use]
    pub const fn left(&self) -> u64 {
        if self.closed_h.is_some() { 0 } else { self.owed.saturating_sub(self.repaid) }
    }

    /// How it stands in the block at a height: a repayment in the block at `due_h` is in time.
    #[must_use]
    pub const fn standing_at(&self, height: u32) -> DebtStanding {
        match self.closed_h {
            Some(_) if self.repaid == self.owed => DebtStanding::Repaid,
            Some(_) => DebtStanding::Forgiven,
            None if height > self.due_h => DebtStanding::Overdue,
            None => DebtStanding::Open,
        }
    }
}

impl DebtStanding {
    /// The word in tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Repaid => "repaid",
            Self::Forgiven => "forgiven",
        }
    }
}
