//! Connections that can be cut in the middle, and a door that can be shut and opened again.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::fakes::faults::Outage;

/// How long to wait before an address is tried again that is not free yet.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// Takes connections, except while an outage refuses them: then nothing listens at the address.
pub(super) struct Door {
    address: SocketAddr,
    listener: Option<TcpListener>,
    outage: watch::Receiver<Option<Outage>>,
}

/// A connection; once cut, not a byte more is written.
pub(super) struct Line {
    stream: TcpStream,
    cut: Cut,
}

/// The means to cut a connection, for whoever answers on it.
#[derive(Clone)]
pub(super) struct Cut(Arc<AtomicBool>);

impl Cut {
    /// Cuts the connection; the response is never seen.
    pub(super) fn line(&self) -> Response {
        self.0.store(true, Ordering::SeqCst);
        ().into_response()
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, Door>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Cut {
        stream.io().cut.clone()
    }
}

impl Door {
    pub(super) async fn open(at: SocketAddr, outage: watch::Receiver<Option<Outage>>) -> io::Result<Door> {
        let listener = TcpListener::bind(at).await?;
        Ok(Door { address: listener.local_addr()?, listener: Some(listener), outage })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection, or none when there is a reason to look again at whether the door is open.
    async fn next(&mut self) -> Option<(TcpStream, SocketAddr)> {
        if *self.outage.borrow_and_update() == Some(Outage::Refused) {
            self.listener = None;
            return self.change().await;
        }
        let Some(listener) = &self.listener else {
            match TcpListener::bind(self.address).await {
                Ok(listener) => self.listener = Some(listener),
                Err(_) => tokio::time::sleep(TRY_AGAIN).await,
            }
            return None;
        };
        tokio::select! {
            accepted = listener.accept() => accepted.ok(),
            _ = self.outage.changed() => None,
        }
    }

    async fn change(&mut self) -> Option<(TcpStream, SocketAddr)> {
        if self.outage.changed().await.is_err() {
            // Nobody is left who could end the outage.
            std::future::pending::<()>().await;
        }
        None
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            if let Some((stream, from)) = self.next().await {
                return (Line { stream, cut: Cut(Arc::default()) }, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Line {
    /// Fails when the line is cut, and sees to it that the other side is told at once.
    fn intact(&self) -> io::Result<()> {
        if !self.cut.is_cut() {
            return Ok(());
        }
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.intact()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.intact()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.intact()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
