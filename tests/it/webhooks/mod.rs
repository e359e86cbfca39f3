//! Webhooks of both CRMs: what is genuine comes into the inbox once, and nothing else does.

mod bodies;
mod client;
mod forgeries;
mod limits;
mod received;
mod server;
pub(crate) mod signed;
