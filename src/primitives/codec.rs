//! Bitcoin-format bytes: bounded, canonical, and trailing bytes are errors.

/// Why bytes do not decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends inside a value.
    #[error("truncated at byte {at}: {wanted} more bytes wanted, {left} left")]
    Truncated {
        /// Offset of the value.
        at: usize,
        /// Bytes that the value needs.
        wanted: u64,
        /// Bytes that are left.
        left: usize,
    },
    /// A compact size is longer than its value needs (Bitcoin Core: "non-canonical ReadCompactSize()").
    #[error("non-canonical compact size at byte {at}")]
    NonCanonicalSize {
        /// Offset of the compact size.
        at: usize,
    },
    /// Bytes follow the value.
    #[error("{left} bytes after the end at byte {at}")]
    TrailingBytes {
        /// Offset of the first byte too many.
        at: usize,
        /// How many follow.
        left: usize,
    },
    /// A count or a field has a value that the format does not allow.
    #[error("{what} at byte {at}")]
    Malformed {
        /// Offset of the field.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
}

/// A cursor over foreign bytes: every read is checked, nothing is allocated.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset of the next byte.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bytes left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// What has been read since `start`, an earlier `position`.
    ///
    /// # Panics
    ///
    /// If `start` is after the current position.
    #[must_use]
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    ///
    /// `Truncated` if fewer are left.
    pub fn take(&mut self, count: u64) -> Result<&'a [u8], DecodeError> {
        match usize::try_from(count) {
            Ok(len) if len <= self.left() => {
                let taken = &self.bytes[self.at..self.at + len];
                self.at += len;
                Ok(taken)
            }
            _ => Err(DecodeError::Truncated { at: self.at, wanted: count, left: self.left() }),
        }
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    ///
    /// `Truncated` if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    /// One byte.
    ///
    /// # Errors
    ///
    /// `Truncated` at the end.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    ///
    /// `Truncated` at the end.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    ///
    /// `Truncated` at the end.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    ///
    /// `Truncated` at the end.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A Bitcoin compact size, which must use the shortest form.
    ///
    /// # Errors
    ///
    /// `Truncated`, or `NonCanonicalSize` for a longer form than needed.
    pub fn compact_size(&mut self) -> Result<u64, DecodeError> {
        let at = self.at;
        let (value, least) = match self.u8()? {
            0xfd => (u64::from(self.u16()?), 0xfd),
            0xfe => (u64::from(self.u32()?), 0x1_0000),
            0xff => (self.u64()?, 0x1_0000_0000),
            small => (u64::from(small), 0),
        };
        if value < least {
            return Err(DecodeError::NonCanonicalSize { at });
        }
        Ok(value)
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// `TrailingBytes` if anything is left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::TrailingBytes { at: self.at, left }),
        }
    }
}

/// Appends the shortest compact size of `value`.
pub fn write_compact_size(out: &mut Vec<u8>, value: u64) {
    if let Ok(small @ 0..=0xfc) = u8::try_from(value) {
        out.push(small);
    } else if let Ok(value) = u16::try_from(value) {
        out.push(0xfd);
        out.extend_from_slice(&value.to_le_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        out.push(0xfe);
        out.extend_from_slice(&value.to_le_bytes());
    } else {
        out.push(0xff);
        out.extend_from_slice(&value.to_le_bytes());
    }
}
