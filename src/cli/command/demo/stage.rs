//! The stage: a chain of its own in a folder, with real work and real signatures, in which a block takes
//! as long as the clock of the story says and not as long as the audience waits.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use proofward::engine::{self, Engine, Event, Options, Work};
use proofward::ledger::block::Included;
use proofward::ledger::chain::{Ledger, Submitted};
use proofward::ledger::mempool::{Limits, Mempool, Source};
use proofward::ledger::policy::{Moment, Presence, Roll};
use proofward::ledger::rules::access::Answer;
use proofward::ledger::rules::context::{Ancestors as _, Refusal};
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::{KeySet, Spec};
use proofward::ledger::state::{EntryKey, EntryValue, HeldRequest, StateRead as _};
use proofward::ledger::store::{Blobs, DiskStore};
use proofward::ledger::template::Template;
use proofward::ledger::transaction::{Body, Core, CoreId, Transaction};
use proofward::node::dir::ChainDir;
use proofward::node::job::Job;
use proofward::node::unix_now;
use proofward::primitives::{BlockHash, CompactTarget, Target};
use proofward::wallet::record::RecordFolder;
use proofward::wallet::{KeyFile, Keyring, Purpose, SecretKey, Signer as _};

/// Seconds between blocks, in the time of the story.
pub(super) const SPACING_S: u32 = 15;
/// How far back the story begins, so that no block of it is ahead of the clock.
const STORY_SECONDS: u64 = 5 * 86_400;
/// About 2^17 hashes a block.
const TARGET: CompactTarget = CompactTarget(0x1e7f_ff00);
pub(super) const FEE: u64 = 100_000;
/// Longer than any block of the story takes on any machine that can run it.
const BLOCK_SECONDS_MAX: u64 = 60;

pub(super) struct Stage {
    pub(super) ledger: Ledger<DiskStore>,
    pub(super) blobs: Blobs,
    pub(super) records: RecordFolder,
    keys: Keyring,
    engine: Engine,
    miner: SecretKey,
    nonce: u64,
    round: u64,
    started: Instant,
    pub(super) mining: Duration,
    pub(super) transactions: u64,
}

impl Stage {
    /// Founds the chain; its first blocks give the miner something to pay with.
    pub(super) fn found(path: &Path, anchor: PubKey) -> anyhow::Result<Self> {
        let options = Options::default();
        let genesis_time = u32::try_from(unix_now().saturating_sub(STORY_SECONDS))?;
        let spec = Spec {
            name: "demo".into(),
            spacing_s: SPACING_S,
            half_life_s: 1800,
            future_limit_s: 120,
            limit: CompactTarget(0x2000_ffff),
            start: TARGET,
            anchors: KeySet { k: 1, keys: vec![anchor] },
            ..Spec::local(genesis_time, anchor)?
        }
        .check()?;
        let ledger = ChainDir::new(path).found(spec, options.threads)?;
        let kernel = crate::cli::command::kernels::choose(ledger.chain().spec.algorithm, None)?;
        let mut stage = Self {
            blobs: Blobs::open(path)?,
            records: RecordFolder::in_dir(path),
            keys: Keyring::in_dir(path),
            ledger,
            engine: Engine::new(kernel, options)?,
            miner: SecretKey::generate()?,
            nonce: 0,
            round: 0,
            started: Instant::now(),
            mining: Duration::ZERO,
            transactions: 0,
        };
        stage.keep_key("miner", &stage.miner)?;
        stage.wait(6)?;
        Ok(stage)
    }

    /// Puts a key into the folder, open to its owner: the story protects nobody.
    pub(super) fn keep_key(&self, name: &str, key: &SecretKey) -> anyhow::Result<()> {
        self.keys.create(&name.parse()?, &KeyFile::unprotected(key))?;
        Ok(())
    }

    pub(super) fn kernel(&self) -> String {
        proofward::engine::tune::fastest(self.ledger.chain().spec.algorithm)
            .map_or_else(|error| error.to_string(), |kernel| kernel.isa().to_owned())
    }

    pub(super) fn hashes(&self) -> u64 {
        self.engine.counters().hashes
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn height(&self) -> anyhow::Result<u32> {
        Ok(self.ledger.tip()?.1.height)
    }

    /// Height and median time past of the next block.
    pub(super) fn next(&self) -> anyhow::Result<Moment> {
        let (_, tip) = self.ledger.tip()?;
        let median_time = self.ledger.view().median_time_after(&tip)?;
        Ok(Moment { height: tip.height + 1, median_time })
    }

    pub(super) fn tip(&self) -> anyhow::Result<BlockHash> {
        Ok(self.ledger.tip()?.0)
    }

    pub(super) fn miner(&self) -> PubKey {
        self.miner.public_key()
    }

    /// The time of the story: that of the tip.
    pub(super) fn now(&self) -> anyhow::Result<u32> {
        Ok(self.ledger.tip()?.1.header.time)
    }

    pub(super) fn wait(&mut self, blocks: u32) -> anyhow::Result<()> {
        (0..blocks).try_for_each(|_| self.mine(Vec::new()))
    }

    /// Searches a block with these transactions and submits it.
    pub(super) fn mine(&mut self, transactions: Vec<Transaction>) -> anyhow::Result<()> {
        let started = Instant::now();
        let (_, tip) = self.ledger.tip()?;
        let fees = transactions.iter().map(|transaction| transaction.fee).sum();
        self.transactions += transactions.len() as u64;
        let included = transactions.into_iter().map(Included::new).collect();
        let template = Template::on_tip(self.ledger.chain(), &self.ledger.view(), included, fees)?;
        let job = Job::new(template, self.miner(), tip.header.time + SPACING_S);
        let generation = self.engine.publish(job.work());
        let block = loop {
            let wait = Duration::from_secs(BLOCK_SECONDS_MAX);
            match self.engine.events().recv_timeout(wait).context("no block was found")? {
                Event::Solution(solution) if solution.generation == generation => {
                    break job.block(&solution);
                }
                Event::Exhausted(exhausted) if exhausted == generation => {
                    bail!("every header of block {} was searched", tip.height + 1)
                }
                _ => {}
            }
        };
        self.engine.stop();
        self.mining += started.elapsed();
        match self.ledger.submit(&block.encode(), unix_now())? {
            Submitted::Tip { .. } => Ok(()),
            other => bail!("a block of our own did not become the tip: {other:?}"),
        }
    }

    /// Signs a body by everybody whom it names, pays for it, and mines it.
    pub(super) fn act(&mut self, body: Body, signers: &[&SecretKey]) -> anyhow::Result<CoreId> {
        let (transaction, core) = self.sign(body, signers, FEE)?;
        self.mine(vec![transaction])?;
        Ok(core)
    }

    /// The same, without mining it.
    pub(super) fn sign(
        &mut self,
        body: Body,
        signers: &[&SecretKey],
        fee: u64,
    ) -> anyhow::Result<(Transaction, CoreId)> {
        self.nonce += 1;
        let (_, tip) = self.ledger.tip()?;
        let chain = self.ledger.chain();
        let core = Core {
            version: 1,
            chain: chain.chain_id,
            valid_from: tip.height,
            valid_to: tip.height + 500,
            anchor: BlockHash::ZERO.0,
            body,
        };
        let id = core.id(&chain.genesis);
        let (payer, nonce) = (self.miner.public_key(), self.nonce);
        let mut transaction = Transaction { core, payer, nonce, fee, sigs: Vec::new() };
        let own = transaction.id(&id);
        let mut sigs = vec![self.miner.sign(&own.0, Purpose::Transaction)?];
        for signer in &transaction.signers()[1..] {
            let secret = signers.iter().find(|secret| secret.public_key() == *signer);
            let secret = secret.with_context(|| format!("nobody here signs for {signer}"))?;
            sigs.push(secret.sign(&id.0, Purpose::Core)?);
        }
        transaction.sigs = sigs;
        Ok((transaction, id))
    }

    /// The name of the rule by which no block takes a body that everybody has signed.
    pub(super) fn refusal(
        &mut self,
        body: Body,
        signers: &[&SecretKey],
    ) -> anyhow::Result<&'static str> {
        let (transaction, _) = self.sign(body, signers, FEE)?;
        self.nonce -= 1;
        self.refused(&transaction)
    }

    /// The name of the rule by which no block takes a transaction.
    pub(super) fn refused(&self, transaction: &Transaction) -> anyhow::Result<&'static str> {
        let view = self.ledger.view();
        let mut mempool = Mempool::new(self.ledger.chain(), &view, Limits::default())?;
        match mempool.admit(&view, &transaction.encode(), Source::Own) {
            Ok(_) => bail!("what should be refused was taken"),
            Err(Refusal::Rule(refused)) => Ok(refused.name()),
            Err(Refusal::Store(error)) => Err(error.into()),
        }
    }

    /// Lets the engine do exactly so many hashes, which find nothing: how many it did, and how long it took.
    pub(super) fn spend(&mut self, hashes: u64) -> anyhow::Result<(u64, Duration)> {
        let before = self.hashes();
        self.engine.set_hashes_max(before);
        let template = engine::Template::new(&[0; 80]);
        let started = Instant::now();
        self.engine.publish(Work::new(std::iter::once(template), Target::from_le_bytes([0; 32])));
        self.engine.set_hashes_max(before.saturating_add(hashes));
        while self.hashes() - before < hashes {
            // Nothing is found, so nothing is sent: this only lets time pass.
            let _ = self.engine.events().recv_timeout(Duration::from_millis(1));
            if started.elapsed().as_secs() > BLOCK_SECONDS_MAX {
                bail!("the hashes take too long");
            }
        }
        let took = started.elapsed();
        while !self.engine.is_idle() {
            std::thread::yield_now();
        }
        let done = self.hashes() - before;
        self.engine.stop();
        self.engine.set_hashes_max(u64::MAX);
        Ok((done, took))
    }

    /// A round of a beacon: it heard these keys after the tip.
    pub(super) fn heard(
        &mut self,
        beacon: &SecretKey,
        keys: &[PubKey],
    ) -> anyhow::Result<Vec<Presence>> {
        self.round += 1;
        let salted = keys.iter().map(|key| {
            let salt = SecretKey::generate()?.public_key().0;
            anyhow::Ok((*key, *salt.first_chunk().context("32 bytes")?))
        });
        let salted = salted.collect::<anyhow::Result<Vec<_>>>()?;
        let roll = Roll::new(beacon.public_key(), self.round, self.tip()?, salted)
            .context("somebody was heard")?;
        let sig = beacon.sign(&roll.message(&self.ledger.chain().genesis), Purpose::Presence)?;
        let presences = keys.iter().map(|key| roll.presence(*key, sig));
        presences.collect::<Option<_>>().context("every key was heard")
    }

    /// An entry of the state after the tip.
    pub(super) fn entry<T: EntryValue>(&self, key: &EntryKey) -> anyhow::Result<Option<T>> {
        let bytes = self.ledger.view().entry(key)?;
        Ok(bytes.map(|bytes| borsh::from_slice(&bytes)).transpose()?)
    }

    /// A request and what the predicate says of it in the next block.
    pub(super) fn answer(&self, request: CoreId) -> anyhow::Result<(HeldRequest, Answer)> {
        let answer = self.ledger.chain().answer(self.ledger.view(), request)?;
        answer.context("the state knows the request")
    }

    /// The bytes of every block.
    pub(super) fn chain_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut all = Vec::new();
        let view = self.ledger.view();
        for height in 0..=self.height()? {
            let hash = view.hash_at(height)?.context("a block at every height")?;
            all.extend(view.block_bytes(&hash)?.context("every block is stored")?);
        }
        Ok(all)
    }
}
