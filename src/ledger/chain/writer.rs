//! The writes of a run on their way to the disk while the run goes on: one batch at a time.

use std::panic::resume_unwind;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::ledger::chain::run::Run;
use crate::ledger::store::{Overlay, Store, StoreError};

/// Commits what parts from an overlay on a thread of its own, so that the disk and the pool work at the
/// same time. `progress` hears how far a run has come once that is durable.
pub(super) struct Writer<'scope, 'env, S, P> {
    scope: &'scope Scope<'scope, 'env>,
    store: &'env S,
    progress: P,
    under_way: Option<(Run, ScopedJoinHandle<'scope, Result<(), StoreError>>)>,
    /// The first failure: whatever comes after it fails because of it.
    failed: Result<(), StoreError>,
}

impl<'scope, 'env, S: Store, P: FnMut(&Run)> Writer<'scope, 'env, S, P> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>, store: &'env S, progress: P) -> Self {
        Self { scope, store, progress, under_way: None, failed: Ok(()) }
    }

    /// Starts to commit the writes of an overlay of the store, which are those of the run up to `run`,
    /// once those before are durable.
    ///
    /// # Errors
    ///
    /// What the store said of those before; or of these, where the system has no thread to spare.
    pub(super) fn write(&mut self, overlay: &mut Overlay<'_>, run: Run) -> Result<(), StoreError> {
        self.wait()?;
        let (batch, store) = (overlay.part(), self.store);
        let again = batch.clone();
        let thread = Builder::new().name("store".into());
        match thread.spawn_scoped(self.scope, move || store.commit(&batch)) {
            Ok(commit) => {
                self.under_way = Some((run, commit));
                Ok(())
            }
            Err(_) => self.committed(store.commit(&again), &run),
        }
    }

    /// Says how far the run is durable, if a write has ended since.
    ///
    /// # Errors
    ///
    /// What the store says of it.
    pub(super) fn look(&mut self) -> Result<(), StoreError> {
        match &self.under_way {
            Some((_, commit)) if commit.is_finished() => self.wait(),
            _ => Ok(()),
        }
    }

    /// Waits until everything that has parted is durable.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub(super) fn wait(&mut self) -> Result<(), StoreError> {
        match self.under_way.take() {
            None => self.failed.clone(),
            Some((run, commit)) => {
                let committed = commit.join().unwrap_or_else(|panic| resume_unwind(panic));
                self.committed(committed, &run)
            }
        }
    }

    /// Makes what is left durable: the writes of the run up to `run`.
    ///
    /// # Errors
    ///
    /// What the store says, or said first.
    pub(super) fn finish(mut self, overlay: Overlay<'_>, run: Run) -> Result<(), StoreError> {
        self.wait()?;
        let batch = overlay.into_batch();
        if batch.is_empty() {
            return Ok(());
        }
        let committed = self.store.commit(&batch);
        self.committed(committed, &run)
    }

    fn committed(
        &mut self,
        committed: Result<(), StoreError>,
        run: &Run,
    ) -> Result<(), StoreError> {
        match &committed {
            Ok(()) => (self.progress)(run),
            Err(_) => self.failed.clone_from(&committed),
        }
        committed
    }
}
