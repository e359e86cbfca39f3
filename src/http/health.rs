//! Whether the process is alive, and whether it can do its work.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use tokio::time::timeout;

use super::{Shared, answer};
use crate::error::busy;

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(3);

/// Answers whenever the process does.
pub(super) async fn alive() -> Response {
    answer::json(StatusCode::OK, &json!({"status": "alive"}))
}

/// Answers well when the database does, with the schema of this version.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    match timeout(PATIENCE, shared.engine.store.answers()).await {
        Ok(Ok(())) => answer::json(StatusCode::OK, &json!({"status": "ready"})),
        Ok(Err(error)) => {
            let mut response = answer::error(&error);
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
        Err(_) => answer::error(&busy("the database does not answer in time")),
    }
}
