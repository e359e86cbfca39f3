//! Carries deliveries to their subscribers, in the background.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::office::Parcel;
use super::{Deliveries, Envelope, Letter, Subscriber};
use crate::fakes::time::Time;

/// What carries the events of one CRM.
pub(in crate::fakes) struct Courier<Collect, Failed> {
    pub(in crate::fakes) deliveries: Deliveries,
    pub(in crate::fakes) time: Time,
    /// Takes what has happened.
    pub(in crate::fakes) collect: Collect,
    pub(in crate::fakes) seal: fn(&[Letter], i64) -> Envelope,
    /// Tells the CRM of a subscriber who takes nothing.
    pub(in crate::fakes) failed: Failed,
}

impl<Collect, Failed> Courier<Collect, Failed>
where
    Collect: Fn() -> Vec<Letter>,
    Failed: Fn(&Subscriber),
{
    /// Works until it is dropped, and all that is under way with it.
    pub(in crate::fakes) async fn work(self) {
        self.opened().await;
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let Ok(http) = client.retry(reqwest::retry::never()).build() else { return };
        let mut under_way: JoinSet<(Parcel, Option<u16>)> = JoinSet::new();
        loop {
            let asked = self.deliveries.office().asked();
            self.begin(&http, &mut under_way);
            if self.deliveries.waiting() == 0 {
                self.deliveries.0.done.send_replace(asked);
            }
            let due = self.deliveries.office().next_due();
            tokio::select! {
                () = self.deliveries.0.wake.notified() => {}
                Some(Ok((parcel, status))) = under_way.join_next() => self.ended(parcel, status),
                () = until(due) => {}
            }
        }
    }

    /// Events wait with the CRM until there is somewhere to deliver them to.
    async fn opened(&self) {
        loop {
            let (asked, is_open) = {
                let office = self.deliveries.office();
                (office.asked(), office.is_open())
            };
            if is_open {
                return;
            }
            self.deliveries.0.done.send_replace(asked);
            self.deliveries.0.wake.notified().await;
        }
    }

    /// Begins every delivery that may begin now.
    fn begin(&self, http: &reqwest::Client, under_way: &mut JoinSet<(Parcel, Option<u16>)>) {
        let letters = (self.collect)();
        let mut office = self.deliveries.office();
        office.post(letters, Instant::now());
        let timeout = office.habits.timeout;
        while let Some(parcel) = office.parcel(Instant::now()) {
            let envelope = (self.seal)(&parcel.letters, self.time.now_ms());
            let request = parcel.address.as_ref().map(|address| {
                let request = http.post(address).timeout(timeout);
                let request = request.header("Content-Type", "application/json").body(envelope.body);
                envelope
                    .headers
                    .into_iter()
                    .fold(request, |request, (name, value)| request.header(name, value))
            });
            under_way.spawn(async move { (parcel, answered(request).await) });
        }
    }

    fn ended(&self, parcel: Parcel, status: Option<u16>) {
        let to = Arc::clone(&parcel.to);
        if self.deliveries.office().returned(parcel, status, Instant::now()) {
            (self.failed)(&to);
        }
    }
}

/// The status that a delivery is answered with; none when no answer comes.
async fn answered(request: Option<reqwest::RequestBuilder>) -> Option<u16> {
    let response = request?.send().await.ok()?;
    Some(response.status().as_u16())
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
