//! The table of methods: name, parameters, what it is for, what runs. `help` is written from it.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Value, json};

use super::context::Context;
use super::envelope::{Answer, Call, Code, RpcError};
use super::params::Params;
use super::{chain, mining, pending};

/// A method.
#[derive(Debug)]
pub struct Method {
    /// What it is called.
    pub name: &'static str,
    /// Its parameters in order.
    pub params: &'static [&'static str],
    /// What it is for.
    pub about: &'static str,
    run: Run,
}

type Later = Pin<Box<dyn Future<Output = Answer> + Send>>;

#[derive(Debug)]
enum Run {
    /// It may read disk.
    Read(fn(&Context, &Params) -> Answer),
    /// It may wait.
    Wait(fn(Arc<Context>, Params, IpAddr) -> Later),
}

macro_rules! methods {
    ($($name:literal [$($param:literal)*] $kind:ident($run:expr) $about:literal)*) => {
        &[$(Method {
            name: $name,
            params: &[$($param),*],
            about: $about,
            run: Run::$kind($run),
        }),*]
    };
}

/// Every method, by name.
#[rustfmt::skip]
pub static METHODS: &[Method] = methods! {
    "getbestblockhash" [] Read(chain::best_block_hash) "hash of the tip"
    "getblock" ["blockhash" "verbosity"] Read(chain::block) "a block: 0 bytes, 1 ids, 2 transactions"
    "getblockchaininfo" [] Read(chain::chain_info) "chain, tip, work, what is settled"
    "getblockcount" [] Read(chain::block_count) "height of the tip"
    "getblockhash" ["height"] Read(chain::block_hash) "hash of the best chain's block at a height"
    "getblockheader" ["blockhash" "verbose"] Read(chain::header) "a header: false bytes, true fields"
    "getblocktemplate" ["template_request"] Wait(|context, params, ip| Box::pin(mining::template(context, params, ip))) "work for a miner (BIP22, BIP23); with longpollid it waits for a new tip; with mode proposal it judges the block in data"
    "getconnectioncount" [] Read(chain::connection_count) "connections to other nodes"
    "getdifficulty" [] Read(chain::difficulty) "difficulty of the block to mine"
    "getmempoolinfo" [] Wait(|context, _, _| Box::pin(pending::info(context))) "what is pending, counted"
    "getmininginfo" [] Read(chain::mining_info) "the block to mine, and the estimated rate of all miners"
    "getnetworkhashps" ["nblocks" "height"] Read(chain::network_hash_rate) "the estimated rate of all miners"
    "getnetworkinfo" [] Read(chain::network_info) "version of this node"
    "getpeerinfo" [] Read(chain::peer_info) "other nodes: none yet"
    "getrawmempool" [] Wait(|context, _, _| Box::pin(pending::ids(context))) "ids of what is pending, best first"
    "help" ["command"] Read(help) "this list, or one line of it"
    "sendrawtransaction" ["hexstring" "maxfeerate"] Wait(|context, params, _| Box::pin(pending::send(context, params))) "bring a transaction; answers its id"
    "stop" [] Read(stop) "end the node"
    "submitblock" ["hexdata" "parameters"] Wait(|context, params, ip| Box::pin(mining::submit(context, params, ip))) "bring a block, or header and coinbase of a template; null, or why not"
    "uptime" [] Read(uptime) "seconds since the start"
    "validateaddress" ["address"] Read(chain::validate_address) "whether an address is of this chain, and its script"
};

/// The method of a call, with the parameters in their places.
///
/// # Errors
///
/// If there is none, or it takes other parameters.
pub fn resolve(call: &Call) -> Result<(&'static Method, Params), RpcError> {
    let found = METHODS.binary_search_by(|method| method.name.cmp(call.method.as_str()));
    let Ok(at) = found else {
        let message = format!("no method {:?}: see help", call.method);
        return Err(RpcError::new(Code::MethodNotFound, message));
    };
    let method = &METHODS[at];
    Ok((method, Params::bind(method.params, call.params.clone())?))
}

/// Runs a call of somebody at `ip`.
pub async fn run(context: &Arc<Context>, call: &Call, ip: IpAddr) -> Answer {
    let (method, params) = resolve(call)?;
    let context = Arc::clone(context);
    match method.run {
        Run::Read(read) => mining::blocking(move || read(&context, &params)).await,
        Run::Wait(wait) => wait(context, params, ip).await,
    }
}

fn help(_: &Context, params: &Params) -> Answer {
    let wanted = params.string_or_none(0)?;
    let chosen = METHODS.iter().filter(|method| wanted.is_none_or(|name| name == method.name));
    let lines: Vec<String> = chosen
        .map(|method| {
            let params: String = method.params.iter().map(|param| format!(" {param}")).collect();
            format!("{}{params}: {}", method.name, method.about)
        })
        .collect();
    if lines.is_empty() {
        let message = format!("no method {:?}: see help", wanted.unwrap_or_default());
        return Err(RpcError::new(Code::Misc, message));
    }
    Ok(json!(lines.join("\n")))
}

fn stop(context: &Context, _: &Params) -> Answer {
    context.stop.send_replace(true);
    Ok(json!("proofward stopping"))
}

fn uptime(context: &Context, _: &Params) -> Answer {
    Ok(Value::from(context.handle.clock().now().saturating_sub(context.started)))
}
