//! Work of any protocol, ready for the engine. It knows nothing of the server that it came from.

use crate::engine::{Coinbase, Template, Until, Work};
use crate::primitives::{Header, Target};

/// Something to search.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Number within its session: solutions are reported under it.
    pub number: u64,
    /// The server's name for it.
    pub name: String,
    /// The header; its merkle root stands only if there is no coinbase to roll.
    pub header: Header,
    /// Version bits that may be rolled.
    pub version_mask: u32,
    /// The last second that may stand in the header.
    pub time_max: u32,
    /// The coinbase, if its extranonce may be rolled.
    pub coinbase: Option<Coinbase>,
    /// Where the extranonce begins: no other offer of the session began there, so that work that differs
    /// in name only is not done twice.
    pub extranonce_first: u64,
    /// What a hash must not exceed.
    pub target: Target,
    /// Share difficulty that goes with it.
    pub difficulty: f64,
    /// Height of the block, if known.
    pub height: Option<u32>,
    /// Whether all work before it is stale.
    pub is_new_tip: bool,
    /// Whether one solution is enough.
    pub until: Until,
}

impl Offer {
    /// What the engine searches.
    #[must_use]
    pub fn work(&self) -> Work {
        Work::new(self.templates(), self.target).until(self.until)
    }

    /// The headers to search: one for every extranonce, beginning with the first, or a single one.
    pub fn templates(&self) -> impl Iterator<Item = Template> + Send + use<> {
        let template = Template::new(&self.header.encode())
            .with_version_mask(self.version_mask)
            .with_time_max(self.time_max);
        let last =
            self.coinbase.as_ref().map_or(0, |coinbase| extranonce_max(coinbase.extranonce_bytes));
        let first = self.extranonce_first.min(last);
        let coinbase = self.coinbase.clone();
        (first..=last).chain(0..first).map(move |extranonce| match &coinbase {
            None => template.clone(),
            Some(coinbase) => template
                .clone()
                .with_extranonce(extranonce)
                .with_merkle_root(coinbase.merkle_root(extranonce)),
        })
    }
}

/// The largest extranonce of that many bytes, 8 at most.
pub(super) fn extranonce_max(bytes: usize) -> u64 {
    u32::try_from(8 * bytes)
        .ok()
        .and_then(|bits| 1_u64.checked_shl(bits))
        .map_or(u64::MAX, |n| n - 1)
}
