//! For whom an unattended guardian agrees: a rule of its own, stricter than any policy. What no line names
//! it leaves to people. Its count over time bounds what a stolen key of an issuer or a clinician opens.

use crate::ledger::policy::{Purposes, RoleRef};
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::Request;

/// The blocks over which [`Agree::at_most`] counts.
pub const AGREE_WINDOW_BLOCKS: u32 = 144;

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
    /// At most so many in any [`AGREE_WINDOW_BLOCKS`]; then people have to look.
    pub at_most: Option<u32>,
}

impl Duty {
    /// Whether it agrees, if the chain does; `recent` are the requests that it agreed to in the last
    /// [`AGREE_WINDOW_BLOCKS`].
    #[must_use]
    pub fn agrees_to(&self, request: &Request, recent: &[Request]) -> bool {
        self.agree.iter().any(|agree| {
            let before = recent.iter().filter(|recent| agree.holds(recent)).count();
            let most = agree
                .at_most
                .map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
            agree.holds(request) && before < most
        })
    }
}

impl Agree {
    fn holds(&self, request: &Request) -> bool {
        let role = request.role.as_ref().map(|proof| proof.role);
        self.purposes.holds(request.purpose)
            && (self.records.is_empty() || self.records.contains(&request.rid))
            && (self.readers.is_empty() || role.is_some_and(|role| self.readers.contains(&role)))
    }
}
