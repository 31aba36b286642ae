//! What waits for a block: transactions brought, and what the pool says of itself.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::ledger::mempool::{Limits, Mempool, Refused, Source};
use crate::ledger::rules::TransactionError;
use crate::node::handle::HandleError;

use super::context::Context;
use super::envelope::{Answer, Code, RpcError};
use super::mining::blocking;
use super::params::Params;

/// `sendrawtransaction`: its id. It stands in the inbox too, so that a restart does not lose it.
pub(super) async fn send(context: Arc<Context>, params: Params) -> Answer {
    let bytes = hex::decode(params.string(0)?)
        .map_err(|_| RpcError::new(Code::Deserialization, "TX decode failed"))?;
    let admitted = context.handle.submit_transaction(bytes.clone(), Source::Own).await;
    let admitted = admitted.map_err(|error| match error {
        HandleError::Stopped => RpcError::new(Code::Internal, error.to_string()),
        HandleError::Refused(refused) => {
            let code = match refused {
                Refused::Rule(TransactionError::Duplicate(_)) => Code::InChain,
                Refused::Rule(
                    TransactionError::NonCanonical(_) | TransactionError::TooLarge(_),
                ) => Code::Deserialization,
                _ => Code::Rejected,
            };
            RpcError::new(code, format!("{}: {refused}", refused.name()))
        }
    })?;
    let id = admitted.ids.transaction.to_string();
    let Some(inbox) = context.settings.inbox.clone() else { return Ok(json!(id)) };
    blocking(move || {
        // A full inbox: it is pending all the same, only not over a restart.
        if let Err(error) = inbox.leave(&bytes) {
            tracing::warn!(%error, transaction = id, "a transaction is pending in memory only");
        }
        Ok(json!(id))
    })
    .await
}

async fn ask<R: Send + 'static>(
    context: &Context,
    ask: impl FnOnce(&Mempool) -> R + Send + 'static,
) -> Result<R, RpcError> {
    let answer = context.handle.with_pool(ask).await;
    answer.map_err(|error| RpcError::new(Code::Internal, error.to_string()))
}

/// `getrawmempool`: ids, the best paying first.
pub(super) async fn ids(context: Arc<Context>) -> Answer {
    let ids = ask(&context, |pool| pool.ids().map(|ids| ids.transaction).collect::<Vec<_>>());
    let ids: Vec<Value> = ids.await?.iter().map(|id| json!(id.to_string())).collect();
    Ok(json!(ids))
}

/// `getmempoolinfo`.
pub(super) async fn info(context: Arc<Context>) -> Answer {
    let (totals, floor) = ask(&context, |pool| (pool.totals(), pool.floor())).await?;
    let limits = Limits::default();
    Ok(json!({
        "loaded": true,
        "size": totals.count,
        "bytes": totals.bytes,
        "signatures": totals.signatures,
        // Held twice: as they came, and decoded.
        "usage": 2 * totals.bytes,
        "maxmempool": limits.bytes,
        "full": floor != crate::ledger::mempool::FeeRate::ZERO,
    }))
}
