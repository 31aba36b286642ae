//! What the state holds about wearables, their readings, and what these have earned.

use borsh::{BorshDeserialize, BorshSerialize};

use super::EntryValue;
use crate::ledger::transaction::CoreId;

/// Where the chain of readings of a device ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeldWearable {
    /// Number of the last reading.
    pub seq: u32,
    /// Its core id.
    pub last: CoreId,
    /// The second after its last.
    pub until: u32,
    /// The day that it counts for, in days since 1970, UTC.
    pub day: u32,
    /// Hashes earned by readings of that day.
    pub day_hashes: u64,
}

/// What readings of the devices of one model have earned for a wearer, in all. A withdrawal of the model
/// taints it: the number stays, and counts for nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeldCredit {
    /// Hashes earned, whether spent or not.
    pub hashes: u64,
    /// Readings.
    pub readings: u64,
}

/// The roots of samples that the readings of one block brought.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SampleList {
    /// The block's median time past.
    pub stored: u32,
    /// In block order.
    pub roots: Vec<[u8; 32]>,
}

/// Where the oldest of these lists is; there while there is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SampleQueue {
    /// Height of the oldest list, or of an earlier block without one.
    pub height: u32,
    /// Roots at the front of it that are forgotten already.
    pub forgotten: u32,
    /// Roots that are remembered.
    pub count: u64,
}

impl EntryValue for HeldWearable {}
impl EntryValue for HeldCredit {}
impl EntryValue for SampleList {}
impl EntryValue for SampleQueue {}
