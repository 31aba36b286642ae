//! The next block to mine: everything but the payout, the time and the nonce.

use std::sync::Arc;

use crate::consensus::merkle;
use crate::engine::merkle::BranchTree;
use crate::hash::sha256::sha256d;
use crate::ledger::block::{Block, Included};
use crate::ledger::chain::header::{check_clock, check_unproven, required_bits};
use crate::ledger::chain::{Chain, Record, View};
use crate::ledger::coinbase::{Coinbase, CoinbaseForm, Payout};
use crate::ledger::rules::BlockRule;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::{BLOCK_VERSION, RELIEF_AFTER_SPACINGS};
use crate::ledger::store::StoreError;
use crate::ledger::tree::StateRoot;
use crate::primitives::{BlockHash, CompactTarget, Digest, Header, MerkleRoot};

/// A block on the tip whose transactions are chosen.
#[derive(Debug, Clone)]
pub struct Template {
    chain: Chain,
    parent: Record,
    /// Hash of the parent.
    pub parent_hash: BlockHash,
    /// Its height.
    pub height: u32,
    /// The least time that it may be stamped.
    pub time_least: u32,
    /// State after the parent, which its coinbase commits to.
    pub root: StateRoot,
    /// The transactions, coinbase left out.
    pub transactions: Vec<Arc<Included>>,
    branch: Vec<Digest>,
    /// Subsidy and fees: what the coinbase may pay.
    pub reward: u64,
}

impl Template {
    /// A block on the tip of `view` with nothing but its coinbase.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn empty(chain: &Chain, view: &View<'_>) -> Result<Self, StoreError> {
        let parent_hash = view.tip()?;
        let parent = view.expect_record(&parent_hash)?;
        let height = parent.height + 1;
        Ok(Self {
            chain: chain.clone(),
            parent,
            parent_hash,
            height,
            time_least: view.median_time_after(&parent)?.saturating_add(1),
            root: view.root()?,
            transactions: Vec::new(),
            branch: Vec::new(),
            reward: chain.spec.subsidy(height),
        })
    }

    /// A block on the tip of `view` with these transactions, whose fees are `fees` together.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn on_tip(
        chain: &Chain,
        view: &View<'_>,
        transactions: Vec<Included>,
        fees: u64,
    ) -> Result<Self, StoreError> {
        let mut tree = BranchTree::new(chain.kernel);
        transactions.iter().for_each(|included| tree.push(included.leaf()));
        let transactions = transactions.into_iter().map(Arc::new).collect();
        Ok(Self::empty(chain, view)?.holding(transactions, fees, tree.branch()))
    }

    /// The same block with these transactions, the sum of their fees and the way of the coinbase up
    /// their tree.
    #[must_use]
    pub fn holding(self, transactions: Vec<Arc<Included>>, fees: u64, branch: Vec<Digest>) -> Self {
        let reward = self.chain.spec.subsidy(self.height).saturating_add(fees);
        Self { transactions, branch, reward, ..self }
    }

    /// nBits of the block if it is stamped `time`.
    #[must_use]
    pub fn bits(&self, time: u32) -> CompactTarget {
        required_bits(&self.chain.spec, &self.parent, time)
    }

    /// The last time up to which [`Template::bits`] stays what it is at `time`: then relief takes its
    /// next step and the job is to be renewed.
    #[must_use]
    pub fn bits_hold_until(&self, time: u32) -> u32 {
        let spacing = self.chain.spec.spacing_s;
        let since = time.saturating_sub(self.parent.latest_time);
        let steps = (since / spacing).max(RELIEF_AFTER_SPACINGS) + 1;
        self.parent.latest_time.saturating_add(steps.saturating_mul(spacing) - 1)
    }

    /// The coinbase that pays everything to one key; `extra` is extranonce and tag.
    #[must_use]
    pub fn coinbase(&self, payout: PubKey, extra: &[u8]) -> Vec<u8> {
        let payouts = vec![Payout { key: payout, value: self.reward }];
        Coinbase { height: self.height, commitment: self.root.0, payouts }.encode(extra)
    }

    /// The coinbase with blanks for an extranonce of this width, before `tag`, and for the key that it pays.
    #[must_use]
    pub fn coinbase_form(&self, extranonce_bytes: usize, tag: &[u8]) -> CoinbaseForm {
        CoinbaseForm::new(self.height, self.root.0, self.reward, extranonce_bytes, tag)
    }

    /// The header with this merkle root, stamped `time`, its nonce not searched.
    #[must_use]
    pub fn header(&self, time: u32, merkle_root: MerkleRoot) -> Header {
        Header {
            version: BLOCK_VERSION.cast_signed(),
            prev_block: self.parent_hash,
            merkle_root,
            time,
            bits: self.bits(time),
            nonce: 0,
        }
    }

    /// The block with this coinbase, stamped `time`, its nonce not searched.
    ///
    /// # Panics
    ///
    /// If the coinbase does not decode: it comes from [`Template::coinbase`] or has been decoded.
    #[must_use]
    pub fn block(&self, coinbase_bytes: Vec<u8>, time: u32) -> Block {
        let mut reader = crate::primitives::codec::Reader::new(&coinbase_bytes);
        let coinbase = Coinbase::decode(&mut reader).expect("a coinbase of ours decodes");
        let leaf = sha256d(&coinbase_bytes);
        let root = self.branch.iter().fold(leaf, |left, right| merkle::node(&left, right));
        let header = self.header(time, MerkleRoot(root));
        let transactions = self.transactions.iter().map(|included| (**included).clone()).collect();
        Block { header, coinbase, coinbase_bytes, transactions }
    }

    /// Whether a block of these transactions, with a header whose merkle root is that of this coinbase,
    /// would be accepted at `now` but for its work. It is what a share is held to, so that nobody is
    /// credited for work on what could never be a block.
    ///
    /// # Errors
    ///
    /// The first rule broken.
    pub fn check_share(
        &self,
        header: &Header,
        coinbase: &Coinbase,
        now: u64,
    ) -> Result<(), BlockRule> {
        let Chain { spec, keys, .. } = &self.chain;
        check_unproven(spec, &self.parent, self.time_least.saturating_sub(1), header)?;
        check_clock(spec, header, now)?;
        if coinbase.height != self.height {
            return Err(BlockRule::BadCoinbaseHeight(coinbase.height));
        }
        if StateRoot(coinbase.commitment) != self.root {
            let (expected, got) = (self.root.to_string(), hex::encode(coinbase.commitment));
            return Err(BlockRule::BadStateRoot { expected, got });
        }
        for payout in &coinbase.payouts {
            keys.check(&payout.key).map_err(BlockRule::BadCoinbaseKey)?;
        }
        let (paid, allowed) = (coinbase.paid(), self.reward);
        if paid > u128::from(allowed) {
            return Err(BlockRule::BadCoinbaseAmount { paid, allowed });
        }
        Ok(())
    }

    /// The hashes that fold a coinbase's hash into the merkle root, lowest level first.
    #[must_use]
    pub fn merkle_branch(&self) -> &[Digest] {
        &self.branch
    }
}
