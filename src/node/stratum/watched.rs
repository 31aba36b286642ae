//! What the server says of itself to those who watch the node.

use std::fmt;

use serde_json::{Value, json};

use super::server::Monitor;
use crate::node::http::status::{Numbers, Section};
use crate::node::http::workers;

impl Section for Monitor {
    fn name(&self) -> &'static str {
        "stratum"
    }

    fn status(&self) -> Value {
        let status = Self::status(self);
        let (accounts, now) = (&self.desk().accounts, self.now());
        let ended = status.ended.iter().map(|(why, count)| (why.to_string(), json!(count)));
        json!({
            "connections": status.connections,
            "half_open": status.half_open,
            "accepted": status.accepted,
            "refused": status.refused,
            "ended": Value::Object(ended.collect()),
            "last_broadcast_us": status.last_broadcast_us,
            "shares": workers::total(accounts, now),
            "workers": workers::workers(accounts, now),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
    fn encode(&self, numbers: &mut Numbers<'_>) -> fmt::Result {
        let status = Self::status(self);
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
        workers::encode(numbers, "stratum", &self.desk().accounts, self.now())
    }
}
