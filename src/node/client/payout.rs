//! Who is paid by blocks that we assemble: the script of an output, from hex or from an address.

use std::fmt;

use bech32::segwit;

/// Bytes of a script that pays: more than any standard one.
const SCRIPT_BYTES_MAX: usize = 255;

/// The script of the output that pays the miner.
#[derive(Clone, PartialEq, Eq)]
pub struct PayoutScript(Vec<u8>);

/// Why a text names nobody who could be paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayoutError {
    /// The script is not hex, empty or too long.
    #[error("expected the script of an output: 1 to {SCRIPT_BYTES_MAX} bytes in hex")]
    Script,
    /// The address is none of segregated witness.
    #[error(
        "{text:?} is no address of segregated witness ({reason}): give the script of another kind with --payout-script"
    )]
    Address {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl PayoutScript {
    /// From the hex of the script.
    ///
    /// # Errors
    ///
    /// `Script`.
    pub fn from_hex(text: &str) -> Result<Self, PayoutError> {
        let script = hex::decode(text).map_err(|_| PayoutError::Script)?;
        (1..=SCRIPT_BYTES_MAX)
            .contains(&script.len())
            .then_some(Self(script))
            .ok_or(PayoutError::Script)
    }

    /// From an address of any chain with segregated witness (BIP173, BIP350), ours too: the version of the
    /// witness, then the program.
    ///
    /// # Errors
    ///
    /// `Address`.
    pub fn from_address(text: &str) -> Result<Self, PayoutError> {
        let (_, version, program) = segwit::decode(text).map_err(|error| PayoutError::Address {
            text: text.chars().take(100).collect(),
            reason: error.to_string(),
        })?;
        // OP_0, or OP_1 to OP_16.
        let version = version.to_u8();
        let opcode = if version == 0 { 0 } else { 0x50 + version };
        let len = u8::try_from(program.len()).expect("a program has 2 to 40 bytes");
        Ok(Self([&[opcode, len], &*program].concat()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PayoutScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayoutScript({})", hex::encode(&self.0))
    }
}
