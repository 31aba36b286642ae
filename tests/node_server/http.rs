//! HTTP in a few lines, so that a test can send what no client library would.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }
}

/// Sends bytes and reads until the other end closes.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Response {
    let mut stream = TcpStream::connect(address).unwrap();
    // A server that has heard enough may close before all is sent.
    let _ = stream.write_all(bytes);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Response { status, head: head.to_owned(), body: body.to_owned() }
}

/// A request with these header lines besides what every request has.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    lines: &[&str],
    body: &[u8],
) -> Response {
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !lines.iter().any(|line| line.starts_with("Host:")) {
        text.push_str(&format!("Host: {address}\r\n"));
    }
    lines.iter().for_each(|line| text.push_str(&format!("{line}\r\n")));
    text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    raw(address, &[text.as_bytes(), body].concat())
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Response {
    request(address, "GET", path, &[], b"")
}

/// RFC 4648, written for this test.
pub(crate) fn base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> =
        text.bytes().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let mut out: String = bits
        .chunks(6)
        .map(|six| {
            let padded = six.iter().copied().chain([0; 6]).take(6);
            char::from(DIGITS[usize::from(padded.fold(0, |sum, bit| sum << 1 | bit))])
        })
        .collect();
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

/// Who calls a node.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) address: SocketAddr,
    pub(crate) authorization: String,
}

impl Caller {
    pub(crate) fn new(address: SocketAddr, credentials: &str) -> Self {
        Self { address, authorization: format!("Authorization: Basic {}", base64(credentials)) }
    }

    pub(crate) fn post(&self, body: &[u8]) -> Response {
        let lines = [&*self.authorization, "Content-Type: application/json"];
        request(self.address, "POST", "/", &lines, body)
    }

    /// The whole answer, as minerd asks: no version, and 200 whatever is answered.
    pub(crate) fn answer(&self, method: &str, params: Value) -> Value {
        let call = json!({"method": method, "params": params, "id": 7});
        let response = self.post(call.to_string().as_bytes());
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.header("content-type"), Some("application/json"));
        let answer = response.json();
        assert_eq!(answer["id"], 7);
        answer
    }

    /// The result of a call that has one.
    pub(crate) fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params);
        assert_eq!(answer["error"], Value::Null, "{method}: {answer}");
        answer["result"].clone()
    }

    /// The code of the error that a call ends with.
    pub(crate) fn code(&self, method: &str, params: Value) -> i64 {
        let answer = self.answer(method, params);
        assert_eq!(answer["result"], Value::Null, "{method}: {answer}");
        answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("{method}: {answer}"))
    }

    pub(crate) fn template(&self) -> Value {
        self.call("getblocktemplate", json!([{"rules": ["segwit"]}]))
    }

    /// The word that a block is answered with; none if it was taken.
    pub(crate) fn submit(&self, block: &[u8], workid: Option<&Value>) -> Option<String> {
        let mut params = vec![json!(hex::encode(block))];
        params.extend(workid.map(|workid| json!({"workid": workid})));
        self.call("submitblock", json!(params)).as_str().map(str::to_owned)
    }

    /// The word that a proposal is answered with; none if it would do.
    pub(crate) fn propose(&self, block: &[u8], workid: Option<&Value>) -> Option<String> {
        let mut request = json!({"mode": "proposal", "data": hex::encode(block)});
        if let Some(workid) = workid {
            request["workid"] = workid.clone();
        }
        self.call("getblocktemplate", json!([request])).as_str().map(str::to_owned)
    }
}
