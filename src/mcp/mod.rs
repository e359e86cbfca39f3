//! Turns the Model Context Protocol into calls, and what comes of them into results.
//!
//! ```text
//! stdio        the process's standard streams, as fast as they can be read
//! lines        bytes → lines of bounded length
//! message      a line → a message, or the reply that refuses it
//! transport    what is in flight, what is still to be written
//! server       the protocol's methods, in both of its eras
//! call         one unit of work: admitted, cancellable, reported, logged
//! tasks        calls whose work goes on after their answer
//! listing · resources · skills · completion · result · progress
//! ```
//!
//! Revision 2026-07-28, where every request stands for itself, and the revisions with `initialize` back to
//! 2024-11-05 are served side by side. Nothing is kept between requests.

mod call;
mod completion;
mod lines;
mod listing;
mod message;
mod outbox;
mod progress;
mod resources;
mod result;
mod server;
mod skills;
mod stdio;
mod tasks;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use rmcp::service::{RoleServer, serve_directly};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::error::{Result, internal};
use crate::store::Org;
use crate::tools::{BoxFuture, Services, Toolbox};

use call::Calls;
use server::Server;
use transport::Stdio;

/// How long calls still running when the client closes our input may take to finish.
const GRACE: Duration = Duration::from_secs(1);

/// On whose behalf this process works; from its configuration, never from a call. It is found out with the
/// first call, since that opens the database.
pub struct Caller {
    find: Box<dyn Fn() -> BoxFuture<Result<Identity>> + Send + Sync>,
    known: OnceCell<Identity>,
}

/// The organization, and the member the copilot acts for when it is known.
pub type Identity = (Org, Option<Uuid>);

impl Caller {
    /// A caller whom `find` names when the first call comes, and again when it failed.
    pub fn new(find: impl Fn() -> BoxFuture<Result<Identity>> + Send + Sync + 'static) -> Caller {
        Caller { find: Box::new(find), known: OnceCell::new() }
    }

    async fn identity(&self) -> Result<Identity> {
        self.known.get_or_try_init(|| (self.find)()).await.copied()
    }
}

/// Serves one client on standard input and output until it closes our input. `running_max` calls run at
/// once; others wait for their turn.
pub async fn serve_stdio(
    services: Arc<Services>,
    toolbox: Toolbox,
    caller: Caller,
    instructions: String,
    running_max: usize,
) -> Result<()> {
    let (reader, writer) = stdio::open();
    let (transport, ended) = Stdio::new(reader, writer);
    let server = Server::new(toolbox, Calls::new(services, caller, running_max), instructions);
    let running = serve_directly::<RoleServer, _, _, _, _>(server, transport, None);
    let stop = running.cancellation_token();
    let mut finished = std::pin::pin!(running.waiting());
    let out_of_time = async {
        let _ = ended.await;
        tokio::time::sleep(GRACE).await;
    };
    let reason = tokio::select! {
        reason = &mut finished => reason,
        () = out_of_time => {
            stop.cancel();
            finished.await
        }
    };
    let reason = reason.map_err(internal)?;
    tracing::debug!(?reason, "the client is gone");
    Ok(())
}
