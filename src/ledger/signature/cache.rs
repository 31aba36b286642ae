//! Decoded keys. Decoding one takes a square root, a third of what its signature costs in a batch; most
//! keys that sign have been named before. What is remembered is a function of the key's bytes alone, so
//! no verdict depends on what the cache holds.

use std::fmt;
use std::sync::RwLock;

use crate::engine::pool::Pool;
use crate::ledger::map::LongKeyMap;
use crate::ledger::signature::curve::{Arithmetic, Curve, Lanes, Library};
use crate::ledger::signature::{KeyError, PubKey, Signed};

/// Keys of one generation: as many as a table of 2^18 places of 192 bytes takes before it doubles. Two are kept,
/// 102 MB at most.
const GENERATION_KEYS: usize = (1 << 18) / 8 * 7;
/// Keys decoded side by side.
const DECODED_TOGETHER: usize = 256;

/// Remembers decoded keys, bounded: what has not been asked for during a generation is forgotten.
pub struct KeyCache(Kind);

/// Points in the form of what adds them up.
enum Kind {
    Library(Cache<Library>),
    Lanes(Cache<Lanes>),
}

/// The same call, whatever the points are.
macro_rules! for_each_kind {
    ($kind:expr, |$cache:ident| $call:expr) => {
        match $kind {
            Kind::Library($cache) => $call,
            Kind::Lanes($cache) => $call,
        }
    };
}

impl KeyCache {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        Self::with_generations_of(GENERATION_KEYS, Curve::best())
    }

    /// Empty; remembers twice as many keys as that, at least two. Unlike [`Curve::best`], `curve` is taken as it
    /// is.
    #[must_use]
    pub fn with_generations_of(keys: usize, curve: Curve) -> Self {
        Self(match curve {
            Curve::Library => Kind::Library(Cache::new(keys, Library)),
            Curve::Lanes(kernel) => Kind::Lanes(Cache::new(keys, Lanes::new(kernel))),
        })
    }

    /// What adds up its batches.
    #[must_use]
    pub fn curve(&self) -> Curve {
        match &self.0 {
            Kind::Library(_) => Curve::Library,
            Kind::Lanes(cache) => Curve::Lanes(cache.arithmetic.kernel()),
        }
    }

    /// How many keys it remembers.
    ///
    /// # Panics
    ///
    /// Never: no holder of the lock panics.
    #[must_use]
    pub fn len(&self) -> usize {
        for_each_kind!(&self.0, |cache| cache.len())
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
        // Lanes are no faster for a key alone.
        if for_each_kind!(&self.0, |cache| cache.knows(key)) {
            return key.check_encoding();
        }
        key.check()
    }

    /// [`PubKey::check`] of each key, in order, on every core of the pool.
    #[must_use]
    pub fn check_all(&self, pool: &Pool, keys: &[PubKey]) -> Vec<Result<(), KeyError>> {
        let parts: Vec<&[PubKey]> = keys.chunks(DECODED_TOGETHER).collect();
        pool.map(parts.len(), |i| for_each_kind!(&self.0, |cache| cache.check(parts[i]))).concat()
    }

    /// Whether the sum of the equations of a batch holds.
    pub(super) fn hold(&self, signed: &[Signed<'_>], batch: &[usize]) -> bool {
        for_each_kind!(&self.0, |cache| cache.hold(signed, batch))
    }
}

impl Default for KeyCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyCache({} keys, {})", self.len(), self.curve())
    }
}

/// A [`KeyCache`] with the arithmetic that its points are for.
pub(super) struct Cache<A: Arithmetic> {
    pub(super) arithmetic: A,
    generation_keys: usize,
    known: RwLock<Generations<A::Point>>,
}

struct Generations<P> {
    recent: LongKeyMap<PubKey, P>,
    older: LongKeyMap<PubKey, P>,
}

impl<A: Arithmetic> Cache<A> {
    fn new(generation_keys: usize, arithmetic: A) -> Self {
        let known = Generations { recent: LongKeyMap::default(), older: LongKeyMap::default() };
        Self { arithmetic, generation_keys: generation_keys.max(1), known: RwLock::new(known) }
    }

    fn len(&self) -> usize {
        let known = self.known.read().expect("no holder panics");
        known.recent.len() + known.older.len()
    }

    fn check(&self, keys: &[PubKey]) -> Vec<Result<(), KeyError>> {
        let mut checked: Vec<_> = keys.iter().map(PubKey::check_encoding).collect();
        let encoded: Vec<usize> = (0..keys.len()).filter(|i| checked[*i].is_ok()).collect();
        let sound: Vec<PubKey> = encoded.iter().map(|i| keys[*i]).collect();
        for (i, point) in encoded.into_iter().zip(self.points_of(&sound)) {
            if point.is_none() {
                // A refusal is a verdict, so it is the library's.
                checked[i] = keys[i].check();
            }
        }
        checked
    }

    fn knows(&self, key: &PubKey) -> bool {
        let known = self.known.read().expect("no holder panics");
        known.recent.contains_key(key) || known.older.contains_key(key)
    }

    /// The points of keys, remembered or decoded now, and remembered from now on; `None` where there is
    /// none.
    pub(super) fn points_of(&self, keys: &[PubKey]) -> Vec<Option<A::Point>> {
        let (mut points, mut new, mut aging) =
            (Vec::with_capacity(keys.len()), Vec::new(), Vec::new());
        {
            let known = self.known.read().expect("no holder panics");
            for (i, key) in keys.iter().enumerate() {
                let recent = known.recent.get(key).copied();
                let older =
                    || known.older.get(key).copied().inspect(|point| aging.push((*key, *point)));
                points.push(recent.or_else(older));
                if points[i].is_none() {
                    new.push(i);
                }
            }
        }
        let encodings: Vec<[u8; 32]> = new.iter().map(|i| keys[*i].0).collect();
        let (decoded, are_points) = self.arithmetic.decode(&encodings);
        for ((i, point), is_point) in new.iter().zip(decoded).zip(are_points) {
            points[*i] = is_point.then_some(point);
        }
        // Known to the older generation only, a key moves to the recent one: as good as new.
        let new = new.into_iter().filter_map(|i| points[i].map(|point| (keys[i], point)));
        self.learn(new.chain(aging));
        points
    }

    /// Remembers keys; a full generation makes room.
    fn learn(&self, keys: impl Iterator<Item = (PubKey, A::Point)>) {
        let mut keys = keys.peekable();
        if keys.peek().is_none() {
            return;
        }
        let mut forgotten = Vec::new();
        let mut known = self.known.write().expect("no holder panics");
        for (key, point) in keys {
            if known.recent.len() >= self.generation_keys && !known.recent.contains_key(&key) {
                let full = std::mem::take(&mut known.recent);
                forgotten.push(std::mem::replace(&mut known.older, full));
            }
            known.recent.insert(key, point);
        }
        // To free a generation takes milliseconds, for which nobody has to wait.
        drop(known);
        drop(forgotten);
    }
}
