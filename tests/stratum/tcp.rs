//! A whole server on a free port of loopback, with a ledger in memory behind it and a clock that the test
//! steps, and a client that speaks lines.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofward::hash::Algorithm;
use proofward::ledger::chain::Ledger;
use proofward::ledger::coinbase::Payout;
use proofward::ledger::mempool::Limits;
use proofward::ledger::spec::Spec;
use proofward::ledger::store::MemoryStore;
use proofward::node::handle::Handle;
use proofward::node::service::{Parts, Service};
use proofward::node::stratum::desk::{Budget, Desk, Settings};
use proofward::node::stratum::numbers::Numbers;
use proofward::node::stratum::server::{Crowd, Monitor, Server, Status, bind};
use proofward::primitives::CompactTarget;
use tokio::runtime::Runtime;

use crate::common::{Key, memory_ledger, solve};
use crate::world::{Time, address, hard_spec};

/// However slow the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A block takes 65,536 hashes: a test that wants one finds it, a share is hardly ever one.
pub(crate) fn fair_spec() -> Spec {
    let start = CompactTarget(0x1f00_ffff);
    Spec { limit: start, start, ..hard_spec(Algorithm::Sha256d) }.check().unwrap()
}

pub(crate) struct Port {
    pub(crate) time: Time,
    pub(crate) address: SocketAddr,
    pub(crate) spec: Spec,
    server: Option<Server>,
    monitor: Monitor,
    pub(crate) service: Option<Service<MemoryStore>>,
    pub(crate) runtime: Runtime,
}

impl Port {
    pub(crate) fn open() -> Self {
        Self::with(fair_spec(), Crowd::of(1000))
    }

    pub(crate) fn with(spec: Spec, crowd: Crowd) -> Self {
        Self::of(memory_ledger(spec), Time::default(), crowd, |_| None)
    }

    /// Before a chain, whose wearers, if it has any, mine on what `budget` says.
    pub(crate) fn of(
        ledger: Ledger<MemoryStore>,
        time: Time,
        crowd: Crowd,
        budget: impl FnOnce(&Handle) -> Option<Arc<dyn Budget>>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let spec = ledger.chain().spec.clone();
        let parts = Parts { ledger, inbox: None, limits: Limits::default(), clock: time.clock() };
        let service = Service::start(parts).unwrap();
        let handle = service.handle.clone();
        let budget = budget(&handle);
        let desk =
            Desk::new(Settings::of(&spec, None), Numbers::in_memory(0xa1b2_c3d4, 0x100), budget);
        let moments = time.moments();
        let server = runtime.block_on(async {
            let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
            Server::start(listener, desk, handle, moments, crowd).unwrap()
        });
        let (address, monitor) = (server.address(), server.monitor());
        Self { time, address, spec, server: Some(server), monitor, service: Some(service), runtime }
    }

    pub(crate) fn user(&self, key: u32) -> String {
        address(&self.spec, key)
    }

    pub(crate) fn status(&self) -> Status {
        self.monitor.status()
    }

    pub(crate) fn desk(&self) -> &Arc<Desk> {
        self.monitor.desk()
    }

    /// Waits until the server's numbers are so.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Status) -> bool) {
        let start = Instant::now();
        while !is_so(&self.status()) {
            assert!(start.elapsed() < PATIENCE, "{what}: {:?}", self.status());
            std::thread::yield_now();
        }
    }

    /// Somebody else mines a block, which the ledger takes.
    pub(crate) fn mine(&self) {
        let service = self.service.as_ref().unwrap();
        let candidate = service.handle.current();
        let coinbase = candidate.template.coinbase(Key::new(77).public(), b"elsewhere");
        let block = solve(self.spec.algorithm, candidate.template.block(coinbase, candidate.time));
        let finder = Arc::from("elsewhere");
        self.runtime.block_on(service.handle.submit_block(block.encode(), &finder)).unwrap();
    }

    /// Ends the server, then the ledger, which is given back.
    pub(crate) fn stop(&mut self) -> Ledger<MemoryStore> {
        let server = self.server.take().unwrap();
        self.runtime.block_on(server.stop());
        self.service.take().unwrap().stop().unwrap().expect("nobody reads")
    }

    pub(crate) fn height(&self) -> u32 {
        self.service.as_ref().unwrap().handle.current().height() - 1
    }

    pub(crate) fn connect(&self) -> Peer {
        Peer::new(self.address)
    }
}

/// Whom the blocks of a chain pay, from the first on.
pub(crate) fn payees(ledger: &Ledger<MemoryStore>) -> Vec<Payout> {
    let (tip, record) = ledger.tip().unwrap();
    let mut payees = Vec::new();
    let (mut hash, view) = (tip, ledger.view());
    for _ in 0..record.height {
        let block = view.block(&hash).unwrap().unwrap();
        payees.push(block.coinbase.payouts[0]);
        hash = block.header.prev_block;
    }
    payees.reverse();
    payees
}

pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self { stream, reader }
    }

    pub(crate) fn send(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next line, its end left out; none at the end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => {
                assert_eq!(line.pop(), Some('\n'), "a whole line");
                Some(line)
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    /// Everything up to the end.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.reader.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection stays: {error}"),
        }
        rest
    }

    /// Subscribes and logs in; the lines that came.
    pub(crate) fn login(&mut self, user: &str, password: &str) -> [String; 4] {
        self.send(r#"{"id":1,"method":"mining.subscribe","params":["test"]}"#);
        self.send(&format!(
            r#"{{"id":2,"method":"mining.authorize","params":["{user}","{password}"]}}"#
        ));
        [0; 4].map(|_| self.line().expect("four lines"))
    }
}
