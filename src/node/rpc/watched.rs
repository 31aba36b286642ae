//! What the port says of its shares to those who watch the node.

use std::fmt;

use serde_json::{Value, json};

use super::context::Context;
use crate::node::http::status::{Numbers, Section};
use crate::node::http::workers;

impl Section for Context {
    fn name(&self) -> &'static str {
        "rpc"
    }

    fn status(&self) -> Value {
        let (shares, now) = (&self.shares, self.moments.now());
        json!({
            "share_difficulty": shares.wanted().map(|wanted| wanted.value()),
            "shares": workers::total(&shares.accounts, now),
            "workers": workers::workers(&shares.accounts, now),
        })
    }

    fn encode(&self, numbers: &mut Numbers<'_>) -> fmt::Result {
        workers::encode(numbers, "rpc", &self.shares.accounts, self.moments.now())
    }
}
