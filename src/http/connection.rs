//! One client: what it is at, and how long it may take with that.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use super::Limits;

/// How much is read ahead; it bounds the length of headers, and what is read of a body that is too long.
const BUFFER_BYTES: usize = 16 * 1024;
/// How long a request whose headers are still coming may take when the server wants to end.
const LAST_HEADERS: Duration = Duration::from_secs(1);

/// Serves a connection until either side ends it or its time is up.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    tls: Option<TlsAcceptor>,
    progress: Arc<Progress>,
    stop: watch::Receiver<bool>,
) {
    let Some(tls) = tls else { return speak(stream, router, progress, stop).await };
    match timeout(progress.limits.headers, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            progress.enter(Phase::Headers);
            speak(stream, router, progress, stop).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a client and the server found no common TLS"),
        Err(_) => tracing::debug!("a client took too long over TLS"),
    }
}

async fn speak<S: AsyncRead + AsyncWrite + Send + Unpin>(
    stream: S,
    router: Router,
    progress: Arc<Progress>,
    mut stop: watch::Receiver<bool>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        progress.enter(Phase::Working);
        let answering = router.call(request.map(Body::new));
        let progress = Arc::clone(&progress);
        async move {
            let answer = answering.await;
            progress.enter(Phase::Idle);
            answer
        }
    });
    let watched = Watched { stream, progress: Arc::clone(&progress) };
    let connection = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES)
        // Its clock would count the time between two requests as well; ours tells them apart.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(watched), service);
    let mut connection = pin!(connection);
    let mut time_up = pin!(sleep_until(progress.deadline()));
    let mut is_stopping = false;
    loop {
        let going = std::future::poll_fn(|context| {
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let deadline = progress.deadline();
            if time_up.deadline() != deadline {
                time_up.as_mut().reset(deadline);
            }
            time_up.as_mut().poll(context)
        });
        tokio::select! {
            () = going => return,
            _ = stop.wait_for(|stop| *stop), if !is_stopping => {
                is_stopping = true;
                progress.stop();
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What a client is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Between connecting, or the first byte of a request, and the end of its headers.
    Headers,
    /// Between there and the answer; its own limits are kept where the body is read and the work is done.
    Working,
    /// Between an answer and the next request.
    Idle,
}

/// How far a client has come.
#[derive(Debug)]
pub(super) struct Progress {
    limits: Limits,
    at: Mutex<At>,
    away: Notify,
}

#[derive(Debug, Clone, Copy)]
struct At {
    phase: Phase,
    since: Instant,
    /// When the server was asked to end.
    stopping: Option<Instant>,
}

impl Progress {
    pub(super) fn new(limits: &Limits) -> Progress {
        let at = At { phase: Phase::Headers, since: Instant::now(), stopping: None };
        Progress { limits: *limits, at: Mutex::new(at), away: Notify::new() }
    }

    /// Since when it has been idle, if it is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let at = self.at();
        (at.phase == Phase::Idle).then_some(at.since)
    }

    /// Makes room for another one.
    pub(super) fn send_away(&self) {
        self.away.notify_one();
    }

    pub(super) async fn sent_away(&self) {
        self.away.notified().await;
    }

    fn enter(&self, phase: Phase) {
        let mut at = self.at();
        (at.phase, at.since) = (phase, Instant::now());
    }

    /// Bytes have come: of a request, when there was none.
    fn heard(&self) {
        if self.at().phase == Phase::Idle {
            self.enter(Phase::Headers);
        }
    }

    fn stop(&self) {
        self.at().stopping = Some(Instant::now());
    }

    /// When its time is up.
    fn deadline(&self) -> Instant {
        let at = *self.at();
        let Limits { headers, body, work, idle, .. } = self.limits;
        match (at.phase, at.stopping) {
            (Phase::Headers, None) => at.since + headers,
            (Phase::Headers, Some(stopping)) => (at.since + headers).min(stopping + LAST_HEADERS),
            // The handlers answer before; this is for what they do not wait for.
            (Phase::Working, _) => at.since + headers + work + body + work,
            (Phase::Idle, _) => at.since + idle,
        }
    }

    fn at(&self) -> std::sync::MutexGuard<'_, At> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that says when bytes have come.
struct Watched<S> {
    stream: S,
    progress: Arc<Progress>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        if buffer.filled().len() > before {
            self.progress.heard();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
