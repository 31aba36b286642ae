//! The configuration of a node: TOML with a key for everything that can be set, each explained where it
//! stands ([`Config::to_toml`]). An unknown key is an error.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::engine::meter::CpuLimit;

use super::difficulty::Difficulty;

/// Bytes of a configuration.
pub const CONFIG_BYTES_MAX: usize = 64 * 1024;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Config {
    /// Mining on this machine.
    pub mine: Mine,
    /// The stratum port.
    pub stratum: Stratum,
    /// The RPC port.
    pub rpc: Rpc,
    /// The port for those who watch.
    pub http: Http,
    /// What is logged.
    pub log: Log,
}

/// Mining on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Mine {
    /// Whether.
    pub enabled: bool,
    /// With how many threads; 0 for one a CPU.
    pub threads: usize,
    /// The share of its time that each may hash.
    pub cpu_limit: String,
    /// Whom blocks pay when the miner named nobody; empty for the chain's default.
    pub payout: String,
}

/// The stratum port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Stratum {
    /// Where, or `off`.
    pub listen: String,
    /// Whether a worker that is no address of the chain mines for `mine.payout`.
    pub any_worker: bool,
    /// Whether wearers mine only for what the chain has credited to them.
    pub wearers_pay: bool,
    /// Connections; 0 for as many as the open files allow.
    pub connections_max: usize,
}

/// The RPC port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Rpc {
    /// Where, or `off`.
    pub listen: String,
    /// Who may call; empty for the cookie.
    pub user: String,
    /// With what.
    pub password: String,
    /// Names of this machine.
    pub hosts: Vec<String>,
    /// How long a long poll waits.
    pub longpoll_seconds: u64,
    /// How hard shares are; 0 if only blocks are asked for.
    pub share_difficulty: f64,
    /// Connections.
    pub connections_max: usize,
    /// An address for miners to leave for.
    pub x_stratum: String,
}

/// The port for those who watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Http {
    /// Where, or `off`.
    pub listen: String,
    /// Names of this machine.
    pub hosts: Vec<String>,
    /// Connections.
    pub connections_max: usize,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Log {
    /// From which level on.
    pub level: String,
    /// As what.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

impl Default for Mine {
    fn default() -> Self {
        let cpu_limit = CpuLimit::NONE.to_string();
        Self { enabled: false, threads: 0, cpu_limit, payout: String::new() }
    }
}

impl Default for Stratum {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:3333".into(),
            any_worker: true,
            wearers_pay: false,
            connections_max: 0,
        }
    }
}

impl Default for Rpc {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9332".into(),
            user: String::new(),
            password: String::new(),
            hosts: Vec::new(),
            longpoll_seconds: 60,
            share_difficulty: 0.0,
            connections_max: 1024,
            x_stratum: String::new(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: "127.0.0.1:9380".into(), hosts: Vec::new(), connections_max: 256 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// Why a text is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Over [`CONFIG_BYTES_MAX`].
    #[error("configuration of {0} bytes, at most {CONFIG_BYTES_MAX}")]
    TooLarge(usize),
    /// No TOML, or not these keys.
    #[error("configuration: line {line}: {why}")]
    Toml {
        /// Where.
        line: usize,
        /// What.
        why: String,
    },
    /// A value of the right type that means nothing.
    #[error("configuration: {key} = {got:?}: expected {expected}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What it says.
        got: String,
        /// What it should be.
        expected: &'static str,
    },
}

impl Config {
    /// Reads and judges a configuration. A key that is left out has its default.
    ///
    /// # Errors
    ///
    /// See [`ConfigError`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        if text.len() > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLarge(text.len()));
        }
        let config: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            ConfigError::Toml {
                line: before.matches('\n').count() + 1,
                why: error.message().into(),
            }
        })?;
        config.check()
    }

    /// Judges every value.
    ///
    /// # Errors
    ///
    /// The first that means nothing.
    pub fn check(self) -> Result<Self, ConfigError> {
        self.mine.cpu_limit()?;
        listen("stratum.listen", &self.stratum.listen)?;
        listen("rpc.listen", &self.rpc.listen)?;
        listen("http.listen", &self.http.listen)?;
        let value = |key, got: &str, expected| {
            Err(ConfigError::Value { key, got: got.to_owned(), expected })
        };
        if !(1..=60).contains(&self.rpc.longpoll_seconds) {
            let got = self.rpc.longpoll_seconds.to_string();
            return value("rpc.longpoll_seconds", &got, "1 to 60");
        }
        if self.rpc.user.is_empty() != self.rpc.password.is_empty() {
            return value("rpc.user", &self.rpc.user, "a user with a password, or neither");
        }
        if self.rpc.user.contains(':') {
            return value("rpc.user", &self.rpc.user, "a name without a colon");
        }
        self.rpc.share_difficulty()?;
        for (key, connections) in [
            ("rpc.connections_max", self.rpc.connections_max),
            ("http.connections_max", self.http.connections_max),
        ] {
            if connections == 0 {
                return value(key, "0", "at least 1");
            }
        }
        let x_stratum = &self.rpc.x_stratum;
        if !x_stratum.is_empty() && !x_stratum.bytes().all(|byte| byte.is_ascii_graphic()) {
            return value("rpc.x_stratum", x_stratum, "a URL such as stratum+tcp://pool:3333");
        }
        Ok(self)
    }

    /// The configuration with every key and what it is for.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Configuration of `proofward node`. What is left out has the value that stands here;\n\
             # arguments of the command come before what the file says.\n",
        );
        let mut section = "";
        let tree = toml::Table::try_from(self).expect("strings, numbers and lists are TOML");
        for (path, about) in KEYS {
            let (name, key) = path.split_once('.').expect("every key is in a section");
            if name != section {
                write!(text, "\n[{name}]\n").expect("a string");
                section = name;
            }
            for line in about.lines() {
                writeln!(text, "# {}", line.trim()).expect("a string");
            }
            writeln!(text, "{key} = {}", tree[name][key]).expect("a string");
        }
        text
    }
}

/// Every key with what it is for; the tests hold it against the fields.
#[rustfmt::skip]
const KEYS: &[(&str, &str)] = &[
    ("mine.enabled", "Mine on this machine as well."),
    ("mine.threads", "How many threads hash; 0 for one for each CPU."),
    ("mine.cpu_limit", "The share of its time that each of them may hash."),
    ("mine.payout", "Whom blocks pay when the miner named nobody: an address, 64 hex digits or the name of a key of\nthe directory. Empty: on a local chain the key named miner, on others nobody."),
    ("stratum.listen", "Where miners connect by stratum: address and port, port 0 for a free one, or off.\n0.0.0.0:3333 opens it to the network."),
    ("stratum.any_worker", "Whether a worker whose name is no address of the chain is let in and mines for mine.payout."),
    ("stratum.wearers_pay", "Whether a worker whose key has credits of a wearable on the chain has its shares accepted only while they\nlast. What is spent is kept in the file wearers-spent of the directory. Other workers mine as ever."),
    ("stratum.connections_max", "Connections; 0 for nine tenths of the files that the process may open."),
    ("rpc.listen", "Where miners and pools call getblocktemplate and the rest; or off."),
    ("rpc.user", "Who may call, by HTTP basic authentication. Empty: whoever can read the file .cookie in the directory."),
    ("rpc.password", "With which password."),
    ("rpc.hosts", "Names of this machine that requests may be addressed to, besides localhost and its addresses."),
    ("rpc.longpoll_seconds", "How long a long poll waits for a new tip: 1 to 60."),
    ("rpc.share_difficulty", "How hard the shares are that getblocktemplate asks for in its target (BIP23), from 0.000001; what is found is counted\nfor each miner in /status and /metrics. Never harder than a block. 0: only blocks are asked for."),
    ("rpc.connections_max", "Connections."),
    ("rpc.x_stratum", "Sent as the header X-Stratum: minerd and cgminer leave for that address, such as stratum+tcp://pool:3333.\nEmpty: none."),
    ("http.listen", "Where /metrics, /status and /health are; or off."),
    ("http.hosts", "Names of this machine, as rpc.hosts."),
    ("http.connections_max", "Connections."),
    ("log.level", "From which level on is logged: error, warn, info, debug or trace, or a filter such as info,proofward::node::rpc=debug."),
    ("log.format", "text or json."),
];

impl Mine {
    /// The limit as a value.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn cpu_limit(&self) -> Result<CpuLimit, ConfigError> {
        self.cpu_limit.parse().map_err(|_| ConfigError::Value {
            key: "mine.cpu_limit",
            got: self.cpu_limit.clone(),
            expected: "a share such as 50%",
        })
    }

    /// The number of threads; none for one for each CPU.
    #[must_use]
    pub fn threads(&self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.threads)
    }
}

impl Rpc {
    /// How hard shares are; none if only blocks are asked for.
    ///
    /// # Errors
    ///
    /// If the number is no difficulty.
    pub fn share_difficulty(&self) -> Result<Option<Difficulty>, ConfigError> {
        if self.share_difficulty == 0.0 {
            return Ok(None);
        }
        Difficulty::new(self.share_difficulty).map(Some).ok_or_else(|| ConfigError::Value {
            key: "rpc.share_difficulty",
            got: self.share_difficulty.to_string(),
            expected: "a difficulty from 0.000001 upwards, or 0",
        })
    }
}

/// Where a door is to be, or none if it stays shut.
///
/// # Errors
///
/// If the text is neither.
pub fn listen(key: &'static str, text: &str) -> Result<Option<SocketAddr>, ConfigError> {
    if text == "off" {
        return Ok(None);
    }
    let expected = "an address and a port such as 127.0.0.1:3333, or off";
    text.parse().map(Some).map_err(|_| ConfigError::Value { key, got: text.to_owned(), expected })
}
