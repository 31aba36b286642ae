//! What a reader keeps of a request: the one-time key to which the guardians seal their shares. Without
//! it what they send is worth nothing to anybody.

use std::fmt;
use std::path::Path;

use borsh::{BorshDeserialize, BorshSerialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::custody::{ReplyKey, SealSecret};
use super::handout::Handout;
use super::private_folder::PrivateFolder;
use crate::ledger::signature::PubKey;
use crate::primitives::BlockHash;

/// A request that was made here.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KeptRequest {
    /// The record.
    pub rid: PubKey,
    /// Who reads.
    pub reader: PubKey,
    reply: [u8; 32],
}

impl KeptRequest {
    /// With a reply secret that serves this request alone.
    #[must_use]
    pub fn new(rid: PubKey, reader: PubKey, reply: &SealSecret) -> Self {
        Self { rid, reader, reply: *reply.as_bytes() }
    }

    /// What opens the answers.
    #[must_use]
    pub fn reply(&self) -> SealSecret {
        SealSecret::from_bytes(Zeroizing::new(self.reply))
    }

    /// What the answers are sealed to.
    #[must_use]
    pub fn reply_key(&self) -> ReplyKey {
        ReplyKey(self.reply().public())
    }

    /// The folder of those who read with the keys of a directory.
    #[must_use]
    pub fn folder(dir: &Path) -> PrivateFolder<Self> {
        PrivateFolder::new(&dir.join("requests"))
    }
}

impl Handout for KeptRequest {
    const FORMAT: &'static str = "proofward-kept-request";
    const NAME: &'static str = "kept request";

    fn fault(&self, _genesis: &BlockHash) -> Option<String> {
        let keys = [self.rid, self.reader].into_iter();
        keys.into_iter().find_map(|key| Some(format!("key {key}: {}", key.check().err()?)))
    }
}

impl Drop for KeptRequest {
    fn drop(&mut self) {
        self.reply.zeroize();
    }
}

/// Without the secret.
impl fmt::Debug for KeptRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptRequest")
            .field("rid", &self.rid)
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}
