//! Keeps the tables and the CRMs in step.
//!
//! Writes leave what a CRM must learn in its queue, in their own transaction; [`deliver()`] brings it there. What a CRM tells
//! or answers comes in by the same write path, as one more writer's edit. `crm` is what is asked of a CRM; `hubspot` and
//! `attio` answer in their own wire formats.

mod access;
mod arrive;
pub mod attio;
pub mod breaker;
pub mod connect;
pub mod crm;
mod decide;
pub mod deliver;
mod doubt;
pub mod engine;
pub mod fault;
mod find;
mod forget;
mod forms;
pub mod hooks;
pub mod hubspot;
pub mod inbound;
mod joined;
mod leads;
pub mod mapping;
mod news;
mod note;
mod oauth;
pub mod pace;
mod patience;
pub mod pull;
mod reading;
pub mod receive;
pub mod reconcile;
pub mod registration;
mod replaced;
mod settle;
pub mod status;
#[cfg(test)]
mod stub;
pub mod subscriptions;
pub mod vault;
mod wire;
mod wording;

pub use deliver::{Turn, deliver};
pub use engine::{Engine, Key, Options, Schedule};
pub use forget::forget;
pub use inbound::inbound;
pub use reconcile::poll;
