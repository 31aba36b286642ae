#!/usr/bin/env python3
"""Our miner against our node, for as long as wanted: shares by fate, counted hashes against those that the
accepted shares imply, and the rate against that of `search` on the same threads in the same run.

Usage: soak.py PROOFWARD [SECONDS] [PROTOCOL] [ALGORITHM] [DIFFICULTY] [THREADS]
PROTOCOL is stratum; template, whose target is easier than a block's; or blocks, by template, where every share is
one. DIFFICULTY is that of shares; by default some tens of them a second of one thread. Exits with 1 if what is
printed is not as it should be; the rate counts on a machine that does nothing else.
"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.request


def lines(process):
    for line in process.stdout:
        yield json.loads(line)


def bench_rate(program, algorithm, threads, seconds):
    """Hashes a second of the fastest kernel, by `search` of all nonces of one header that none meets."""
    header = "00" * 80
    count = 1 << 22
    best = 0.0
    while seconds > 0:
        run = subprocess.run(
            [program, "search", "--header", header, "--algorithm", algorithm, "--target", "00" * 32,
             "--range", f"0..={count - 1}", "--threads", str(threads), "--format", "json"],
            capture_output=True, text=True)
        summary = json.loads(run.stdout.splitlines()[-1])
        if summary["seconds"] < 2 and count < 1 << 32:
            count *= 4
            count = min(count, 1 << 32)
            continue
        best = max(best, summary["hashes_per_second"])
        seconds -= summary["seconds"]
    return best


def main():
    program = sys.argv[1]
    given = sys.argv[2:] + [None] * 5
    seconds = int(given[0] or 600)
    protocol = given[1] or "stratum"
    algorithm = given[2] or "sha256d"
    difficulty = float(given[3] or {("template", "sha256d"): 0.00025, ("template", "blake3"): 0.0006}.get(
        (protocol, algorithm), 0.0001))
    threads = int(given[4] or 1)
    place = pathlib.Path(tempfile.mkdtemp())
    chain = place / "chain.toml"
    # A local chain, with the algorithm, and a block in a minute or so of one thread. Where shares are blocks,
    # one in some milliseconds, and later, since the difficulty doubles with every 720, in some tenths of a second.
    is_easy = protocol == "blocks"
    seed = place / "seed"
    subprocess.run([program, "init", "--dir", seed], check=True, capture_output=True)
    text = (seed / "chain.toml").read_text()
    changed = []
    for line in text.splitlines():
        key = line.split("=")[0].strip()
        spacing, half_life = (3600, 2_592_000) if is_easy else (60, 7200)
        new = {"algorithm": f'algorithm = "{algorithm}"', "spacing_seconds": f"spacing_seconds = {spacing}",
               "half_life_seconds": f"half_life_seconds = {half_life}",
               "future_limit_seconds": f"future_limit_seconds = {8 * spacing}"}.get(key, line)
        if key in ("limit_bits", "start_bits"):
            bits = "1d01ffff" if algorithm == "sha256d" else "1c7fff80"
            bits = "1e0fffff" if is_easy else bits
            new = f'{key} = "{bits}"'
        changed.append(new)
    # Nothing of it may pass by unnoticed when the file's keys change.
    assert sum(line != new for line, new in zip(text.splitlines(), changed)) >= 5, changed
    chain.write_text("\n".join(changed) + "\n")
    config = place / "node.toml"
    config.write_text(f"[rpc]\nshare_difficulty = {difficulty if protocol == 'template' else 0}\n")
    node = subprocess.Popen(
        [program, "node", "--config", config, "--chain", chain, "--dir", place / "chain",
         "--stratum", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--format", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        ready = json.loads(node.stdout.readline())
        # A node that tells of thousands of blocks wants a reader.
        threading.Thread(target=collections.deque, args=(node.stdout, 0), daemon=True).start()
        where = (["--url", "stratum+tcp://" + ready["stratum"], "--user", "soak", "--pass", f"d={difficulty}"]
                 if protocol == "stratum" else
                 ["--url", "http://" + ready["rpc"], "--cookie", ready["cookie"]])
        before = bench_rate(program, algorithm, threads, 4)
        mine = subprocess.Popen(
            [program, "mine", *where, "--algorithm", algorithm, "--threads", str(threads),
             "--seconds", str(seconds), "--format", "json"],
            stdout=subprocess.PIPE, text=True)
        end, refused = None, []
        for event in lines(mine):
            if event["event"] == "share" and event["fate"] == "refused":
                refused.append(event["reason"])
            end = event
        assert end and end["event"] == "end", end
        with urllib.request.urlopen(f"http://{ready['http']}/status") as answer:
            shares = json.load(answer)["stratum" if protocol == "stratum" else "rpc"]["shares"]
        after = bench_rate(program, algorithm, threads, 4)
    finally:
        node.terminate()
        node.wait()
    rate = end["hashes_per_second"] / max(before, after)
    implied = end["implied_hashes"] / end["hashes"]
    print(f"{protocol} {algorithm}: {end['accepted']} accepted, {end['stale']} stale, {end['refused']} refused, "
          f"{end['lost']} lost, {end['blocks']} blocks in {end['seconds']:.0f} s; implied/counted hashes "
          f"{implied:.4f}; rate/search {rate:.4f} (search {before / 1e6:.2f} and {after / 1e6:.2f} MH/s)")
    rejected = sum(shares["rejected"].values())
    print(f"the node counted {shares['accepted']} accepted, {shares['stale']} stale, {rejected} rejected, "
          f"{shares['blocks']} blocks")
    for reason in sorted(set(refused)):
        print("refused:", reason)
    is_good = not refused and rejected == 0 and end["lost"] == 0
    is_good &= (shares["accepted"], shares["blocks"]) == (end["accepted"], end["blocks"])
    # Between a block and the next work the miner rests.
    is_good &= is_easy or rate >= 0.98
    # The spread of a count: five percent needs some thousand shares.
    is_good &= end["accepted"] < 2000 or abs(implied - 1) < 0.05
    sys.exit(0 if is_good else 1)


main()
