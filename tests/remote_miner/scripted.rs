//! Servers on loopback that follow a script, and the program that mines for them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

use proofward::hash::{Algorithm, hash_header, sha256::sha256d};
use proofward::primitives::Target;
use serde_json::{Value, json};

/// Found in some ten thousand hashes: a block by its nBits.
pub(crate) const BLOCK_BITS: &str = "1f00ffff";

/// One connection of a scripted stratum server: what the miner says and what is said to it, a line each.
pub(crate) struct Wire<S> {
    stream: BufReader<S>,
}

impl<S: Read + Write> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// The next message; `None` at the end.
    pub(crate) fn read(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).expect("a message of the miner is JSON")),
        }
    }

    /// The next message, which must be of this method.
    pub(crate) fn expect(&mut self, method: &str) -> Value {
        let message = self.read().unwrap_or_else(|| panic!("the end instead of {method}"));
        assert_eq!(message["method"], method, "{message}");
        message
    }

    pub(crate) fn say(&mut self, message: &Value) {
        self.say_raw(&format!("{message}\n"));
    }

    pub(crate) fn say_raw(&mut self, text: &str) {
        // Whoever has gone hears nothing.
        let stream = self.stream.get_mut();
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }

    pub(crate) fn answer(&mut self, request: &Value, result: &Value) {
        self.say(&json!({ "id": request["id"], "result": result, "error": null }));
    }

    pub(crate) fn notify(&mut self, method: &str, params: &Value) {
        self.say(&json!({ "id": null, "method": method, "params": params }));
    }
}

/// A server that serves one connection after another by a script each, then takes no more.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    thread: JoinHandle<()>,
}

pub(crate) type Script = Box<dyn FnOnce(TcpStream) + Send>;

impl Scripted {
    pub(crate) fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let thread = thread::spawn(move || {
            for script in scripts {
                script(listener.accept().expect("a connection").0);
            }
        });
        Self { port, thread }
    }

    /// Whether the scripts went well.
    pub(crate) fn end(self) {
        self.thread.join().expect("the script went to its end");
    }
}

/// The parameters of a job whose shares are blocks.
pub(crate) fn easy_job(job: &str, prev: u8) -> Value {
    let mut params = crate::talk::notify_params(job, prev, true);
    params[6] = json!(BLOCK_BITS);
    params[4] = json!([hex::encode([3; 32]), hex::encode([4; 32])]);
    params
}

/// The header of a submission, as a server puts it together; `mask` as it was granted.
pub(crate) fn header_of(job: &Value, extranonce1: &str, submit: &Value, mask: u32) -> [u8; 80] {
    let params = submit["params"].as_array().expect("a list");
    let hex = |value: &Value| hex::decode(value.as_str().expect("text")).expect("hex");
    let little = |value: &Value| hex(value).into_iter().rev().collect::<Vec<u8>>();
    let extranonce1 = hex::decode(extranonce1).expect("hex");
    let coinbase = [hex(&job[2]), extranonce1, hex(&params[2]), hex(&job[3])].concat();
    let mut root = sha256d(&coinbase);
    for sibling in job[4].as_array().expect("a list") {
        root = sha256d(&[&root[..], &hex(sibling)].concat());
    }
    let number =
        |value: &Value| u32::from_str_radix(value.as_str().expect("text"), 16).expect("hex");
    let bits = params.get(5).map_or(0, number);
    assert_eq!(bits & !mask, 0, "bits outside of the mask");
    let version = number(&job[5]) & !mask | bits;
    let prev: Vec<u8> =
        hex(&job[1]).chunks(4).flat_map(|group| group.iter().rev().copied()).collect();
    [
        version.to_le_bytes().to_vec(),
        prev,
        root.to_vec(),
        little(&params[3]),
        little(&job[6]),
        little(&params[4]),
    ]
    .concat()
    .try_into()
    .expect("80 bytes")
}

pub(crate) fn assert_meets(algorithm: Algorithm, header: &[u8; 80], target: Target) {
    assert!(target.is_met_by(&hash_header(algorithm, header)), "{}", hex::encode(header));
}

/// `proofward mine` at work, its events read one by one.
pub(crate) struct Mining {
    child: Child,
    events: BufReader<ChildStdout>,
    errors: ChildStderr,
    pub(crate) seen: Vec<Value>,
}

impl Mining {
    /// Starts it with two threads on the portable kernel; events come as JSON.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_proofward"))
            .args(["mine", "--format", "json", "--threads", "2", "--kernel", "portable"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let events = BufReader::new(child.stdout.take().expect("piped"));
        let errors = child.stderr.take().expect("piped");
        Self { child, events, errors, seen: Vec::new() }
    }

    /// Reads on to the next event of this name.
    pub(crate) fn until(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            let count = self.events.read_line(&mut line).expect("a line");
            assert!(count > 0, "the end instead of {event}: {:?}", self.seen);
            let value: Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(value["schema"], 1);
            self.seen.push(value.clone());
            if value["event"] == event {
                return value;
            }
        }
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().expect("kill");
        assert!(status.success());
    }

    /// Reads to the end: the last event. The exit code must be 0 and standard error empty.
    pub(crate) fn end(mut self) -> (Value, Vec<Value>) {
        let last = self.until("end");
        let status = self.child.wait().expect("an end");
        let mut errors = String::new();
        self.errors.read_to_string(&mut errors).expect("text");
        assert!(status.success(), "{errors}");
        assert_eq!(errors, "");
        (last, std::mem::take(&mut self.seen))
    }
}

impl Drop for Mining {
    fn drop(&mut self) {
        // Only a test that failed leaves one.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
