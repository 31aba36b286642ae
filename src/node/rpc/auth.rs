//! HTTP basic authentication: a name and a password that the operator set, or a cookie in the node's
//! directory that only its owner can read, new at every start (as Bitcoin Core's `.cookie`).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::{HeaderMap, header};

use crate::hash::sha256::sha256d;
use crate::primitives::Digest;
use crate::wallet::random_bytes;

/// The file in the directory of the chain.
pub const COOKIE_FILE: &str = ".cookie";
/// The name that goes with it.
pub const COOKIE_USER: &str = "__cookie__";

/// Who may call.
#[derive(Clone)]
pub struct Auth {
    user: Arc<str>,
    /// Of the credentials as they stand in the header: comparing hashes tells nobody how far a guess was
    /// right.
    expected: Digest,
    cookie: Option<PathBuf>,
}

/// What a request showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The right credentials.
    Right,
    /// Others.
    Wrong,
    /// None.
    Nothing,
}

impl Auth {
    /// By a name and a password.
    #[must_use]
    pub fn of(user: &str, password: &str) -> Self {
        let credentials = base64(format!("{user}:{password}").as_bytes());
        Self { user: user.into(), expected: sha256d(credentials.as_bytes()), cookie: None }
    }

    /// By a new cookie in `dir`, in place of an old one.
    ///
    /// # Errors
    ///
    /// If there is no entropy or the disk refuses.
    pub fn by_cookie(dir: &Path) -> io::Result<Self> {
        let secret: [u8; 32] = random_bytes().map_err(io::Error::other)?;
        let (secret, path) = (hex::encode(secret), dir.join(COOKIE_FILE));
        // A new file under a name of its own: an old one may have another mode.
        let part = dir.join(format!("{COOKIE_FILE}.part"));
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&part)?;
        write!(file, "{COOKIE_USER}:{secret}")?;
        file.flush()?;
        drop(file);
        fs::rename(&part, &path)?;
        Ok(Self { cookie: Some(path), ..Self::of(COOKIE_USER, &secret) })
    }

    /// The name of whoever may call.
    #[must_use]
    pub fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// Where the cookie is, if there is one.
    #[must_use]
    pub fn cookie(&self) -> Option<&Path> {
        self.cookie.as_deref()
    }

    /// Removes the cookie: it opens nothing any more.
    pub fn forget(&self) {
        if let Some(path) = &self.cookie {
            // It is replaced at the next start if it stays.
            let _ = fs::remove_file(path);
        }
    }

    /// Judges the head of a request.
    #[must_use]
    pub fn check(&self, headers: &HeaderMap) -> Shown {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Shown::Nothing };
        let bytes = value.as_bytes();
        let is_basic = bytes.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Basic "));
        if !is_basic {
            return Shown::Wrong;
        }
        let is_right = sha256d(bytes[6..].trim_ascii()) == self.expected;
        if is_right { Shown::Right } else { Shown::Wrong }
    }
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("cookie", &self.cookie).finish_non_exhaustive()
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at) & 0x3f) as usize;
            text.push(if at <= chunk.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    text
}
