//! One unit of work for a client: admitted when there is room, dropped when it is cancelled, kept from
//! taking the process down.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use rmcp::service::{RequestContext, RoleServer};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Caller, result};
use crate::error::{Code, Result, busy, cancelled, internal};
use crate::records::{Actor, ActorKind};
use crate::tools::{Ctx, Progress, Services};

/// How long a call waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The longest client name that is kept; clients choose it.
const CLIENT_CHARS_MAX: usize = 100;

pub(super) struct Calls {
    services: Arc<Services>,
    caller: Caller,
    permits: Semaphore,
    running_max: usize,
}

impl Calls {
    pub(super) fn new(services: Arc<Services>, caller: Caller, running_max: usize) -> Calls {
        Calls { services, caller, permits: Semaphore::new(running_max), running_max }
    }

    /// What the work of this request gets to know.
    pub(super) async fn ctx(
        &self,
        request: &RequestContext<RoleServer>,
        tool: Option<&str>,
        progress: Progress,
    ) -> Result<Ctx> {
        let (org, user) = self.caller.identity().await?;
        let actor = Actor {
            kind: ActorKind::Copilot,
            id: user,
            client: client_name(request),
            tool: tool.map(str::to_owned),
            request_id: Some(request.id.to_string()),
        };
        Ok(Ctx { services: self.services.clone(), org, actor, progress })
    }

    /// Does the work when its turn has come. When the client cancels, the work is dropped where it stands, and
    /// with it the statements and the transaction it has open.
    pub(super) async fn run<T>(
        &self,
        request: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let admitted = async {
            let _permit = self.permit().await?;
            guarded(work).await
        };
        tokio::select! {
            biased;
            () = request.ct.cancelled() => Err(cancelled()),
            done = admitted => done,
        }
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>> {
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(permit);
        }
        match tokio::time::timeout(WAIT_MAX, self.permits.acquire()).await {
            Ok(permit) => permit.map_err(internal),
            Err(_) => Err(busy(format!(
                "{} calls are running and none ended in {} s",
                self.running_max,
                WAIT_MAX.as_secs()
            ))
            .hint("nothing was done; try again in a moment, with fewer calls at once")),
        }
    }
}

/// A panic in the work becomes its error: a request that is never answered would hang the client.
async fn guarded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(internal("the work panicked; the message is above"))))
    })
    .await
}

/// Says what was called, how long it took and how it went; never with what arguments.
pub(super) fn log<T>(work: &str, started: Instant, done: &Result<T>) {
    let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    match done {
        Ok(_) => tracing::debug!(tool = work, duration_us, outcome = "ok", "call"),
        Err(error) if error.code == Code::Internal => {
            let cause = error.cause().map(ToString::to_string).map_or(Cow::Borrowed("unknown"), Cow::Owned);
            tracing::error!(tool = work, duration_us, outcome = "internal", %cause, "call");
        }
        Err(error) => tracing::info!(tool = work, duration_us, outcome = result::outcome(error.code), "call"),
    }
}

/// What the client calls itself, for display.
fn client_name(request: &RequestContext<RoleServer>) -> Option<String> {
    let named = request
        .meta
        .get("io.modelcontextprotocol/clientInfo")
        .and_then(|client| client.get("name")?.as_str());
    let cut = |name: &str| name.chars().take(CLIENT_CHARS_MAX).collect();
    named.map(cut).or_else(|| request.peer.peer_info().map(|info| cut(&info.client_info.name)))
}
