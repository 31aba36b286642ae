//! One Bitcoin transaction, read once, borrowed: where it ends, its ids, and what is wrong with it.

use super::rule::{AMOUNT_MAX, TransactionFault};
use super::script;
use crate::hash::sha256::{sha256d, sha256d_of_parts};
use crate::primitives::Digest;
use crate::primitives::codec::{DecodeError, Reader};
use crate::primitives::limits::{BITCOIN_BLOCK_WEIGHT_MAX, BITCOIN_WITNESS_SCALE};

/// A reference to an output: 32 bytes of id, 4 of position.
pub(super) type Outpoint = [u8; 36];

/// The outpoint of a coinbase's input.
const NULL_OUTPOINT: Outpoint = {
    let mut outpoint = [0xff; 36];
    let mut at = 0;
    while at < 32 {
        outpoint[at] = 0;
        at += 1;
    }
    outpoint
};
/// No length or count on Bitcoin's wire may be larger (`MAX_SIZE`).
const SIZE_MAX: u64 = 0x0200_0000;
/// How a coinbase's output announces the witness commitment (BIP141).
const COMMITMENT_PREFIX: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// What a block needs to know about one of its transactions.
#[derive(Debug, Clone)]
pub(super) struct Transaction<'a> {
    /// All bytes.
    pub(super) bytes: &'a [u8],
    /// Inputs and outputs: what is hashed between version and lock time.
    body: &'a [u8],
    pub(super) has_witness: bool,
    pub(super) is_coinbase: bool,
    /// Signature operations in all scripts, counted as before segregated witness.
    pub(super) sigops: u64,
    /// Payload of the last output that announces a witness commitment.
    pub(super) commitment: Option<Digest>,
    /// The first input's witness if it is one element of 32 bytes.
    pub(super) nonce: Option<Digest>,
    /// The first fault in the order of `CheckTransaction`.
    pub(super) fault: Option<TransactionFault>,
}

/// What is found while reading, to be judged in order afterwards.
#[derive(Debug, Default)]
struct Found {
    inputs: usize,
    outputs: usize,
    amount: Option<TransactionFault>,
    null_prevout: Option<usize>,
    first_script_bytes: usize,
}

impl<'a> Transaction<'a> {
    /// Reads a transaction as Bitcoin Core does (`UnserializeTransaction`, witnesses allowed).
    /// `outpoints` is room to look for duplicates.
    pub(super) fn read(
        reader: &mut Reader<'a>,
        outpoints: &mut Vec<&'a Outpoint>,
    ) -> Result<Self, DecodeError> {
        let start = reader.position();
        reader.take(4)?;
        let mut body_start = reader.position();
        let mut transaction = Self {
            bytes: &[],
            body: &[],
            has_witness: false,
            is_coinbase: false,
            sigops: 0,
            commitment: None,
            nonce: None,
            fault: None,
        };
        let mut found = Found::default();
        let flag_at = reader.position() + 1;
        let mut flags = 0;
        transaction.read_inputs(reader, outpoints, &mut found)?;
        if found.inputs == 0 {
            // The marker of BIP144, or a transaction without inputs and, as the zero flag says, outputs.
            flags = reader.u8()?;
            if flags != 0 {
                body_start = reader.position();
                transaction.read_inputs(reader, outpoints, &mut found)?;
                transaction.read_outputs(reader, &mut found)?;
            }
        } else {
            transaction.read_outputs(reader, &mut found)?;
        }
        transaction.body = reader.since(body_start);
        if flags & 1 != 0 {
            for input in 0..found.inputs {
                transaction.read_witness(reader, input)?;
            }
            if !transaction.has_witness {
                return Err(DecodeError::Malformed { at: flag_at, what: "superfluous witness" });
            }
        }
        if flags > 1 {
            return Err(DecodeError::Malformed { at: flag_at, what: "unknown transaction flag" });
        }
        reader.take(4)?;
        transaction.bytes = reader.since(start);
        transaction.fault = transaction.first_fault(&found, outpoints);
        Ok(transaction)
    }

    fn read_inputs(
        &mut self,
        reader: &mut Reader<'a>,
        outpoints: &mut Vec<&'a Outpoint>,
        found: &mut Found,
    ) -> Result<(), DecodeError> {
        outpoints.clear();
        let count = read_size(reader)?;
        for input in 0..count {
            let outpoint = reader.take(36)?.first_chunk().expect("36 bytes were taken");
            let script_bytes = read_size(reader)?;
            let script = reader.take(script_bytes as u64)?;
            self.sigops += script::sigops(script);
            reader.take(4)?;
            if *outpoint == NULL_OUTPOINT {
                found.null_prevout.get_or_insert(input);
            }
            if input == 0 {
                found.first_script_bytes = script_bytes;
            }
            outpoints.push(outpoint);
        }
        found.inputs = count;
        self.is_coinbase = count == 1 && found.null_prevout == Some(0);
        Ok(())
    }

    fn read_outputs(
        &mut self,
        reader: &mut Reader<'a>,
        found: &mut Found,
    ) -> Result<(), DecodeError> {
        let count = read_size(reader)?;
        let mut sum = 0_i64;
        for output in 0..count {
            let amount = i64::from_le_bytes(reader.array()?);
            let script_bytes = read_size(reader)?;
            let script = reader.take(script_bytes as u64)?;
            self.sigops += script::sigops(script);
            if let Some(payload) = script.strip_prefix(&COMMITMENT_PREFIX)
                && let Some(commitment) = payload.first_chunk()
            {
                self.commitment = Some(*commitment);
            }
            if found.amount.is_none() {
                found.amount = if amount < 0 {
                    Some(TransactionFault::NegativeOutput { output })
                } else if amount > AMOUNT_MAX {
                    Some(TransactionFault::OutputTooLarge { output, amount })
                } else {
                    // Both are at most all money, so the sum fits.
                    sum += amount;
                    (sum > AMOUNT_MAX).then_some(TransactionFault::SumTooLarge { output })
                };
            }
        }
        found.outputs = count;
        Ok(())
    }

    fn read_witness(&mut self, reader: &mut Reader<'a>, input: usize) -> Result<(), DecodeError> {
        let elements = read_size(reader)?;
        self.has_witness |= elements != 0;
        for _ in 0..elements {
            let bytes = read_size(reader)?;
            let element = reader.take(bytes as u64)?;
            if input == 0 && elements == 1 {
                self.nonce = element.try_into().ok();
            }
        }
        Ok(())
    }

    fn first_fault(
        &self,
        found: &Found,
        outpoints: &mut [&'a Outpoint],
    ) -> Option<TransactionFault> {
        let stripped_bytes = self.stripped_bytes();
        if found.inputs == 0 {
            return Some(TransactionFault::NoInputs);
        }
        if found.outputs == 0 {
            return Some(TransactionFault::NoOutputs);
        }
        if stripped_bytes as u64 * BITCOIN_WITNESS_SCALE > BITCOIN_BLOCK_WEIGHT_MAX {
            return Some(TransactionFault::Oversize { stripped_bytes });
        }
        if found.amount.is_some() {
            return found.amount;
        }
        outpoints.sort_unstable();
        if outpoints.windows(2).any(|pair| pair[0] == pair[1]) {
            return Some(TransactionFault::DuplicateInputs);
        }
        let bytes = found.first_script_bytes;
        if self.is_coinbase {
            let is_allowed = (2..=100).contains(&bytes);
            return (!is_allowed).then_some(TransactionFault::CoinbaseScriptLength { bytes });
        }
        found.null_prevout.map(|input| TransactionFault::NullPrevout { input })
    }

    /// Bytes without marker, flag and witnesses.
    pub(super) fn stripped_bytes(&self) -> usize {
        4 + self.body.len() + 4
    }

    /// The hash without marker, flag and witnesses.
    pub(super) fn txid(&self) -> Digest {
        if self.has_witness {
            let (version, lock_time) = (&self.bytes[..4], &self.bytes[self.bytes.len() - 4..]);
            sha256d_of_parts(&[version, self.body, lock_time])
        } else {
            sha256d(self.bytes)
        }
    }

    /// The hash of all bytes.
    pub(super) fn wtxid(&self) -> Digest {
        sha256d(self.bytes)
    }
}

/// A length or count, bounded as on Bitcoin's wire: nothing is allocated for it.
pub(super) fn read_size(reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
    let at = reader.position();
    let size = reader.compact_size()?;
    if size > SIZE_MAX {
        return Err(DecodeError::Malformed { at, what: "a size above 32 MiB" });
    }
    Ok(usize::try_from(size).expect("at most 32 MiB"))
}
