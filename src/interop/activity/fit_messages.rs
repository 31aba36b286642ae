//! The messages of a FIT file, by the numbers of the FIT protocol: definitions say how the messages after them
//! are laid out. It borrows from the file, allocates nothing and knows of no number what it means. Fields that
//! developers define and fields of text or floating point are skipped: a device tells no motion in them.
//!
//! Written here because a general parser brings the whole profile (a hundred thousand lines, a tenth of the
//! time to build everything) and builds maps for each message, a hundred times what a hostile file has.

use std::ops::Range;

use crate::primitives::codec::{DecodeError, Reader};

/// Seconds from 1970 to the end of 1989, when FIT's time begins.
const EPOCH: i64 = 631_065_600;
/// The field of a message that holds its time.
const TIMESTAMP: u8 = 253;
/// Headers are so long, or shorter by their check.
const HEADER_BYTES: usize = 14;
const CRC_BYTES: usize = 2;

/// Goes through the messages with data, in order; nothing follows an error.
#[derive(Debug, Clone)]
pub(super) struct Messages<'a> {
    reader: Reader<'a>,
    /// By local number.
    definitions: [Option<Definition<'a>>; 16],
    /// Of the last message that had one, in FIT's time.
    time: i64,
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Definition<'a> {
    kind: u16,
    is_big_endian: bool,
    fields: &'a [Field],
    /// All fields together, those of developers too.
    bytes: u64,
}

/// Number, length in bytes, base type.
type Field = [u8; 3];

/// A message and what says how to read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    /// Which one of the file's, from 1.
    pub(super) row: u64,
    /// What it is about.
    pub(super) kind: u16,
    definition: Definition<'a>,
    data: &'a [u8],
    /// From its header, in FIT's time.
    compressed_time: Option<i64>,
}

impl<'a> Messages<'a> {
    /// The messages of a whole file.
    ///
    /// # Errors
    ///
    /// What is wrong with its header, its length or its checks.
    pub(super) fn of(file: &'a [u8]) -> Result<Self, String> {
        let header_bytes = usize::from(*file.first().unwrap_or(&0));
        let header = file.get(..header_bytes).filter(|header| {
            [HEADER_BYTES - CRC_BYTES, HEADER_BYTES].contains(&header.len())
                && header[8..12] == *b".FIT"
        });
        let Some(header) = header else { return Err("its header is none".into()) };
        let data_bytes =
            header[4..8].iter().rev().fold(0, |size: u64, b| size << 8 | u64::from(*b));
        let (rest, crc) = file.split_at(file.len().saturating_sub(CRC_BYTES).max(header_bytes));
        let data = &rest[header_bytes..];
        if crc.len() != CRC_BYTES || data.len() as u64 != data_bytes {
            return Err("it is cut short, or something follows it".into());
        }
        let (before, header_crc) = header.split_at(HEADER_BYTES - CRC_BYTES);
        let is_header_whole = match header_crc {
            // A device may leave it out.
            [] | [0, 0] => true,
            crc => crc16(before).to_le_bytes() == *crc,
        };
        if !is_header_whole || crc16(rest).to_le_bytes() != *crc {
            return Err("its check is wrong".into());
        }
        Ok(Self { reader: Reader::new(data), definitions: [None; 16], time: 0, count: 0 })
    }

    fn read(&mut self) -> Result<Option<Message<'a>>, DecodeError> {
        while self.reader.left() > 0 {
            let header = self.reader.u8()?;
            if header & 0xc0 == 0x40 {
                let definition = self.read_definition(header & 0x20 != 0)?;
                self.definitions[usize::from(header & 0x0f)] = Some(definition);
                continue;
            }
            let is_compressed = header & 0x80 != 0;
            let local = if is_compressed { header >> 5 & 0x03 } else { header & 0x0f };
            let at = self.reader.position();
            let Some(definition) = self.definitions[usize::from(local)] else {
                return Err(DecodeError::Malformed { at, what: "a message without a definition" });
            };
            self.count += 1;
            let mut message = Message {
                row: self.count,
                kind: definition.kind,
                definition,
                data: self.reader.take(definition.bytes)?,
                compressed_time: None,
            };
            if let Some(time) = message.integer(TIMESTAMP) {
                self.time = time;
            }
            if is_compressed {
                // The last five bits of the time, at or after the time before.
                let passed = (i64::from(header & 0x1f) - self.time).rem_euclid(32);
                self.time = self.time.saturating_add(passed);
                message.compressed_time = Some(self.time);
            }
            return Ok(Some(message));
        }
        Ok(None)
    }

    fn read_definition(
        &mut self,
        has_developer_fields: bool,
    ) -> Result<Definition<'a>, DecodeError> {
        let at = self.reader.position();
        let [_reserved, order] = self.reader.array()?;
        let is_big_endian = order == 1;
        let kind = self.reader.array()?;
        let kind = if is_big_endian { u16::from_be_bytes(kind) } else { u16::from_le_bytes(kind) };
        let fields = self.read_fields()?;
        let developer_fields = if has_developer_fields { self.read_fields()? } else { &[] };
        let both = || fields.iter().chain(developer_fields);
        // Else a byte of the file could be as much work as hundreds of fields.
        if both().any(|[_, len, _]| *len == 0) {
            return Err(DecodeError::Malformed { at, what: "a field of no bytes" });
        }
        let bytes = both().map(|[_, len, _]| u64::from(*len)).sum();
        Ok(Definition { kind, is_big_endian, fields, bytes })
    }

    fn read_fields(&mut self) -> Result<&'a [Field], DecodeError> {
        let count = self.reader.u8()?;
        let bytes = self.reader.take(u64::from(count) * size_of::<Field>() as u64)?;
        Ok(bytes.as_chunks().0)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().transpose();
        if matches!(read, Some(Err(_))) {
            self.reader = Reader::new(&[]);
        }
        read
    }
}

impl<'a> Message<'a> {
    /// Its time, as seconds since 1970.
    pub(super) fn second(&self) -> Option<i64> {
        self.integer(TIMESTAMP).or(self.compressed_time)?.checked_add(EPOCH)
    }

    /// A field that holds one integer, unless it says that it knows none.
    pub(super) fn integer(&self, field: u8) -> Option<i64> {
        self.fields(field).find_map(|(base_type, bytes)| self.decode(base_type, bytes))
    }

    /// A field as it stands there.
    pub(super) fn bytes(&self, field: u8) -> Option<&'a [u8]> {
        self.fields(field).map(|(_, bytes)| bytes).next()
    }

    fn fields(&self, wanted: u8) -> impl Iterator<Item = (u8, &'a [u8])> {
        let data = self.data;
        let place =
            |at: &mut usize, [number, len, base_type]: &Field| -> Option<(u8, u8, Range<usize>)> {
                let start = *at;
                *at += usize::from(*len);
                Some((*number, *base_type, start..*at))
            };
        let places = self.definition.fields.iter().scan(0, place);
        places
            .filter(move |(number, _, _)| *number == wanted)
            .map(move |(_, base_type, range)| (base_type, &data[range]))
    }

    fn decode(&self, base_type: u8, bytes: &[u8]) -> Option<i64> {
        // The highest bit says that byte order matters; the two after it are reserved.
        let (len, is_signed, invalid) = match base_type & 0x1f {
            // Enumeration, byte and unsigned integers: all bits are set where nothing is known.
            0x00 | 0x02 | 0x0d => (1, false, u64::MAX),
            0x04 => (2, false, u64::MAX),
            0x06 => (4, false, u64::MAX),
            0x0f => (8, false, u64::MAX),
            // Signed: all but the sign.
            0x01 => (1, true, u64::MAX >> 1),
            0x03 => (2, true, u64::MAX >> 1),
            0x05 => (4, true, u64::MAX >> 1),
            0x0e => (8, true, u64::MAX >> 1),
            // Unsigned that cannot be zero.
            0x0a => (1, false, 0),
            0x0b => (2, false, 0),
            0x0c => (4, false, 0),
            0x10 => (8, false, 0),
            _ => return None,
        };
        if bytes.len() != len {
            return None;
        }
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        let value = match self.definition.is_big_endian {
            true => bytes.iter().fold(0, join),
            false => bytes.iter().rev().fold(0, join),
        };
        let spare_bits = 64 - 8 * u32::try_from(len).expect("at most eight");
        if value == invalid >> spare_bits {
            return None;
        }
        match is_signed {
            true => Some((value << spare_bits).cast_signed() >> spare_bits),
            false => i64::try_from(value).ok(),
        }
    }
}

/// The cyclic redundancy check of the FIT protocol, four bits at a time.
fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 16] = [
        0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800,
        0xb401, 0x5000, 0x9c01, 0x8801, 0x4400,
    ];
    let half = |crc: u16, four: u8| (crc >> 4) ^ TABLE[usize::from((crc ^ u16::from(four)) & 15)];
    bytes.iter().fold(0, |crc, byte| half(half(crc, *byte), byte >> 4))
}
