//! Kill -9 at a random moment while the program mines and while it imports: what it had said is there
//! afterwards, and the whole chain still verifies. `PROOFWARD_KILL_ROUNDS` sets the number of rounds of
//! each, `PROOFWARD_SEED` the choices.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/ledger.rs"]
mod common;
#[path = "common/directory.rs"]
mod directory;
#[path = "common/random.rs"]
mod random;

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use common::*;
use directory::{QUICK_MINER, found, ok, quick_spec, text};
use proofward::fuzzing::forge::SplitMix64;
use proofward::ledger::archive::write_archive;
use proofward::ledger::chain::View;
use proofward::ledger::rules::context::Ancestors as _;
use proofward::node::dir::ChainDir;
use random::{choices, number_from};
use serde_json::Value;

/// Rounds that one directory sees: so that verifying it stays short.
const ROUNDS_A_DIRECTORY: u64 = 20;
const MICROSECONDS_MAX: u64 = 4_000;

fn rounds() -> u64 {
    let rounds = number_from("PROOFWARD_KILL_ROUNDS", 10);
    println!("{rounds} rounds (PROOFWARD_KILL_ROUNDS)");
    rounds
}

fn start(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_proofward"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a process has said is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Acknowledged {
    height: u32,
    hash: String,
}

impl Acknowledged {
    /// The line may be cut by the kill, and the last one is a summary.
    fn of(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let hash = line.get("tip_hash").or(line.get("hash"))?.as_str()?.to_owned();
        let height = u32::try_from(line.get("height")?.as_u64()?).unwrap();
        Some(Self { height, hash })
    }
}

/// Reads `count` lines, or all if there are fewer.
fn read_lines(lines: &mut Lines<BufReader<ChildStdout>>, count: usize) -> Option<Acknowledged> {
    lines.take(count).map_while(Result::ok).filter_map(|line| Acknowledged::of(&line)).last()
}

/// Kills after a random moment, and gives the last thing that was said.
fn kill(
    mut child: Child,
    mut lines: Lines<BufReader<ChildStdout>>,
    random: &mut SplitMix64,
) -> Option<Acknowledged> {
    let delay = Duration::from_micros(random.below(MICROSECONDS_MAX));
    let started = Instant::now();
    while started.elapsed() < delay {
        std::hint::spin_loop();
    }
    // Fails only for a process that has ended.
    let _ = child.kill();
    let said = read_lines(&mut lines, usize::MAX);
    child.wait().unwrap();
    said
}

/// The tip is what was acknowledged or newer, and the chain verifies. Says how far it has come.
fn check(dir: &Path, round: u64, acknowledged: Option<&Acknowledged>) -> u32 {
    let chain = ChainDir::new(dir);
    if !chain.holds_chain() {
        assert_eq!(acknowledged, None, "round {round}: there is no chain");
        return 0;
    }
    let verified = &ok(&["verify", "chain", text(dir)])[0];
    let height = u32::try_from(verified["height"].as_u64().unwrap()).unwrap();
    if let Some(said) = acknowledged {
        assert!(height >= said.height, "round {round}: height {height}, said was {said:?}");
        let (_, reader) = chain.read().unwrap();
        let snapshot = reader.snapshot().unwrap();
        let hash = View(&*snapshot).hash_at(said.height).unwrap().unwrap();
        assert_eq!(hash.to_string(), said.hash, "round {round}");
    }
    height
}

#[test]
fn a_killed_miner_loses_nothing_that_it_said() {
    let mut random = choices("killed miners");
    let (mut blocks, mut newer) = (0, 0);
    let mut room = tempfile::tempdir().unwrap();
    let mut height = 0;
    for round in 0..rounds() {
        if round % ROUNDS_A_DIRECTORY == 0 {
            (room, height) = (tempfile::tempdir().unwrap(), 0);
            found(&room.path().join("chain"));
        }
        let dir = room.path().join("chain");
        let args = [&["mine", "--dir", text(&dir), "--format", "json"], &QUICK_MINER[..]].concat();
        let mut child = start(&args);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let before = read_lines(&mut lines, random.index(8));
        let said = kill(child, lines, &mut random).or(before);
        let now = check(&dir, round, said.as_ref());
        assert!(now >= height, "round {round}: {height} blocks were there before");
        blocks += now - height;
        newer += said.map_or(0, |said| now - said.height);
        height = now;
    }
    println!("{blocks} blocks, {newer} of them newer than what was said");
}

#[test]
fn a_killed_import_loses_nothing_that_it_said() {
    const BLOCKS: u32 = 2_400;
    let mut random = choices("killed imports");
    let ledger = memory_ledger(quick_spec());
    let rich = Key::new(0);
    for height in 0..BLOCKS {
        let payments = match height % 50 {
            9 => vec![pay(&ledger, &rich, Key::new(1).public(), 1_000, u64::from(height))],
            _ => vec![],
        };
        mine(&ledger, rich.public(), payments);
    }
    let mut archive = Vec::new();
    write_archive(&ledger.chain().spec, ledger.view(), &mut archive, |_| {}).unwrap();

    let mut room = tempfile::tempdir().unwrap();
    let (mut height, mut blocks, mut finished) = (0, 0, 0);
    for round in 0..rounds() {
        if height == BLOCKS {
            (room, height, finished) = (tempfile::tempdir().unwrap(), 0, finished + 1);
        }
        let dir = room.path().join("chain");
        let mut child = start(&["chain", "import", "-", "--dir", text(&dir), "--format", "json"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stdin = child.stdin.take().unwrap();
        // Either after so many bytes, or after so many writes of a whole file.
        let by_bytes = random.below(2) == 0;
        let fed = if by_bytes { random.index(archive.len()) } else { archive.len() };
        let bytes = archive[..fed].to_vec();
        let feeder = std::thread::spawn(move || {
            // The end of the pipe is gone when the process is.
            let _ = stdin.write_all(&bytes);
            // After a whole file the pipe is closed, or the import would wait for more.
            by_bytes.then_some(stdin)
        });
        let (before, stdin) = match by_bytes {
            true => (None, feeder.join().unwrap()),
            false => (read_lines(&mut lines, random.index(4)), None),
        };
        let said = kill(child, lines, &mut random).or(before);
        drop(stdin);
        let now = check(&dir, round, said.as_ref());
        assert!(now >= height, "round {round}: {height} blocks were there before");
        blocks += now - height;
        height = now;
    }
    println!("{blocks} blocks in {finished} whole imports and a part");
}
