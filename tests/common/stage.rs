//! A chain in a folder, with everybody's keys in it.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::{KeySet, Spec};
use proofward::wallet::Keyring;

use crate::binary::{Ran, run};
use crate::directory::{mine_in, ok, quick_spec, text};

/// Where the hospital stands.
pub(crate) const CELL: &str = "89283082803ffff";

pub(crate) struct Stage {
    root: TempDir,
}

impl Stage {
    /// A fresh chain whose anchor is a key of the folder, and a miner who owns something.
    pub(crate) fn new() -> Self {
        let stage = Self { root: tempfile::tempdir().unwrap() };
        stage.key("anchor");
        let anchor = stage.public("anchor");
        // Half of a delay has to pass on the clock of the chain, which moves a second in some six blocks
        // that are found at once; and stamps may not run too far ahead of the real one.
        let spec = Spec {
            anchors: KeySet { k: 1, keys: vec![anchor] },
            claim_delay_blocks: 0,
            spacing_s: 4,
            half_life_s: 400,
            future_limit_s: 32,
            ..quick_spec()
        };
        let file = stage.path("chain.toml");
        std::fs::write(&file, spec.check().unwrap().to_toml()).unwrap();
        ok(&["init", "--chain", text(&file), "--dir", text(&stage.dir())]);
        stage.key("miner");
        stage.mine(8);
        stage
    }

    /// With a hospital that has a ward, its beacon, a doctor, a nurse and a patient.
    pub(crate) fn hospital() -> Self {
        let stage = Self::new();
        for name in ["hospital", "ward", "beacon", "doctor", "nurse", "patient", "escrow"] {
            stage.key(name);
        }
        let claims: [&[&str]; 7] = [
            &["issuer", "attest", "hospital", "--issuer", "anchor"],
            &["site", "attest", "ward", "--issuer", "hospital", "--cell", CELL],
            &["beacon", "attest", "beacon", "--issuer", "hospital", "--site", "ward"],
            &["role", "attest", "doctor", "physician", "--issuer", "hospital", "--site", "ward"],
            &["role", "attest", "nurse", "nurse", "--issuer", "hospital", "--site", "ward"],
            &["role", "attest", "patient", "patient", "--issuer", "hospital"],
            &["role", "attest", "escrow", "escrow", "--issuer", "hospital"],
        ];
        for claim in claims {
            stage.act(claim);
        }
        stage
    }

    /// A path beside the folder of the chain.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.path("dir")
    }

    pub(crate) fn key(&self, name: &str) {
        ok(&["key", "new", name, "--no-passphrase", "--dir", text(&self.dir())]);
    }

    pub(crate) fn public(&self, name: &str) -> PubKey {
        Keyring::in_dir(&self.dir()).read(&name.parse().unwrap()).unwrap().public_key()
    }

    pub(crate) fn mine(&self, blocks: u32) {
        mine_in(&self.dir(), &blocks.to_string());
    }

    /// A command in the folder, and its only line.
    pub(crate) fn ok(&self, args: &[&str]) -> Value {
        let dir = self.dir();
        let mut lines = ok(&[args, &["--dir", text(&dir)]].concat());
        assert_eq!(lines.len(), 1, "{args:?}");
        lines.remove(0)
    }

    /// Every line that a command in the folder says.
    pub(crate) fn ok_lines(&self, args: &[&str]) -> Vec<Value> {
        ok(&[args, &["--dir", text(&self.dir())]].concat())
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        run(&[args, &["--dir", text(&self.dir())]].concat())
    }

    /// A command that is refused with one line.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(args);
        assert_eq!((code, &*stdout), (2, ""), "{args:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
        stderr
    }

    /// A command that signs, paid for by the miner, and the block that takes it. Its core id.
    pub(crate) fn act(&self, args: &[&str]) -> String {
        let sent = self.ok(&[args, &["--payer", "miner"]].concat());
        assert_eq!(sent["missing"], 0);
        let mine = ["mine", "--blocks", "1", "--threads", "1", "--kernel", "portable"];
        let (_, _, said) = self.run(&mine);
        let core = sent["core"].as_str().unwrap().to_owned();
        let height = self.height();
        let block = self.ok(&["chain", "show", &height.to_string()]);
        assert!(block.to_string().contains(&core), "{args:?} is in no block: {said}");
        core
    }

    pub(crate) fn height(&self) -> u64 {
        self.ok(&["chain", "status"])["height"].as_u64().unwrap()
    }
}

pub(crate) fn path(path: &Path) -> &str {
    text(path)
}
