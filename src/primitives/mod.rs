//! L0, values on the wire: headers, hashes, targets and work. No input or output, clock, thread,
//! float or `unsafe`.

pub mod codec;
mod header;
mod id;
pub mod limits;
mod target;

pub use header::{Header, HeaderBytes};
pub use id::{BlockHash, Digest, MerkleRoot, ParseHashError, TxId};
pub use target::{CompactError, CompactTarget, Expanded, Target, Work};
