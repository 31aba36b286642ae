//! What the predicate says on top of the tip.

use super::connect::Chain;
use super::view::{View, corrupt};
use crate::ledger::rules::TransactionError;
use crate::ledger::rules::access::{self, Answer};
use crate::ledger::rules::context::{Ancestors as _, Context, Refusal, begin_block};
use crate::ledger::state::{HeldRequest, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{Core, CoreId, Request};

impl Chain {
    /// What the predicate would say of a request in the state in the next block; `None` if the state does
    /// not know it.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn answer(
        &self,
        view: View<'_>,
        request: CoreId,
    ) -> Result<Option<(HeldRequest, Answer)>, StoreError> {
        let context = self.next_context(&view)?;
        let mut session = Session::new(&view, context.height);
        begin_block(&context, &mut session)?;
        access::answer(&context, &mut session, request)
    }

    /// What it says of a request as it stands now at the moment of a block of the best chain.
    pub(super) fn answer_at(
        &self,
        view: View<'_>,
        request: CoreId,
        height: u32,
    ) -> Result<Option<(HeldRequest, Answer)>, StoreError> {
        let parent = height.saturating_sub(1);
        let hash = view.hash_at(parent)?.ok_or_else(|| corrupt("a gap in the best chain"))?;
        let median_time = view.median_time_after(&view.expect_record(&hash)?)?;
        let context = Context { height, median_time, ..self.next_context(&view)? };
        access::answer(&context, &mut Session::new(&view, height), request)
    }

    /// What it would say of a request that has not been sent.
    ///
    /// # Errors
    ///
    /// The rule that makes it invalid, or a store that cannot be read.
    pub fn answer_unsent(
        &self,
        view: View<'_>,
        core: &Core,
        request: &Request,
    ) -> Result<(HeldRequest, Answer), Refusal<TransactionError>> {
        let context = self.next_context(&view)?;
        let mut session = Session::new(&view, context.height);
        begin_block(&context, &mut session)?;
        access::answer_unsent(&context, &mut session, core, request)
    }
}
