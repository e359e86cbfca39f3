//! Progress of a long call, for clients that asked for it: ever increasing, not too often, and never after
//! the result.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext, RoleServer};
use tokio::sync::{mpsc, oneshot};

use crate::tools::Progress;

/// The least time between two reports.
const INTERVAL: Duration = Duration::from_millis(100);

/// Reports that may wait for a slow client; more are left out.
const WAITING_MAX: usize = 4;

/// The reports of one call, on their way to the client.
pub(super) struct Reports {
    receiver: mpsc::Receiver<ProgressNotificationParam>,
    peer: Peer<RoleServer>,
}

/// What was reported last.
#[derive(Default)]
struct Last {
    at: Option<Instant>,
    done: u64,
}

/// What the work reports to, and the reports, if the client wants them; else silence.
pub(super) fn reports(request: &RequestContext<RoleServer>) -> (Progress, Option<Reports>) {
    let Some(token) = request.meta.get_progress_token() else { return (Progress::default(), None) };
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let last = Mutex::new(Last::default());
    let progress = Progress::new(move |done, total, message| {
        if is_due(&mut last.lock().unwrap_or_else(PoisonError::into_inner), done, total) {
            let _ = sender.try_send(notification(token.clone(), done, total, message));
        }
    });
    (progress, Some(Reports { receiver, peer: request.peer.clone() }))
}

impl Reports {
    /// Does the work and passes its reports on meanwhile; the last one is out before this returns.
    pub(super) async fn during<T>(mut self, work: impl Future<Output = T>) -> T {
        let (finish, mut finished) = oneshot::channel::<()>();
        let forward = async {
            loop {
                tokio::select! {
                    biased;
                    Some(report) = self.receiver.recv() => {
                        let _ = self.peer.notify_progress(report).await;
                    }
                    _ = &mut finished => break,
                }
            }
        };
        let work = async {
            let result = work.await;
            let _ = finish.send(());
            result
        };
        let (result, ()) = tokio::join!(work, forward);
        result
    }
}

/// Whether to report: further than before, and either complete or a while after the last report.
fn is_due(last: &mut Last, done: u64, total: Option<u64>) -> bool {
    let now = Instant::now();
    let rested = last.at.is_none_or(|at| now.duration_since(at) >= INTERVAL);
    let further = last.at.is_none() || done > last.done;
    let due = further && (rested || total == Some(done));
    if due {
        *last = Last { at: Some(now), done };
    }
    due
}

fn notification(
    token: ProgressToken,
    done: u64,
    total: Option<u64>,
    message: &str,
) -> ProgressNotificationParam {
    let float = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let mut report = ProgressNotificationParam::new(token, float(done)).with_message(message);
    if let Some(total) = total {
        report = report.with_total(float(total));
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_increase_and_the_last_one_is_not_held_back() {
        let mut last = Last::default();
        assert!(is_due(&mut last, 1, Some(9)));
        assert!(!is_due(&mut last, 2, Some(9)), "too soon after the first");
        assert!(is_due(&mut last, 9, Some(9)), "complete");
        assert!(!is_due(&mut last, 9, Some(9)), "not further");
    }
}
