//! A node's RPC over a chain in memory, with a clock that a test steps.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proofward::ledger::mempool::Limits as PoolLimits;
use proofward::ledger::spec::Spec;
use proofward::ledger::store::MemoryStore;
use proofward::ledger::transaction::Transaction;
use proofward::node::clock::Clock;
use proofward::node::difficulty::Difficulty;
use proofward::node::handle::Handle;
use proofward::node::http::guard::Guard;
use proofward::node::http::serve::{Limits, serve};
use proofward::node::rpc::auth::Auth;
use proofward::node::rpc::context::{Context, Settings};
use proofward::node::rpc::server::{Door, router};
use proofward::node::service::{Parts, Service};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::common::{GENESIS_TIME, Key, easy_spec, memory_ledger, mine, pay};
use crate::http::Caller;

pub(crate) const CREDENTIALS: &str = "rig:a password: with a colon";
/// Key 1 owns the rewards of these.
pub(crate) const MATURE: u32 = 8;

/// Long spacings, so that neither relief nor a retarget comes into the way of a stepped clock.
pub(crate) fn calm_spec() -> Spec {
    let spec = Spec { spacing_s: 3600, half_life_s: 288_000, ..easy_spec() };
    Spec { future_limit_s: 7200, ..spec }.check().unwrap()
}

pub(crate) struct World {
    pub(crate) rpc: Caller,
    pub(crate) handle: Handle,
    pub(crate) context: Arc<Context>,
    /// Payments of key 1, with rising nonces.
    pub(crate) payments: Vec<Transaction>,
    time: Arc<AtomicU64>,
    stop: watch::Sender<bool>,
    runtime: Runtime,
    service: Option<Service<MemoryStore>>,
}

/// What a test may want otherwise.
pub(crate) struct Wish {
    pub(crate) spec: Spec,
    pub(crate) longpoll: Duration,
    pub(crate) limits: Limits,
    pub(crate) x_stratum: Option<&'static str>,
    pub(crate) is_paid: bool,
    /// Difficulty of shares.
    pub(crate) share: Option<f64>,
}

impl Default for Wish {
    fn default() -> Self {
        let (longpoll, limits) = (Duration::from_secs(60), Limits::default());
        Self { spec: easy_spec(), longpoll, limits, x_stratum: None, is_paid: true, share: None }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Wish::default())
    }

    pub(crate) fn with(wish: Wish) -> Self {
        let ledger = memory_ledger(wish.spec);
        for _ in 0..MATURE {
            mine(&ledger, Key::new(1).public(), vec![]);
        }
        let spacing = u64::from(ledger.chain().spec.spacing_s);
        let now = u64::from(GENESIS_TIME) + spacing * u64::from(MATURE) + 2;
        let time = Arc::new(AtomicU64::new(now));
        let to = Key::new(3).public();
        let payments = (1..=3).map(|nonce| pay(&ledger, &Key::new(1), to, 1_000, nonce)).collect();
        let clock = Clock::new({
            let time = Arc::clone(&time);
            move || time.load(Ordering::SeqCst)
        });
        let parts = Parts { ledger, inbox: None, limits: PoolLimits::default(), clock };
        let service = Service::start(parts).unwrap();
        let handle = service.handle.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (stop, stopping) = watch::channel(false);
        let payout = wish.is_paid.then(|| Key::new(9).public());
        let (longpoll, share) = (wish.longpoll, wish.share.and_then(Difficulty::new));
        let settings = Settings { payout, longpoll, share, user: "rig".into(), inbox: None };
        let context = Arc::new(Context::new(handle.clone(), settings, stop.clone()));
        let (user, password) = CREDENTIALS.split_once(':').unwrap();
        let door = Door {
            context: Arc::clone(&context),
            auth: Auth::of(user, password),
            guard: Guard::new(&["pool.example".into()]),
            body_timeout: wish.limits.body,
            x_stratum: wish.x_stratum.map(|text| text.parse().unwrap()),
        };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        runtime.spawn(serve(listener, router(Arc::new(door)), wish.limits, stopping));
        let rpc = Caller::new(address, CREDENTIALS);
        let service = Some(service);
        Self { rpc, handle, context, payments, time, stop, runtime, service }
    }

    pub(crate) fn now(&self) -> u64 {
        self.time.load(Ordering::SeqCst)
    }

    /// Lets time pass, and the service see it.
    pub(crate) fn pass(&self, seconds: u64) {
        self.time.fetch_add(seconds, Ordering::SeqCst);
        self.runtime.block_on(self.handle.look()).unwrap();
    }

    /// Brings the payments by RPC.
    pub(crate) fn pay(&self) {
        for payment in &self.payments {
            let text = hex::encode(payment.encode());
            self.rpc.call("sendrawtransaction", serde_json::json!([text]));
        }
        // The pause after which what is pending is shown has not passed on every chain.
        self.pass(30);
    }

    pub(crate) fn tip(&self) -> String {
        self.rpc.call("getbestblockhash", serde_json::json!([])).as_str().unwrap().to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        let stopped = self.service.take().unwrap().stop();
        assert!(stopped.is_ok(), "{stopped:?}");
    }
}
