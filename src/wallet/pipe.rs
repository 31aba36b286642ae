//! A signer behind a pipe, so that a smart card or an HSM fits: for each signature the command is
//! started through `sh -c` and gets one line,
//!
//! ```json
//! {"schema":1,"key":"<32 bytes, hex>","message":"<32 bytes, hex>","purpose":"core"}
//! ```
//!
//! and answers with one, `{"signature":"<64 bytes, hex>"}` or `{"error":"<why not>"}`. The message is
//! signed as it is (Ed25519, RFC 8032). Standard error stays the terminal's, for a question about a PIN.
//! What comes back is verified before anybody sees it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ledger::signature::{PubKey, Sig, Signed};
use crate::wallet::signer::{Purpose, Signer, SignerError};

/// Number in each request; it changes when a field changes its meaning or goes away.
const SCHEMA: u32 = 1;
const ANSWER_BYTES_MAX: u64 = 4096;
/// How long a program that has closed its output may take to end.
const END_PATIENCE: Duration = Duration::from_secs(1);
const END_POLL: Duration = Duration::from_millis(10);

/// A key held by another program.
#[derive(Debug, Clone)]
pub struct PipeSigner {
    command: String,
    key: PubKey,
    timeout: Duration,
}

#[derive(Serialize)]
struct Request {
    schema: u32,
    key: String,
    message: String,
    purpose: &'static str,
}

/// Other fields are not read.
#[derive(Deserialize)]
struct Answer {
    signature: Option<String>,
    error: Option<String>,
}

/// What the line that a program answers with says: a signature, or why there is none; `None` if neither
/// can be read.
#[must_use]
pub fn answer_in(line: &[u8]) -> Option<Result<Sig, String>> {
    let answer: Answer = serde_json::from_slice(line).ok()?;
    if let Some(why) = answer.error {
        return Some(Err(why));
    }
    answer.signature?.parse().ok().map(Ok)
}

impl PipeSigner {
    /// Signs for `key` through `command`, which has `timeout` for each signature. Nothing is started yet.
    #[must_use]
    pub fn new(command: String, key: PubKey, timeout: Duration) -> Self {
        Self { command, key, timeout }
    }

    fn answer_of(&self, request: &[u8]) -> Result<Vec<u8>, SignerError> {
        let mut child = Command::new("sh")
            .args(["-c", &self.command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| SignerError::Start {
                command: self.command.clone(),
                why: error.to_string(),
            })?;
        let mut stdin = child.stdin.take().expect("piped above");
        let stdout = child.stdout.take().expect("piped above");
        let (send, receive) = mpsc::channel();
        // A thread of its own, which ends when the pipe does: a program that says nothing must not hold
        // this one longer than the timeout.
        thread::spawn(move || {
            let mut line = Vec::new();
            let read = BufReader::new(stdout.take(ANSWER_BYTES_MAX)).read_until(b'\n', &mut line);
            let _ = send.send(read.map(|_| line));
        });
        // A request fits the pipe. A program that does not read it may still answer.
        let _ = stdin.write_all(request);
        drop(stdin);
        match receive.recv_timeout(self.timeout) {
            Ok(Ok(line)) if !line.is_empty() => {
                // It may tidy up after itself; somebody has to see it end.
                thread::spawn(move || child.wait());
                Ok(line)
            }
            Ok(_) => {
                let status = end(&mut child, END_PATIENCE);
                Err(SignerError::NoAnswer { command: self.command.clone(), status })
            }
            Err(_) => {
                end(&mut child, Duration::ZERO);
                let seconds = self.timeout.as_secs();
                Err(SignerError::Timeout { command: self.command.clone(), seconds })
            }
        }
    }
}

impl Signer for PipeSigner {
    fn public_key(&self) -> PubKey {
        self.key
    }

    fn sign(&self, id: &[u8; 32], purpose: Purpose) -> Result<Sig, SignerError> {
        let request = Request {
            schema: SCHEMA,
            key: self.key.to_string(),
            message: hex::encode(id),
            purpose: purpose.name(),
        };
        let mut line = serde_json::to_vec(&request).expect("texts and numbers serialise");
        line.push(b'\n');
        let line = self.answer_of(&line)?;
        let bad_answer = || SignerError::BadAnswer {
            command: self.command.clone(),
            answer: String::from_utf8_lossy(&line).trim_end().chars().take(100).collect(),
        };
        let sig = answer_in(&line).ok_or_else(bad_answer)?;
        let sig = sig.map_err(|why| SignerError::Refused { command: self.command.clone(), why })?;
        if !(Signed { key: self.key, sig, message: id }).is_valid() {
            return Err(SignerError::WrongSignature {
                command: self.command.clone(),
                key: self.key,
            });
        }
        Ok(sig)
    }
}

/// Waits for the program to end, then ends it; says how it ended.
fn end(child: &mut Child, patience: Duration) -> String {
    let mut waited = Duration::ZERO;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.to_string(),
            Ok(None) if waited < patience => thread::sleep(END_POLL),
            Ok(None) => break,
            Err(error) => return error.to_string(),
        }
        waited += END_POLL;
    }
    // Fails only for a program that has ended.
    let _ = child.kill();
    child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
}
