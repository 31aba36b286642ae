//! An archive: the blocks of a chain in one file, to be carried from one directory to another. It is
//! written and read as a stream; memory holds a few blocks at a time.
//!
//! # Format, version 1
//!
//! Integers are little-endian. A check is the first 8 bytes of `tagged("archive", part u8 || what it
//! stands after)` (see [`hash::tagged`](crate::hash::tagged)), the part numbered as on the left.
//!
//! ```text
//! 1 head   "pwblocks" | version u32 | height of the tip u32 | tip hash [32] | genesis hash [32]
//!          | bytes of the specification u32 | check [8]
//! 2 spec   the specification as a TOML chain file | check [8]
//!   then for each height from 1 to that of the tip:
//! 3 frame  height u32 | bytes of the block u32 | transactions u32 | block hash [32] | check [8]
//! 4 list   transactions x (merkle leaf [32] | id [32]) | check over block hash || list [8]
//! 5 block  as the chain knows it: header 80, count, coinbase, transactions | check [8]
//!   at last:
//!   end    "pwend..."
//! ```
//!
//! The list counts the coinbase, whose id is its leaf. It only serves to name a damaged transaction:
//! whatever is imported is judged from the blocks alone. Checks find accidents; against a forger stand
//! the block hashes and the rules.

mod import;
mod read;
mod write;

use std::io;

use crate::hash::tagged::Tag;
use crate::ledger::chain::{BlockPart, SubmitError};
use crate::ledger::spec::FileError;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::TransactionId;
use crate::primitives::BlockHash;

pub use import::{Import, import};
pub use read::{ArchiveReader, ArchivedBlock};
pub use write::write_archive;

/// What an archive begins with.
pub const MAGIC: [u8; 8] = *b"pwblocks";
/// The version of the format.
pub const VERSION: u32 = 1;
/// What an archive ends with.
pub const END: [u8; 8] = *b"pwend...";

const HEAD_BYTES: usize = 8 + 4 + 4 + 32 + 32 + 4;
const FRAME_BYTES: usize = 4 + 4 + 4 + 32;
const LISTED_BYTES: usize = 64;
const CHECK_BYTES: usize = 8;

/// What a check stands after: its number is part of what is hashed.
#[derive(Debug, Clone, Copy)]
enum Checked {
    Head,
    Spec,
    Frame,
    List,
    Block,
}

impl Checked {
    fn check(self, parts: &[&[u8]]) -> [u8; CHECK_BYTES] {
        const CHECK: Tag = Tag::new("archive");
        let number = match self {
            Self::Head => 1,
            Self::Spec => 2,
            Self::Frame => 3,
            Self::List => 4,
            Self::Block => 5,
        };
        let mut hash = CHECK.start();
        hash.update(&[number]);
        for part in parts {
            hash.update(part);
        }
        *hash.finish().first_chunk().expect("a digest is longer")
    }
}

/// Why an archive could not be written, read or imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file cannot be read or written.
    #[error("{text}")]
    Io {
        /// The kind of failure.
        kind: io::ErrorKind,
        /// What the system said.
        text: String,
    },
    /// It begins with something else.
    #[error("not an archive of blocks: it begins with {}, expected {}", hex::encode(.0), hex::encode(MAGIC))]
    NotAnArchive([u8; 8]),
    /// Another version of the format.
    #[error("archive of version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// The file ends too early.
    #[error("the archive ends early, in {0}")]
    Truncated(Place),
    /// A part of the file's own frame fails its check.
    #[error("the archive is damaged in {0}")]
    Frame(Place),
    /// Bytes follow the end.
    #[error("the archive goes on after its end")]
    TrailingBytes,
    /// The specification that it carries is none.
    #[error("the archive's specification: {0}")]
    Spec(#[from] FileError),
    /// It was made of another chain.
    #[error("the archive is of the chain with genesis {found}, expected {expected}")]
    OtherChain {
        /// Genesis of the chain here.
        expected: BlockHash,
        /// Genesis that the archive names.
        found: BlockHash,
    },
    /// A block is not the one that was written.
    #[error("block {height} ({hash}) is damaged in {part}{}", .id.map_or(String::new(), |id| format!(" ({id})")))]
    Damaged {
        /// Its height.
        height: u32,
        /// Its hash, as the frame says.
        hash: BlockHash,
        /// Where.
        part: BlockPart,
        /// The id of the transaction that was there.
        id: Option<TransactionId>,
    },
    /// A block was refused.
    #[error(transparent)]
    Refused(#[from] SubmitError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A place in the file's own frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// What the file begins with.
    Head,
    /// The specification.
    Spec,
    /// What stands before the block at a height.
    Frame(u32),
    /// The list of leaves and ids of the block at a height.
    List(u32),
    /// The block at a height.
    Block(u32),
    /// What the file ends with.
    End,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head => f.write_str("its head"),
            Self::Spec => f.write_str("its specification"),
            Self::Frame(height) => write!(f, "the frame of block {height}"),
            Self::List(height) => write!(f, "the list of transactions of block {height}"),
            Self::Block(height) => write!(f, "block {height}"),
            Self::End => f.write_str("its end"),
        }
    }
}

impl Place {
    /// The height, where the place belongs to a block.
    #[must_use]
    pub fn height(self) -> Option<u32> {
        match self {
            Self::Frame(height) | Self::List(height) | Self::Block(height) => Some(height),
            Self::Head | Self::Spec | Self::End => None,
        }
    }
}

impl ArchiveError {
    /// What the system said while an archive was read or written.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Self {
        Self::Io { kind: error.kind(), text: error.to_string() }
    }
}
