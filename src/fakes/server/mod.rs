//! The HTTP side of both stand-ins: listening, faults, cut connections, the log of requests.
//!
//! A request is read whole, then answered by [`Crm::answer`] under one lock, which is never held across an await.

mod line;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use tokio::task::AbortHandle;

use self::line::{Cut, Door};
use super::deliveries::{Courier, Deliveries, Sender};
use super::faults::{Fate, Fault, Faults, Outage, RetryAfter};
use super::options::Options;
use super::requests::{Request, fingerprint};
use super::time::{SECOND_MS, Time, http_date};

/// More than any documented request is long.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

/// A CRM behind the wire.
pub(super) trait Crm: Sender + Send + 'static {
    /// Does what is asked. `row` is a fault of one row of a batch.
    fn answer(&mut self, call: &Call, row: Option<&RowFault>) -> Reply;

    /// The CRM's own body for a refusal that a test asked for, with the limit that it is to name.
    fn refusal(&mut self, status: u16, policy: Option<&'static str>) -> Value;

    /// Requests that are limited together have one lane.
    fn lane(&self, call: &Call) -> &'static str;
}

/// A request, read whole.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) method: String,
    /// The segments of its path, decoded.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) token: Option<String>,
    pub(super) body: Vec<u8>,
}

/// A row of a batch that is to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowFault {
    pub(super) index: usize,
    pub(super) category: &'static str,
}

/// An answer, and what the log says of it.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    /// None for an answer without content.
    pub(super) body: Option<Value>,
    pub(super) account: Option<String>,
    pub(super) records: Vec<String>,
    pub(super) traces: Vec<String>,
    /// Until when the caller is asked not to come again, in milliseconds.
    pub(super) closed_until: Option<i64>,
}

/// A running stand-in; it stops when it is dropped.
pub(super) struct Running<C> {
    shared: Arc<Shared<C>>,
    address: SocketAddr,
    tasks: [AbortHandle; 2],
}

struct Shared<C> {
    crm: Mutex<C>,
    faults: Faults,
    deliveries: Deliveries,
    time: Time,
    grace_ms: i64,
    log: Mutex<Log>,
    stopped: AtomicBool,
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    /// By token and lane: from when on and until when it is closed.
    closed: HashMap<(String, &'static str), (i64, i64)>,
}

impl Call {
    /// The path's segments as they are matched against.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The fields of a form.
    pub(super) fn form(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is given several times, or once with commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let given = self.query.iter().filter(|(key, _)| key == name);
        given
            .flat_map(|(_, value)| value.split(','))
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

impl Reply {
    pub(super) fn json(status: u16, body: Value) -> Reply {
        Reply { status, body: Some(body), ..Reply::default() }
    }

    pub(super) fn empty() -> Reply {
        Reply { status: 204, ..Reply::default() }
    }

    #[must_use]
    pub(super) fn touching(mut self, records: impl IntoIterator<Item = String>) -> Reply {
        self.records.extend(records);
        self
    }
}

impl<C: Crm> Running<C> {
    pub(super) async fn start(crm: C, options: &Options) -> io::Result<Running<C>> {
        let faults = Faults::new(options.seed);
        let wanted = options.bind.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let door = Door::open(wanted, faults.watch_outage()).await?;
        let address = door.address();
        let shared = Arc::new(Shared {
            crm: Mutex::new(crm),
            faults,
            deliveries: Deliveries::new(options.seed),
            time: Time { clock: options.clock.clone(), skew_ms: options.skew_ms },
            grace_ms: options.grace_ms,
            log: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let app = Router::new().fallback(serve::<C>).with_state(Arc::clone(&shared));
        let serving = axum::serve(door, app.into_make_service_with_connect_info::<Cut>());
        let serving = tokio::spawn(async move { drop(serving.await) });
        let carrying = tokio::spawn(courier(&shared));
        let tasks = [serving.abort_handle(), carrying.abort_handle()];
        Ok(Running { shared, address, tasks })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    pub(super) fn deliveries(&self) -> &Deliveries {
        &self.shared.deliveries
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.shared.time.now_ms()
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.log().requests.clone()
    }

    /// The CRM itself, for whoever acts on it past the wire.
    pub(super) fn crm(&self) -> MutexGuard<'_, C> {
        self.shared.crm()
    }
}

impl<C> Drop for Running<C> {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The work that carries a CRM's events to their subscribers.
fn courier<C: Crm>(shared: &Arc<Shared<C>>) -> impl Future<Output = ()> + Send + use<C> {
    let (crm, failed) = (Arc::clone(shared), Arc::clone(shared));
    let courier = Courier {
        deliveries: shared.deliveries.clone(),
        time: shared.time.clone(),
        collect: move || crm.crm().letters(),
        seal: C::seal,
        failed: move |to: &_| failed.crm().undeliverable(to),
    };
    courier.work()
}

impl<C> Shared<C> {
    fn crm(&self) -> MutexGuard<'_, C> {
        self.crm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Whether the caller was asked to stay away longer than this.
    fn is_early(&self, door: &(String, &'static str), now: i64, grace_ms: i64) -> bool {
        self.closed.get(door).is_some_and(|&(from, until)| now < until && now >= from + grace_ms)
    }

    /// Closes a lane; one that is closed already stays closed since then.
    fn close(&mut self, door: (String, &'static str), now: i64, until: i64) {
        let closed = self.closed.entry(door).or_insert((now, until));
        let from = if now < closed.1 { closed.0 } else { now };
        *closed = (from, closed.1.max(until));
    }
}

async fn serve<C: Crm>(
    State(shared): State<Arc<Shared<C>>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> Response {
    let Some((call, shown)) = read(request).await else {
        return cut.line();
    };
    let fate = shared.faults.fate(&format!("{} {shown}", call.method));
    if !fate.latency.is_zero() {
        tokio::time::sleep(fate.latency).await;
    }
    match decide(&shared, &call, &shown, fate) {
        Some((reply, malformed)) => response(reply, malformed),
        None => cut.line(),
    }
}

/// A request's parts, and its path as it is shown in the log; none when the caller went away.
async fn read(request: axum::extract::Request) -> Option<(Call, String)> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_BODY).await.ok()?;
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let call = Call {
        method: parts.method.to_string(),
        path: parts.uri.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect(),
        query: url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        token: authorization.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned),
        body: body.to_vec(),
    };
    let shown = match call.segments().as_slice() {
        ["oauth", version, "access-tokens", _] => format!("/oauth/{version}/access-tokens/…"),
        _ => parts.uri.path().to_owned(),
    };
    Some((call, shown))
}

/// A segment of a path without its escapes.
fn decoded(segment: &str) -> String {
    let plain = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(plain.as_bytes())
        .next()
        .map(|(text, _)| text.into_owned())
        .unwrap_or_default()
}

/// Works on a request and writes the log; the answer with whether it is to be spoilt, or none for a cut line.
fn decide<C: Crm>(shared: &Shared<C>, call: &Call, shown: &str, fate: Fate) -> Option<(Reply, bool)> {
    let mut crm = shared.crm();
    let at_ms = shared.time.now_ms();
    let token = call.token.as_deref().map(fingerprint);
    let door = (token.clone().unwrap_or_default(), crm.lane(call));
    let early = shared.log().is_early(&door, at_ms, shared.grace_ms);
    let outage = match shared.faults.present_outage() {
        Some(Outage::Unavailable) => Some(Fault::Status { status: 503, retry_after: None }),
        Some(Outage::Refused) => Some(Fault::Reset),
        None => None,
    };
    let stopped = shared.stopped.load(Ordering::SeqCst).then_some(Fault::Reset);
    let fault = stopped.or(outage).or(fate.fault);
    let reply = match &fault {
        Some(Fault::Reset) => None,
        Some(Fault::Status { status, retry_after }) => Some(refused(&mut *crm, *status, *retry_after, at_ms)),
        Some(Fault::Row { index, category }) => {
            Some(crm.answer(call, Some(&RowFault { index: *index, category })))
        }
        Some(Fault::LostAnswer | Fault::Malformed) | None => Some(crm.answer(call, None)),
    };
    drop(crm);
    let lost = fault == Some(Fault::LostAnswer);
    let mut log = shared.log();
    if let Some(until) = reply.as_ref().and_then(|reply| reply.closed_until) {
        log.close(door, at_ms, until);
    }
    log.requests.push(Request {
        at_ms,
        method: call.method.clone(),
        path: shown.to_owned(),
        account: reply.as_ref().and_then(|reply| reply.account.clone()),
        token,
        records: reply.as_ref().map(|reply| reply.records.clone()).unwrap_or_default(),
        traces: reply.as_ref().map(|reply| reply.traces.clone()).unwrap_or_default(),
        status: reply.as_ref().filter(|_| !lost).map(|reply| reply.status),
        done: !matches!(fault, Some(Fault::Reset | Fault::Status { .. })),
        early,
    });
    drop(log);
    shared.deliveries.wake();
    let mut reply = reply.filter(|_| !lost)?;
    // Waits that are told as a date are counted from this one.
    reply.headers.push(("Date", http_date(at_ms)));
    Some((reply, fault == Some(Fault::Malformed)))
}

fn refused<C: Crm>(crm: &mut C, status: u16, retry_after: Option<RetryAfter>, now: i64) -> Reply {
    let policy = match retry_after {
        Some(RetryAfter::Policy(policy, _)) => Some(policy),
        _ => None,
    };
    let mut reply = Reply::json(status, crm.refusal(status, policy));
    let Some(retry_after) = retry_after else {
        return reply;
    };
    let (secs, value) = match retry_after {
        RetryAfter::Seconds(secs) => (secs, Some(secs.to_string())),
        RetryAfter::Date(secs) => (secs, Some(http_date(now + i64::from(secs) * SECOND_MS))),
        RetryAfter::Policy(_, secs) => (secs, None),
    };
    reply.headers.extend(value.map(|value| ("Retry-After", value)));
    // A locked record says nothing about the requests for others.
    if status != 423 {
        reply.closed_until = Some(now + i64::from(secs) * SECOND_MS);
    }
    reply
}

fn response(reply: Reply, malformed: bool) -> Response {
    let mut text = reply.body.map(|body| body.to_string()).unwrap_or_default();
    if malformed {
        let half = (0..=text.len() / 2).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(half);
    }
    let mut builder = Response::builder()
        .status(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header(header::CONTENT_TYPE, "application/json;charset=utf-8");
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(text)).unwrap_or_default()
}
