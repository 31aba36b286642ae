//! What callers send to the RPC port, up to where the ledger is asked.

use serde_json::Value;

use crate::node::rpc::envelope::{BATCH_MAX, Body, Call, Code, RpcError, read};
use crate::node::rpc::json;
use crate::node::rpc::methods::resolve;
use crate::node::rpc::params::Params;
use crate::node::rpc::templates::{Completed, Templates};

/// Any body is answered, in JSON that can be read; and what the bounded reader takes means to it what it
/// means to the plain one.
///
/// # Panics
///
/// If the readers differ, an answer cannot be read, or a block changes on its way.
pub fn rpc_body(data: &[u8]) {
    if let Ok(value) = json::parse(data) {
        let plain: Value = serde_json::from_slice(data).expect("the plain reader takes more");
        assert_eq!(value, plain);
    }
    let calls = match read(data) {
        Body::One(call) => vec![call],
        Body::Batch(calls) => calls,
    };
    assert!((1..=BATCH_MAX).contains(&calls.len()), "there is something to answer");
    for call in calls {
        let (return_to, answer) = match call {
            Ok(call) => {
                let answer = resolved(&call);
                (call.return_to, answer)
            }
            Err((return_to, error)) => (return_to, Err(error)),
        };
        let text = serde_json::to_string(&return_to.wrap(answer)).expect("an answer is JSON");
        let again = json::parse(text.as_bytes()).expect("and can be read");
        assert!(again["result"].is_null() || again["error"].is_null(), "{text}");
    }
}

fn resolved(call: &Call) -> Result<Value, RpcError> {
    let (method, params) = resolve(call)?;
    for at in 0..method.params.len() {
        read_as_all(&params, at)?;
    }
    if let ("submitblock", Ok(text)) = (method.name, params.string(0)) {
        let sent = hex::decode(text)
            .map_err(|error| RpcError::new(Code::Deserialization, error.to_string()))?;
        match Templates::default().complete(sent.clone(), None, 0) {
            Completed::Block(block) => assert_eq!(block, sent, "nothing was handed out"),
            Completed::Unknown => assert!(sent.len() > 80, "a header and more"),
        }
    }
    Ok(method.name.into())
}

/// One of the types fits, whatever stands there.
fn read_as_all(params: &Params, at: usize) -> Result<(), RpcError> {
    let (number, object) = (params.number_or(at, 0), params.object_or_none(at).map(|_| ()));
    params.string_or_none(at).map(|_| ()).or(number.map(|_| ())).or(object)
}
