//! For whom an unattended guardian agrees: a rule of its own, stricter than any policy. What no line names
//! it leaves to people.

use crate::ledger::policy::{Purpose, Purposes, RoleRef};
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::Request;

/// Who the guardian is, and what it agrees to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Its key.
    pub guardian: PubKey,
    /// The role in which it approves.
    pub role: RoleRef,
    /// It agrees to what any of these holds.
    pub agree: Vec<Agree>,
}

/// Requests that a guardian agrees to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agree {
    /// For these purposes.
    pub purposes: Purposes,
    /// Of these records; of every record that it guards if none is named.
    pub records: Vec<PubKey>,
    /// By readers in these roles; by every reader whom the policy names if none is.
    pub readers: Vec<RoleRef>,
}

impl Duty {
    /// Whether it agrees, if the chain does.
    #[must_use]
    pub fn agrees_to(&self, request: &Request) -> bool {
        let role = request.role.as_ref().map(|proof| proof.role);
        self.agree.iter().any(|agree| agree.holds(request.purpose, &request.rid, role))
    }
}

impl Agree {
    fn holds(&self, purpose: Purpose, rid: &PubKey, role: Option<RoleRef>) -> bool {
        self.purposes.holds(purpose)
            && (self.records.is_empty() || self.records.contains(rid))
            && (self.readers.is_empty() || role.is_some_and(|role| self.readers.contains(&role)))
    }
}
