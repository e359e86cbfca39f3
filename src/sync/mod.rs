//! Keeps the tables and the CRMs in step.
//!
//! Writes leave what a CRM must learn in its queue, in their own transaction; [`deliver()`] brings it there. What a CRM tells
//! or answers comes in by the same write path, as one more writer's edit. `crm` is what is asked of a CRM; `hubspot` and
//! `attio` answer in their own wire formats.

mod access;
pub mod attio;
pub mod connect;
pub mod crm;
pub mod deliver;
mod doubt;
pub mod engine;
pub mod fault;
mod forget;
mod forms;
pub mod hubspot;
mod joined;
pub mod mapping;
mod oauth;
pub mod pace;
mod settle;
pub mod status;
#[cfg(test)]
mod stub;
pub mod vault;
mod wire;
mod wording;

pub use deliver::{Turn, deliver};
pub use engine::{Engine, Key, Options};
pub use forget::forget;
