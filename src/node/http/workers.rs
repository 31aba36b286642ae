//! Workers and their shares as `/status` and `/metrics` show them, whichever door they came by.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use super::status::Numbers;
use crate::node::accounting::{Accounts, Tally, Worker};
use crate::node::clock::Moment;

/// Workers that are listed: those with the most work, so that a crowd does not make the list unreadable.
const WORKERS_LISTED: usize = 256;

fn listed(accounts: &Accounts) -> Vec<(Arc<Worker>, Tally)> {
    let all = accounts.all().into_iter();
    let mut all: Vec<_> = all.map(|worker| (Arc::clone(&worker), worker.tally())).collect();
    all.sort_by(|(_, a), (_, b)| b.difficulty.total_cmp(&a.difficulty));
    all.truncate(WORKERS_LISTED);
    all
}

fn row(tally: &Tally, now: Moment) -> Value {
    json!({
        "accepted": tally.accepted,
        "difficulty": tally.difficulty,
        "stale": tally.stale,
        "rejected": tally.rejected,
        "blocks": tally.blocks,
        "hashes_per_second": tally.hashes_per_second(now),
        "last_share": tally.last_share_s,
    })
}

/// What all workers did together.
pub(in crate::node) fn total(accounts: &Accounts, now: Moment) -> Value {
    row(&accounts.total(), now)
}

/// What each worker did.
pub(in crate::node) fn workers(accounts: &Accounts, now: Moment) -> Value {
    let row = |(worker, tally): (Arc<Worker>, Tally)| {
        let mut row = row(&tally, now);
        row["name"] = json!(&*worker.name);
        row["connections"] = json!(tally.connections);
        row
    };
    listed(accounts).into_iter().map(row).collect()
}

/// The same as metrics, whose names begin with that of the door.
///
/// # Errors
///
/// If the encoder fails.
pub(in crate::node) fn encode(
    numbers: &mut Numbers<'_>,
    door: &str,
    accounts: &Accounts,
    now: Moment,
) -> fmt::Result {
    let (total, listed) = (accounts.total(), listed(accounts));
    let named = |what: &str| format!("{door}_{what}");
    numbers.counter(&named("shares_accepted"), "Shares accepted", total.accepted)?;
    numbers.counter(&named("shares_stale"), "Shares for work that was over", total.stale)?;
    numbers.counters(
        &named("shares_rejected"),
        "Shares refused, by reason",
        "reason",
        total.rejected.iter().map(|(reason, count)| (*reason, *count)),
    )?;
    numbers.gauges(
        &named("hashes_per_second"),
        "Estimated rate of each worker",
        "worker",
        listed.iter().map(|(worker, tally)| (&*worker.name, tally.hashes_per_second(now))),
    )
}
