//! HTTP around the calls: who is let in, how much is read and for how long, which status is sent.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::ledger::block::BLOCK_BYTES_MAX;
use crate::node::http::guard::Guard;
use crate::node::http::serve::Visitor;

use super::auth::{Auth, Shown};
use super::context::Context;
use super::envelope::{Body, Read, Wrapped, read};
use super::methods;

/// Bytes of a body: a block in hex, and what stands around it.
pub const BODY_BYTES_MAX: usize = 2 * BLOCK_BYTES_MAX + (64 << 10);
/// What a wrong guess waits for (Bitcoin Core's delay against brute force).
const WRONG_GUESS: Duration = Duration::from_millis(250);

/// What every request meets.
#[derive(Debug)]
pub struct Door {
    /// What the methods share.
    pub context: Arc<Context>,
    /// Who may call.
    pub auth: Auth,
    /// Which names this machine goes by.
    pub guard: Guard,
    /// For a body to arrive.
    pub body_timeout: Duration,
    /// Sent with every answer, if the operator wants: miners that know it leave for that address.
    pub x_stratum: Option<HeaderValue>,
}

/// The calls at every path.
pub fn router(door: Arc<Door>) -> Router {
    Router::new().fallback(answer).with_state(door)
}

async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if let Err(forbidden) = door.guard.check(&head.headers) {
        return plain(StatusCode::FORBIDDEN, &forbidden.to_string());
    }
    match door.auth.check(&head.headers) {
        Shown::Right => {}
        shown => {
            if shown == Shown::Wrong {
                tokio::time::sleep(WRONG_GUESS).await;
            }
            let mut response = plain(StatusCode::UNAUTHORIZED, "name and password are asked for");
            let realm = HeaderValue::from_static("Basic realm=\"proofward\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
            return response;
        }
    }
    let Some(visitor) = head.extensions.get::<Arc<Visitor>>().cloned() else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "a request without a connection");
    };
    visitor.prove();
    if head.method != Method::POST {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "calls are sent with POST");
    }
    if is_simple(&head.headers) {
        let why = "send calls with the header content-type: application/json";
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    }
    let too_large = || {
        let why = format!("a body has at most {BODY_BYTES_MAX} bytes");
        closing(plain(StatusCode::PAYLOAD_TOO_LARGE, &why))
    };
    if hyper::body::Body::size_hint(&body).lower() > BODY_BYTES_MAX as u64 {
        return too_large();
    }
    let reading = axum::body::to_bytes(body, BODY_BYTES_MAX);
    let body = match tokio::time::timeout(door.body_timeout, reading).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return too_large(),
        Err(_) => return closing(plain(StatusCode::REQUEST_TIMEOUT, "the body did not arrive")),
    };
    let parsed = read(&body);
    drop(body);
    let answer = match parsed {
        Body::One(call) => one(&door, call, &visitor).await.map(|answer| text_of(&answer)),
        Body::Batch(calls) => {
            let mut answers = Vec::new();
            for call in calls {
                answers.extend(one(&door, call, &visitor).await);
            }
            (!answers.is_empty()).then(|| text_of(&answers))
        }
    };
    let mut response = match answer {
        Some(answer) => {
            let json = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, json)], HttpBody::from(answer)).into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    };
    if let Some(address) = &door.x_stratum {
        response.headers_mut().insert(HeaderName::from_static("x-stratum"), address.clone());
    }
    response
}

/// As a line of JSON.
fn text_of(answer: &impl Serialize) -> String {
    let mut text = serde_json::to_string(answer).expect("an answer is JSON");
    text.push('\n');
    text
}

async fn one(door: &Door, call: Read, visitor: &Visitor) -> Option<Wrapped> {
    let (return_to, answer) = match call {
        Ok(call) => {
            let answer = methods::run(&door.context, &call, visitor.ip()).await;
            if let Err(error) = &answer {
                tracing::debug!(method = call.method, %error, "a call failed");
            }
            (call.return_to, answer)
        }
        Err((return_to, error)) => (return_to, Err(error)),
    };
    (!return_to.is_notification).then(|| return_to.wrap(answer))
}

/// Whether a browser sends this for any page without asking (the Fetch standard's safelist).
fn is_simple(headers: &HeaderMap) -> bool {
    const SIMPLE: [&str; 3] =
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return false };
    let Ok(text) = value.to_str() else { return true };
    let kind = text.split(';').next().unwrap_or_default().trim();
    SIMPLE.iter().any(|simple| simple.eq_ignore_ascii_case(kind))
}

fn plain(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}

/// What is left of a body that is not read would be taken for the next request.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
