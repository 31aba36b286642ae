//! Clients by the thousand in one process: a task each that reads lines, and no more work at the arrival
//! of a job than to note when the kernel received it and when it was read.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::AsRawFd as _;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use proofward::hash::{Algorithm, sha256::sha256d};
use proofward::kernel::{Hits, Job, Kernel, NonceRange};
use proofward::node::difficulty::Difficulty;
use proofward::primitives::{CompactTarget, Target};
use serde_json::Value;
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// However slow the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// One connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    /// When the work on the latest tip came, and was read.
    pub(crate) tip_at: Cell<Heard>,
    /// It no longer reads.
    pub(crate) is_deaf: Cell<bool>,
    /// The server closed it.
    pub(crate) is_closed: Cell<bool>,
    tips: Cell<usize>,
    accepted: Cell<usize>,
    refused: Cell<usize>,
    en1: RefCell<String>,
    user: RefCell<String>,
    /// The latest notification as it came; it is read when somebody mines on it.
    work: RefCell<Vec<u8>>,
    is_authorised: Cell<bool>,
    en2: Cell<u32>,
    task: RefCell<Option<JoinHandle<()>>>,
}

/// When something came.
#[derive(Clone, Copy)]
pub(crate) struct Heard {
    /// The socket held it, by the stamp that the kernel puts on what it receives.
    pub(crate) arrived: SystemTime,
    /// The client had read it.
    pub(crate) read: SystemTime,
}

/// A share in the words of the wire.
pub(crate) struct Share {
    job: String,
    en2: u32,
    time: String,
    nonce: u32,
}

/// All of them.
pub(crate) struct Clients {
    pub(crate) list: Vec<Rc<Client>>,
    pub(crate) target: SocketAddr,
    pub(crate) user: String,
    pub(crate) kernel: Kernel,
    count: u32,
}

impl Clients {
    pub(crate) fn new(target: SocketAddr, user: &str, algorithm: Algorithm) -> Self {
        let kernel = Kernel::available(algorithm).next().expect("the portable row");
        Self { list: Vec::new(), target, user: user.into(), kernel, count: 0 }
    }

    /// So many more, each of an address of its own; returns when all have work.
    pub(crate) async fn connect(&mut self, more: usize) {
        let from = self.list.len();
        for index in 0..more {
            self.come(None).await;
            if index % 64 == 0 {
                tokio::task::yield_now().await;
            }
        }
        self.until(|clients| clients.list[from..].iter().all(|client| client.is_working())).await;
    }

    /// One more.
    pub(crate) async fn come(&mut self, session: Option<&str>) -> Rc<Client> {
        self.count += 1;
        let client = Client::open(self.target, self.count).await.expect("the server listens");
        client.hello(&format!("{}.w{}", self.user, self.list.len()), session);
        self.list.push(Rc::clone(&client));
        client
    }

    /// The first so many drop; the names of their sessions.
    pub(crate) fn leave(&mut self, crowd: usize) -> Vec<String> {
        let gone: Vec<_> = self.list.drain(..crowd).collect();
        let sessions = gone.iter().map(|client| client.en1()).collect();
        for client in gone {
            // With its task goes the last reference to its socket.
            client.task.borrow().as_ref().expect("every client has one").abort();
        }
        sessions
    }

    pub(crate) fn tips_heard(&self) -> usize {
        self.list.iter().map(|client| client.tips.get()).sum()
    }

    pub(crate) fn answers(&self) -> usize {
        self.list.iter().map(|client| client.accepted.get() + client.refused.get()).sum()
    }

    pub(crate) fn refused(&self) -> usize {
        self.list.iter().map(|client| client.refused.get()).sum()
    }

    /// Lets the clients run until it is so.
    pub(crate) async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(start.elapsed() < PATIENCE, "clients wait in vain");
            // Counting thousands of clients takes time that they need themselves.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Client {
    /// Connects from the address with this number within 127.0.0.0/8.
    pub(crate) async fn open(target: SocketAddr, number: u32) -> std::io::Result<Rc<Self>> {
        let [_, high, middle, low] = number.to_be_bytes();
        let from = Ipv4Addr::new(127, high.max(1), middle, low.max(1));
        let socket = TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        socket.bind(SocketAddrV4::new(from, 0).into())?;
        let stream = socket.connect(target).await?;
        stream.writable().await?;
        setsockopt(&stream, sockopt::ReceiveTimestampns, &true)?;
        let client = Rc::new(Self {
            stream,
            tip_at: Cell::new(Heard { arrived: SystemTime::now(), read: SystemTime::now() }),
            is_deaf: Cell::new(false),
            is_closed: Cell::new(false),
            tips: Cell::new(0),
            accepted: Cell::new(0),
            refused: Cell::new(0),
            en1: RefCell::default(),
            user: RefCell::default(),
            work: RefCell::default(),
            is_authorised: Cell::new(false),
            en2: Cell::new(0),
            task: RefCell::default(),
        });
        let task = tokio::task::spawn_local(listen(Rc::clone(&client)));
        client.task.replace(Some(task));
        Ok(client)
    }

    /// Subscribes and logs in, at a difficulty that it does not want changed.
    pub(crate) fn hello(&self, user: &str, session: Option<&str>) {
        self.user.replace(user.into());
        let session = session.map_or(String::new(), |session| format!(",\"{session}\""));
        self.send(&format!(
            "{{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"load\"{session}]}}\n\
             {{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"{user}\",\"d=0.000001\"]}}\n"
        ));
    }

    pub(crate) fn en1(&self) -> String {
        self.en1.borrow().clone()
    }

    pub(crate) fn is_working(&self) -> bool {
        self.is_authorised.get() && !self.work.borrow().is_empty()
    }

    /// Searches a share that is a block, or one that is none.
    pub(crate) fn search(&self, kernel: Kernel, is_block: bool) -> Share {
        let work: Value = serde_json::from_slice(&self.work.borrow()).expect("a notification");
        let params = &work["params"];
        let text = |index: usize| params[index].as_str().expect("a text");
        let number = |index| u32::from_str_radix(text(index), 16).expect("hex");
        let network = CompactTarget(number(6)).to_target().expect("a target");
        let easy = Difficulty::LEAST.target_to_search();
        loop {
            let en2 = self.en2.get();
            self.en2.set(en2 + 1);
            let coinbase = format!("{}{}{en2:08x}{}", text(2), self.en1.borrow(), text(3));
            let mut root = sha256d(&hex::decode(coinbase).expect("hex"));
            for hash in params[4].as_array().expect("a branch") {
                let hash = hex::decode(hash.as_str().expect("a text")).expect("hex");
                root = sha256d(&[&root[..], &hash].concat());
            }
            let mut header = [0; 80];
            header[..4].copy_from_slice(&number(5).to_le_bytes());
            let mut previous = hex::decode(text(1)).expect("hex");
            previous.chunks_mut(4).for_each(<[u8]>::reverse);
            header[4..36].copy_from_slice(&previous);
            header[36..68].copy_from_slice(&root);
            header[68..72].copy_from_slice(&number(7).to_le_bytes());
            header[72..76].copy_from_slice(&number(6).to_le_bytes());
            let target = if is_block { network } else { easy };
            let job = Job::new(kernel.algorithm(), &header, target);
            if let Some(nonce) = first(kernel, &job, (!is_block).then_some(network)) {
                return Share { job: text(0).into(), en2, time: text(7).into(), nonce };
            }
        }
    }

    pub(crate) fn submit(&self, share: &Share) {
        let Share { job, en2, time, nonce } = share;
        let user = self.user.borrow();
        self.send(&format!(
            "{{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"{user}\",\"{job}\",\"{en2:08x}\",\
             \"{time}\",\"{nonce:08x}\"]}}\n"
        ));
    }

    /// There is room for it: nobody has more than a few lines on the way.
    fn send(&self, text: &str) {
        let written = self.stream.try_write(text.as_bytes());
        assert_eq!(written.ok(), Some(text.len()), "the socket takes a line");
    }

    fn line(&self, line: &[u8], heard: Heard) {
        if line.starts_with(b"{\"id\":null,\"method\":\"mining.notify\"") {
            if line.ends_with(b"true]}") {
                self.tip_at.set(heard);
                self.tips.set(self.tips.get() + 1);
            }
            let mut work = self.work.borrow_mut();
            work.clear();
            work.extend_from_slice(line);
        } else if line.starts_with(b"{\"id\":4,") {
            let is_accepted = line.starts_with(b"{\"id\":4,\"result\":true");
            let count = if is_accepted { &self.accepted } else { &self.refused };
            count.set(count.get() + 1);
            if !is_accepted {
                println!("refused: {}", String::from_utf8_lossy(line));
            }
        } else if line.starts_with(b"{\"id\":2,") {
            assert!(line.starts_with(b"{\"id\":2,\"result\":true"), "the login is accepted");
            self.is_authorised.set(true);
        } else if line.starts_with(b"{\"id\":1,") {
            let reply: Value = serde_json::from_slice(line).expect("JSON");
            if let Some(en1) = reply["result"][1].as_str() {
                self.en1.replace(en1.into());
            }
        }
    }
}

/// The first nonce that meets the job's target and misses another.
fn first(kernel: Kernel, job: &Job, misses: Option<Target>) -> Option<u32> {
    let mut hits = Hits::new();
    let mut range = NonceRange::ALL;
    loop {
        // As many at a time as a share takes.
        let end = range.first().saturating_add(1 << 12);
        let part = NonceRange::new(range.first(), end.min(range.last()))?;
        hits.clear();
        kernel.search(job, part, &mut hits);
        for nonce in hits.as_slice() {
            let digest = proofward::hash::hash_header(job.algorithm(), &job.header_with(*nonce));
            let is_miss = misses.is_none_or(|misses| !misses.is_met_by(&digest));
            if job.target().is_met_by(&digest) && is_miss {
                return Some(*nonce);
            }
        }
        range = NonceRange::new(part.last().checked_add(1)?, range.last())?;
    }
}

/// Reads until the end, and notes it.
async fn listen(client: Rc<Client>) {
    read(&client).await;
    client.is_closed.set(true);
}

/// Reads until the end, with as little work as can be: the server has the same processors.
async fn read(client: &Client) {
    let mut rest: Vec<u8> = Vec::new();
    let mut control = cmsg_space!(TimeSpec);
    loop {
        // Unlike `readable` it keeps no list of who waits.
        if poll_fn(|context| client.stream.poll_read_ready(context)).await.is_err() {
            return;
        }
        if client.is_deaf.get() {
            return std::future::pending().await;
        }
        let mut chunk = [0; 4096];
        let mut received = None;
        let read = client.stream.try_io(Interest::READABLE, || {
            let (taken, arrived) = receive(&client.stream, &mut chunk, &mut control)?;
            received = Some((taken, arrived));
            // What leaves room was everything, and need not be asked for again.
            if taken < chunk.len() { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        let (count, arrived) = match (read, received) {
            (_, Some((0, _))) => return,
            (_, Some(received)) => received,
            (Err(error), None) if error.kind() == ErrorKind::WouldBlock => continue,
            _ => return,
        };
        let heard = Heard { arrived, read: SystemTime::now() };
        let mut bytes = &chunk[..count];
        if !rest.is_empty() {
            rest.extend_from_slice(bytes);
            bytes = &rest;
        }
        let mut taken = 0;
        while let Some(end) = bytes[taken..].iter().position(|byte| *byte == b'\n') {
            client.line(&bytes[taken..taken + end], heard);
            taken += end + 1;
        }
        rest = bytes[taken..].to_vec();
    }
}

/// Takes what the socket holds, and when the last of it came to stand there.
fn receive(
    stream: &TcpStream,
    chunk: &mut [u8],
    control: &mut [u8],
) -> io::Result<(usize, SystemTime)> {
    let mut parts = [IoSliceMut::new(chunk)];
    let flags = MsgFlags::empty();
    let received = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(control), flags)?;
    let stamp = received.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
        _ => None,
    });
    // The kernel begins to stamp a moment after it was asked to; what has no stamp has come by now.
    let arrived =
        stamp.map_or_else(SystemTime::now, |stamp| SystemTime::UNIX_EPOCH + Duration::from(stamp));
    Ok((received.bytes, arrived))
}
