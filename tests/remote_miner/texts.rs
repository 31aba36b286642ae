//! What people type: URLs of servers, and who is paid.

use proofward::node::client::payout::PayoutScript;
use proofward::node::client::{Protocol, Server};

fn server(text: &str) -> Server {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn urls_say_protocol_place_and_user() {
    let plain = server("stratum+tcp://pool.example:3333");
    assert_eq!((plain.protocol, plain.is_tls), (Protocol::Stratum, false));
    assert_eq!((&*plain.host, plain.port, plain.user), ("pool.example", 3333, None));
    let full = server("STRATUM+SSL://bc1q.rig%201:p%40ss@[2001:db8::1]:443");
    assert_eq!((full.protocol, full.is_tls), (Protocol::Stratum, true));
    assert_eq!((&*full.host, full.port), ("2001:db8::1", 443));
    assert_eq!((full.user.as_deref(), full.pass.as_deref()), (Some("bc1q.rig 1"), Some("p@ss")));
    assert_eq!(full.to_string(), "stratum+tls://[2001:db8::1]:443");
    let node = server("http://u:@127.0.0.1:8332/wallet/x");
    assert_eq!((node.protocol, &*node.path), (Protocol::Template, "/wallet/x"));
    assert_eq!(node.pass.as_deref(), Some(""));
    assert_eq!((server("http://node").port, server("https://node").port), (80, 443));
    assert_eq!(server("http://node").path, "/");
}

#[test]
fn what_is_no_url_is_told_without_its_password() {
    for (text, words) in [
        ("pool.example:3333", "expected stratum+tcp://"),
        ("stratum://pool.example:3333", "expected stratum+tcp://"),
        ("ftp://user:secret@pool.example", "expected stratum+tcp://"),
        ("stratum+tcp://pool.example", "expected a port"),
        ("stratum+tcp://pool.example:0", "expected a port"),
        ("stratum+tcp://pool.example:65536", "expected a port"),
        ("stratum+tcp://user:secret@pool.example:x", "expected a port"),
        ("stratum+tcp://:3333", "names no host"),
        ("stratum+tcp://[::1:3333", "expected a port"),
        ("http://u%zz@host", "%XX"),
        ("http://u%f@host", "%XX"),
        ("http://%ff@host", "%XX"),
    ] {
        let error = text.parse::<Server>().expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let secret = server("stratum+tcp://user:secret@pool.example:1");
    assert!(!format!("{secret:?} {secret}").contains("secret"));
}

/// BIP173's and BIP350's own examples.
#[test]
fn addresses_are_scripts() {
    for (address, script) in [
        (
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "0014751e76e8199196d454941c45d1b3a323f1433bd6",
        ),
        (
            "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
        ),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        ),
    ] {
        let found = PayoutScript::from_address(address).expect("an address");
        assert_eq!(hex::encode(found.as_bytes()), script);
        assert_eq!(PayoutScript::from_hex(script), Ok(found));
    }
    let base58 = PayoutScript::from_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
    assert!(base58.expect_err("no bech32").to_string().contains("--payout-script"));
    assert!(PayoutScript::from_hex("").is_err() && PayoutScript::from_hex("0").is_err());
    assert!(PayoutScript::from_hex(&"00".repeat(256)).is_err());
}
