//! `Pay`: moves tokens from one key to another; lends them, gives them back, hands a claim on.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::signature::PubKey;

/// Moves `amount` units, or says who owes them.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Pay {
    /// Who pays, lends, repays or hands a claim on; signs.
    pub from: PubKey,
    /// Who is paid. Of a repayment the lender of the loan, whoever holds the claim now and is paid: so a
    /// claim that changes hands on the way makes no repayment invalid. Of an assignment who holds the
    /// claim from now on.
    pub to: PubKey,
    /// Units, above zero; zero for an assignment, which hands the claim on whole.
    pub amount: u64,
    /// On what terms.
    pub kind: PayKind,
}

/// The terms of a payment. The numbers are consensus and never reused.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[non_exhaustive]
pub enum PayKind {
    /// A plain transfer.
    Plain = 0,
    /// Announces a loan in public: moves nothing and binds nobody until both have signed the loan.
    LoanOffer(LoanTerms) = 1,
    /// Lends: signed by both. Its core id names the debt.
    Loan(LoanTerms) = 2,
    /// Gives back, in part or whole.
    Repay {
        /// Core id of the loan.
        debt: [u8; 32],
    } = 3,
    /// Hands the claim on a debt to somebody else; to the debtor, it forgives the rest.
    Assign {
        /// Core id of the loan.
        debt: [u8; 32],
    } = 4,
}

/// What the two sides of a loan agree on, besides the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LoanTerms {
    /// Last height at which a repayment is in time.
    pub due_h: u32,
    /// Units to be given back in all, interest included.
    pub total_owed: u64,
    /// Commitment to whatever else was agreed, kept elsewhere.
    pub document: [u8; 32],
}

impl Pay {
    /// Units that leave `from`.
    #[must_use]
    pub const fn debit(&self) -> u64 {
        match self.kind {
            PayKind::Plain | PayKind::Loan(_) | PayKind::Repay { .. } => self.amount,
            PayKind::LoanOffer(_) | PayKind::Assign { .. } => 0,
        }
    }

    pub(super) fn signers(&self) -> Vec<PubKey> {
        match self.kind {
            PayKind::Loan(_) => vec![self.from, self.to],
            PayKind::Plain
            | PayKind::LoanOffer(_)
            | PayKind::Repay { .. }
            | PayKind::Assign { .. } => vec![self.from],
        }
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        vec![self.from, self.to]
    }
}
