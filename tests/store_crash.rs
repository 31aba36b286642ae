//! What a store on disk shows after a crash, on a failing or full disk, and after a bit has turned. Every
//! random choice comes from a seed that is printed; `PROOFWARD_SEED` sets it.

#![cfg(feature = "ledger")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use proofward::ledger::store::{
    Batch, Damage, DiskCall, DiskStore, Fault, FaultyDisk, Read, ScrubCursor, Store, StoreError,
    Table, scrub_step, silence_contained_panics,
};
use random::{choices, number_from};

const CACHE_BYTES: usize = 1 << 20;

/// What a store holds: every table.
type Contents = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// The writes of commit `n`: keys that come, change, go and stay, values of some bytes and of several
/// pages.
fn batch(n: u32) -> Batch {
    let mut batch = Batch::new();
    batch.put(Table::Meta, *b"commit", n.to_be_bytes());
    let byte = n.to_le_bytes()[0];
    for i in 0..n % 7 + 2 {
        let key = (n * 31 + i * 7) % 97;
        batch.put(Table::State, key.to_be_bytes(), vec![byte; (n * i * 53 % 900) as usize]);
    }
    batch.put(Table::Undo, n.to_be_bytes(), vec![byte; 700]);
    batch.delete(Table::State, (n * 17 % 97).to_be_bytes());
    batch.put(Table::Bodies, n.to_be_bytes(), vec![byte; (n * 1_237 % 20_000) as usize]);
    if let Some(old) = n.checked_sub(8) {
        batch.delete(Table::Bodies, old.to_be_bytes());
    }
    batch
}

/// What a store holds after commits `1..=n`.
fn expected(n: u32) -> Contents {
    let mut contents = Contents::new();
    for n in 1..=n {
        for (table, key, value) in batch(n).iter() {
            match value {
                Some(value) => contents.insert((table, key.to_vec()), value.to_vec()),
                None => contents.remove(&(table, key.to_vec())),
            };
        }
    }
    contents
}

fn contents(store: &dyn Read) -> Result<Contents, StoreError> {
    let mut contents = Contents::new();
    for &table in Table::ALL {
        for (key, value) in store.range(table, b"", usize::MAX)? {
            contents.insert((table, key), value);
        }
    }
    Ok(contents)
}

/// Which commit a store shows, having compared every entry with it.
fn shown(store: &dyn Read) -> Result<u32, StoreError> {
    let contents = contents(store)?;
    let commit = contents.get(&(Table::Meta, b"commit".to_vec()));
    let commit = commit.map_or(0, |n| u32::from_be_bytes(n.as_slice().try_into().unwrap()));
    assert!(contents == expected(commit), "commit {commit} is mixed with another");
    Ok(commit)
}

fn open(disk: FaultyDisk) -> Result<DiskStore, StoreError> {
    DiskStore::open_on(disk, CACHE_BYTES)
}

/// A store opened after a crash goes on: three more commits, all pages sound, opened once more.
fn goes_on(disk: &FaultyDisk, store: DiskStore, from: u32) {
    for n in from + 1..=from + 3 {
        store.commit(&batch(n)).unwrap();
    }
    store.close().unwrap();
    let mut store = open(disk.clone()).unwrap();
    assert_eq!(shown(&store), Ok(from + 3));
    store.verify_pages().unwrap();
    assert_eq!(shown(&store), Ok(from + 3));
}

#[test]
fn a60_every_crash_image_opens_at_the_last_commit() {
    const COMMITS: u32 = 40;
    let images = number_from("PROOFWARD_CRASH_IMAGES", 1_000);
    let mut random = choices("crash images");
    let disk = FaultyDisk::new();
    let store = DiskStore::create_on(disk.clone(), CACHE_BYTES).unwrap();
    let founded = disk.changes();
    // How many changes had been asked for when commit n was acknowledged.
    let mut acknowledged = vec![founded];
    for n in 1..=COMMITS {
        store.commit(&batch(n)).unwrap();
        acknowledged.push(disk.changes());
    }
    let all = disk.changes();
    let mut newer = 0;
    for image in 0..images {
        let cut = founded + random.index(all - founded + 1);
        let last = u32::try_from(acknowledged.partition_point(|at| *at <= cut) - 1).unwrap();
        let crashed = FaultyDisk::with_image(disk.crash_image(cut, &mut |n| random.index(n)));
        let store = open(crashed.clone()).unwrap_or_else(|why| panic!("image {image}: {why}"));
        let found = shown(&store).unwrap_or_else(|why| panic!("image {image}: {why}"));
        assert!(found == last || found == last + 1, "image {image}: {found} after {last}");
        newer += found - last;
        goes_on(&crashed, store, found);
    }
    println!(
        "{images} crash images of {COMMITS} commits and {all} changes, {newer} at the unacknowledged commit"
    );
}

#[test]
fn a60_a_crash_while_founding_leaves_a_store_or_none() {
    let mut random = choices("founding");
    let disk = FaultyDisk::new();
    DiskStore::create_on(disk.clone(), CACHE_BYTES).unwrap();
    for _ in 0..200 {
        let cut = random.index(disk.changes() + 1);
        let image = disk.crash_image(cut, &mut |n| random.index(n));
        match open(FaultyDisk::with_image(image)) {
            Ok(store) => assert_eq!(shown(&store), Ok(0)),
            Err(StoreError::NotAStore { .. } | StoreError::Corrupt { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// Commits until the disk fails; the error, and the last commit that was acknowledged.
fn commit_until_failure(store: &DiskStore, commits: u32) -> (u32, Option<StoreError>) {
    for n in 1..=commits {
        if let Err(why) = store.commit(&batch(n)) {
            return (n - 1, Some(why));
        }
    }
    (commits, None)
}

#[test]
fn a61_a_failing_disk_is_an_error_and_the_store_opens_again() {
    const COMMITS: u32 = 100;
    const FAULTS: u64 = 200;
    let mut random = choices("failing disk");
    for call in [DiskCall::Write, DiskCall::Sync, DiskCall::Resize] {
        let mut failed = 0;
        for after in 0..FAULTS {
            let kind = if after % 2 == 0 { ErrorKind::Other } else { ErrorKind::StorageFull };
            let lasts = after % 4 < 2;
            let disk = FaultyDisk::new();
            let store = DiskStore::create_on(disk.clone(), CACHE_BYTES).unwrap();
            disk.set_fault(Some(Fault { call, after, kind, lasts }));
            let (last, why) = commit_until_failure(&store, COMMITS);
            let name = format!("{call:?} {after}");
            if let Some(why) = why {
                failed += 1;
                match (kind, why) {
                    (ErrorKind::StorageFull, StoreError::Full) => {}
                    (ErrorKind::Other, StoreError::Io { kind: ErrorKind::Other, .. }) => {}
                    (_, other) => panic!("{name}: {other}"),
                }
                assert_eq!(store.commit(&batch(last + 1)), Err(StoreError::Poisoned), "{name}");
                assert_eq!(store.get(Table::Meta, b"commit"), Err(StoreError::Poisoned), "{name}");
                assert!(store.snapshot().is_err(), "{name}");
            } else {
                break;
            }
            let crashed = disk.crash_image(disk.changes(), &mut |n| random.index(n));
            drop(store);
            disk.set_fault(None);
            for disk in [disk, FaultyDisk::with_image(crashed)] {
                let store = open(disk.clone()).unwrap_or_else(|why| panic!("{name}: {why}"));
                let found = shown(&store).unwrap();
                assert!(found == last || found == last + 1, "{name}: {found} after {last}");
                goes_on(&disk, store, found);
            }
        }
        println!("{call:?}: the first {failed} of {FAULTS} failed within {COMMITS} commits");
        assert!(failed > 0, "{call:?} was never tried");
    }
}

#[test]
fn a61_a_disk_that_fails_while_a_store_is_opened_is_an_error() {
    let disk = FaultyDisk::new();
    let store = DiskStore::create_on(disk.clone(), CACHE_BYTES).unwrap();
    commit_until_failure(&store, 5);
    // As after a crash: not closed.
    let crashed = disk.crash_image(disk.changes(), &mut |_| 3);
    for call in [DiskCall::Read, DiskCall::Write, DiskCall::Sync, DiskCall::Resize] {
        for (image, least) in [(Vec::new(), 0), (crashed.clone(), 5)] {
            for after in 0..200 {
                let disk = FaultyDisk::with_image(image.clone());
                let fault = Fault { call, after, kind: ErrorKind::Other, lasts: true };
                disk.set_fault(Some(fault));
                let opened = DiskStore::create_on(disk.clone(), CACHE_BYTES);
                let opened = opened.and_then(|store| shown(&store));
                disk.set_fault(None);
                match opened {
                    Ok(commit) => assert_eq!(commit, least),
                    Err(StoreError::Io { .. }) if least > 0 => {
                        assert_eq!(open(disk).and_then(|store| shown(&store)), Ok(least));
                    }
                    Err(StoreError::Io { .. }) => {}
                    Err(other) => panic!("{call:?} {after}: {other}"),
                }
            }
        }
    }
}

#[test]
fn a62_a_full_disk_refuses_then_resumes() {
    let disk = FaultyDisk::new();
    let store = DiskStore::create_on(disk.clone(), CACHE_BYTES).unwrap();
    disk.set_capacity(Some(1 << 19));
    let (last, why) = commit_until_failure(&store, 10_000);
    assert_eq!(why, Some(StoreError::Full));
    drop(store);
    // A full disk is still readable.
    let store = open(disk.clone()).unwrap();
    let found = shown(&store).unwrap();
    assert!(found == last || found == last + 1, "{found} after {last}");
    drop(store);
    disk.set_capacity(None);
    let store = open(disk.clone()).unwrap();
    assert_eq!(shown(&store), Ok(found));
    goes_on(&disk, store, found);
}

/// Scrubs everything in small steps.
fn scrub(store: &DiskStore) -> Result<Vec<Damage>, StoreError> {
    let (mut damage, mut entries) = (Vec::new(), 0);
    let mut cursor = Some(ScrubCursor::default());
    while let Some(from) = cursor {
        let step = scrub_step(&*store.snapshot()?, from, 10_000)?;
        damage.extend(step.damage);
        entries += step.entries;
        cursor = step.next;
    }
    let sound = contents(store).map(|contents| contents.len() as u64);
    assert!(sound.is_err() || sound == Ok(entries), "{entries} of {sound:?} entries are sound");
    Ok(damage)
}

#[test]
fn a63_a_turned_bit_is_found_or_does_no_harm() {
    silence_contained_panics();
    let flips = number_from("PROOFWARD_BIT_FLIPS", 1_000);
    let mut random = choices("turned bits");
    let disk = FaultyDisk::new();
    let store = DiskStore::create_on(disk.clone(), CACHE_BYTES).unwrap();
    let (last, _) = commit_until_failure(&store, 60);
    assert_eq!(scrub(&store), Ok(Vec::new()));
    store.close().unwrap();
    let image = disk.image();
    let right = expected(last);
    let [mut refused, mut read, mut scrubbed, mut paged, mut harmless] = [0; 5];
    for _ in 0..flips {
        let mut image = image.clone();
        let (at, bit) = (random.index(image.len()), random.index(8));
        image[at] ^= 1 << bit;
        let name = format!("byte {at} bit {bit}");
        let Ok(mut store) = open(FaultyDisk::with_image(image.clone())) else {
            refused += 1;
            continue;
        };
        // Whether a damaged store takes a commit is left open; it must not fall over.
        let _ =
            open(FaultyDisk::with_image(image)).and_then(|other| other.commit(&batch(last + 1)));
        // What is read is right, or an error, or missing; never another value.
        let mut is_missing = false;
        let mut is_error = false;
        for ((table, key), value) in &right {
            match store.get(*table, key) {
                Ok(Some(found)) => assert!(found == *value, "{name}: a wrong value of {table}"),
                Ok(None) => is_missing = true,
                Err(StoreError::CorruptValue { .. } | StoreError::Corrupt { .. }) => {
                    is_error = true
                }
                Err(other) => panic!("{name}: {other}"),
            }
        }
        let damage = scrub(&store).unwrap();
        assert!(!is_error || !damage.is_empty(), "{name}: a read fails and the scrub is silent");
        let paged_out = store.verify_pages().is_err();
        assert!(paged_out || !(is_missing || is_error), "{name}: missing, and no check tells");
        match (is_error, damage.is_empty(), paged_out) {
            (true, ..) => read += 1,
            (_, false, _) => scrubbed += 1,
            (_, _, true) => {
                if is_missing {
                    println!("{name}: only the pages tell");
                }
                paged += 1;
            }
            _ => harmless += 1,
        }
    }
    println!(
        "{flips} flips in {} bytes: {refused} refused at the opening, {read} met by a read, \
         {scrubbed} by the scrub alone, {paged} by the pages alone, {harmless} harmless",
        image.len()
    );
}

/// Names the directory to a child process that is to write until it is killed.
const CHILD: &str = "PROOFWARD_KILL_CHILD";

/// Not a test of its own: [`a59_kill_at_any_moment_keeps_what_was_acknowledged`] runs it in a process
/// that it kills. Commits numbered batches and says each number once it is durable.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let dir = Path::new(&dir);
    let store = match DiskStore::open(dir, CACHE_BYTES) {
        Err(StoreError::NotAStore { .. }) => DiskStore::create(dir, CACHE_BYTES).unwrap(),
        opened => opened.unwrap(),
    };
    let mut n = shown(&store).unwrap();
    loop {
        n += 1;
        store.commit(&batch(n)).unwrap();
        // Locked per line and flushed by it; the harness prints nothing in between.
        writeln!(std::io::stdout().lock(), "committed {n}").unwrap();
    }
}

fn spawn_child(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_commits_until_it_is_killed", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

#[test]
fn a59_kill_at_any_moment_keeps_what_was_acknowledged() {
    const ROUND_MILLIS_MAX: u64 = 120;
    let rounds = number_from("PROOFWARD_KILL_ROUNDS", 10);
    let mut random = choices("kill");
    let dir = tempfile::tempdir().unwrap();
    let (mut last, mut opening_longest, mut unfinished) = (0, Duration::ZERO, 0);
    for round in 0..rounds {
        let mut child = spawn_child(dir.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (said, heard) = mpsc::channel();
        let listener = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // The harness may have begun the line.
                if let Some((_, n)) = line.split_once("committed ") {
                    said.send(n.parse::<u32>().unwrap()).unwrap();
                }
            }
        });
        // Any moment from the start of the process on: also while it opens or founds the store.
        let life = Duration::from_micros(random.below(ROUND_MILLIS_MAX * 1_000));
        let killed_at = Instant::now() + life;
        while let Ok(n) = heard.recv_timeout(killed_at.saturating_duration_since(Instant::now())) {
            last = n;
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "the child ends only when it is killed");
        listener.join().unwrap();
        last = heard.try_iter().last().unwrap_or(last);

        let start = Instant::now();
        let store = match DiskStore::open(dir.path(), CACHE_BYTES) {
            Err(StoreError::NotAStore { .. }) if last == 0 => {
                unfinished += 1;
                continue;
            }
            opened => opened.unwrap_or_else(|why| panic!("round {round}: {why}")),
        };
        opening_longest = opening_longest.max(start.elapsed());
        let found = shown(&store).unwrap_or_else(|why| panic!("round {round}: {why}"));
        assert!(found == last || found == last + 1, "round {round}: {found} after {last}");
        last = found;
    }
    println!(
        "{rounds} rounds of kill, {last} commits, {unfinished} before the store was founded, \
         longest opening {opening_longest:?}"
    );
    assert!(last > 0, "no commit in {rounds} rounds");
    let mut store = DiskStore::open(dir.path(), CACHE_BYTES).unwrap();
    store.verify_pages().unwrap();
}
