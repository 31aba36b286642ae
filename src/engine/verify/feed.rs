//! Where chunks come from: memory, or anything that can be read, in order, each with its past.

use std::io::{ErrorKind, Read};
use std::num::NonZeroUsize;

use super::chunk::BATCH_HEADERS;
use super::{Run, VerifyError};
use crate::consensus::{Ancestry, ChainSpec};
use crate::hash::hash_header;
use crate::primitives::HeaderBytes;
use crate::primitives::limits::HEADER_BYTES;

/// Headers in a chunk: long enough that taking one costs nothing, short enough that a chunk and its
/// digests stay in the second-level cache and that a few thousand headers keep two threads busy.
const CHUNK_HEADERS: usize = 4096;

/// A place from which headers come in order.
pub(super) trait Source: Send {
    /// What one thread reads into.
    fn buffer() -> Vec<HeaderBytes>;

    /// The next headers, none at the end.
    fn read<'s>(&mut self, buffer: &'s mut [HeaderBytes]) -> Result<&'s [HeaderBytes], VerifyError>
    where
        Self: 's;
}

/// Headers that are there already.
pub(super) struct Memory<'a> {
    left: &'a [HeaderBytes],
    threads: NonZeroUsize,
}

impl<'a> Memory<'a> {
    pub(super) fn new(headers: &'a [HeaderBytes], threads: NonZeroUsize) -> Self {
        Self { left: headers, threads }
    }

    /// Half of a thread's share of what is left, so that the last chunks are short and all threads end
    /// together, whenever they started and whatever held them up. (With equal chunks two threads lose 1 % of
    /// a millisecond's work, and as much as a chunk takes when one of them starts late.)
    fn chunk_headers(&self) -> usize {
        let half_share = self.left.len() / self.threads.get() / 2;
        let headers =
            half_share.next_multiple_of(BATCH_HEADERS).clamp(BATCH_HEADERS, CHUNK_HEADERS);
        headers.min(self.left.len())
    }
}

impl<'a> Source for Memory<'a> {
    fn buffer() -> Vec<HeaderBytes> {
        Vec::new()
    }

    fn read<'s>(&mut self, _: &'s mut [HeaderBytes]) -> Result<&'s [HeaderBytes], VerifyError>
    where
        'a: 's,
    {
        let (chunk, rest) = self.left.split_at(self.chunk_headers());
        self.left = rest;
        Ok(chunk)
    }
}

/// Headers that are read as they are needed.
pub(super) struct Stream<R> {
    reader: R,
    headers_read: u64,
}

impl<R: Read> Stream<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, headers_read: 0 }
    }
}

impl<R: Read + Send> Source for Stream<R> {
    fn buffer() -> Vec<HeaderBytes> {
        vec![[0; HEADER_BYTES]; CHUNK_HEADERS]
    }

    /// Fills the buffer unless the input ends, so that the same input always gives the same chunks.
    fn read<'s>(&mut self, buffer: &'s mut [HeaderBytes]) -> Result<&'s [HeaderBytes], VerifyError>
    where
        R: 's,
    {
        let bytes = buffer.as_flattened_mut();
        let mut filled = 0;
        while filled < bytes.len() {
            match self.reader.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(len) => filled += len,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(VerifyError::Read(error)),
            }
        }
        let whole = filled / HEADER_BYTES;
        self.headers_read += whole as u64;
        match filled % HEADER_BYTES {
            0 => Ok(&buffer[..whole]),
            extra_bytes => Err(VerifyError::Partial { headers: self.headers_read, extra_bytes }),
        }
    }
}

/// Hands out chunks in order, each with what is known of its past.
pub(super) struct Feed<'a, S> {
    spec: &'a ChainSpec,
    source: S,
    ancestry: Ancestry,
    /// No further chunk is wanted or to be had.
    is_over: bool,
    /// Why the source broke off. The chunk in which it did is not judged.
    error: Option<VerifyError>,
    is_empty: bool,
}

impl<'a, S: Source> Feed<'a, S> {
    pub(super) fn new(run: &Run<'a>, source: S) -> Self {
        Self {
            spec: run.spec,
            source,
            ancestry: run.start.clone(),
            is_over: false,
            error: None,
            is_empty: true,
        }
    }

    /// The next chunk, read into `buffer` if it is not in memory already.
    pub(super) fn next<'s>(
        &mut self,
        buffer: &'s mut [HeaderBytes],
    ) -> Option<(Ancestry, &'s [HeaderBytes])>
    where
        S: 's,
    {
        if self.is_over {
            return None;
        }
        let headers = match self.source.read(buffer) {
            Ok(headers) => headers,
            Err(error) => {
                self.error = Some(error);
                &[]
            }
        };
        let Some(last) = headers.last() else {
            self.is_over = true;
            return None;
        };
        self.is_empty = false;
        let ancestry = self.ancestry.clone();
        self.ancestry.extend(self.spec, headers, &hash_header(self.spec.algorithm, last));
        Some((ancestry, headers))
    }

    /// Hands out nothing more.
    pub(super) fn stop(&mut self) {
        self.is_over = true;
    }

    /// The past of whatever would follow the last header.
    pub(super) fn end(self) -> Result<Ancestry, VerifyError> {
        match self.error {
            Some(error) => Err(error),
            None if self.is_empty => Err(VerifyError::Empty),
            None => Ok(self.ancestry),
        }
    }
}
