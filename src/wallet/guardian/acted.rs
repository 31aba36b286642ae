//! What a guardian keeps of a request that it acted on: the request and its own approval, to submit them
//! again if a reorganisation has dropped them, and the sealed share, which nobody gets before the chain
//! says so.

use std::path::Path;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::signature::PubKey;
use crate::ledger::transaction::{Body, CoreId, Request, TRANSACTION_BYTES_MAX, Transaction};
use crate::primitives::BlockHash;
use crate::wallet::custody::Release;
use crate::wallet::handout::Handout;
use crate::wallet::private_folder::PrivateFolder;

/// Sealed shares that are kept for one request; the oldest goes first.
pub const RELEASES_MAX: usize = 16;

/// A request that a guardian acted on.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Acted {
    /// The guardian.
    pub guardian: PubKey,
    /// The request as it was seen: the bytes of its transaction.
    pub request: Vec<u8>,
    /// The guardian's approval, if it was complete when it was made.
    pub approval: Option<Vec<u8>>,
    /// The share, sealed to the reader of the request: anew for each approval that was written, of which
    /// the chain takes one. At least one, at most [`RELEASES_MAX`].
    pub releases: Vec<Release>,
    /// The height of the tip when it acted.
    pub at: u32,
    /// Whether the reader has it.
    pub is_sent: bool,
}

impl Acted {
    /// The folder of a guardian in a directory.
    #[must_use]
    pub fn folder(dir: &Path, guardian: &PubKey) -> PrivateFolder<Self> {
        PrivateFolder::new(&dir.join("guardian").join(guardian.to_string()))
    }

    /// What was asked.
    #[must_use]
    pub fn request_body(&self) -> Option<Request> {
        match Transaction::decode(&self.request).ok()?.core.body {
            Body::Request(request) => Some(*request),
            _ => None,
        }
    }

    /// Which request.
    ///
    /// # Panics
    ///
    /// Never: there is a share.
    #[must_use]
    pub fn core(&self) -> CoreId {
        CoreId(self.releases.last().expect("at least one").request)
    }

    /// Takes over what was promised for the same request before.
    #[must_use]
    pub fn after(mut self, before: Option<Self>) -> Self {
        let Some(before) = before else { return self };
        let all = before.releases.into_iter().chain(self.releases);
        self.releases = all.collect();
        let excess = self.releases.len().saturating_sub(RELEASES_MAX);
        self.releases.drain(..excess);
        self.approval = self.approval.or(before.approval);
        self
    }

    /// The transactions to submit again while the chain does not hold them: the request first.
    pub fn transactions(&self) -> impl Iterator<Item = (&[u8], Transaction)> {
        let all = std::iter::once(&self.request).chain(&self.approval);
        all.filter_map(|bytes| Some((bytes.as_slice(), Transaction::decode(bytes).ok()?)))
    }
}

impl Handout for Acted {
    const FORMAT: &'static str = "proofward-acted";
    const NAME: &'static str = "guardian's file";

    fn fault(&self, genesis: &BlockHash) -> Option<String> {
        if self.request.len() > TRANSACTION_BYTES_MAX {
            return Some("the request is too long".into());
        }
        let cores = self.releases.iter().map(|release| release.request);
        let is_one = cores.clone().all(|core| cores.clone().next() == Some(core));
        if !(1..=RELEASES_MAX).contains(&self.releases.len()) || !is_one {
            return Some("shares of several requests, or none, or too many".into());
        }
        let Ok(request) = Transaction::decode(&self.request) else {
            return Some("the request does not decode".into());
        };
        let is_request = matches!(request.core.body, Body::Request(_));
        let is_of = is_request && request.core.id(genesis) == self.core();
        (!is_of).then(|| "the share is not for the request".to_owned())
    }
}
