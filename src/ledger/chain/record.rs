//! What the header tree keeps of each block.

use crate::primitives::{BlockHash, Header, HeaderBytes, Work};

/// What is known about a block's validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its header is valid, and so was its body by itself; that is not kept, or not any more.
    Bare,
    /// Its header is valid and its body is stored; its transactions have not been judged.
    Stored,
    /// It has been applied to the state of its parent.
    Valid,
    /// It, or an ancestor, breaks a rule that its hash commits to: never judged again.
    Invalid,
}

/// A node of the header tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The header.
    pub header: Header,
    /// Its height.
    pub height: u32,
    /// Work of the chain up to it.
    pub work: Work,
    /// The latest time of the block and its ancestors, which the relief rule measures from.
    pub latest_time: u32,
    /// How many blocks had arrived before: first seen wins a tie, also after a restart.
    pub arrival: u64,
    /// What is known about its validity.
    pub status: Status,
}

const RECORD_BYTES: usize = 80 + 4 + 32 + 4 + 8 + 1;

impl Record {
    /// Header 80, height 4, work 32, latest time 4, arrival 8, status 1; integers little-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RECORD_BYTES);
        bytes.extend_from_slice(&self.header.encode());
        bytes.extend_from_slice(&self.height.to_le_bytes());
        bytes.extend_from_slice(&self.work.to_le_bytes());
        bytes.extend_from_slice(&self.latest_time.to_le_bytes());
        bytes.extend_from_slice(&self.arrival.to_le_bytes());
        bytes.push(match self.status {
            Status::Stored => 1,
            Status::Valid => 2,
            Status::Invalid => 3,
            Status::Bare => 4,
        });
        bytes
    }

    /// Reads what [`Record::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<80>()?;
        let header: HeaderBytes = *header;
        let (height, rest) = rest.split_first_chunk()?;
        let (work, rest) = rest.split_first_chunk::<32>()?;
        let (latest_time, rest) = rest.split_first_chunk()?;
        let (arrival, rest) = rest.split_first_chunk()?;
        let status = match rest {
            [1] => Status::Stored,
            [2] => Status::Valid,
            [3] => Status::Invalid,
            [4] => Status::Bare,
            _ => return None,
        };
        Some(Self {
            header: Header::decode(&header),
            height: u32::from_le_bytes(*height),
            work: Work::from_le_bytes(*work),
            latest_time: u32::from_le_bytes(*latest_time),
            arrival: u64::from_le_bytes(*arrival),
            status,
        })
    }

    /// The parent's hash.
    #[must_use]
    pub fn parent(&self) -> BlockHash {
        self.header.prev_block
    }
}
