//! Reading an archive: bytes of a stranger, block by block.

use std::io::{ErrorKind, Read};

use super::{
    ArchiveError, CHECK_BYTES, Checked, END, FRAME_BYTES, HEAD_BYTES, LISTED_BYTES, MAGIC, Place,
    VERSION,
};
use crate::ledger::block::BLOCK_BYTES_MAX;
use crate::ledger::chain::BlockPart;
use crate::ledger::spec::{FILE_BYTES_MAX, FileError, Spec};
use crate::ledger::transaction::TransactionId;
use crate::primitives::codec::Reader;
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{BlockHash, Digest};

/// Transactions in a block: each is longer than this, as the coinbase is.
const TRANSACTION_BYTES_LEAST: usize = 65;
const _: () = assert!(HEADER_BYTES >= TRANSACTION_BYTES_LEAST);

/// An archive that is being read.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    input: R,
    spec: Spec,
    tip_height: u32,
    tip_hash: BlockHash,
    /// Height of the next block.
    next: u32,
}

/// A block as it stood in the archive: the bytes are those that were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedBlock {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads head and specification.
    ///
    /// # Errors
    ///
    /// If it is no archive, of another version, or damaged.
    pub fn open(mut input: R) -> Result<Self, ArchiveError> {
        let head = read(&mut input, HEAD_BYTES, Place::Head)?;
        let mut reader = Reader::new(&head);
        let parsed = (|| {
            let (magic, version) = (reader.array()?, reader.u32()?);
            let (tip_height, tip_hash) = (reader.u32()?, reader.array()?);
            Ok::<_, crate::primitives::codec::DecodeError>((
                magic,
                version,
                tip_height,
                tip_hash,
                reader.array()?,
                reader.u32()?,
            ))
        })();
        let (magic, version, tip_height, tip_hash, genesis, spec_bytes) =
            parsed.expect("the head was read whole");
        if magic != MAGIC {
            return Err(ArchiveError::NotAnArchive(magic));
        }
        check(&mut input, Checked::Head, &[&head], Place::Head)?;
        if version != VERSION {
            return Err(ArchiveError::Version(version));
        }
        let spec_bytes = usize::try_from(spec_bytes).unwrap_or(usize::MAX);
        if spec_bytes > FILE_BYTES_MAX {
            return Err(FileError::TooLarge(spec_bytes).into());
        }
        let text = read(&mut input, spec_bytes, Place::Spec)?;
        check(&mut input, Checked::Spec, &[&text], Place::Spec)?;
        let text = String::from_utf8(text).map_err(|_| FileError::Toml("no UTF-8".into()))?;
        let spec = Spec::from_toml(&text)?;
        let (expected, found) = (spec.genesis_hash(), BlockHash(genesis));
        if expected != found {
            return Err(ArchiveError::OtherChain { expected, found });
        }
        Ok(Self { input, spec, tip_height, tip_hash: BlockHash(tip_hash), next: 1 })
    }

    /// The specification that it carries.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The height of its last block.
    pub fn tip_height(&self) -> u32 {
        self.tip_height
    }

    /// The next block; `None` after the last one, having seen the end of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, ends early, or is damaged: in its own frame, or in a block, with the
    /// transaction.
    pub fn next_block(&mut self) -> Result<Option<ArchivedBlock>, ArchiveError> {
        let height = self.next;
        if height > self.tip_height {
            return self.finish().map(|()| None);
        }
        let (hash, block_bytes, transactions) = self.frame(height)?;
        let list = read(&mut self.input, transactions * LISTED_BYTES, Place::List(height))?;
        check(&mut self.input, Checked::List, &[&hash.0, &list], Place::List(height))?;
        let bytes = read(&mut self.input, block_bytes, Place::Block(height))?;

        if let Err(error) = check(&mut self.input, Checked::Block, &[&bytes], Place::Block(height))
        {
            return Err(self.name_damage(height, hash, &list, &bytes, error));
        }
        self.next = height.saturating_add(1);
        if height == self.tip_height && hash != self.tip_hash {
            return Err(ArchiveError::Frame(Place::Frame(height)));
        }
        Ok(Some(ArchivedBlock { height, hash, bytes }))
    }

    /// Which part of a block is not what the list says; without one it is the check itself.
    fn name_damage(
        &self,
        height: u32,
        hash: BlockHash,
        list: &[u8],
        bytes: &[u8],
        error: ArchiveError,
    ) -> ArchiveError {
        let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return error };
        let listed = list.as_chunks::<32>().0.as_chunks::<2>().0;
        let leaves: Vec<Digest> = listed.iter().map(|[leaf, _]| *leaf).collect();
        let part = if crate::hash::hash_header(self.spec.algorithm, header) == hash.0 {
            BlockPart::first_changed(body, &leaves)
        } else {
            Some(BlockPart::Header)
        };
        let Some(part) = part else { return error };
        let index = part.transaction().and_then(|index| usize::try_from(index).ok());
        let id = index.and_then(|index| listed.get(index)).map(|[_, id]| TransactionId(*id));
        ArchiveError::Damaged { height, hash, part, id }
    }

    fn frame(&mut self, height: u32) -> Result<(BlockHash, usize, usize), ArchiveError> {
        let place = Place::Frame(height);
        let frame = read(&mut self.input, FRAME_BYTES, place)?;
        check(&mut self.input, Checked::Frame, &[&frame], place)?;
        let mut reader = Reader::new(&frame);
        let mut number = || reader.u32().ok().and_then(|number| usize::try_from(number).ok());
        let (at, block_bytes, transactions) = (number(), number(), number());
        let hash = reader.array().map(BlockHash).map_err(|_| ArchiveError::Frame(place))?;
        let (Some(block_bytes), Some(transactions)) = (block_bytes, transactions) else {
            return Err(ArchiveError::Frame(place));
        };
        // Nothing is read for a claim that no block can meet.
        let is_possible = at == usize::try_from(height).ok()
            && block_bytes <= BLOCK_BYTES_MAX
            && transactions <= block_bytes / TRANSACTION_BYTES_LEAST;
        if is_possible {
            Ok((hash, block_bytes, transactions))
        } else {
            Err(ArchiveError::Frame(place))
        }
    }

    fn finish(&mut self) -> Result<(), ArchiveError> {
        let end = read(&mut self.input, END.len(), Place::End)?;
        if end != END {
            return Err(ArchiveError::Frame(Place::End));
        }
        let mut byte = [0];
        match self.input.read(&mut byte) {
            Ok(0) => Ok(()),
            Ok(_) => Err(ArchiveError::TrailingBytes),
            Err(error) => Err(ArchiveError::from_io(&error)),
        }
    }
}

/// Exactly `len` bytes; memory grows with what comes, not with what is claimed.
fn read(input: &mut impl Read, len: usize, place: Place) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    let most = len as u64;
    input.by_ref().take(most).read_to_end(&mut bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => ArchiveError::Truncated(place),
        _ => ArchiveError::from_io(&error),
    })?;
    if bytes.len() < len {
        return Err(ArchiveError::Truncated(place));
    }
    Ok(bytes)
}

fn check(
    input: &mut impl Read,
    checked: Checked,
    parts: &[&[u8]],
    place: Place,
) -> Result<(), ArchiveError> {
    let written = read(input, CHECK_BYTES, place)?;
    if written == checked.check(parts) { Ok(()) } else { Err(ArchiveError::Frame(place)) }
}
