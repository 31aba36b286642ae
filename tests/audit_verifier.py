#!/usr/bin/env python3
"""Checks that an audit is complete and unchanged, with nothing but headers and this file.

usage: audit_verifier.py HEADERS AUDIT...
HEADERS holds the 80-byte headers of the chain from genesis on, one after another.
Prints one line an audit: "ok HEIGHT EVENTS REFUSALS", or "bad" and why. Exit 1 if one is bad.
"""
import hashlib
import json
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


def sha256d(data):
    return sha256(sha256(data))


def tagged(name, data):
    tag = sha256(b"proofward/" + name)
    return sha256(tag + tag + data)


def need(holds, why):
    if not holds:
        raise ValueError(why)


def head(events):
    log = bytes(32)
    for event in events:
        need(len(event) == 38, "an event of another length")
        log = tagged(b"log", log + event)
    return log + len(events).to_bytes(8, "little")


def state_root(proof, key, value):
    """Folds a proof that the entry is there up to the root."""
    need(proof[0] == 1, "not a proof of an entry")
    depth = int.from_bytes(proof[1:3], "little")
    bitmap, hashes = proof[3:3 + (depth + 7) // 8], proof[3 + (depth + 7) // 8:]
    siblings = []
    for at in range(depth):
        if bitmap[at // 8] >> (7 - at % 8) & 1:
            siblings.append(hashes[:32])
            hashes = hashes[32:]
        else:
            siblings.append(bytes(32))
    need(not hashes and all(len(hash) == 32 for hash in siblings), "a proof of another length")
    node = tagged(b"state-leaf", key + tagged(b"state-value", value))
    for at in reversed(range(depth)):
        is_right = key[at // 8] >> (7 - at % 8) & 1
        node = sha256d(siblings[at] + node if is_right else node + siblings[at])
    return node


def coinbase_height(coinbase):
    """The height that the input's script begins with, after version, input count and prevout."""
    need(coinbase[4:41] == b"\x01" + bytes(32) + b"\xff" * 4, "not a coinbase")
    script = coinbase[42:]
    if 0x51 <= script[0] <= 0x60:
        return script[0] - 0x50
    return int.from_bytes(script[1:1 + script[0]], "little")


def check(audit, headers):
    evidence = {name: bytes.fromhex(text) for name, text in audit["evidence"].items() if name != "branch"}
    logs = [[bytes.fromhex(event) for event in audit[log]] for log in ("access", "refusals")]
    need(evidence["key"] == b"\x0b" + bytes.fromhex(audit["record"]), "about another entry")
    need(evidence["value"] == b"".join(map(head, logs)), "an event was dropped, changed or added")
    root = state_root(evidence["proof"], tagged(b"state-key", evidence["key"]), evidence["value"])
    need(evidence["coinbase"].count(b"\x6a\x24pwsr" + root) == 1, "another state root")
    node = sha256d(evidence["coinbase"])
    for sibling in audit["evidence"]["branch"]:
        node = sha256d(node + bytes.fromhex(sibling))
    height = coinbase_height(evidence["coinbase"])
    need(headers[80 * height:80 * height + 80] == evidence["header"], "a header of another chain")
    need(evidence["header"][36:68] == node, "another merkle root")
    return f"ok {height - 1} {len(logs[0])} {len(logs[1])}"


def main():
    headers = open(sys.argv[1], "rb").read()
    bad = 0
    for name in sys.argv[2:]:
        try:
            print(check(json.load(open(name)), headers))
        except (ValueError, KeyError, IndexError, TypeError) as why:
            bad = 1
            print("bad", why)
    return bad


if __name__ == "__main__":
    sys.exit(main())
