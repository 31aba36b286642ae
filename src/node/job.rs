//! A template made ready for the engine: a coinbase around its extranonce, a header to search.

use std::sync::Arc;

use crate::engine::{Coinbase, ExtranonceSource, Solution, Work};
use crate::ledger::block::Block;
use crate::ledger::signature::PubKey;
use crate::ledger::template::Template;
use crate::primitives::Header;
use crate::primitives::limits::VERSION_ROLLING_MASK;

/// Bytes of the extranonce in our own coinbases.
pub const EXTRANONCE_BYTES: usize = 8;
/// What follows the extranonce: whose software made the block.
pub const TAG: &[u8] = b"/proofward/";

/// The coinbase of `template` that pays everything to `payout`, cut around an extranonce of this width
/// which stands between the height and [`TAG`]; with the branch up to the merkle root.
#[must_use]
pub fn coinbase_around(template: &Template, payout: PubKey, extranonce_bytes: usize) -> Coinbase {
    let form = template.coinbase_form(extranonce_bytes, TAG);
    Coinbase {
        suffix: form.suffix(&payout),
        prefix: form.before,
        extranonce_bytes,
        branch: template.merkle_branch().to_vec(),
    }
}

/// A job as it was published, with what is needed to make a block of its solution.
#[derive(Debug, Clone)]
pub struct Job {
    template: Arc<Template>,
    coinbase: Coinbase,
    header: Header,
    /// The last second for which its nBits are right.
    pub until: u32,
}

impl Job {
    /// A job on a template, stamped `now` or the least time that the chain allows.
    #[must_use]
    pub fn new(template: impl Into<Arc<Template>>, payout: PubKey, now: u32) -> Self {
        let template = template.into();
        let time = now.max(template.time_least);
        let coinbase = coinbase_around(&template, payout, EXTRANONCE_BYTES);
        let until = template.bits_hold_until(time);
        let header = template.header(time, coinbase.merkle_root(0));
        Self { template, coinbase, header, until }
    }

    /// Its stamp.
    #[must_use]
    pub fn time(&self) -> u32 {
        self.header.time
    }

    /// Subsidy and fees.
    #[must_use]
    pub fn reward(&self) -> u64 {
        self.template.reward
    }

    /// What the engine searches. The time is not rolled: a job is renewed every second.
    ///
    /// # Panics
    ///
    /// Never: the width of the extranonce is right.
    #[must_use]
    pub fn work(&self) -> Work {
        let template = crate::engine::Template::new(&self.header.encode())
            .with_version_mask(VERSION_ROLLING_MASK);
        let source = ExtranonceSource::new(template, self.coinbase.clone(), None)
            .expect("eight bytes hold every extranonce");
        let target = self.header.bits.to_target().expect("a template has a target");
        Work::new(source, target)
    }

    /// The block that a solution of this job makes.
    #[must_use]
    pub fn block(&self, solution: &Solution) -> Block {
        let bytes = self.coinbase.with_extranonce(solution.extranonce);
        let mut block = self.template.block(bytes, self.header.time);
        block.header = Header::decode(&solution.header);
        block
    }
}
