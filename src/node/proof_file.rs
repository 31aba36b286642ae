//! A proof as text, version 1, JSON: what anybody can check with headers alone.
//!
//! ```json
//! {
//!   "format": "proofward-proof", "version": 1,
//!   "specification": "<the chain file>",
//!   "entry": {"key": "<key>", "value": "<value, or null if there is none>", "proof": "<proof>"},
//!   "coinbase": "<transaction>", "branch": ["<hash>", ...], "header": "<80 bytes>"
//! }
//! ```
//!
//! or, instead of `entry`, `"transaction": {"bytes": "<transaction>", "index": 1, "siblings": ["<hash>", ...]}`.
//! All in hex, hashes in the order of their bytes. To check it:
//!
//! 1. Hash the coinbase with SHA-256 twice, then at each step the 64 bytes of the result and the next hash
//!    of the branch: it must end at the header's merkle root (bytes 36 to 68). The height is what the
//!    coinbase's script begins with (BIP34).
//! 2. Of a transaction the same from its own bytes with the siblings, as many as the branch has; at a step
//!    where the index, halved at each, is odd, the sibling stands on the left, and must differ. It has more
//!    than 64 bytes, so no inner node can pose as one. Of an entry, the output of value 0 in the coinbase
//!    with script `6a24 "pwsr"` holds the root of the state after the block before; the proof's bytes, and
//!    how to fold them up to that root, stand in [`crate::ledger::tree`], the keys in
//!    [`crate::ledger::state`].
//! 3. The header must be the one at that height among one's own.

use serde::{Deserialize, Serialize};

use crate::consensus::merkle::{self, Inclusion};
use crate::engine::nodes::NodeKernel;
use crate::hash::sha256::sha256d;
use crate::ledger::block::{BLOCK_BYTES_MAX, Included};
use crate::ledger::chain::{Chain, EvidenceError, StateEvidence, View};
use crate::ledger::coinbase::{Coinbase, CoinbaseError};
use crate::ledger::rules::context::Ancestors as _;
use crate::ledger::rules::isolation::Ids;
use crate::ledger::spec::{FileError, Spec};
use crate::ledger::state::EntryKey;
use crate::ledger::store::{Read, StoreError, Table};
use crate::ledger::transaction::{Transaction, TransactionDecodeError, TransactionId};
use crate::ledger::tree::{Proof, StateRoot};
use crate::primitives::codec::Reader;
use crate::primitives::{BlockHash, Digest, Header, HeaderBytes, MerkleRoot};

/// Bytes of a proof file: hex doubles what it holds, and an entry's value fits a block.
pub const PROOF_FILE_BYTES_MAX: usize = 3 * BLOCK_BYTES_MAX;

const FORMAT: &str = "proofward-proof";
const VERSION: u32 = 1;

/// A proof with the specification of its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// The chain that it is of.
    pub spec: Spec,
    /// What is proved.
    pub proved: Proved,
}

/// What is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proved {
    /// An entry of the state, or its absence.
    Entry(StateEvidence),
    /// A transaction in a block.
    Transaction(Inclusive),
}

/// A transaction in a block, up to its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusive {
    /// The transaction.
    pub bytes: Vec<u8>,
    /// From it to the header's merkle root.
    pub inclusion: Inclusion,
    /// The coinbase, which holds the height.
    pub coinbase: Vec<u8>,
    /// From the coinbase to the header's merkle root.
    pub branch: Vec<Digest>,
    /// The header.
    pub header: HeaderBytes,
}

/// What a proof shows, if the header is that of the block at this height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofShown {
    /// The block whose header it ends at.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// The root that its coinbase commits to: of the state after the block before.
    pub root: StateRoot,
    /// The transaction's id, if one is shown.
    pub transaction: Option<TransactionId>,
}

/// Why a text is no proof file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFileError {
    /// Over [`PROOF_FILE_BYTES_MAX`].
    #[error("proof file of {0} bytes, at most {PROOF_FILE_BYTES_MAX}")]
    TooLarge(usize),
    /// No JSON, or not these fields.
    #[error("not a proof file: {0}")]
    Json(String),
    /// Another version.
    #[error("proof file of version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// A field that holds something else.
    #[error("proof file: {field}: expected {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The specification is none.
    #[error("proof file: {0}")]
    Spec(#[from] FileError),
}

/// Why a proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofCheckError {
    /// The proof of an entry does not hold.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The coinbase is none.
    #[error(transparent)]
    Coinbase(#[from] CoinbaseError),
    /// The transaction is none.
    #[error(transparent)]
    Transaction(#[from] TransactionDecodeError),
    /// The siblings of the transaction are not those of one place in the tree.
    #[error("the siblings of the transaction are those of no place in the block")]
    Siblings,
    /// A merkle branch leads elsewhere.
    #[error("the {what} leads to the merkle root {found}, the header says {expected}")]
    Root {
        /// Of the coinbase or the transaction.
        what: &'static str,
        /// The header's root.
        expected: MerkleRoot,
        /// Where the branch leads.
        found: MerkleRoot,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u32,
    specification: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<FileEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transaction: Option<FileTransaction>,
    coinbase: String,
    branch: Vec<String>,
    header: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    key: String,
    value: Option<String>,
    proof: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTransaction {
    bytes: String,
    index: u32,
    siblings: Vec<String>,
}

impl ProofFile {
    /// Proves an entry, or its absence, in the state after the tip's parent.
    ///
    /// # Errors
    ///
    /// If the store cannot be read, or holds nothing but genesis.
    pub fn of_entry(chain: &Chain, store: &dyn Read, key: &EntryKey) -> Result<Self, StoreError> {
        let proved = Proved::Entry(chain.evidence(store, key)?);
        Ok(Self { spec: chain.spec.clone(), proved })
    }

    /// Proves that a transaction is in a block of the best chain; `None` if it is in none.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn of_transaction(
        chain: &Chain,
        store: &dyn Read,
        id: &TransactionId,
    ) -> Result<Option<Self>, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt { what: what.into() };
        let Some(place) = store.get(Table::Transactions, &id.0)? else { return Ok(None) };
        let place = place.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let [height, index] = place.collect::<Vec<_>>()[..] else {
            return Err(corrupt("the place of a transaction is not 8 bytes"));
        };
        let hash = View(store).hash_at(height)?.ok_or_else(|| corrupt("no block at a height"))?;
        let block = View(store).block(&hash)?.ok_or_else(|| corrupt("a block is missing"))?;
        let leaves = block.leaves();
        let at = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        let included = at.and_then(|at| block.transactions.get(at));
        let inclusion = Inclusion::new(&leaves, index);
        let (Some(included), Some(inclusion)) = (included, inclusion) else {
            return Err(corrupt("no transaction at its place"));
        };
        let branch = Inclusion::new(&leaves, 0).expect("every block has a coinbase").siblings;
        let proved = Proved::Transaction(Inclusive {
            bytes: included.bytes.clone(),
            inclusion,
            coinbase: block.coinbase_bytes,
            branch,
            header: block.header.encode(),
        });
        Ok(Some(Self { spec: chain.spec.clone(), proved }))
    }

    /// Checks everything up to the header, which proves nothing before it is found among one's own.
    ///
    /// # Errors
    ///
    /// The first step that does not hold.
    pub fn check(&self) -> Result<ProofShown, ProofCheckError> {
        match &self.proved {
            Proved::Entry(evidence) => {
                let chain = Chain::new(self.spec.clone(), NodeKernel::best());
                let shown = evidence.check(&chain)?;
                let height = shown.state_height.saturating_add(1);
                Ok(ProofShown { block: shown.block, height, root: shown.root, transaction: None })
            }
            Proved::Transaction(inclusive) => inclusive.check(&self.spec),
        }
    }

    /// The file's text.
    ///
    /// # Panics
    ///
    /// Never: texts and numbers serialise.
    #[must_use]
    pub fn to_text(&self) -> String {
        let all = |hashes: &[Digest]| hashes.iter().map(hex::encode).collect();
        let (entry, transaction, coinbase, branch, header) = match &self.proved {
            Proved::Entry(evidence) => {
                let entry = FileEntry {
                    key: hex::encode(&evidence.key),
                    value: evidence.value.as_ref().map(hex::encode),
                    proof: hex::encode(evidence.proof.encode()),
                };
                (Some(entry), None, &evidence.coinbase, &evidence.branch, &evidence.header)
            }
            Proved::Transaction(inclusive) => {
                let transaction = FileTransaction {
                    bytes: hex::encode(&inclusive.bytes),
                    index: inclusive.inclusion.index,
                    siblings: all(&inclusive.inclusion.siblings),
                };
                (None, Some(transaction), &inclusive.coinbase, &inclusive.branch, &inclusive.header)
            }
        };
        let file = File {
            format: FORMAT.into(),
            version: VERSION,
            specification: self.spec.to_toml(),
            entry,
            transaction,
            coinbase: hex::encode(coinbase),
            branch: all(branch),
            header: hex::encode(header),
        };
        let mut text = serde_json::to_string_pretty(&file).expect("texts and numbers serialise");
        text.push('\n');
        text
    }

    /// Reads a file, without trusting it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, ProofFileError> {
        if text.len() > PROOF_FILE_BYTES_MAX {
            return Err(ProofFileError::TooLarge(text.len()));
        }
        let file: File = serde_json::from_slice(text)
            .map_err(|error| ProofFileError::Json(error.to_string()))?;
        let field = |field, expected| ProofFileError::Field { field, expected };
        if file.format != FORMAT {
            return Err(field("format", FORMAT));
        }
        if file.version != VERSION {
            return Err(ProofFileError::Version(file.version));
        }
        let bytes = |name, text: &str| hex::decode(text).map_err(|_| field(name, "hex digits"));
        let hashes = |name, list: &[String]| -> Result<Vec<Digest>, ProofFileError> {
            let digest = |text: &String| {
                let mut digest = [0; 32];
                hex::decode_to_slice(text, &mut digest)
                    .map_err(|_| field(name, "64 hex digits"))?;
                Ok(digest)
            };
            list.iter().map(digest).collect()
        };
        let mut header = [0; 80];
        hex::decode_to_slice(&file.header, &mut header)
            .map_err(|_| field("header", "160 hex digits"))?;
        let coinbase = bytes("coinbase", &file.coinbase)?;
        let branch = hashes("branch", &file.branch)?;
        let proved = match (file.entry, file.transaction) {
            (Some(entry), None) => Proved::Entry(StateEvidence {
                key: bytes("key", &entry.key)?,
                value: entry.value.map(|value| bytes("value", &value)).transpose()?,
                proof: Proof::decode(&bytes("proof", &entry.proof)?)
                    .map_err(|_| field("proof", "a proof of the state"))?,
                coinbase,
                branch,
                header,
            }),
            (None, Some(transaction)) => Proved::Transaction(Inclusive {
                bytes: bytes("transaction", &transaction.bytes)?,
                inclusion: Inclusion {
                    index: transaction.index,
                    siblings: hashes("siblings", &transaction.siblings)?,
                },
                coinbase,
                branch,
                header,
            }),
            _ => return Err(field("entry", "this or transaction, not both")),
        };
        Ok(Self { spec: Spec::from_toml(&file.specification)?, proved })
    }
}

impl Inclusive {
    fn check(&self, spec: &Spec) -> Result<ProofShown, ProofCheckError> {
        let mut reader = Reader::new(&self.coinbase);
        let coinbase = Coinbase::decode(&mut reader)?;
        reader.finish().map_err(CoinbaseError::from)?;
        let transaction = Transaction::decode(&self.bytes)?;
        let header = Header::decode(&self.header);
        let expected = header.merkle_root;
        let leads_to = |what, found: Digest| match MerkleRoot(found) {
            found if found == expected => Ok(()),
            found => Err(ProofCheckError::Root { what, expected, found }),
        };
        let leaf = sha256d(&self.coinbase);
        leads_to(
            "coinbase",
            self.branch.iter().fold(leaf, |hash, right| merkle::node(&hash, right)),
        )?;
        let Inclusion { index, siblings } = &self.inclusion;
        let mut at = *index;
        if at == 0 || siblings.len() != self.branch.len() {
            return Err(ProofCheckError::Siblings);
        }
        let mut hash = sha256d(&self.bytes);
        for sibling in siblings {
            if at % 2 == 1 {
                // A node that is its own pair stands on the left: its copy is in no list of transactions.
                if *sibling == hash {
                    return Err(ProofCheckError::Siblings);
                }
                hash = merkle::node(sibling, &hash);
            } else {
                hash = merkle::node(&hash, sibling);
            }
            at /= 2;
        }
        if at != 0 {
            return Err(ProofCheckError::Siblings);
        }
        leads_to("transaction", hash)?;
        let ids = Ids::of(&Included::new(transaction), &spec.genesis_hash());
        Ok(ProofShown {
            block: spec.hash_header(&header),
            height: coinbase.height,
            root: StateRoot(coinbase.commitment),
            transaction: Some(ids.transaction),
        })
    }
}
