//! One request to a CRM and its answer: what both clients share below their wire formats.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde_json::Value as Json;

use super::fault::{Class, Fault};

/// No wait that a CRM asks for is longer than this: 24 hours, in milliseconds.
pub(super) const WAIT_MAX_MS: i64 = 24 * 60 * 60 * 1000;

/// More than any answer of either CRM to the calls made here; what goes on beyond is not read.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// An answer that arrived whole, whatever it says.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// None when it is no JSON.
    pub body: Option<Json>,
}

/// Sends one request. Any answer that arrives whole is a reply; else the fault tells whether the CRM may have
/// acted: not when no connection came about.
pub(super) async fn send(request: RequestBuilder) -> Result<Reply, Fault> {
    let response = request.send().await.map_err(|error| lost(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = whole(response).await?;
    Ok(Reply { status, headers, body: serde_json::from_slice(&bytes).ok() })
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if bytes.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Fault::sent(Class::Unexpected, "the answer is too long to be read"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The transport's fault in our own words: the library's name addresses.
fn lost(error: &reqwest::Error) -> Fault {
    if error.is_builder() {
        Fault::unsent(Class::Unexpected, "the request could not be put together")
    } else if error.is_connect() {
        Fault::unsent(Class::Unavailable, "no connection came about")
    } else if error.is_timeout() {
        Fault::sent(Class::Unanswered, "no answer came in time")
    } else {
        Fault::sent(Class::Unanswered, "the connection broke before the answer was complete")
    }
}

impl Fault {
    /// A fault of a request that may have been acted on.
    pub(super) fn sent(class: Class, message: impl Into<String>) -> Fault {
        Fault { class, message: message.into(), correlation: None, retry_after_ms: None, sent: true }
    }

    /// A fault of a request that was not acted on.
    pub(super) fn unsent(class: Class, message: impl Into<String>) -> Fault {
        Fault { sent: false, ..Fault::sent(class, message) }
    }
}

impl Reply {
    /// The body of a 2xx. One that is no JSON is as good as lost, and was acted on all the same.
    pub(super) fn read(&self) -> Result<&Json, Fault> {
        self.body.as_ref().ok_or_else(|| Fault::sent(Class::Unanswered, "the answer is no JSON"))
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// When the CRM's own clock says it answered, to the second.
    pub(super) fn date_ms(&self) -> Option<i64> {
        date_ms(self.headers.get(DATE)?.to_str().ok()?)
    }

    /// How long `Retry-After` asks to wait, between nothing and [`WAIT_MAX_MS`]. A date is counted from the answer's
    /// own `Date`, whose clock it was written by; without one it says nothing, and neither does what is
    /// no number of seconds and no date.
    pub(super) fn retry_after_ms(&self) -> Option<i64> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = match text.parse::<f64>() {
            Ok(seconds) if seconds.is_nan() => return None,
            // The cast saturates, so what is absurd becomes the longest wait.
            #[expect(clippy::cast_possible_truncation, reason = "saturates, and is clamped below")]
            Ok(seconds) => (seconds * 1000.0).ceil() as i64,
            Err(_) => date_ms(text)?.saturating_sub(self.date_ms()?),
        };
        Some(wait.clamp(0, WAIT_MAX_MS))
    }
}

fn date_ms(text: &str) -> Option<i64> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// The text at a path of keys; a number there as its digits, because ids are both.
pub(super) fn text_at<'a>(value: &'a Json, path: &[&str]) -> Option<std::borrow::Cow<'a, str>> {
    let found = path.iter().try_fold(value, |inside, key| inside.get(key))?;
    match found {
        Json::String(text) => Some(text.into()),
        Json::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

/// The list under a key; an absent one is empty.
pub(super) fn list_at<'a>(value: &'a Json, key: &str) -> &'a [Json] {
    value.get(key).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The results of futures in their order, of which at most `limit` run at a time.
pub(super) async fn at_most<F: Future>(limit: usize, futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting = futures.into_iter().enumerate();
    let mut running: Vec<(usize, Pin<Box<F>>)> = Vec::new();
    let mut done: Vec<(usize, F::Output)> = Vec::new();
    std::future::poll_fn(|context| {
        loop {
            let free = limit.saturating_sub(running.len());
            running.extend(waiting.by_ref().take(free).map(|(place, future)| (place, Box::pin(future))));
            if running.is_empty() {
                return Poll::Ready(());
            }
            let before = done.len();
            running.retain_mut(|(place, future)| match future.as_mut().poll(context) {
                Poll::Ready(output) => {
                    done.push((*place, output));
                    false
                }
                Poll::Pending => true,
            });
            if done.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, output)| output).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::sync::stub::{Canned, Stub};

    fn reply(headers: &[(&'static str, &str)]) -> Reply {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        Reply { status: 429, headers: headers.collect(), body: None }
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_clamped() {
        let check = |given: &str, expected: Option<i64>| {
            assert_eq!(reply(&[("retry-after", given)]).retry_after_ms(), expected, "{given}");
        };
        check("0", Some(0));
        check("7", Some(7_000));
        check(" 7 ", Some(7_000));
        check("1.5", Some(1_500));
        check("-3", Some(0));
        check("86400", Some(WAIT_MAX_MS));
        check("86401", Some(WAIT_MAX_MS));
        check("999999999999999999999", Some(WAIT_MAX_MS));
        check("inf", Some(WAIT_MAX_MS));
        check("nan", None);
        check("soon", None);
        check("", None);
        assert_eq!(reply(&[]).retry_after_ms(), None);
    }

    #[test]
    fn a_date_to_retry_after_is_counted_from_the_answers_own_date() {
        let check = |date: Option<&str>, after: &str, expected: Option<i64>| {
            let mut headers = vec![("retry-after", after)];
            headers.extend(date.map(|date| ("date", date)));
            assert_eq!(reply(&headers).retry_after_ms(), expected, "{date:?} {after}");
        };
        let now = Some("Sun, 22 Nov 2026 10:00:00 GMT");
        check(now, "Sun, 22 Nov 2026 10:00:01 GMT", Some(1_000));
        check(now, "Sun, 22 Nov 2026 09:59:00 GMT", Some(0));
        check(now, "Fri, 31 Dec 9999 23:59:59 GMT", Some(WAIT_MAX_MS));
        check(now, "Sunday, 22-Nov-26 10:00:05 GMT", Some(5_000));
        check(None, "Sun, 22 Nov 2026 10:00:01 GMT", None);
        check(Some("yesterday"), "Sun, 22 Nov 2026 10:00:01 GMT", None);
        check(now, "Sun, 99 Nov 2026 10:00:01 GMT", None);
    }

    #[tokio::test]
    async fn a_refused_connection_was_not_sent_and_a_broken_one_may_have_been() {
        let client = Stub::client("http://127.0.0.1:1");
        let fault = send(client.http.post("http://127.0.0.1:1/x")).await.unwrap_err();
        assert_eq!((fault.class, fault.sent), (Class::Unavailable, false));
        let stub = Stub::serve(vec![Canned::cut()]).await;
        let fault = send(client.http.post(stub.address())).await.unwrap_err();
        assert_eq!((fault.class, fault.sent), (Class::Unanswered, true));
        assert!(!fault.message.contains("127.0.0.1"));
    }

    #[tokio::test]
    async fn no_answer_in_time_may_have_been_acted_on() {
        let stub = Stub::serve(vec![Canned::json(200, serde_json::json!({})).after_ms(2_000)]).await;
        let request = Stub::client("").http.post(stub.address());
        let fault = send(request.timeout(std::time::Duration::from_millis(50))).await.unwrap_err();
        assert_eq!((fault.class, fault.sent), (Class::Unanswered, true));
    }

    #[tokio::test]
    async fn an_answer_that_is_no_json_was_acted_on() {
        let stub = Stub::serve(vec![Canned::text(200, "<html>")]).await;
        let reply = send(Stub::client("").http.post(stub.address())).await.unwrap();
        let fault = reply.read().unwrap_err();
        assert_eq!((fault.class, fault.sent), (Class::Unanswered, true));
    }

    #[tokio::test]
    async fn futures_run_a_few_at_a_time_and_answer_in_order() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let one = async |place: u64| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(std::time::Duration::from_millis(10 - place)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            place
        };
        let futures: Vec<_> = (0..10).map(one).collect();
        assert_eq!(at_most(3, futures).await, (0..10).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
