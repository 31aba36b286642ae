//! The rules of `Reading`, and what it changes: the device's chain of readings, the samples that may not
//! come again, and what the wearer has earned.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - Times are judged by the median time past: a reading that has just ended waits some blocks.
//! - A stretch has at least one second, or a device could earn nothing for ever and fill the state.
//! - A co-witness is another live device, neither the device nor the wearer: a key that anybody can make
//!   would vouch for nothing.
//! - A reading counts for the day of its last second, and each pays for two entries: its samples are
//!   remembered for longer than its core, and the wearer may be new to the model.

mod error;
pub(super) mod samples;

pub use error::ReadingError;

use super::context::{Context, Refusal, impossible};
use super::error::TransactionError;
use crate::ledger::credit::Day;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::{READING_AGE_S_MAX, READING_SPAN_S_MAX, STEPS_PER_ACTIVE_SECOND_MAX};
use crate::ledger::state::{EntryKey, HeldClaim, HeldCredit, HeldWearable, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::reading::Assurance;
use crate::ledger::transaction::{CoreId, Reading};

type Verdict = Result<(), Refusal<TransactionError>>;

/// What is not canonical, if anything.
pub(super) fn fault(reading: &Reading) -> Option<&'static str> {
    let is_co_witnessed = reading.assurance == Assurance::CoWitnessed;
    let own = [Some(reading.device), Some(reading.wearer)];
    if reading.co_witness.is_some() != is_co_witnessed {
        Some("a co-witness is there if, and only if, the assurance says so")
    } else if is_co_witnessed && own.contains(&reading.co_witness) {
        Some("a co-witness is neither the device nor the wearer")
    } else {
        None
    }
}

/// Judges a reading.
pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    reading: &Reading,
) -> Verdict {
    let devices = [("the signer", Some(reading.device)), ("the co-witness", reading.co_witness)];
    for (who, key) in devices {
        let Some(key) = key else { continue };
        if device_claim(context, session, key)?.is_none() {
            return refuse(ReadingError::DeviceNotLive(who));
        }
    }
    let held: Option<HeldWearable> = session.get(&EntryKey::Wearable(reading.device))?;
    check_chain(held.as_ref(), reading)?;
    let now = context.median_time;
    if reading.t1 > now {
        return refuse(ReadingError::FutureTime { now, t1: reading.t1 });
    }
    let least = now.saturating_sub(READING_AGE_S_MAX);
    if reading.t1 < least {
        return refuse(ReadingError::TooOld { least, t1: reading.t1 });
    }
    if let Some(error) = implausible(reading) {
        return refuse(error);
    }
    if session.get::<u32>(&EntryKey::Sample(reading.samples))?.is_some() {
        return refuse(ReadingError::Replay);
    }
    Ok(())
}

fn check_chain(held: Option<&HeldWearable>, reading: &Reading) -> Verdict {
    let (expected, prev, until) = match held {
        None => (Some(0), [0; 32], 0),
        Some(held) => (held.seq.checked_add(1), held.last.0, held.until),
    };
    if expected != Some(reading.seq) {
        return refuse(ReadingError::SeqGap { expected, got: reading.seq });
    }
    if reading.prev != prev {
        return refuse(ReadingError::ChainBreak);
    }
    if reading.t0 < until {
        return refuse(ReadingError::Overlap { until, t0: reading.t0 });
    }
    Ok(())
}

/// The first total that cannot be.
fn implausible(reading: &Reading) -> Option<ReadingError> {
    let most_steps = STEPS_PER_ACTIVE_SECOND_MAX * u64::from(reading.active_s);
    let (t0, t1) = (u64::from(reading.t0), u64::from(reading.t1));
    let span = t1.saturating_sub(t0);
    let bounds = [
        ("the first second", t0, t1.saturating_sub(1)),
        ("seconds from begin to end", span, READING_SPAN_S_MAX.into()),
        ("seconds worn", reading.wear_s.into(), span),
        ("seconds in motion", reading.active_s.into(), reading.wear_s.into()),
        ("steps", reading.steps.into(), most_steps),
    ];
    let (what, got, most) = bounds.into_iter().find(|(_, got, most)| got > most)?;
    Some(ReadingError::Implausible { what, got, most })
}

/// Moves the device's chain on, remembers the samples, and credits the wearer.
pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    reading: &Reading,
) -> Result<(), StoreError> {
    let key = EntryKey::Wearable(reading.device);
    let held: Option<HeldWearable> = session.get(&key)?;
    let mut day =
        held.map_or_else(Day::default, |held| Day { number: held.day, hashes: held.day_hashes });
    let earned = day.credit(reading.t1, reading.activity().hashes(reading.assurance));
    let moved = HeldWearable {
        seq: reading.seq,
        last: core,
        until: reading.t1,
        day: day.number,
        day_hashes: day.hashes,
    };
    session.put(&key, Some(&moved))?;
    samples::remember(context, session, reading.samples)?;

    let claim = device_claim(context, session, reading.device)?.ok_or_else(impossible)?;
    let Claim::Device { model, .. } = claim.claim else { return Err(impossible()) };
    let key = EntryKey::Credit(reading.wearer, claim.issuer, model);
    let credit: HeldCredit = session.get(&key)?.unwrap_or_default();
    let hashes = credit.hashes.checked_add(earned).ok_or_else(impossible)?;
    let readings = credit.readings.checked_add(1).ok_or_else(impossible)?;
    session.put(&key, Some(&HeldCredit { hashes, readings }))
}

/// Entries that it adds to the state for longer than its core id is remembered.
pub(super) fn new_entries(session: &mut Session<'_>, reading: &Reading) -> Result<u64, StoreError> {
    let held: Option<HeldWearable> = session.get(&EntryKey::Wearable(reading.device))?;
    Ok(2 + u64::from(held.is_none()))
}

/// The claim by which a key is a device now.
fn device_claim(
    context: &Context<'_>,
    session: &mut Session<'_>,
    key: PubKey,
) -> Result<Option<HeldClaim>, StoreError> {
    let is_device = |held: &HeldClaim| matches!(held.claim, Claim::Device { .. });
    let found = context.judge().live_claim(session, key.into(), &is_device)?;
    Ok(found.map(|(_, held)| HeldClaim::clone(&held)))
}

fn refuse(error: ReadingError) -> Verdict {
    Err(TransactionError::from(error).into())
}
