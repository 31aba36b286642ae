//! `Reading`: what a wearable says of a stretch of time, in totals. The samples stay with the wearer; the
//! body holds their root.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::credit::Activity;
use crate::ledger::signature::PubKey;

/// One link of the chain of readings of a device.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Reading {
    /// Whose sensors; signs.
    pub device: PubKey,
    /// Whose activity, and credits.
    pub wearer: PubKey,
    /// 0 for a device's first, then one above the last.
    pub seq: u32,
    /// Core id of the device's reading before; zero for the first.
    pub prev: [u8; 32],
    /// First second, Unix time.
    pub t0: u32,
    /// The second after the last.
    pub t1: u32,
    /// Seconds worn.
    pub wear_s: u32,
    /// Seconds in motion.
    pub active_s: u32,
    /// Steps.
    pub steps: u32,
    /// Root of the samples, which are kept elsewhere.
    pub samples: [u8; 32],
    /// What stands behind the totals.
    pub assurance: Assurance,
    /// Another device that saw the same and signs too: there for [`Assurance::CoWitnessed`], and only then.
    pub co_witness: Option<PubKey>,
}

/// What stands behind the totals of a reading, by the device's own word. The numbers are consensus and
/// never reused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Assurance {
    /// A file that somebody imported.
    File = 0,
    /// An application signed what its sensors gave.
    App = 1,
    /// A secure element did.
    SecureElement = 2,
    /// Another device saw it too.
    CoWitnessed = 3,
}

impl Reading {
    /// Its totals.
    #[must_use]
    pub const fn activity(&self) -> Activity {
        Activity { wear_s: self.wear_s, active_s: self.active_s, steps: self.steps }
    }

    pub(super) fn signers(&self) -> Vec<PubKey> {
        std::iter::once(self.device).chain(self.co_witness).collect()
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        [self.device, self.wearer].into_iter().chain(self.co_witness).collect()
    }
}

impl Assurance {
    /// All of them, least first.
    pub const ALL: [Self; 4] = [Self::File, Self::App, Self::SecureElement, Self::CoWitnessed];

    /// The word in tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::App => "app",
            Self::SecureElement => "secure-element",
            Self::CoWitnessed => "co-witnessed",
        }
    }
}
