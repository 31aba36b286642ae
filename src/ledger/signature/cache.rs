//! Decoded keys. Decoding one takes a square root, a third of what its signature costs in a batch; most
//! keys that sign have been named before. What is remembered is a function of the key's bytes alone, so
//! no verdict depends on what the cache holds.

use std::fmt;
use std::sync::RwLock;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};

use crate::engine::pool::Pool;
use crate::ledger::map::LongKeyMap;
use crate::ledger::signature::{KeyError, PubKey};

/// Keys of one generation; two are kept: 120 MB at most.
const GENERATION_KEYS: usize = 1 << 18;

/// Remembers decoded keys, bounded: what has not been asked for during a generation is forgotten.
pub struct KeyCache {
    generation_keys: usize,
    known: RwLock<Generations>,
}

#[derive(Default)]
struct Generations {
    recent: LongKeyMap<PubKey, EdwardsPoint>,
    older: LongKeyMap<PubKey, EdwardsPoint>,
}

impl KeyCache {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        Self::with_generations_of(GENERATION_KEYS)
    }

    /// Empty; remembers twice as many keys as that, at least two.
    #[must_use]
    pub fn with_generations_of(keys: usize) -> Self {
        Self { generation_keys: keys.max(1), known: RwLock::default() }
    }

    /// How many keys it remembers.
    ///
    /// # Panics
    ///
    /// Never: no holder of the lock panics.
    #[must_use]
    pub fn len(&self) -> usize {
        let known = self.known.read().expect("no holder panics");
        known.recent.len() + known.older.len()
    }

    /// Whether it remembers none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// [`PubKey::check`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn check(&self, key: &PubKey) -> Result<(), KeyError> {
        key.check_encoding()?;
        let (point, known) = self.get(key).ok_or(KeyError::NotOnCurve)?;
        if !known {
            self.learn([(*key, point)].into_iter());
        }
        Ok(())
    }

    /// [`PubKey::check`] of each key, in order, on every core of the pool.
    #[must_use]
    pub fn check_all(&self, pool: &Pool, keys: &[PubKey]) -> Vec<Result<(), KeyError>> {
        let checked = pool.map(keys.len(), |i| {
            keys[i].check_encoding()?;
            let (point, known) = self.get(&keys[i]).ok_or(KeyError::NotOnCurve)?;
            Ok((!known).then_some(point))
        });
        self.learn(keys.iter().zip(&checked).filter_map(|(key, checked)| {
            let point = checked.as_ref().ok().copied().flatten()?;
            Some((*key, point))
        }));
        checked.into_iter().map(|checked| checked.map(|_| ())).collect()
    }

    /// The point, remembered or decoded now, and whether it was remembered; `None` if there is none.
    pub(super) fn get(&self, key: &PubKey) -> Option<(EdwardsPoint, bool)> {
        let known = self.known.read().expect("no holder panics");
        if let Some(point) = known.recent.get(key) {
            return Some((*point, true));
        }
        // Known to the older generation only, it is to move to the recent one: as good as new.
        let older = known.older.get(key).copied();
        drop(known);
        older.or_else(|| decode(key)).map(|point| (point, false))
    }

    /// Remembers keys; a full generation makes room.
    pub(super) fn learn(&self, keys: impl Iterator<Item = (PubKey, EdwardsPoint)>) {
        let mut keys = keys.peekable();
        if keys.peek().is_none() {
            return;
        }
        let mut known = self.known.write().expect("no holder panics");
        for (key, point) in keys {
            if known.recent.len() >= self.generation_keys {
                known.older = std::mem::take(&mut known.recent);
            }
            known.recent.insert(key, point);
        }
    }
}

impl Default for KeyCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyCache({} keys)", self.len())
    }
}

/// The point that the bytes encode, canonically or not (ZIP-215).
fn decode(key: &PubKey) -> Option<EdwardsPoint> {
    CompressedEdwardsY(key.0).decompress()
}
