//! Panics of redb become errors. redb trusts the pages that it wrote, so on a file that somebody else
//! changed, or whose bits have turned, it may panic where it could report. A store never does.
//!
//! The limit: a panic of redb while it cleans up after another one ends the process, which no caller can
//! prevent. It was seen (redb 4.6, the fuzz target `store_open`) only in a commit, and in closing,
//! which commits, of a file whose pages do not verify; what was committed before stands, as after any crash.
//! [`DiskStore::verify_pages`](super::DiskStore::verify_pages) finds such a file.
//!
//! And memory: redb asks for as much as a page pointer says, up to 4 GiB, before it finds that the file has no
//! such page. A store whose pointers somebody has changed may take that much for a moment; bits that turned by
//! themselves hit one of the few bits that say so only by a rare chance. What stands between redb and the file cannot
//! prevent it: the memory is taken, and filled with zeros, before the file is asked (`read_direct_into_arc`), and the
//! pointers stand in redb's own pages and in values of its own tables, which only redb can tell from ours.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use super::StoreError;

thread_local! {
    /// How many calls of [`contain`] this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// What `call` returns, or [`StoreError::Corrupt`] if it panics.
///
/// What a panic leaves half done is not observable: a read has no effect, and after a write the store
/// is poisoned.
pub(super) fn contain<T>(call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let outcome = catch_unwind(AssertUnwindSafe(call));
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(StoreError::Corrupt { what: text.unwrap_or("the file is inconsistent").to_owned() })
    })
}

/// Keeps the panic hook from reporting what the store turns into an error; every other panic goes to
/// the hook that was set before. For programs, which own the hook; a library should not call it.
pub fn silence_contained_panics() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let other = take_hook();
        set_hook(Box::new(move |panic| {
            if DEPTH.with(Cell::get) == 0 {
                other(panic);
            }
        }));
    });
}
