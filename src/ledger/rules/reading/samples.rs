//! Samples that have been read: none comes again while its root is remembered. They leave in the order in
//! which they came, [`SAMPLES_FORGET_S`] after they were stored, and no block forgets more than
//! [`SAMPLES_FORGET_MAX`], so that nobody can pile up work for one block; what is late leaves with the
//! next. A block's roots are one list, which is written once.

use crate::ledger::rules::context::{Context, impossible};
use crate::ledger::spec::{SAMPLES_FORGET_MAX, SAMPLES_FORGET_S};
use crate::ledger::state::{EntryKey, SampleList, SampleQueue, Session};
use crate::ledger::store::StoreError;

/// Remembers a root from here on.
pub(super) fn remember(
    context: &Context<'_>,
    session: &mut Session<'_>,
    root: [u8; 32],
) -> Result<(), StoreError> {
    session.note_sample(root);
    session.put(&EntryKey::Sample(root), Some(&context.height))
}

/// Forgets what is old enough, at the beginning of a block.
pub(in crate::ledger::rules) fn forget(
    context: &Context<'_>,
    session: &mut Session<'_>,
) -> Result<(), StoreError> {
    let Some(mut queue) = session.get::<SampleQueue>(&EntryKey::SampleQueue)? else {
        return Ok(());
    };
    let before = queue;
    let (mut roots_left, mut heights_left) = (SAMPLES_FORGET_MAX, SAMPLES_FORGET_MAX);
    while queue.count > 0 && queue.height < context.height && heights_left > 0 && roots_left > 0 {
        heights_left -= 1;
        let key = EntryKey::Samples(queue.height);
        let Some(list) = session.get::<SampleList>(&key)? else {
            (queue.height, queue.forgotten) = (queue.height + 1, 0);
            continue;
        };
        if context.median_time < list.stored.saturating_add(SAMPLES_FORGET_S) {
            break;
        }
        let first = usize::try_from(queue.forgotten).map_err(|_| impossible())?;
        for root in list.roots.iter().skip(first) {
            if roots_left == 0 {
                break;
            }
            roots_left -= 1;
            session.put::<u32>(&EntryKey::Sample(*root), None)?;
            queue.forgotten += 1;
            queue.count = queue.count.checked_sub(1).ok_or_else(impossible)?;
        }
        if usize::try_from(queue.forgotten).is_ok_and(|forgotten| forgotten >= list.roots.len()) {
            session.put::<SampleList>(&key, None)?;
            (queue.height, queue.forgotten) = (queue.height + 1, 0);
        }
    }
    if queue != before {
        session.put(&EntryKey::SampleQueue, (queue.count > 0).then_some(&queue))?;
    }
    Ok(())
}

/// Writes down what this block remembers, after its last transaction.
pub(in crate::ledger::rules) fn write(
    context: &Context<'_>,
    session: &mut Session<'_>,
) -> Result<(), StoreError> {
    let roots = session.take_samples();
    if roots.is_empty() {
        return Ok(());
    }
    let height = context.height;
    let queue: Option<SampleQueue> = session.get(&EntryKey::SampleQueue)?;
    let queue = queue.unwrap_or(SampleQueue { height, forgotten: 0, count: 0 });
    let queue = SampleQueue { count: queue.count.saturating_add(roots.len() as u64), ..queue };
    session.put(&EntryKey::SampleQueue, Some(&queue))?;
    let list = SampleList { stored: context.median_time, roots };
    session.put(&EntryKey::Samples(height), Some(&list))
}
