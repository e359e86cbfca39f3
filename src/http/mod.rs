//! The HTTP server: webhooks of the CRMs, and whether the process is alive and ready.
//!
//! ```text
//! listener     accepts, within a number of connections, until it is asked to stop
//! connection   one client: how long it may take with what
//! tls          certificate and key
//! router       what there is to ask for
//! webhooks     a delivery: head, body, answer
//! health       alive, ready
//! answer       errors as JSON, and the headers that every answer has
//! ```
//!
//! `axum::serve` waits for ever for a client that sends its request byte by byte; here every phase of a connection ends.

mod answer;
mod connection;
mod health;
mod listener;
mod router;
mod tls;
mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::error::{Result, invalid};
use crate::sync::Engine;
use crate::sync::receive::Receiver;

/// What the server is set up with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the CRMs reach this server, without a slash at the end.
    pub public_url: Option<String>,
    /// The files of the certificates and of their key, in PEM; without them the server speaks plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    pub limits: Limits,
}

/// How long things may take, and how much there may be at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first byte of a request, or from the connection, to the end of its headers.
    pub headers: Duration,
    /// From the end of the headers to the end of the body.
    pub body: Duration,
    /// From the end of the body to the answer.
    pub work: Duration,
    /// From an answer to the next request.
    pub idle: Duration,
    /// From the wish to stop to the end.
    pub grace: Duration,
    pub body_bytes: usize,
    pub connections: usize,
    /// Whose body has come and whose answer has not gone out.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            headers: Duration::from_secs(10),
            body: Duration::from_secs(30),
            work: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            grace: Duration::from_secs(10),
            body_bytes: 1 << 20,
            connections: 1_024,
            requests: 256,
        }
    }
}

/// What the handlers work with.
#[derive(Debug)]
struct Shared {
    engine: Arc<Engine>,
    receiver: Receiver,
    requests: Semaphore,
    limits: Limits,
    is_tls: bool,
}

/// A server that listens already.
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Listens at `address`, as `127.0.0.1:8787`; at port 0 the system chooses one.
    pub async fn bind(engine: Arc<Engine>, address: &str, options: Options) -> Result<Server> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            invalid(format!("cannot listen at {address}: {error}"))
                .hint("choose another address with --http, as 127.0.0.1:8787")
        })?;
        Server::on(engine, listener, options)
    }

    /// Takes over a listener.
    pub fn on(engine: Arc<Engine>, listener: TcpListener, options: Options) -> Result<Server> {
        let tls = options.tls.as_ref().map(|(cert, key)| tls::acceptor(cert, key)).transpose()?;
        let shared = Shared {
            receiver: Receiver::new(Arc::clone(&engine), options.public_url),
            engine,
            requests: Semaphore::new(options.limits.requests),
            limits: options.limits,
            is_tls: tls.is_some(),
        };
        Ok(Server { listener, shared: Arc::new(shared), tls })
    }

    /// The address that it listens at.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let address = self.listener.local_addr();
        address.map_or_else(|_| format!("{scheme}://?"), |address| format!("{scheme}://{address}"))
    }

    /// Answers until `stop` turns true; then finishes what it has begun, within its time of grace.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let Server { listener, shared, tls } = self;
        listener::run(listener, Arc::clone(&shared), tls, stop).await;
        shared.receiver.finish().await;
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}
