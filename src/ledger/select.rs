//! Which transactions go into the next block: each is applied in turn to the state of the tip, so what is
//! chosen is valid in the order in which it is chosen.

use crate::ledger::block::{BLOCK_BYTES_MAX, BLOCK_SIGNATURES_MAX, Included};
use crate::ledger::chain::{Chain, View};
use crate::ledger::coinbase::COINBASE_BYTES_MAX;
use crate::ledger::rules::TransactionError;
use crate::ledger::rules::context::{Context, Refusal, Signatures, apply_transaction, begin_block};
use crate::ledger::rules::isolation::Ids;
use crate::ledger::state::Session;
use crate::ledger::store::StoreError;
use crate::primitives::limits::HEADER_BYTES;

/// Header, count and the largest coinbase.
const RESERVED_BYTES: usize = HEADER_BYTES + 9 + COINBASE_BYTES_MAX;

/// What came of the candidates.
#[derive(Debug, Default)]
pub struct Selection {
    /// Chosen, in block order.
    pub chosen: Vec<Included>,
    /// Their fees together.
    pub fees: u64,
    /// Valid at a later height perhaps, or no room in this block.
    pub waiting: Vec<Included>,
    /// Refused, with the rule.
    pub refused: Vec<(Included, TransactionError)>,
}

/// Chooses among candidates for the block after the tip of `view`: the best fee for its bytes first,
/// later nonces of a payer after earlier ones.
///
/// # Errors
///
/// If the store cannot be read.
pub fn select(
    chain: &Chain,
    view: &View<'_>,
    candidates: Vec<Included>,
) -> Result<Selection, StoreError> {
    let tip = view.expect_record(&view.tip()?)?;
    let height = tip.height + 1;
    let context = Context {
        spec: &chain.spec,
        chain_id: chain.chain_id,
        genesis: chain.genesis,
        height,
        median_time: view.median_time_after(&tip)?,
        ancestors: view,
    };
    let mut session = Session::new(view, height);
    begin_block(&context, &mut session)?;

    let mut candidates: Vec<(Included, Ids)> = candidates
        .into_iter()
        .map(|included| {
            let ids = Ids::of(&included, &chain.genesis);
            (included, ids)
        })
        .collect();
    // Fee for each byte by cross-multiplication, then the id: the same order everywhere.
    candidates.sort_by(|(a, a_ids), (b, b_ids)| {
        let a_rate = u128::from(a.transaction.fee) * b.bytes.len() as u128;
        let b_rate = u128::from(b.transaction.fee) * a.bytes.len() as u128;
        b_rate.cmp(&a_rate).then_with(|| a_ids.transaction.cmp(&b_ids.transaction))
    });
    let mut selection = Selection::default();
    let (mut bytes, mut signatures) = (RESERVED_BYTES, 0);
    loop {
        let mut later = Vec::new();
        let before = selection.chosen.len();
        for (included, ids) in candidates {
            let fits = bytes + included.bytes.len() <= BLOCK_BYTES_MAX
                && signatures + included.transaction.signature_count() <= BLOCK_SIGNATURES_MAX;
            if !fits {
                selection.waiting.push(included);
                continue;
            }
            let transaction = &included.transaction;
            let applied =
                apply_transaction(&context, &mut session, transaction, &ids, Signatures::Verify);
            match applied {
                Ok(fee) => {
                    bytes += included.bytes.len();
                    signatures += transaction.signature_count();
                    selection.fees = selection.fees.saturating_add(fee);
                    selection.chosen.push(included);
                }
                Err(Refusal::Rule(error)) => later.push(((included, ids), error)),
                Err(Refusal::Store(error)) => return Err(error),
            }
        }
        // One that was refused may hold after another: a later nonce, or funds that arrived.
        if selection.chosen.len() == before {
            for ((included, _), error) in later {
                match error {
                    TransactionError::NotYetValid { .. } => selection.waiting.push(included),
                    error => selection.refused.push((included, error)),
                }
            }
            return Ok(selection);
        }
        candidates = later.into_iter().map(|(candidate, _)| candidate).collect();
    }
}
