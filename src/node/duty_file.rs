//! The policy file of an unattended guardian: TOML, names as people type them. What they stand for is
//! found out by who knows the directory.

use serde::Deserialize;

use crate::ledger::policy::{Purpose, Purposes};

/// Bytes of a policy file that anybody reads.
pub const DUTY_FILE_BYTES_MAX: usize = 64 << 10;

/// What an unattended guardian agrees to, by names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutyFile {
    /// The guardian's key.
    pub key: String,
    /// The role in which it approves.
    pub role: String,
    /// Whose word makes it one.
    pub issuer: String,
    /// It agrees to what any of these names.
    pub agree: Vec<AgreeLine>,
}

/// Requests that it agrees to, by names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreeLine {
    /// Codes of purposes.
    pub purposes: Vec<String>,
    /// Records; every one that it guards if none.
    #[serde(default)]
    pub records: Vec<String>,
    /// Roles of readers, `ROLE@PARTY`; everybody whom the policy names if none.
    #[serde(default)]
    pub readers: Vec<String>,
    /// In any 144 blocks.
    pub at_most: Option<u32>,
}

/// Why a text is no policy of a guardian.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DutyFileError {
    /// Over [`DUTY_FILE_BYTES_MAX`].
    #[error("guardian's policy of {0} bytes, at most {DUTY_FILE_BYTES_MAX}")]
    TooLarge(usize),
    /// No TOML, or not these fields.
    #[error("not a guardian's policy: {0}")]
    Malformed(String),
    /// No such purpose.
    #[error(
        "{0:?} is no purpose: expected one of TREAT, ETREAT, BTG, PATRQT, HPAYMT, HOPERAT, HRESCH"
    )]
    Purpose(String),
}

impl DutyFile {
    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// See [`DutyFileError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DutyFileError> {
        if bytes.len() > DUTY_FILE_BYTES_MAX {
            return Err(DutyFileError::TooLarge(bytes.len()));
        }
        let malformed = |why: String| DutyFileError::Malformed(why);
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        toml::from_str(text).map_err(|error| malformed(error.message().to_owned()))
    }
}

impl AgreeLine {
    /// The purposes that the codes name.
    ///
    /// # Errors
    ///
    /// A code that names none.
    pub fn purposes(&self) -> Result<Purposes, DutyFileError> {
        let named = |code: &String| {
            let found = Purpose::ALL.into_iter().find(|purpose| purpose.name() == code);
            found.ok_or_else(|| DutyFileError::Purpose(code.clone()))
        };
        let purposes = self.purposes.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        Ok(Purposes::of(&purposes))
    }
}
