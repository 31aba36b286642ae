//! What becomes of a body: somebody pays for it, those whose keys are here sign it, and it goes to the
//! inbox of the miner or into a file that others sign. One piece for every command that signs.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use proofward::ledger::mempool::{Refused, Source};
use proofward::ledger::rules::TransactionError;
use proofward::ledger::rules::context::{Refusal, fee_least, new_entries};
use proofward::ledger::signature::{PubKey, Sig};
use proofward::ledger::spec::FEE_PER_STATE_ENTRY;
use proofward::ledger::state::{Account, EntryKey, Session};
use proofward::ledger::transaction::{
    Body, CORE_VERSION, Core, CoreId, Transaction, VALIDITY_BLOCKS_MAX,
};
use proofward::node::feed::pool_of;
use proofward::primitives::BlockHash;
use proofward::wallet::{KeyName, Keyring, SecretKey, Signer, TransactionFile};
use proofward::words::{Done, Lang, refusal};
use serde::Serialize;

use super::desk::Desk;
use super::exit::Outcome;
use super::output::{LangArg, json_line, text_line, write_file};
use super::settings::{parse_tokens, tokens};
use super::signing::SigningArgs;

/// How a transaction is paid for, signed and sent.
#[derive(Debug, clap::Args)]
pub(crate) struct SendArgs {
    /// Who pays the fee and signs too: an address, 64 hex digits, or a key [default: who acts]
    #[arg(long, value_name = "KEY")]
    payer: Option<String>,
    /// Do not sign: for keys that are elsewhere
    #[arg(long, requires = "out", conflicts_with = "signer")]
    unsigned: bool,
    /// Tokens for the miner [default: what the rules ask]
    #[arg(long, value_name = "TOKENS", value_parser = parse_tokens)]
    fee: Option<u64>,
    /// Write the transaction to FILE instead of the inbox; - for standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which language people are told
    #[arg(long, value_enum, default_value_t)]
    lang: LangArg,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
}

/// What is to happen, and who of those that must sign is at hand.
pub(crate) struct Proposal<'a> {
    body: Body,
    /// The keys as they were typed. The first one acts: it pays unless somebody else does, and a program
    /// signs for it.
    names: Vec<String>,
    /// Keys that stand in no file of the keyring.
    held: Vec<&'a SecretKey>,
    anchor: BlockHash,
    may_be_free: bool,
}

/// A transaction with the signatures that could be gathered here.
pub(crate) struct Outgoing {
    file: TransactionFile,
    body: &'static str,
}

#[derive(Serialize)]
struct Sent<T> {
    transaction: String,
    core: String,
    body: &'static str,
    fee_units: u64,
    nonce: u64,
    missing: usize,
    #[serde(flatten)]
    more: T,
}

#[derive(Serialize)]
struct RefusedLine {
    transaction: String,
    core: String,
    body: &'static str,
    rule: &'static str,
    detail: String,
}

/// What the next block would say of a transaction, together with what waits.
pub(crate) enum Judged {
    /// It takes it, or may later: why not now.
    Taken(Option<Refused>),
    /// It does not.
    Refused(Refused),
}

/// For results that say nothing more.
#[derive(Serialize)]
pub(crate) struct NoMore {}

impl<'a> Proposal<'a> {
    /// A body that these people, as they were typed, have to sign.
    pub(crate) fn new(body: Body, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self { body, names, held: Vec::new(), anchor: BlockHash::ZERO, may_be_free: false }
    }

    /// With a key that is in memory.
    pub(crate) fn held(mut self, key: &'a SecretKey) -> Self {
        self.held.push(key);
        self
    }

    /// Bound to a branch that holds this block, and signed after it.
    pub(crate) fn anchored(mut self, anchor: BlockHash) -> Self {
        self.anchor = anchor;
        self
    }

    /// The rules may take it without the ordinary fee.
    pub(crate) fn free(mut self) -> Self {
        self.may_be_free = true;
        self
    }
}

impl SendArgs {
    /// For a program that leaves what it signs in the inbox, at the fee that the rules ask.
    pub(crate) fn to_inbox(payer: Option<String>, signing: SigningArgs) -> Self {
        Self { payer, unsigned: false, fee: None, out: None, lang: LangArg::default(), signing }
    }

    /// Whether nobody is to sign here.
    pub(crate) fn is_unsigned(&self) -> bool {
        self.unsigned
    }

    /// Whether the transaction goes into a file.
    pub(crate) fn has_out(&self) -> bool {
        self.out.is_some()
    }

    /// In which language people are told.
    pub(crate) fn lang(&self) -> Lang {
        self.lang.into()
    }

    /// The chain that the transaction is for.
    pub(crate) fn desk(&self) -> anyhow::Result<Desk> {
        Desk::open(&self.signing.place)
    }

    /// Writes the transaction and signs it with every key that is here.
    pub(crate) fn sign(&self, desk: &Desk, proposal: Proposal<'_>) -> anyhow::Result<Outgoing> {
        let Proposal { body, names, held, anchor, may_be_free } = proposal;
        let actor = names.first().context("somebody acts")?;
        let signers = match self.unsigned {
            true => Vec::new(),
            false => self.signers(desk, &names, !held.is_empty())?,
        };
        // What goes without a fee is paid for by a key of its own: whoever signs for the body and pays too
        // could use the nonce for something else, and nobody else could have it mined.
        let once = match may_be_free && self.payer.is_none() && self.fee.is_none() {
            true => Some(SecretKey::generate()?),
            false => None,
        };
        let payer = match &once {
            Some(once) => once.public_key(),
            None => self.payer_key(desk, actor)?,
        };
        let transaction = self.envelope(desk, body, payer, anchor, may_be_free)?;
        let body = transaction.core.body.name();
        let mut file = TransactionFile::new(desk.chain.genesis, transaction)?;
        let needed: Vec<PubKey> = file.signers().map(|(key, _)| key).collect();
        let signers = signers.iter().map(|signer| &**signer);
        for signer in signers.chain(held.into_iter().chain(&once).map(|held| held as &dyn Signer)) {
            if needed.contains(&signer.public_key()) {
                file.sign(signer)?;
            }
        }
        let missing = file.missing();
        if let (Some(first), None) = (missing.first(), &self.out) {
            bail!(
                "{} of {} signatures are missing, that of {first} first: write the transaction to a \
                 file with --out FILE and pass it on (see `proofward tx`)",
                missing.len(),
                needed.len()
            );
        }
        Ok(Outgoing { file, body })
    }

    fn payer_key(&self, desk: &Desk, actor: &str) -> anyhow::Result<PubKey> {
        let payer = self.payer.as_deref().unwrap_or(actor);
        desk.key(payer).with_context(|| format!("{payer}, who pays"))
    }

    /// The same core at the ordinary fee, paid for by who pays here, or else by `key`; or why not, in words.
    pub(crate) fn sponsor(
        &self,
        desk: &Desk,
        transaction: Transaction,
        key: &SecretKey,
    ) -> anyhow::Result<Result<Transaction, String>> {
        let genesis = desk.chain.genesis;
        let payer = self.payer_key(desk, &key.public_key().to_string())?;
        let mut envelope = self.envelope_of(desk, transaction.core.clone(), payer, false)?;
        let signed = TransactionFile::new(genesis, transaction)?;
        loop {
            let mut file = TransactionFile::new(genesis, envelope.clone())?;
            file.combine(&signed)?;
            if payer == key.public_key() {
                file.sign(key)?;
            } else if let Some(name) = &self.payer {
                file.sign(&*self.signing.key_file(name, desk.dir.path())?)?;
            }
            let Some(sponsored) = file.complete() else {
                return Ok(Err("who signed it paid for it too: nobody else can".to_owned()));
            };
            match judge(desk, &sponsored)? {
                Judged::Taken(_) => return Ok(Ok(sponsored)),
                // What waits before it decides how much of it stays in the state.
                Judged::Refused(Refused::Rule(TransactionError::FeeTooLow { least, got }))
                    if least > got =>
                {
                    envelope.fee = least;
                }
                Judged::Refused(refused) => return Ok(Err(refusal(self.lang(), &refused))),
            }
        }
    }

    /// Everybody who was named and can sign here: the actor by the program, if one was given, the others
    /// by their key files.
    fn signers(
        &self,
        desk: &Desk,
        names: &[String],
        has_held: bool,
    ) -> anyhow::Result<Vec<Box<dyn Signer>>> {
        let dir = desk.dir.path();
        let ring = Keyring::in_dir(dir);
        let is_here = |name: &str| {
            name.parse::<KeyName>().is_ok_and(|name| ring.path(&name).symlink_metadata().is_ok())
        };
        let prefix = desk.spec().address_prefix.parse()?;
        let named: Vec<&str> = names.iter().chain(&self.payer).map(String::as_str).collect();
        let mut signers: Vec<Box<dyn Signer>> = Vec::new();
        for (at, name) in named.iter().enumerate() {
            let is_actor = at == 0;
            if is_actor && self.signing.has_program() {
                signers.push(self.signing.signer_of(name, dir, prefix)?);
            } else if is_here(name) && !named[..at].contains(name) {
                signers.push(self.signing.key_file(name, dir)?);
            }
        }
        if signers.is_empty() && !has_held {
            // Says what is wrong with the name.
            signers.push(self.signing.signer_of(named[0], dir, prefix)?);
        }
        Ok(signers)
    }

    fn envelope(
        &self,
        desk: &Desk,
        body: Body,
        payer: PubKey,
        anchor: BlockHash,
        may_be_free: bool,
    ) -> anyhow::Result<Transaction> {
        let tip = desk.next()?.height.saturating_sub(1);
        let core = Core {
            version: CORE_VERSION,
            chain: desk.chain.chain_id,
            valid_from: tip,
            valid_to: tip.saturating_add(VALIDITY_BLOCKS_MAX),
            anchor: anchor.0,
            body,
        };
        self.envelope_of(desk, core, payer, may_be_free)
    }

    fn envelope_of(
        &self,
        desk: &Desk,
        core: Core,
        payer: PubKey,
        may_be_free: bool,
    ) -> anyhow::Result<Transaction> {
        let next = desk.next()?.height;
        let account: Option<Account> = desk.entry(&EntryKey::Account(payer))?;
        let mut transaction = Transaction {
            core,
            payer,
            nonce: account.unwrap_or_default().nonce + 1 + desk.dir.waiting_of(&payer)?,
            fee: 0,
            sigs: Vec::new(),
        };
        transaction.sigs = vec![Sig([0; 64]); transaction.signers().len()];
        let view = desk.view();
        let new_entries = new_entries(&mut Session::new(&view, next), &transaction.core.body)?;
        let least = fee_least(transaction.encode().len(), &transaction, new_entries);
        transaction.fee = self.fee.unwrap_or(if may_be_free { 0 } else { least });
        if transaction.fee < least && !may_be_free {
            bail!(
                "--fee {}: the rules ask at least {} tokens, {} of them for what stays in the state",
                tokens(transaction.fee),
                tokens(least),
                tokens(new_entries * FEE_PER_STATE_ENTRY)
            );
        }
        transaction.sigs.clear();
        Ok(transaction)
    }
}

impl Outgoing {
    /// Whether the next block would refuse it, together with what waits; then that is told. One that
    /// others have to sign is not judged yet.
    pub(crate) fn is_refused(&self, args: &SendArgs, desk: &Desk) -> anyhow::Result<bool> {
        let Some(complete) = self.file.complete().filter(|_| args.out.is_none()) else {
            return Ok(false);
        };
        let Judged::Refused(refused) = judge(desk, &complete)? else { return Ok(false) };
        let ids = self.file.ids();
        if args.signing.format.is_json() {
            json_line(&RefusedLine {
                transaction: ids.transaction.to_string(),
                core: ids.core.to_string(),
                body: self.body,
                rule: refused.name(),
                detail: refused.to_string(),
            })?;
        } else {
            let lang = args.lang();
            text_line(Done::Refused.say(lang, &[&refusal(lang, &refused)]))?;
        }
        Ok(true)
    }

    /// The name by which later transactions refer to it.
    pub(crate) fn core(&self) -> CoreId {
        self.file.ids().core
    }

    /// The bytes of the transaction, if everybody has signed.
    pub(crate) fn complete(&self) -> Option<Vec<u8>> {
        self.file.complete().map(|transaction| transaction.encode())
    }

    /// Leaves it for the miner without a word.
    pub(crate) fn leave(&self, desk: &Desk) -> anyhow::Result<()> {
        let complete = self.complete().context("signatures are missing")?;
        Ok(desk.dir.inbox()?.leave(&complete)?)
    }

    /// Leaves it for the miner or writes it to the file, and says so: `text` to people, `more` to
    /// programs. One that the rules refuse goes nowhere.
    pub(crate) fn send(
        self,
        args: &SendArgs,
        desk: &Desk,
        text: &str,
        more: impl Serialize,
    ) -> anyhow::Result<Outcome> {
        if self.is_refused(args, desk)? {
            return Ok(Outcome::No);
        }
        self.deliver(args, desk, text, more)
    }

    /// The same for one that has been judged: what had to be kept before it goes out is kept by now.
    pub(crate) fn deliver(
        self,
        args: &SendArgs,
        desk: &Desk,
        text: &str,
        more: impl Serialize,
    ) -> anyhow::Result<Outcome> {
        let missing = self.file.missing().len();
        match (&args.out, self.file.complete()) {
            (Some(path), _) => {
                if !write_file(path, self.file.to_text().as_bytes())? {
                    return Ok(Outcome::Yes);
                }
            }
            (None, Some(complete)) => desk.dir.inbox()?.leave(&complete.encode())?,
            (None, None) => bail!("{missing} signatures are missing"),
        }
        let (ids, transaction) = (self.file.ids(), self.file.unsigned());
        let sent = Sent {
            transaction: ids.transaction.to_string(),
            core: ids.core.to_string(),
            body: self.body,
            fee_units: transaction.fee,
            nonce: transaction.nonce,
            missing,
            more,
        };
        if args.signing.format.is_json() {
            json_line(&sent)?;
            return Ok(Outcome::Yes);
        }
        let lang = args.lang();
        text_line(Done::Sent.say(lang, &[text, &tokens(sent.fee_units), &sent.transaction]))?;
        text_line(Done::Core.say(lang, &[&sent.core]))?;
        if missing > 0 {
            text_line(Done::Missing.say(lang, &[&missing.to_string()]))?;
        }
        Ok(Outcome::Yes)
    }
}

/// Judges a complete transaction by the rules of the next block. What waits may stand in its way.
pub(crate) fn judge(desk: &Desk, transaction: &Transaction) -> anyhow::Result<Judged> {
    let view = desk.view();
    let mut pool = pool_of(&desk.chain, &view, &desk.dir.inbox()?)?;
    match pool.admit(&view, &transaction.encode(), Source::Own) {
        Ok(_) | Err(Refusal::Rule(Refused::Known)) => Ok(Judged::Taken(None)),
        Err(Refusal::Rule(refused)) if refused.is_passing() => Ok(Judged::Taken(Some(refused))),
        Err(Refusal::Rule(refused)) => Ok(Judged::Refused(refused)),
        Err(Refusal::Store(error)) => Err(error.into()),
    }
}
