//! An audit as text, version 1, JSON: what `audit --proof` writes, and what anybody can check with
//! headers alone.
//!
//! ```json
//! {
//!   "format": "proofward-audit", "version": 1,
//!   "record": "<rid>",
//!   "access": ["<event>", ...], "refusals": ["<event>", ...],
//!   "evidence": {
//!     "key": "<0b || rid>", "value": "<head || count || head || count>", "proof": "<proof>",
//!     "coinbase": "<transaction>", "branch": ["<hash>", ...], "header": "<80 bytes>"
//!   }
//! }
//! ```
//!
//! All in hex. An event is 38 bytes: height (4, little-endian), core id, kind, note. A log's head is zero
//! without events, then `tagged("log", head || event)`; counts are 8 bytes, little-endian, access first.
//! The proof's bytes, and how to fold it up to the state root, stand in [`crate::ledger::tree`]; the
//! coinbase's output of value 0 with script `6a24 "pwsr"` holds that root; the branch leads from
//! SHA-256d of the coinbase, on the left at each step, to the header's merkle root; the header must be
//! the one at the height that the coinbase's script begins with.

use serde::{Deserialize, Serialize};

use crate::ledger::audit::Audit;
use crate::ledger::chain::StateEvidence;
use crate::ledger::signature::PubKey;
use crate::ledger::state::Event;
use crate::ledger::tree::Proof;

/// Bytes of an audit file that anybody reads.
pub const AUDIT_FILE_BYTES_MAX: usize = 64 << 20;

const FORMAT: &str = "proofward-audit";
const VERSION: u32 = 1;

/// Why bytes are not an audit file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditFileError {
    /// More than [`AUDIT_FILE_BYTES_MAX`].
    #[error("audit file of {0} bytes, at most {AUDIT_FILE_BYTES_MAX}")]
    TooLong(usize),
    /// Not the JSON of an audit file.
    #[error("not an audit file: {0}")]
    Malformed(String),
    /// Written by a later version of this program.
    #[error("audit file of version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// A field holds something else than it should.
    #[error("audit file: {field}: expected {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    version: u32,
    record: String,
    access: Vec<String>,
    refusals: Vec<String>,
    evidence: WireEvidence,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEvidence {
    key: String,
    value: String,
    proof: String,
    coinbase: String,
    branch: Vec<String>,
    header: String,
}

/// An audit as text.
///
/// # Panics
///
/// Never: memory takes every write, and every value is text.
#[must_use]
pub fn to_json(audit: &Audit) -> String {
    let events = |events: &[Event]| {
        let encode = |event| borsh::to_vec(event).expect("writing to memory cannot fail");
        events.iter().map(|event| hex::encode(encode(event))).collect()
    };
    let evidence = &audit.evidence;
    let wire = Wire {
        format: FORMAT.into(),
        version: VERSION,
        record: hex::encode(audit.rid.0),
        access: events(&audit.access),
        refusals: events(&audit.refusals),
        evidence: WireEvidence {
            key: hex::encode(&evidence.key),
            value: hex::encode(evidence.value.as_deref().unwrap_or_default()),
            proof: hex::encode(evidence.proof.encode()),
            coinbase: hex::encode(&evidence.coinbase),
            branch: evidence.branch.iter().map(hex::encode).collect(),
            header: hex::encode(evidence.header),
        },
    };
    serde_json::to_string_pretty(&wire).expect("strings and numbers only")
}

/// Reads an audit without trusting it.
///
/// # Errors
///
/// See [`AuditFileError`].
pub fn from_json(bytes: &[u8]) -> Result<Audit, AuditFileError> {
    if bytes.len() > AUDIT_FILE_BYTES_MAX {
        return Err(AuditFileError::TooLong(bytes.len()));
    }
    let wire: Wire = serde_json::from_slice(bytes)
        .map_err(|error| AuditFileError::Malformed(error.to_string()))?;
    if wire.format != FORMAT {
        return Err(AuditFileError::Field { field: "format", expected: FORMAT });
    }
    if wire.version != VERSION {
        return Err(AuditFileError::Version(wire.version));
    }
    let bytes = |field, text: &str| {
        hex::decode(text).map_err(|_| AuditFileError::Field { field, expected: "hex" })
    };
    let array = |field, text: &str| {
        let mut array = [0; 32];
        let decoded = hex::decode_to_slice(text, &mut array);
        decoded.map_err(|_| AuditFileError::Field { field, expected: "64 hex digits" })?;
        Ok(array)
    };
    let events = |field, list: &[String]| {
        let event = |text: &String| {
            let decoded = hex::decode(text).ok();
            let event = decoded.and_then(|bytes| borsh::from_slice::<Event>(&bytes).ok());
            event.ok_or(AuditFileError::Field { field, expected: "events of 38 bytes" })
        };
        list.iter().map(event).collect::<Result<Vec<Event>, _>>()
    };
    let wire_evidence = &wire.evidence;
    let mut header = [0; 80];
    hex::decode_to_slice(&wire_evidence.header, &mut header)
        .map_err(|_| AuditFileError::Field { field: "header", expected: "160 hex digits" })?;
    let proof = Proof::decode(&bytes("proof", &wire_evidence.proof)?)
        .map_err(|_| AuditFileError::Field { field: "proof", expected: "a proof of the state" })?;
    let branch = wire_evidence.branch.iter().map(|hash| array("branch", hash));
    Ok(Audit {
        rid: PubKey(array("record", &wire.record)?),
        access: events("access", &wire.access)?,
        refusals: events("refusals", &wire.refusals)?,
        evidence: StateEvidence {
            key: bytes("key", &wire_evidence.key)?,
            value: Some(bytes("value", &wire_evidence.value)?),
            proof,
            coinbase: bytes("coinbase", &wire_evidence.coinbase)?,
            branch: branch.collect::<Result<_, _>>()?,
            header,
        },
    })
}
