//! A webhook delivery over HTTP: its head is looked at before its body is read, and it is answered when it is in the inbox.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::{Limits, Shared, answer};
use crate::sync::receive::{Accepted, Head, Refused};
use crate::tables::System;

/// Takes in one delivery.
pub(super) async fn deliver(system: System, State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match taken(system, &shared, request).await {
        Ok(Accepted { taken, left_out }) => {
            answer::json(StatusCode::OK, &json!({"taken": taken, "left_out": left_out}))
        }
        Err(refused @ Refused::TooLarge) => answer::closing(StatusCode::PAYLOAD_TOO_LARGE, &refused.error()),
        Err(refused @ Refused::TooSlow) => answer::closing(StatusCode::REQUEST_TIMEOUT, &refused.error()),
        Err(refused) => answer::error(&refused.error()),
    }
}

async fn taken(system: System, shared: &Shared, request: Request) -> Result<Accepted, Refused> {
    let (receiver, limits) = (&shared.receiver, &shared.limits);
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    // Only the last segment can differ from the route; how it is spelled is compared with the rest.
    let connection = path.rsplit('/').next().and_then(|id| Uuid::try_parse(id).ok());
    let head = Head {
        method: parts.method.as_str(),
        path_and_query: parts.uri.path_and_query().map_or(path, |whole| whole.as_str()),
        headers: &parts.headers,
        received_ms: shared.engine.clock.now_ms(),
    };
    let admitting = receiver.admit(system, connection.ok_or(Refused::UnknownConnection)?, head);
    let admitted = timeout(limits.work, admitting).await.unwrap_or(Err(Refused::NotStored));
    let length = length(&parts.headers);
    if length > limits.body_bytes {
        return Err(match &admitted {
            Ok(admitted) => receiver.refuse(admitted, Refused::TooLarge),
            Err(_) => Refused::TooLarge,
        });
    }
    let admitted = admitted?;
    let read = read(body, length, limits).await;
    let body = read.map_err(|refused| receiver.refuse(&admitted, refused))?;
    let Ok(_turn) = shared.requests.try_acquire() else {
        return Err(receiver.refuse(&admitted, Refused::Busy));
    };
    // An insert that is still under way goes on; sent again, its events are known.
    let taking = timeout(limits.work, receiver.take(admitted, &body));
    taking.await.unwrap_or(Err(Refused::NotStored))
}

/// How long the body is said to be; nothing when that is not said.
fn length(headers: &HeaderMap) -> usize {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    said.unwrap_or(0)
}

/// The whole body, unless it is too long or comes too slowly.
async fn read(mut body: Body, length: usize, limits: &Limits) -> Result<Vec<u8>, Refused> {
    let deadline = Instant::now() + limits.body;
    let mut whole = Vec::with_capacity(length);
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Ok(None) => return Ok(whole),
            Ok(Some(Ok(frame))) => frame,
            // Cut off in the middle, or not framed as it must be.
            Ok(Some(Err(_))) => return Err(Refused::NotReadable),
            Err(_) => return Err(Refused::TooSlow),
        };
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limits.body_bytes {
            return Err(Refused::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
}
