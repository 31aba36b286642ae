//! What the node says of itself to those who watch it: `/metrics` for Prometheus, `/status` as JSON,
//! `/health` for supervisors. Nothing here is secret, and nothing here changes anything.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use crate::node::handle::{Found, Handle};

use super::guard::Guard;
use super::serve::Visitor;

/// A door of the node, as it shows itself. Its numbers are read at each request.
pub trait Section: Send + Sync + fmt::Debug {
    /// What it is called in `/status`.
    fn name(&self) -> &'static str;

    /// Its part of `/status`.
    fn status(&self) -> Value;

    /// Its part of `/metrics`; names begin with its own.
    ///
    /// # Errors
    ///
    /// If the encoder fails.
    fn encode(&self, numbers: &mut Numbers<'_>) -> fmt::Result;
}

/// Writes numbers as metrics.
#[derive(Debug)]
pub struct Numbers<'a>(DescriptorEncoder<'a>);

impl Numbers<'_> {
    /// A number that goes up and down.
    ///
    /// # Errors
    ///
    /// If the encoder fails.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let gauge = ConstGauge::new(value);
        gauge.encode(self.0.encode_descriptor(name, help, None, gauge.metric_type())?)
    }

    /// A number that only rises; `_total` is added to its name.
    ///
    /// # Errors
    ///
    /// If the encoder fails.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let counter = ConstCounter::new(value);
        counter.encode(self.0.encode_descriptor(name, help, None, counter.metric_type())?)
    }

    /// One of the first kind for each value of a label.
    ///
    /// # Errors
    ///
    /// If the encoder fails.
    pub fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'l str, f64)>,
    ) -> fmt::Result {
        let kind = prometheus_client::metrics::MetricType::Gauge;
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (name, value) in values {
            ConstGauge::new(value).encode(family.encode_family(&[(label, name)])?)?;
        }
        Ok(())
    }

    /// One of the second kind for each value of a label.
    ///
    /// # Errors
    ///
    /// If the encoder fails.
    pub fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'l str, u64)>,
    ) -> fmt::Result {
        let kind = prometheus_client::metrics::MetricType::Counter;
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (name, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&[(label, name)])?)?;
        }
        Ok(())
    }
}

/// Blocks that came through this node, counted.
#[derive(Debug, Default)]
pub struct Tally {
    blocks: AtomicU64,
    access_transactions: AtomicU64,
    payments: AtomicU64,
    disconnected: AtomicU64,
}

impl Tally {
    /// Counts a block.
    pub fn count(&self, found: &Found) {
        let add = |number: &AtomicU64, count: usize| {
            number.fetch_add(count as u64, Ordering::Relaxed);
        };
        add(&self.blocks, 1);
        add(&self.access_transactions, found.access_transactions);
        add(&self.payments, found.payments);
        add(&self.disconnected, found.disconnected);
    }
}

/// What is watched.
#[derive(Debug)]
pub struct Watched {
    /// The door to the ledger.
    pub handle: Handle,
    /// Blocks, counted.
    pub tally: Arc<Tally>,
    /// The other doors.
    pub sections: Vec<Arc<dyn Section>>,
    /// When the node started, by its clock.
    pub started: u64,
    /// Which names this machine goes by.
    pub guard: Guard,
}

/// `/metrics`, `/status` and `/health`.
pub fn router(watched: Arc<Watched>) -> Router {
    Router::new().fallback(answer).with_state(watched)
}

async fn answer(State(watched): State<Arc<Watched>>, request: Request) -> Response {
    let respond = |status: StatusCode, kind: &'static str, body: String| {
        (status, [(header::CONTENT_TYPE, kind)], body).into_response()
    };
    let plain =
        |status, why: &str| respond(status, "text/plain; charset=utf-8", format!("{why}\n"));
    if let Err(forbidden) = watched.guard.check(request.headers()) {
        return plain(StatusCode::FORBIDDEN, &forbidden.to_string());
    }
    if let Some(visitor) = request.extensions().get::<Arc<Visitor>>() {
        visitor.prove();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only to be read");
    }
    match request.uri().path() {
        "/metrics" => match watched.metrics() {
            Ok(text) => {
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                respond(StatusCode::OK, kind, text)
            }
            Err(fmt::Error) => plain(StatusCode::INTERNAL_SERVER_ERROR, "no metrics"),
        },
        "/status" => respond(StatusCode::OK, "application/json", format!("{}\n", watched.status())),
        "/health" => {
            let is_well = watched.is_well().await;
            let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let body = json!({"schema": 1, "healthy": is_well});
            respond(status, "application/json", format!("{body}\n"))
        }
        _ => plain(StatusCode::NOT_FOUND, "there are /metrics, /status and /health"),
    }
}

impl Watched {
    fn uptime(&self) -> u64 {
        self.handle.clock().now().saturating_sub(self.started)
    }

    /// Whether the thread of the ledger answers.
    async fn is_well(&self) -> bool {
        self.handle.look().await.is_ok()
    }

    fn status(&self) -> Value {
        let (candidate, totals) = (self.handle.current(), self.handle.totals());
        let chain = self.handle.chain();
        let number = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let mut status = json!({
            "schema": 1,
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_s": self.uptime(),
            "chain": {
                "name": chain.spec.name,
                "algorithm": chain.spec.algorithm.to_string(),
                "genesis_hash": chain.genesis.to_string(),
                "height": candidate.height() - 1,
                "tip_hash": candidate.tip().to_string(),
            },
            "candidate": {
                "height": candidate.height(),
                "serial": candidate.serial,
                "transactions": candidate.template.transactions.len(),
                "reward_units": candidate.template.reward,
                "bits": candidate.bits.to_string(),
                "difficulty": candidate.difficulty,
                "time": candidate.time,
            },
            "pool": {
                "transactions": totals.count,
                "bytes": totals.bytes,
                "signatures": totals.signatures,
            },
            "found": {
                "blocks": number(&self.tally.blocks),
                "access_transactions": number(&self.tally.access_transactions),
                "payments": number(&self.tally.payments),
                "disconnected_blocks": number(&self.tally.disconnected),
            },
        });
        for section in &self.sections {
            status[section.name()] = section.status();
        }
        status
    }

    fn metrics(self: &Arc<Self>) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("proofward");
        registry.register_collector(Box::new(Scrape(Arc::clone(self))));
        let mut text = String::new();
        text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// The numbers at the moment of a request.
#[derive(Debug)]
struct Scrape(Arc<Watched>);

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(watched) = self;
        let (candidate, totals) = (watched.handle.current(), watched.handle.totals());
        let tally = &watched.tally;
        let number = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let mut numbers = Numbers(encoder);
        let height = f64::from(candidate.height() - 1);
        numbers.gauge("uptime_seconds", "Since the start", watched.uptime() as f64)?;
        numbers.gauge("height", "Of the tip", height)?;
        numbers.gauge("difficulty", "Of the block to mine", candidate.difficulty)?;
        let transactions = candidate.template.transactions.len() as f64;
        numbers.gauge("candidate_transactions", "In the block to mine", transactions)?;
        numbers.counter("candidates", "Blocks to mine so far", candidate.serial)?;
        numbers.gauge("pool_transactions", "Pending", totals.count as f64)?;
        numbers.gauge("pool_bytes", "Of what is pending", totals.bytes as f64)?;
        numbers.counter("blocks", "Found through this node", number(&tally.blocks))?;
        let access = number(&tally.access_transactions);
        numbers.counter("access_transactions", "In blocks found through this node", access)?;
        numbers.counter(
            "payments",
            "In blocks found through this node",
            number(&tally.payments),
        )?;
        let lost = number(&tally.disconnected);
        numbers.counter("disconnected_blocks", "That left the best chain", lost)?;
        watched.sections.iter().try_for_each(|section| section.encode(&mut numbers))
    }
}
