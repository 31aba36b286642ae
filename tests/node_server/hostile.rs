//! What strangers do to an HTTP port, by the rows of the list of adversaries.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use proofward::node::http::serve::Limits;
use proofward::node::rpc::server::BODY_BYTES_MAX;
use serde_json::json;

use crate::http::{Caller, Response, raw, request};
use crate::world::{CREDENTIALS, Wish, World};

const JSON: &str = "Content-Type: application/json";

fn uptime() -> Vec<u8> {
    json!({"method": "uptime", "id": 1}).to_string().into_bytes()
}

/// 500 sockets that send a byte now and then, and never a request.
#[test]
fn a45_slow_connections_keep_nobody_out() {
    const SLOW: usize = 500;
    let limits = Limits { connections_max: 520, head: Duration::from_secs(8), ..Limits::default() };
    let world = World::with(Wish { limits, ..Wish::default() });
    let address = world.rpc.address;
    let mut slow: Vec<TcpStream> =
        (0..SLOW).map(|_| TcpStream::connect(address).unwrap()).collect();
    slow.iter_mut().for_each(|stream| stream.write_all(b"P").unwrap());
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let started = Instant::now();
            world.rpc.call("getblockcount", json!([]));
            started.elapsed()
        })
        .collect();
    times.sort();
    println!("with {SLOW} slow connections: median {:?}, 99th {:?}", times[50], times[98]);
    // How long an answer takes is measured by `benches/stratum_load.rs`; here nobody waits for their end.
    assert!(times[98] < limits.head, "{times:?}");
    // Their deadline closes them.
    for stream in &mut slow {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("it is closed");
    }
}

/// When as many are open as may be, the oldest that has shown nothing makes room.
#[test]
fn a45_idle_connections_make_room() {
    let limits = Limits { connections_max: 4, head: Duration::from_secs(60), ..Limits::default() };
    let world = World::with(Wish { limits, ..Wish::default() });
    let mut known = TcpStream::connect(world.rpc.address).unwrap();
    let call = |stream: &mut TcpStream| {
        let body = uptime();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{}\r\nContent-Length: {}\r\n\r\n",
            world.rpc.authorization,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        let mut byte = [0; 12];
        stream.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"HTTP/1.1 200");
    };
    call(&mut known);
    let mut idle: Vec<TcpStream> =
        (0..20).map(|_| TcpStream::connect(world.rpc.address).unwrap()).collect();
    world.rpc.call("uptime", json!([]));
    call(&mut TcpStream::connect(world.rpc.address).unwrap());
    let mut end = Vec::new();
    idle[0].set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(idle[0].read_to_end(&mut end).expect("closed for others"), 0);
}

#[test]
fn a46_garbage_is_answered_or_closed() {
    let world = World::new();
    let address = world.rpc.address;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"x y z\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        // Closed by a reset is closed.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    }
    // Split at every byte.
    let body = uptime();
    let text = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\nContent-Length: {}\r\n\r\n",
        world.rpc.authorization,
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in [text.as_bytes(), &body].concat() {
        stream.write_all(&[byte]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // In chunks, as some clients send.
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        world.rpc.authorization,
        body.len(),
        String::from_utf8(body).unwrap()
    );
    assert_eq!(raw(address, chunked.as_bytes()).status, 200);
    let long = format!("POST / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(long.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "a head has 16 KiB");
}

#[test]
fn a50_only_the_right_credentials_are_let_in() {
    let world = World::new();
    let address = world.rpc.address;
    let status = |line: &str| {
        let lines: Vec<&str> = [JSON, line].into_iter().filter(|line| !line.is_empty()).collect();
        let response = request(address, "POST", "/", &lines, &uptime());
        if response.status == 401 {
            assert!(response.header("www-authenticate").unwrap().starts_with("Basic"));
        }
        response.status
    };
    assert_eq!(status(&world.rpc.authorization), 200);
    assert_eq!(status(""), 401);
    let right = CREDENTIALS;
    let wrong = [
        String::new(),
        ":".into(),
        right[..right.len() - 1].to_owned(),
        format!("{right}x"),
        right.to_uppercase(),
        right.replacen(':', "", 1),
    ];
    let started = Instant::now();
    for guess in &wrong {
        assert_eq!(status(&Caller::new(address, guess).authorization), 401, "{guess:?}");
    }
    let least = Duration::from_millis(250) * u32::try_from(wrong.len()).unwrap();
    assert!(started.elapsed() >= least, "a guess costs a quarter of a second, whatever it is");
    for line in ["Authorization:", "Authorization: Basic", "Authorization: Bearer abc"] {
        assert_eq!(status(line), 401, "{line}");
    }
    let lower = world.rpc.authorization.replacen("Basic", "bAsIc", 1);
    assert_eq!(status(&lower), 200, "the scheme's case is free");
}

#[test]
fn a51_pages_of_strangers_are_not_answered() {
    let world = World::new();
    let (address, auth) = (world.rpc.address, &*world.rpc.authorization);
    let send = |method: &str, lines: &[&str]| -> Response {
        request(address, method, "/", &[&[auth], lines].concat(), &uptime())
    };
    for host in
        ["evil.example", "evil.example:9332", "localhost.evil.example", "", "127.0.0.1.evil"]
    {
        let response = send("POST", &[JSON, &format!("Host: {host}")]);
        assert_eq!(response.status, 403, "{host}");
    }
    for host in
        ["LOCALHOST:9332", "localhost", "127.0.0.1", "[::1]:9332", "192.0.2.7:1", "Pool.Example"]
    {
        let response = send("POST", &[JSON, &format!("Host: {host}")]);
        assert_eq!(response.status, 200, "{host}");
    }
    assert_eq!(send("POST", &[JSON, "Origin: https://evil.example"]).status, 403);
    for kind in [
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "Multipart/Form-Data; boundary=x",
    ] {
        let response = send("POST", &[&format!("Content-Type: {kind}")]);
        assert_eq!(response.status, 415, "{kind}");
    }
    assert_eq!(send("POST", &[]).status, 200, "pool software sends none");
    let options = send("OPTIONS", &["Access-Control-Request-Method: POST"]);
    assert_eq!(options.status, 405);
    assert!(!options.head.to_lowercase().contains("access-control"), "{options:?}");
    assert_eq!(send("GET", &[]).status, 405);
}

#[test]
fn a52_bodies_are_bounded_in_every_way() {
    let world = World::new();
    let code = |body: &[u8]| {
        let response = world.rpc.post(body);
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["error"]["code"].clone()
    };
    let nested = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert_eq!(code(&nested), json!(-32700));
    assert_eq!(code(br#"{"method":"uptime","method":"stop","id":1}"#), json!(-32700));
    assert_eq!(code(br#"{"method":"uptime","params":[{"a":1,"a":2}],"id":1}"#), json!(-32700));
    for number in ["1e400", "NaN", "Infinity", "-", "0x10", "01"] {
        let body = format!("{{\"method\":\"uptime\",\"params\":[{number}],\"id\":1}}");
        assert_eq!(code(body.as_bytes()), json!(-32700), "{number}");
    }
    let many = format!("[{}0]", "0,".repeat(1_000_000));
    assert_eq!(code(many.as_bytes()), json!(-32700), "a million values");
    let calls = format!("[{}0]", "0,".repeat(1_000));
    assert_eq!(code(calls.as_bytes()), json!(-32600), "a thousand and one calls");
    let id = format!("{{\"method\":\"uptime\",\"id\":\"{}\"}}", "x".repeat(300));
    assert_eq!(code(id.as_bytes()), json!(-32600));

    // The head alone is enough to refuse it; nothing of the body is read.
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\n{}\r\nContent-Length: {}\r\n\r\n",
        world.rpc.authorization,
        33 << 20
    );
    assert_eq!(raw(world.rpc.address, head.as_bytes()).status, 413);
    let full = [&b"\""[..], &vec![b'x'; BODY_BYTES_MAX - 2], b"\""].concat();
    assert_eq!(code(&full), json!(-32600), "as long as may be");
    world.rpc.call("uptime", json!([]));
}

/// A body that never arrives.
#[test]
fn a52_a_body_has_a_deadline() {
    let limits = Limits { body: Duration::from_millis(200), ..Limits::default() };
    let world = World::with(Wish { limits, ..Wish::default() });
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\n{}\r\nContent-Length: 100\r\n\r\n{{",
        world.rpc.authorization
    );
    assert_eq!(raw(world.rpc.address, head.as_bytes()).status, 408);
}
