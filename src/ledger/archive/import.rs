//! Taking the blocks of an archive into a ledger: known ones are passed over, so that an import that was
//! interrupted goes on where it ended.

use std::io::Read;

use super::{ArchiveError, ArchiveReader};
use crate::ledger::chain::{Ledger, Run, Submitted};
use crate::ledger::rules::context::Ancestors;
use crate::ledger::store::Store;
use crate::primitives::BlockHash;

/// What an import has done so far; all of it is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Import {
    /// Blocks that were there before.
    pub known: u64,
    /// What was judged and added; of blocks that arrive beside the tip only the number is known.
    pub added: Run,
    /// If the archive's branch would be the best, but had no room beside the one that is: the lowest block whose
    /// body is missing. The same import again brings it.
    pub missing: Option<BlockHash>,
}

/// Adds the blocks of `archive` to `ledger` at time `now`: in runs on every core of its pool while they
/// extend the tip, many blocks a write. Where the archive leaves the ledger's chain its blocks are
/// judged one by one until they have more work, as if they had arrived from anybody. `progress` is
/// called after each write.
///
/// # Errors
///
/// The first damage of the file or the first block that breaks a rule; what came before stays.
pub fn import<S: Store, R: Read + Send>(
    ledger: &Ledger<S>,
    archive: &mut ArchiveReader<R>,
    now: u64,
    mut progress: impl FnMut(&Import) + Send,
) -> Result<Import, ArchiveError> {
    let (expected, found) = (ledger.chain().genesis, archive.spec().genesis_hash());
    if expected != found {
        return Err(ArchiveError::OtherChain { expected, found });
    }
    let mut done = Import::default();
    loop {
        let Some(block) = archive.next_block()? else { return Ok(done) };
        let view = ledger.view();
        if view.record(&block.hash)?.is_some() && view.hash_at(block.height)? == Some(block.hash) {
            done.known += 1;
            continue;
        }
        let parent = block.bytes.get(4..36).and_then(|bytes| bytes.try_into().ok()).map(BlockHash);
        if parent != Some(view.tip()?) {
            match ledger.submit(&block.bytes, now)? {
                Submitted::Known => done.known += 1,
                Submitted::Incomplete { missing } => {
                    done.added.blocks += 1;
                    done.missing = Some(missing);
                }
                _ => {
                    done.added.blocks += 1;
                    done.missing = None;
                }
            }
            progress(&done);
            continue;
        }
        let rest = std::iter::from_fn(|| {
            archive.next_block().map(|block| block.map(|b| b.bytes)).transpose()
        });
        let blocks = std::iter::once(Ok(block.bytes)).chain(rest);
        let before = done;
        let run = ledger.extend(blocks, now, |run| {
            progress(&Import { added: before.added.plus(run), ..before });
        })?;
        return Ok(Import { added: before.added.plus(&run), ..before });
    }
}
