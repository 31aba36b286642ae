//! Sockets for the protocol machines: TCP, TLS, lines, and one HTTP request a connection. Whatever comes in
//! is bounded; every failure becomes a [`Trouble`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite,
    AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::fleet::ServerEvent;
use super::server::Server;
use super::template::Request;
use super::trouble::Trouble;

/// Bytes of a line from a stratum server: coinbases that pay thousands fit.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// Bytes of an answer to an HTTP request: a template of a full block is below 10 MB.
pub const RESPONSE_BYTES_MAX: usize = 32 << 20;
/// How long writing a line may take before the connection counts as broken.
const WRITE_WAIT: Duration = Duration::from_secs(20);

/// What a connection says, with its number so that words of a dropped one are nobody's.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) server: usize,
    pub(super) connection: u64,
    pub(super) event: ServerEvent,
}

/// The end of a connection from which its events go to the loop.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    pub(super) server: usize,
    pub(super) connection: u64,
    pub(super) heard: mpsc::Sender<Heard>,
}

impl Speaker {
    pub(super) async fn say(&self, event: ServerEvent) {
        let Self { server, connection, ref heard } = *self;
        // The loop is gone only when the miner ends.
        let _ = heard.send(Heard { server, connection, event }).await;
    }
}

/// A stream of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// How to reach a server.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) server: Server,
    pub(super) tls: Arc<ClientConfig>,
    /// `user:password` for HTTP, unless a cookie file has it.
    pub(super) credentials: Option<String>,
    /// Read at every request: a node writes a new one at every start.
    pub(super) cookie: Option<PathBuf>,
}

impl Route {
    async fn connect(&self, address: Option<(String, u16)>) -> Result<Box<dyn Stream>, Trouble> {
        let own = || (self.server.host.clone(), self.server.port);
        let (host, port) = address.unwrap_or_else(own);
        let found = tokio::net::lookup_host((&*host, port)).await;
        let mut addresses =
            found.map_err(|error| Trouble::NoSuchHost(format!("{host} ({error})")))?;
        let mut last = Trouble::NoSuchHost(host.clone());
        let tcp = loop {
            let Some(address) = addresses.next() else { return Err(last) };
            match TcpStream::connect(address).await {
                Ok(tcp) => break tcp,
                Err(error) => last = Trouble::Unreachable(format!("{address}: {error}")),
            }
        };
        // Shares are small and urgent.
        let _ = tcp.set_nodelay(true);
        if !self.server.is_tls {
            return Ok(Box::new(tcp));
        }
        let name =
            ServerName::try_from(host.clone()).map_err(|error| Trouble::Tls(error.to_string()))?;
        let connected = TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await;
        connected.map(|tls| Box::new(tls) as _).map_err(|error| Trouble::Tls(error.to_string()))
    }

    /// A stratum connection from its opening to its end: lines of the server through `speaker`, lines of
    /// `outgoing` to the server. Returns why it ended.
    pub(super) async fn stratum(
        &self,
        address: Option<(String, u16)>,
        speaker: &Speaker,
        mut outgoing: mpsc::Receiver<String>,
    ) -> Trouble {
        let stream = match self.connect(address).await {
            Ok(stream) => stream,
            Err(trouble) => return trouble,
        };
        let (reader, mut writer) = tokio::io::split(stream);
        speaker.say(ServerEvent::Opened).await;
        let read = async {
            let mut reader = BufReader::new(reader);
            loop {
                match read_line(&mut reader).await {
                    Ok(line) => speaker.say(ServerEvent::Line(line)).await,
                    Err(trouble) => return trouble,
                }
            }
        };
        let write = async {
            while let Some(mut line) = outgoing.recv().await {
                line.push('\n');
                match tokio::time::timeout(WRITE_WAIT, writer.write_all(line.as_bytes())).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return broken(&error),
                    Err(_) => {
                        return Trouble::NoAnswer { what: "what was written", after: WRITE_WAIT };
                    }
                }
            }
            Trouble::Closed
        };
        tokio::select! {
            trouble = read => trouble,
            trouble = write => trouble,
        }
    }

    /// One HTTP request on a connection of its own.
    pub(super) async fn request(&self, request: &Request) -> Result<(u16, Vec<u8>), Trouble> {
        let credentials = match &self.cookie {
            // A few bytes, written at the start of the node.
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                let hint = "is the node running, and may this user read it?";
                Trouble::File(format!("cookie file {}: {error}; {hint}", path.display()))
            })?),
            None => self.credentials.clone(),
        };
        let stream = self.connect(None).await?;
        let broken = |error: hyper::Error| Trouble::Broken(error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let exchange = async {
            let mut head = hyper::Request::post(&self.server.path)
                .header("host", format!("{}:{}", self.server.host, self.server.port))
                .header("content-type", "application/json")
                .header("connection", "close");
            if let Some(credentials) = credentials {
                let basic = format!("Basic {}", base64(credentials.trim().as_bytes()));
                head = head.header("authorization", basic);
            }
            let body = Full::new(Bytes::from(request.body.clone()));
            let head = head.body(body).map_err(|error| Trouble::Broken(error.to_string()))?;
            let response = sender.send_request(head).await.map_err(broken)?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), RESPONSE_BYTES_MAX).collect().await;
            let body = body.map_err(|error| Trouble::Broken(error.to_string()))?;
            Ok((status, body.to_bytes().to_vec()))
        };
        // The connection does its work in the same task and ends after the answer.
        let (answer, _) = tokio::join!(exchange, connection);
        answer
    }
}

/// The next line without its end. Bytes that are no text become marks that no message has.
async fn read_line(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<String, Trouble> {
    let mut line = Vec::new();
    let limit = LINE_BYTES_MAX as u64 + 1;
    let read = reader.take(limit).read_until(b'\n', &mut line).await;
    let count = read.map_err(|error| broken(&error))?;
    match line.last() {
        Some(b'\n') => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
        _ if count > LINE_BYTES_MAX => {
            Err(Trouble::Protocol(format!("a line of more than {LINE_BYTES_MAX} bytes")))
        }
        _ => Err(Trouble::Closed),
    }
}

fn broken(error: &io::Error) -> Trouble {
    Trouble::Broken(error.to_string())
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_usize, |group, at| {
            group << 8 | usize::from(chunk.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let digit = DIGITS[group >> (18 - 6 * at) & 63];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
