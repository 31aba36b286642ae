//! What the server says of itself to those who watch the node.

use std::fmt;

use serde_json::{Value, json};

use super::accounting::{Tally, Worker};
use super::server::Monitor;
use crate::node::http::status::{Numbers, Section};

/// Workers that are listed: those with the most work, so that a crowd does not make the list unreadable.
const WORKERS_LISTED: usize = 256;

impl Monitor {
    fn listed(&self) -> Vec<(std::sync::Arc<Worker>, Tally)> {
        let all = self.desk().accounts.all().into_iter();
        let mut all: Vec<_> = all.map(|worker| (worker.clone(), worker.tally())).collect();
        all.sort_by(|(_, a), (_, b)| b.difficulty.total_cmp(&a.difficulty));
        all.truncate(WORKERS_LISTED);
        all
    }

    fn tally(&self, tally: &Tally) -> Value {
        json!({
            "accepted": tally.accepted,
            "difficulty": tally.difficulty,
            "stale": tally.stale,
            "rejected": tally.rejected,
            "blocks": tally.blocks,
            "hashes_per_second": tally.hashes_per_second(self.now()),
            "last_share": tally.last_share_s,
        })
    }
}

impl Section for Monitor {
    fn name(&self) -> &'static str {
        "stratum"
    }

    fn status(&self) -> Value {
        let status = Self::status(self);
        let worker = |(worker, tally): &(std::sync::Arc<Worker>, Tally)| {
            let mut row = self.tally(tally);
            row["name"] = json!(&*worker.name);
            row["connections"] = json!(tally.connections);
            row
        };
        let ended = status.ended.iter().map(|(why, count)| (why.to_string(), json!(count)));
        json!({
            "connections": status.connections,
            "half_open": status.half_open,
            "accepted": status.accepted,
            "refused": status.refused,
            "ended": Value::Object(ended.collect()),
            "last_broadcast_us": status.last_broadcast_us,
            "shares": self.tally(&self.desk().accounts.total()),
            "workers": self.listed().iter().map(worker).collect::<Vec<_>>(),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
    fn encode(&self, numbers: &mut Numbers<'_>) -> fmt::Result {
        let status = Self::status(self);
        let total = self.desk().accounts.total();
        let listed = self.listed();
        let now = self.now();
        numbers.gauge("stratum_connections", "Connections", status.connections as f64)?;
        numbers.gauge(
            "stratum_half_open",
            "Connections that have not logged in",
            status.half_open as f64,
        )?;
        numbers.counter(
            "stratum_connections_refused",
            "Connections turned away for want of room",
            status.refused,
        )?;
        numbers.gauge(
            "stratum_last_broadcast_seconds",
            "How long the last job took on its way to everybody",
            std::time::Duration::from_micros(status.last_broadcast_us).as_secs_f64(),
        )?;
        numbers.counter("stratum_shares_accepted", "Shares accepted", total.accepted)?;
        numbers.counter("stratum_shares_stale", "Shares for a job that was over", total.stale)?;
        numbers.counters(
            "stratum_shares_rejected",
            "Shares refused, by reason",
            "reason",
            total.rejected.iter().map(|(reason, count)| (*reason, *count)),
        )?;
        numbers.gauges(
            "stratum_hashes_per_second",
            "Estimated rate of each worker",
            "worker",
            listed.iter().map(|(worker, tally)| (&*worker.name, tally.hashes_per_second(now))),
        )
    }
}
