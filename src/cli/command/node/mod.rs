//! `proofward node`: the ledger with doors for miners, pools and those who watch.

mod log;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use log::{FAREWELL, Log};

use crate::cli::command::{init, kernels};
use crate::cli::exit::Outcome;
use crate::cli::outlet::Printer;
use crate::cli::output::{Format, json_line, text_line, write_stdout};
use crate::cli::settings::{Place, key_or_address, tokens};
use proofward::engine::{Engine, Options};
use proofward::hash::Algorithm;
use proofward::ledger::address::Address;
use proofward::ledger::chain::Ledger;
use proofward::ledger::signature::PubKey;
use proofward::ledger::store::DiskStore;
use proofward::node::clock::Clock;
use proofward::node::config::Config;
use proofward::node::daemon::{Addresses, Daemon, Start, ended_by_signal};
use proofward::node::dir::ChainDir;
use proofward::node::feed::Told;
use proofward::node::handle::{Event, Found, Handle};

/// Threads that serve connections, at most: the processor is for hashing.
const SERVING_THREADS_MAX: usize = 4;

/// Serve miners: stratum, getblocktemplate, metrics
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward node --mine                              a local chain, mined here and by whoever connects
  proofward node --stratum 0.0.0.0:3333 --mine       the same, open to the machines around
  proofward node --print-config > node.toml          every setting, explained
  proofward node --config node.toml

It founds a local chain if the directory holds none. How to point minerd, cpuminer-opt, cgminer or a
Bitaxe at it is printed at the start. Without a user in the configuration, RPC callers are let in by
the file .cookie in the directory. Ctrl-C or SIGTERM end it; who is connected is waited for a
second at most. Whatever was acknowledged is kept, also if it is killed.")]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Which chain to found if the directory holds none, or the one that it must hold: local, test, main,
    /// or a TOML file
    #[arg(long, value_name = "CHAIN")]
    chain: Option<String>,
    /// Mine on this machine as well
    #[arg(long)]
    mine: bool,
    /// How many threads hash [default: one for each CPU]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Whom blocks pay when the miner named nobody: an address, 64 hex digits or the name of a key
    /// [default on a local chain: the key named miner]
    #[arg(long, value_name = "KEY")]
    payout: Option<String>,
    /// Where miners connect by stratum, or off [default: 127.0.0.1:3333]
    #[arg(long, value_name = "ADDR")]
    stratum: Option<String>,
    /// Where getblocktemplate and the rest are called, or off [default: 127.0.0.1:9332]
    #[arg(long, value_name = "ADDR")]
    rpc: Option<String>,
    /// Where /metrics, /status and /health are, or off [default: 127.0.0.1:9380]
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// A configuration; arguments come before what it says
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the configuration that results, every key explained, and end
    #[arg(long)]
    print_config: bool,
    /// How to print what happens
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line {
    Ready {
        chain: String,
        algorithm: String,
        height: u32,
        stratum: Option<String>,
        rpc: Option<String>,
        http: Option<String>,
        cookie: Option<String>,
    },
    Block {
        finder: String,
        height: u32,
        hash: String,
        access_transactions: usize,
        payments: usize,
        reward_units: u64,
        spendable_at: u32,
    },
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = self.config()?;
        if self.print_config {
            write_stdout(config.to_toml().as_bytes())?;
            return Ok(Outcome::Yes);
        }
        let _log = Log::start(&config)?;
        let dir = ChainDir::new(self.place.clone().resolve()?);
        let ledger = self.ledger(&dir)?;
        let payout = payout(&config, &dir, &ledger)?;
        let engine = match (config.mine.enabled, payout) {
            (false, _) => None,
            (true, None) => bail!("mining needs somebody to pay: give --payout"),
            (true, Some(_)) => Some(engine(&config, &ledger)?),
        };
        let clock = Clock::system();
        let start = Start { dir, ledger, config, payout, engine, clock };
        let cpus = Options::default().threads.get();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cpus.min(SERVING_THREADS_MAX))
            .enable_all()
            .build()
            .context("starting the runtime")?;
        runtime.block_on(self.serve(start))
    }

    async fn serve(&self, start: Start) -> anyhow::Result<Outcome> {
        let payout = start.payout;
        let mut node = Daemon::start(start).await?;
        let stopper = node.stopper();
        tokio::spawn(async move {
            if let Err(error) = ended_by_signal().await {
                tracing::error!(%error, "signals cannot be heard");
            }
            stopper.send_replace(true);
        });
        self.ready(node.handle(), node.addresses(), payout)?;
        let printer = Printer::start(self.format, FAREWELL)?;
        let mut told = Ok(());
        while told.is_ok() {
            let event = tokio::select! {
                event = node.next() => event,
                () = printer.failed() => None,
            };
            let Some(event) = event else { break };
            told = tell(&event, &printer);
        }
        for event in node.stop().await? {
            told = told.and_then(|()| tell(&event, &printer));
        }
        told?;
        printer.end()?;
        Ok(Outcome::Yes)
    }

    /// The file's settings, with what the arguments say in their places.
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            None => Config::default(),
            Some(path) => {
                let text = fs::read_to_string(path)
                    .with_context(|| format!("--config {}", path.display()))?;
                Config::from_toml(&text).with_context(|| path.display().to_string())?
            }
        };
        let set = |place: &mut String, argument: &Option<String>| {
            if let Some(text) = argument {
                place.clone_from(text);
            }
        };
        config.mine.enabled |= self.mine;
        config.mine.threads = self.threads.map_or(config.mine.threads, NonZeroUsize::get);
        set(&mut config.mine.payout, &self.payout);
        set(&mut config.stratum.listen, &self.stratum);
        set(&mut config.rpc.listen, &self.rpc);
        set(&mut config.http.listen, &self.http);
        Ok(config.check()?)
    }

    fn ledger(&self, dir: &ChainDir) -> anyhow::Result<Ledger<DiskStore>> {
        if !dir.holds_chain() {
            let chain = self.chain.as_deref().unwrap_or("local");
            eprintln!("proofward: founding a chain ({chain}) in {}", dir.path().display());
            return init::found(dir, chain);
        }
        let ledger = dir.open(Options::default().threads)?;
        if let Some(chain) = &self.chain {
            let held = &ledger.chain().spec;
            let is_held = match chain.as_str() {
                name @ ("local" | "test" | "main") => held.name == name,
                file => ChainDir::spec_file(&PathBuf::from(file))? == *held,
            };
            if !is_held {
                let (path, name) = (dir.path().display(), &held.name);
                bail!(
                    "{path} holds chain {name}, not {chain}: leave --chain out or name another --dir"
                );
            }
        }
        Ok(ledger)
    }

    fn ready(
        &self,
        handle: &Handle,
        addresses: &Addresses,
        payout: Option<PubKey>,
    ) -> anyhow::Result<()> {
        let spec = &handle.chain().spec;
        let text = |address: Option<SocketAddr>| address.map(|address| address.to_string());
        let cookie = addresses.cookie.as_ref().map(|path| path.display().to_string());
        if self.format.is_json() {
            return json_line(&Line::Ready {
                chain: spec.name.clone(),
                algorithm: spec.algorithm.to_string(),
                height: handle.current().height() - 1,
                stratum: text(addresses.stratum),
                rpc: text(addresses.rpc),
                http: text(addresses.http),
                cookie,
            });
        }
        for line in guidance(spec.algorithm, &worker(handle, payout)?, addresses) {
            eprintln!("{line}");
        }
        let or_off = |address| text(address).unwrap_or_else(|| "off".into());
        text_line(format!(
            "ready: chain {} at height {}, stratum {}, rpc {}, http {}",
            spec.name,
            handle.current().height() - 1,
            or_off(addresses.stratum),
            or_off(addresses.rpc),
            or_off(addresses.http)
        ))
    }
}

/// A block is a result; what became of files in the inbox is for the log.
fn tell(event: &Event, printer: &Printer) -> anyhow::Result<()> {
    match event {
        Event::Found(found) if printer.is_json() => printer.json(&Line::Block {
            finder: found.finder.to_string(),
            height: found.height,
            hash: found.hash.to_string(),
            access_transactions: found.access_transactions,
            payments: found.payments,
            reward_units: found.reward,
            spendable_at: found.spendable_at,
        }),
        Event::Found(found) => printer.text(sentence(found)),
        Event::Inbox(Told { core, refused, is_removed }) => {
            let core = core.map(|core| core.to_string());
            tracing::warn!(core, rule = refused.name(), is_removed, "in the inbox: {refused}");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// "rig1 mined block 42: 3 access transactions, 50 tokens, spendable at 142".
fn sentence(found: &Found) -> String {
    let Found { finder, height, access_transactions, payments, spendable_at, .. } = found;
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let access = counted(*access_transactions, "access transaction");
    let payments = match payments {
        0 => String::new(),
        _ => format!(" and {}", counted(*payments, "payment")),
    };
    let reward = tokens(found.reward);
    // A worker's name is a stranger's: what would move the cursor is left out.
    let finder: String = finder.chars().filter(|c| !c.is_control()).collect();
    format!(
        "{finder} mined block {height}: {access}{payments}, {reward} tokens, \
         spendable at {spendable_at}"
    )
}

/// How to point miners at the node.
fn guidance(algorithm: Algorithm, worker: &str, addresses: &Addresses) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(address) = addresses.stratum {
        let (host, port) = (reachable(address.ip()), address.port());
        let url = format!("stratum+tcp://{}", SocketAddr::new(host, port));
        lines.push("Point miners at it:".into());
        lines.push(format!("  proofward mine --url {url} --user {worker}"));
        if algorithm == Algorithm::Sha256d {
            lines.push(format!("  minerd -a sha256d -o {url} -u {worker} -p x"));
            lines.push(format!("  cpuminer -a sha256d -o {url} -u {worker} -p x"));
            lines.push(format!("  cgminer -o {url} -u {worker} -p x"));
            lines.push(format!(
                "  Bitaxe: Stratum Host {host}, Stratum Port {port}, Stratum User {worker}, \
                 Stratum Password x"
            ));
        } else {
            lines.push(format!("  This chain hashes {algorithm}, which only our own miner does."));
        }
        if address.ip().is_loopback() {
            lines.push(format!(
                "  It listens for this machine only: --stratum 0.0.0.0:{port} opens it to the network."
            ));
        }
    }
    if let Some(address) = addresses.rpc {
        let url = format!("http://{}", SocketAddr::new(reachable(address.ip()), address.port()));
        let user = match &addresses.cookie {
            Some(path) => format!("\"$(cat {})\"", path.display()),
            None => "USER:PASSWORD".into(),
        };
        lines.push("Or by getblocktemplate:".into());
        if algorithm == Algorithm::Sha256d {
            lines.push(format!("  minerd -a sha256d -o {url} -O {user}"));
            lines.push(format!("  cpuminer -a sha256d -o {url} -O {user}"));
        } else {
            lines.push(format!("  proofward mine --url {url}"));
        }
    }
    lines
}

/// The worker's name that the lines show.
fn worker(handle: &Handle, payout: Option<PubKey>) -> anyhow::Result<String> {
    let prefix = handle.chain().spec.address_prefix.parse()?;
    Ok(match payout {
        Some(key) => format!("{}.rig1", Address { prefix, key }),
        None => "YOUR_ADDRESS.rig1".into(),
    })
}

/// An address that others can use: of every address, the one that this machine reaches the world from.
fn reachable(ip: IpAddr) -> IpAddr {
    if !ip.is_unspecified() {
        return ip;
    }
    // Choosing a route sends nothing; the address is one for documentation (RFC 5737).
    let route = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    };
    route().map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}

fn payout(
    config: &Config,
    dir: &ChainDir,
    ledger: &Ledger<DiskStore>,
) -> anyhow::Result<Option<PubKey>> {
    let spec = &ledger.chain().spec;
    match config.mine.payout.as_str() {
        "" if spec.name == "local" => Ok(Some(init::key_for_local_chain(dir, "miner")?)),
        "" => Ok(None),
        text => Ok(Some(key_or_address(text, dir.path(), spec).context("payout")?)),
    }
}

fn engine(config: &Config, ledger: &Ledger<DiskStore>) -> anyhow::Result<Engine> {
    let mut options = Options { cpu_limit: config.mine.cpu_limit()?, ..Options::default() };
    options.threads = config.mine.threads().unwrap_or(options.threads);
    let kernel = kernels::choose(ledger.chain().spec.algorithm, None)?;
    Ok(Engine::new(kernel, options)?)
}
