//! How a record is kept: encrypted under a fresh content key, which nobody holds, because it is split
//! among guardians; and how the guardians' shares reach the one reader whom the chain lets in.
//!
//! | step | who | file |
//! |---|---|---|
//! | encrypt the record, forget the key | owner | [`content`] |
//! | split the key k of n, commit to every share | owner | [`sharing`] |
//! | seal each share to its guardian | owner | [`sealing`] |
//! | all of the above at once | owner | [`package`] |
//! | seal a share again, to the reader's one-time key | guardian | [`release`] |
//! | check every share against the chain, rebuild the key | reader | [`release`], [`sharing`] |
//!
//! Nothing here decides whether a request may be answered: [`crate::ledger`] does. Nothing here goes on
//! chain but the commitments in a [`ShareSet`](crate::ledger::transaction::record::ShareSet), the hash
//! of a ciphertext and the hash of a release.

pub mod content;
pub mod package;
pub mod release;
pub mod sealing;
pub mod sharing;

mod entropy;

pub use content::ContentKey;
pub use package::{Guardians, Package, Sealed, Seat};
pub use release::{Release, ReplyKey};
pub use sealing::{SealKey, SealSecret, Use};
pub use sharing::{Dealing, Share, Slip};
