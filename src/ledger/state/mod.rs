//! The state: what the chain knows after a block. Entries under typed keys, read through a base and
//! changed in a [`Session`]; the changes of one block are a [`Delta`], which can be applied and undone.

mod access;
mod activity;
mod debt;
mod delta;
mod entry;
mod lot;
mod session;
mod slots;
mod walked;

pub use access::{
    Counter, Emergency, Event, EventKind, HeldClaim, HeldRecord, HeldRequest, Log, LogKind, Logged,
    Logs, Pending, Person, Policy, RequestStatus, Successor, Wait,
};
pub use activity::{HeldCredit, HeldWearable, SampleList, SampleQueue};
pub use debt::{DebtStanding, HeldDebt};
pub use delta::{Change, Delta};
pub use entry::{Account, EntryKey, EntryValue};
pub use lot::{HeldLot, LotStatus, Made, Transit};
pub use session::{Session, StateRead};
pub(in crate::ledger) use walked::Walked;
