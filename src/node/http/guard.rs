//! Whom a browser may not bring here. A page of a stranger can have a browser send requests to this
//! machine: by a name of the stranger's that resolves to our address, or across origins. So the `Host` is
//! an address, `localhost` or a name that the operator listed, and there is no `Origin`.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// Names that the `Host` of a request may have.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    names: Vec<String>,
}

/// Why a request is not listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forbidden {
    /// No `Host`, or more than one.
    #[error("a request names one host")]
    NoHost,
    /// A name that nobody listed.
    #[error("this host name is not in the configuration's list of hosts")]
    Host,
    /// Sent by a page of somebody.
    #[error("requests of web pages are not answered")]
    Origin,
}

impl Guard {
    /// Lets in these names besides `localhost` and addresses.
    #[must_use]
    pub fn new(names: &[String]) -> Self {
        Self { names: names.to_vec() }
    }

    /// Judges the head of a request.
    ///
    /// # Errors
    ///
    /// See [`Forbidden`].
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Forbidden> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Forbidden::NoHost);
        };
        let name = host_name(host.to_str().map_err(|_| Forbidden::Host)?);
        let is_ours = name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok()
            || self.names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if !is_ours {
            return Err(Forbidden::Host);
        }
        if headers.contains_key(header::ORIGIN) { Err(Forbidden::Origin) } else { Ok(()) }
    }
}

/// A `Host` without its port and the brackets of an IPv6 address.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}
