//! Stand-ins for `HubSpot` and `Attio` that tell the truth: HTTP servers that speak their wire formats, keep records
//! with histories in memory, hold callers to the documented limits, and fail in all the ways that the real ones do.
//!
//! The test-suite and the demo talk to them as they would to the CRMs. Beside the wire, [`HubspotFake`] and
//! [`AttioFake`] have the hands of a person in the CRM's own screens (`create`, `edit`, `archive`, `merge`, …) and a
//! look behind them (`record`, `history`, `snapshot`, `requests`), so that both sides can be compared. Webhooks are
//! delivered when [`Deliveries`] has been told where to.
//!
//! Where documentation leaves something open, a stand-in takes the side that is harder on its caller, and says so: the
//! results of a batch come shuffled, history comes in no order, search lags behind when told to, a lifecycle stage does
//! not move back, and whatever is not a string is not taken for one.

mod accounts;
pub mod attio;
mod deliveries;
mod dice;
mod faults;
pub mod hubspot;
mod limits;
mod options;
mod requests;
mod server;
#[cfg(test)]
mod testing;
mod time;

pub use accounts::AccountOptions;
pub use attio::AttioFake;
pub use deliveries::{Attempt, Deliveries, Habits};
pub use faults::{Fault, Faults, Outage, RetryAfter, Rule};
pub use hubspot::HubspotFake;
pub use limits::Limits;
pub use options::Options;
pub use requests::Request;

/// A value that a property or attribute had, for comparisons from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// `HubSpot`: a string, empty for a cleared property. `Attio`: the list of values, empty for a cleared attribute.
    pub value: serde_json::Value,
    /// From when on, in milliseconds by the stand-in's own clock.
    pub at_ms: i64,
    /// The kind of writer in the CRM's words: `CRM_UI`, `INTEGRATION`; `workspace-member`, `api-token`, `app`.
    pub source: String,
    /// Which writer: an app's id, `userId:…`, a token's or a member's id.
    pub writer: String,
}
