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

/// A request that a guardian acted on.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Acted {
    /// The guardian.
    pub guardian: PubKey,
    /// The request as it was seen: the bytes of its transaction.
    pub request: Vec<u8>,
    /// The guardian's approval, if it was complete when it was made.
    pub approval: Option<Vec<u8>>,
    /// The share, sealed to the reader of the request.
    pub release: Release,
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
    #[must_use]
    pub fn core(&self) -> CoreId {
        CoreId(self.release.request)
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
        let Ok(request) = Transaction::decode(&self.request) else {
            return Some("the request does not decode".into());
        };
        let is_request = matches!(request.core.body, Body::Request(_));
        let is_of = is_request && request.core.id(genesis) == self.core();
        (!is_of).then(|| "the share is not for the request".to_owned())
    }
}
