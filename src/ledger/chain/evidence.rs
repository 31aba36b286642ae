//! Evidence: that the state held an entry, or none, shown to somebody who has nothing but headers.
//!
//! A block's coinbase commits to the state after its parent. So the state after the tip's parent can be
//! shown with the tip, and what the tip itself did takes one more block to show.
//!
//! | from | to | by |
//! |---|---|---|
//! | entry | state root | the proof of the authenticated map |
//! | state root | coinbase | its commitment output |
//! | coinbase | header | its merkle branch, hash on the left at every step |
//! | header | chain | its hash, at the height that the coinbase begins with, among one's own headers |
//!
//! A coinbase is longer than 64 bytes, so no inner node of a merkle tree can pose as one, whatever the
//! length of its branch.

use crate::consensus::merkle::{self, Inclusion};
use crate::hash::sha256::sha256d;
use crate::ledger::block::Block;
use crate::ledger::chain::connect::Chain;
use crate::ledger::chain::view::{View, corrupt};
use crate::ledger::coinbase::{Coinbase, CoinbaseError};
use crate::ledger::state::{EntryKey, StateRead};
use crate::ledger::store::{Overlay, Read, StoreError};
use crate::ledger::tree::{self, Proof, ProofError, StateRoot};
use crate::primitives::codec::Reader;
use crate::primitives::{BlockHash, Digest, Header, HeaderBytes, MerkleRoot};

/// An entry of the state, or its absence, up to a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEvidence {
    /// Which entry, encoded as [`EntryKey::encode`] does.
    pub key: Vec<u8>,
    /// Its value; `None` if there is none.
    pub value: Option<Vec<u8>>,
    /// From the entry to the state root.
    pub proof: Proof,
    /// The coinbase that commits to the root.
    pub coinbase: Vec<u8>,
    /// From the coinbase to the header's merkle root.
    pub branch: Vec<Digest>,
    /// The header.
    pub header: HeaderBytes,
}

/// What evidence shows, if one's own headers have this block at this height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The last block whose effects the state has.
    pub state_height: u32,
    /// The state's root.
    pub root: StateRoot,
    /// The block that commits to it, one above.
    pub block: BlockHash,
}

/// Why evidence shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The key names no entry.
    #[error("no state entry has the key {}", hex::encode(.0))]
    Key(Vec<u8>),
    /// The coinbase is none.
    #[error(transparent)]
    Coinbase(#[from] CoinbaseError),
    /// Genesis commits to a specification, not to a state.
    #[error("the coinbase of genesis commits to no state")]
    Genesis,
    /// The branch leads elsewhere.
    #[error("the merkle branch leads to {found}, the header says {expected}")]
    Branch {
        /// The header's root.
        expected: MerkleRoot,
        /// Where the branch leads.
        found: MerkleRoot,
    },
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Chain {
    /// Evidence of an entry, or of its absence, in the state after the tip's parent.
    ///
    /// # Errors
    ///
    /// If the store cannot be read, is damaged, or holds nothing but genesis.
    pub fn evidence(&self, store: &dyn Read, key: &EntryKey) -> Result<StateEvidence, StoreError> {
        let tip = View(store).tip()?;
        let bytes = View(store).block_bytes(&tip)?.ok_or_else(|| corrupt("the tip has no body"))?;
        let block = Block::decode(&bytes).map_err(|_| corrupt("the tip does not decode"))?;
        if tip == self.genesis {
            return Err(StoreError::Corrupt {
                what: "nothing can be shown before the first block".into(),
            });
        }
        let mut before = Overlay::new(store);
        self.disconnect(&mut before)?;
        let view = View(&before);
        let value = view.entry(key)?;
        let (root, state_key) = (StateRoot(block.coinbase.commitment), key.state_key());
        let proof = tree::prove(self.kernel, &view, root, &state_key)
            .map_err(|error| corrupt(&error.to_string()))?;
        let inclusion = Inclusion::new(&block.leaves(), 0).expect("every block has a coinbase");
        Ok(StateEvidence {
            key: key.encode(),
            value: value.map(|value| value.to_vec()),
            proof,
            coinbase: block.coinbase_bytes,
            branch: inclusion.siblings,
            header: block.header.encode(),
        })
    }
}

impl StateEvidence {
    /// Checks everything up to the header. The header itself proves nothing before it is found among
    /// one's own at the height above [`Shown::state_height`].
    ///
    /// # Errors
    ///
    /// The first step that does not hold.
    pub fn check(&self, chain: &Chain) -> Result<Shown, EvidenceError> {
        let key =
            EntryKey::decode(&self.key).ok_or_else(|| EvidenceError::Key(self.key.clone()))?;
        let mut reader = Reader::new(&self.coinbase);
        let coinbase = Coinbase::decode(&mut reader)?;
        reader.finish().map_err(CoinbaseError::from)?;
        let state_height = coinbase.height.checked_sub(1).ok_or(EvidenceError::Genesis)?;
        let header = Header::decode(&self.header);
        let leaf = sha256d(&self.coinbase);
        let found =
            MerkleRoot(self.branch.iter().fold(leaf, |hash, right| merkle::node(&hash, right)));
        if found != header.merkle_root {
            return Err(EvidenceError::Branch { expected: header.merkle_root, found });
        }
        let root = StateRoot(coinbase.commitment);
        self.proof.check(&root, &key.state_key(), self.value.as_deref())?;
        Ok(Shown { state_height, root, block: chain.spec.hash_header(&header) })
    }
}
