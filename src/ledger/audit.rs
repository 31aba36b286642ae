//! The audit of a record: every event of its two logs, provably complete. The state holds the head and
//! the count of each log, and each event went into the head, so that none can be dropped, changed or
//! added once a block has committed to the state.

use crate::ledger::chain::{Chain, EvidenceError, Shown, StateEvidence, View};
use crate::ledger::signature::PubKey;
use crate::ledger::state::{EntryKey, Event, Log, LogKind, Logs};
use crate::ledger::store::{Read, StoreError};

/// Everything that happened to a record, up to a state that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The record.
    pub rid: PubKey,
    /// Every grant, request, approval, receipt and re-key, in order.
    pub access: Vec<Event>,
    /// Every refused request, in order.
    pub refusals: Vec<Event>,
    /// The heads and counts of both logs, shown up to a header.
    pub evidence: StateEvidence,
}

/// Why an audit proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The evidence does not hold.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The evidence is about something else than this record's logs.
    #[error("the evidence is not about the logs of record {0}")]
    OtherEntry(PubKey),
    /// The list is not the one that the state commits to.
    #[error("{kind:?}: the state counts {expected} events, the audit lists {found}")]
    Count {
        /// Which log.
        kind: LogKind,
        /// Events by the state.
        expected: u64,
        /// Events listed.
        found: u64,
    },
    /// An event was dropped, changed or added.
    #[error("{kind:?}: an event was dropped, changed or added: the events lead to another head")]
    Head {
        /// Which log.
        kind: LogKind,
    },
}

impl Audit {
    /// Reads the logs of a record as they were after the tip's parent; `None` if there was no such
    /// record then.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or is damaged.
    pub fn read(chain: &Chain, store: &dyn Read, rid: PubKey) -> Result<Option<Self>, StoreError> {
        let evidence = chain.evidence(store, &EntryKey::Logs(rid))?;
        let Some(value) = &evidence.value else { return Ok(None) };
        let logs: Logs = borsh::from_slice(value)
            .map_err(|_| StoreError::Corrupt { what: format!("the logs of {rid}") })?;
        // The index of the tip may hold more events; the first ones are the same.
        let view = View(store);
        let events = |kind| view.events(&rid, kind, 0..logs.of(kind).count);
        let (access, refusals) = (events(LogKind::Access)?, events(LogKind::Refusals)?);
        Ok(Some(Self { rid, access, refusals, evidence }))
    }

    /// Checks that the lists are complete and unchanged, up to the header of the evidence.
    ///
    /// # Errors
    ///
    /// The first thing that does not hold.
    pub fn check(&self, chain: &Chain) -> Result<Shown, AuditError> {
        if self.evidence.key != EntryKey::Logs(self.rid).encode() {
            return Err(AuditError::OtherEntry(self.rid));
        }
        let shown = self.evidence.check(chain)?;
        let value = self.evidence.value.as_deref().unwrap_or_default();
        let logs: Logs = borsh::from_slice(value).map_err(|_| AuditError::OtherEntry(self.rid))?;
        for (kind, events) in [(LogKind::Access, &self.access), (LogKind::Refusals, &self.refusals)]
        {
            let mut log = Log::default();
            events.iter().for_each(|event| log.push(event));
            let expected = logs.of(kind);
            if log.count != expected.count {
                let (expected, found) = (expected.count, log.count);
                return Err(AuditError::Count { kind, expected, found });
            }
            if log.head != expected.head {
                return Err(AuditError::Head { kind });
            }
        }
        Ok(shown)
    }
}
