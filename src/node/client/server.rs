//! What the URL of a server says: protocol, host, port, and perhaps user, password and path.

use std::fmt;
use std::str::FromStr;

/// How to speak to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Stratum V1.
    Stratum,
    /// getblocktemplate over HTTP.
    Template,
}

/// A server as its URL names it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// How to speak to it.
    pub protocol: Protocol,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
    /// Name or address; an IPv6 address without its brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User from the URL, percent-decoded.
    pub user: Option<String>,
    /// Password from the URL, percent-decoded.
    pub pass: Option<String>,
    /// Path, for HTTP: at least `/`.
    pub path: String,
}

/// Why a text is not the URL of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The scheme is none of ours.
    #[error(
        "{0:?}: expected stratum+tcp://HOST:PORT, stratum+tls://HOST:PORT, http://HOST:PORT or https://HOST:PORT"
    )]
    Scheme(String),
    /// There is no host.
    #[error("{0:?} names no host")]
    NoHost(String),
    /// The port is missing where there is no usual one, or is none.
    #[error("{0:?}: expected a port from 1 to 65535 after the host")]
    Port(String),
    /// A percent sign without two hex digits, or bytes that are no text.
    #[error("user and password in a URL: write reserved characters as %XX")]
    Escape,
}

/// Scheme, protocol, encrypted, usual port.
const SCHEMES: &[(&str, Protocol, bool, Option<u16>)] = &[
    ("stratum+tcp", Protocol::Stratum, false, None),
    ("stratum+tls", Protocol::Stratum, true, None),
    ("stratum+ssl", Protocol::Stratum, true, None),
    ("http", Protocol::Template, false, Some(80)),
    ("https", Protocol::Template, true, Some(443)),
];
/// Characters of a text that an error repeats.
const QUOTED_CHARS: usize = 80;

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        // A password is not for error messages.
        let shown = || text.rsplit('@').next().unwrap_or(text).chars().take(QUOTED_CHARS).collect();
        let (scheme, rest) = text.split_once("://").ok_or_else(|| ServerError::Scheme(shown()))?;
        let scheme = scheme.to_ascii_lowercase();
        let (_, protocol, is_tls, usual) = SCHEMES
            .iter()
            .find(|(name, ..)| *name == scheme)
            .ok_or_else(|| ServerError::Scheme(shown()))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user_info, place) = match authority.rsplit_once('@') {
            Some((user_info, place)) => (Some(user_info), place),
            None => (None, authority),
        };
        let (user, pass) = match user_info.map(|info| info.split_once(':').unwrap_or((info, ""))) {
            Some((user, pass)) => (Some(decode(user)?), Some(decode(pass)?)),
            None => (None, None),
        };
        let (host, port) = split_port(place).ok_or_else(|| ServerError::Port(shown()))?;
        if host.is_empty() {
            return Err(ServerError::NoHost(shown()));
        }
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0),
            None => *usual,
        };
        Ok(Self {
            protocol: *protocol,
            is_tls: *is_tls,
            host: host.to_owned(),
            port: port.ok_or_else(|| ServerError::Port(shown()))?,
            user,
            pass,
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        })
    }
}

/// Host and port; `None` if the brackets of an IPv6 address do not match.
fn split_port(place: &str) -> Option<(&str, Option<&str>)> {
    let Some(inside) = place.strip_prefix('[') else {
        return Some(match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        });
    };
    let (host, after) = inside.split_once(']')?;
    match after {
        "" => Some((host, None)),
        port => Some((host, Some(port.strip_prefix(':')?))),
    }
}

fn decode(text: &str) -> Result<String, ServerError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let (digits, after) = after.split_at_checked(2).ok_or(ServerError::Escape)?;
            bytes.extend(hex::decode(digits).map_err(|_| ServerError::Escape)?);
            rest = after;
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).map_err(|_| ServerError::Escape)
}

/// The URL without user, password and path.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_ours =
            |row: &&(&str, Protocol, bool, _)| (row.1, row.2) == (self.protocol, self.is_tls);
        let scheme = SCHEMES.iter().find(is_ours).expect("every pair has a row").0;
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// Without the password.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}
