//! Answers as JSON, with the headers that all of them have.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::error::{Code, Error};

/// When the sender may come again after a refusal that passes.
const RETRY_AFTER_SECS: u32 = 2;

/// A result.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// An error in the product's own form, with the status that its code means.
pub(super) fn error(error: &Error) -> Response {
    let status = match error.code {
        Code::Invalid => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict => StatusCode::CONFLICT,
        Code::Denied => StatusCode::UNAUTHORIZED,
        Code::Busy | Code::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = json(status, error);
    let (name, value) = match status {
        StatusCode::SERVICE_UNAVAILABLE => (header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECS)),
        StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, HeaderValue::from_static("Signature")),
        _ => return response,
    };
    response.headers_mut().insert(name, value);
    response
}

/// An error after which the connection ends, because the rest of the request is not read.
pub(super) fn closing(status: StatusCode, error: &Error) -> Response {
    let mut response = json(status, error);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The error of a path that is asked with another method than its own; the router says which.
pub(super) fn not_allowed(error: &Error) -> Response {
    json(StatusCode::METHOD_NOT_ALLOWED, error)
}

/// Sets the headers that keep browsers and caches from making anything of an answer.
pub(super) fn guard(response: &mut Response, is_tls: bool) {
    let headers = response.headers_mut();
    let mut set = |name, value| drop(headers.insert(name, HeaderValue::from_static(value)));
    set(header::CACHE_CONTROL, "no-store");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if is_tls {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
