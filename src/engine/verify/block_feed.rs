//! Where blocks come from: anything that can be read, one block or a file of them, each with its past.

use std::io::{BufReader, Read};

use super::blocks::BlockRun;
use crate::consensus::{Ancestry, Context};
use crate::hash::hash_header;
use crate::primitives::limits::BITCOIN_BLOCK_BYTES_MAX;
use crate::primitives::{BlockHash, HeaderBytes};

/// Why there is no verdict about blocks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockFileError {
    /// There is no block.
    #[error("no block: the input is empty")]
    Empty,
    /// A block is longer than any may be.
    #[error("a block of {bytes} bytes or more at byte {at}, {BITCOIN_BLOCK_BYTES_MAX} allowed")]
    TooLong {
        /// Offset of the block.
        at: u64,
        /// Its length as far as it is known.
        bytes: u64,
    },
    /// The bytes that precede a block are not there.
    #[error(
        "expected the magic {} at byte {at}, got {}",
        hex::encode(expected),
        hex::encode(actual)
    )]
    NoMagic {
        /// Offset of the magic.
        at: u64,
        /// The chain's.
        expected: [u8; 4],
        /// What stands there.
        actual: Vec<u8>,
    },
    /// The input ends inside a block or before its length.
    #[error("the input ends inside the block at byte {at}: {left} bytes left of {wanted}")]
    Partial {
        /// Offset of the magic before the block.
        at: u64,
        /// Bytes that the block and what precedes it should have.
        wanted: u64,
        /// Bytes that there are.
        left: u64,
    },
    /// The input cannot be read.
    #[error("cannot read blocks")]
    Read(#[from] std::io::Error),
}

/// How blocks are told apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Framing {
    /// There is one.
    Whole,
    /// Each follows this and its length.
    Magic([u8; 4]),
}

/// A block's place in the run; its bytes are in the taker's buffer.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) position: u64,
    pub(super) context: Context,
    /// `None` if the bytes are too few for a header.
    pub(super) hash: Option<BlockHash>,
}

/// What a feed gave in all.
#[derive(Debug)]
pub(super) struct End {
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) last_height: Option<u64>,
    pub(super) tip: BlockHash,
}

/// Hands out blocks in order, each with what is known of its past.
pub(super) struct BlockFeed<'a, R> {
    run: &'a BlockRun<'a>,
    framing: Framing,
    reader: BufReader<R>,
    /// Offset of the next byte.
    at: u64,
    ancestry: Ancestry,
    count: u64,
    bytes: u64,
    tip: Option<BlockHash>,
    is_over: bool,
    /// Why the input broke off.
    error: Option<BlockFileError>,
}

/// What is read at once: early blocks are a few hundred bytes.
const READ_AHEAD_BYTES: usize = 1 << 18;
/// Magic and length.
const FRAME_BYTES: u64 = 8;

impl<'a, R: Read> BlockFeed<'a, R> {
    pub(super) fn new(run: &'a BlockRun<'a>, framing: Framing, reader: R) -> Self {
        Self {
            run,
            framing,
            reader: BufReader::with_capacity(READ_AHEAD_BYTES, reader),
            at: 0,
            ancestry: run.start.clone(),
            count: 0,
            bytes: 0,
            tip: None,
            is_over: false,
            error: None,
        }
    }

    /// Reads the next block into `bytes`.
    pub(super) fn next(&mut self, bytes: &mut Vec<u8>) -> Option<Taken> {
        if self.is_over {
            return None;
        }
        let is_there = self.read_block(bytes).unwrap_or_else(|error| {
            self.error = Some(error);
            false
        });
        if !is_there {
            self.is_over = true;
            return None;
        }
        let spec = self.run.spec;
        let header: Option<&HeaderBytes> = bytes.first_chunk();
        let hash = header.map(|header| BlockHash(hash_header(spec.algorithm, header)));
        if !self.run.is_linked && self.count > 0 {
            self.ancestry = Ancestry::unknown();
        }
        let starts_anew =
            self.ancestry.parent().is_none() && self.run.start.next_height().is_none();
        if starts_anew && hash.is_some() && hash == spec.genesis {
            self.ancestry = Ancestry::at_height(0);
        }
        let context = self.ancestry.context(self.run.now);
        let taken = Taken { position: self.count, context, hash };
        if let (Some(header), Some(hash)) = (header, hash) {
            self.ancestry.extend(spec, std::slice::from_ref(header), &hash.0);
            self.tip = Some(hash);
        }
        self.count += 1;
        self.bytes += bytes.len() as u64;
        Some(taken)
    }

    /// Whether there was another block.
    fn read_block(&mut self, bytes: &mut Vec<u8>) -> Result<bool, BlockFileError> {
        bytes.clear();
        match self.framing {
            Framing::Whole if self.count > 0 => Ok(false),
            Framing::Whole => {
                let limit = BITCOIN_BLOCK_BYTES_MAX as u64 + 1;
                let read = self.read_up_to(limit, bytes)?;
                if read == limit {
                    return Err(BlockFileError::TooLong { at: 0, bytes: read });
                }
                Ok(read > 0)
            }
            Framing::Magic(magic) => self.read_frame(magic, bytes),
        }
    }

    fn read_frame(&mut self, magic: [u8; 4], bytes: &mut Vec<u8>) -> Result<bool, BlockFileError> {
        let at = self.at;
        let left = self.read_up_to(FRAME_BYTES, bytes)?;
        if bytes.iter().all(|byte| *byte == 0) && self.is_zero_to_the_end()? {
            // The end, or room that a node reserved for further blocks.
            return Ok(false);
        }
        if !bytes.starts_with(&magic) {
            let actual = bytes[..bytes.len().min(magic.len())].to_vec();
            return Err(BlockFileError::NoMagic { at, expected: magic, actual });
        }
        let Some(length) = bytes[magic.len()..].first_chunk() else {
            return Err(BlockFileError::Partial { at, wanted: FRAME_BYTES, left });
        };
        let length = u64::from(u32::from_le_bytes(*length));
        if length > BITCOIN_BLOCK_BYTES_MAX as u64 {
            return Err(BlockFileError::TooLong { at: at + FRAME_BYTES, bytes: length });
        }
        bytes.clear();
        let left = self.read_up_to(length, bytes)?;
        if left < length {
            let (wanted, left) = (FRAME_BYTES + length, FRAME_BYTES + left);
            return Err(BlockFileError::Partial { at, wanted, left });
        }
        Ok(true)
    }

    /// Appends bytes until there are so many or no more: memory grows with what arrives.
    fn read_up_to(&mut self, limit: u64, bytes: &mut Vec<u8>) -> Result<u64, BlockFileError> {
        let read = (&mut self.reader).take(limit).read_to_end(bytes)? as u64;
        self.at += read;
        Ok(read)
    }

    fn is_zero_to_the_end(&mut self) -> Result<bool, BlockFileError> {
        let mut piece = [0; 4096];
        loop {
            match self.reader.read(&mut piece) {
                Ok(0) => return Ok(true),
                Ok(len) if piece[..len].iter().any(|byte| *byte != 0) => return Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Hands out nothing more.
    pub(super) fn stop(&mut self) {
        self.is_over = true;
    }

    pub(super) fn end(self) -> Result<End, BlockFileError> {
        match (self.error, self.tip) {
            (Some(error), _) => Err(error),
            (None, None) => Err(BlockFileError::Empty),
            (None, Some(tip)) => {
                let next = self.ancestry.next_height();
                let last_height = next.and_then(|height| height.checked_sub(1));
                Ok(End { count: self.count, bytes: self.bytes, last_height, tip })
            }
        }
    }
}
