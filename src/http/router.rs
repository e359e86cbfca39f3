//! What there is to ask for.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};

use super::{Shared, answer, health, webhooks};
use crate::error::{invalid, not_found};
use crate::tables::System;

/// Every path, with what any other is answered.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let is_tls = shared.is_tls;
    let webhooks = System::ALL.iter().fold(Router::new(), |router, &system| {
        let path = format!("/webhooks/{}/{{connection}}", system.name());
        router.route(&path, post(move |shared, request| webhooks::deliver(system, shared, request)))
    });
    webhooks
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(async || answer::error(&not_found("there is nothing at this path")))
        .method_not_allowed_fallback(async || {
            answer::not_allowed(&invalid("this path does not take this method"))
        })
        .layer(from_fn(move |request: Request, next: Next| async move {
            let mut response: Response = next.run(request).await;
            answer::guard(&mut response, is_tls);
            response
        }))
        .with_state(shared)
}
