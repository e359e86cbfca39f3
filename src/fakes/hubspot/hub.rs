//! Who is let in, how often, and which call it is.

use serde_json::{Value, json};

use super::desk::{Answer, Desk};
use super::kind::Kind;
use super::portal::Portal;
use super::records::Writer;
use super::refusal::Refusal;
use super::webhooks::Apps;
use super::{associations, oauth, objects, properties, signature, webhooks};
use crate::fakes::accounts::{Bearer, Doorkeeper, Stranger};
use crate::fakes::deliveries::{Envelope, Letter, Sender, Subscriber};
use crate::fakes::dice::Dice;
use crate::fakes::limits::{Fixed, Limits, Rolling, Stretch};
use crate::fakes::options::Options;
use crate::fakes::server::{Call, Crm, Reply, RowFault};
use crate::fakes::time::{SECOND_MS, Time, iso};

/// The versions whose paths are answered; the second one is still supported.
const VERSIONS: &[&str] = &["2026-09", "2026-03"];
/// The user who stands for every person in a portal.
pub(super) const USER: i64 = 9_001;
const WINDOW_MS: i64 = 10 * SECOND_MS;

/// Every portal behind one address.
pub(super) struct Hub {
    pub(super) time: Time,
    pub(super) dice: Dice,
    pub(super) doorkeeper: Doorkeeper,
    pub(super) portals: Vec<Portal>,
    pub(super) apps: Apps,
    gates: Vec<Gates>,
    search_lag_ms: i64,
}

/// What one account's requests have to pass.
struct Gates {
    window: Option<Rolling>,
    day: Option<Fixed>,
    search: Option<Rolling>,
}

impl Hub {
    pub(super) fn new(options: &Options) -> Hub {
        let portal = |given: &crate::fakes::AccountOptions| {
            Portal::new(given.id.parse().unwrap_or(1), &given.name, given.writer.parse().unwrap_or(1))
        };
        Hub {
            time: Time { clock: options.clock.clone(), skew_ms: options.skew_ms },
            dice: Dice::new(options.seed),
            doorkeeper: Doorkeeper::new(options),
            portals: options.accounts.iter().map(portal).collect(),
            apps: Apps::new(options),
            gates: options.accounts.iter().map(|_| Gates::new(&options.limits)).collect(),
            search_lag_ms: options.search_lag_ms,
        }
    }

    fn work(&mut self, call: &Call, bearer: &Bearer, row_fault: Option<&RowFault>) -> Reply {
        let portal = &mut self.portals[bearer.account];
        let account = portal.id.to_string();
        let writer = if bearer.is_person {
            Writer::person()
        } else {
            Writer { source: "INTEGRATION", id: portal.app_id.to_string() }
        };
        let mut desk = Desk {
            writer,
            now: self.time.now_ms(),
            portal,
            dice: &mut self.dice,
            search_lag_ms: self.search_lag_ms,
            row_fault,
        };
        let mut reply = route(&mut desk, call).unwrap_or_else(|refusal| refusal.reply(&mut self.dice));
        reply.account = Some(account);
        reply
    }

    fn strange(&mut self, stranger: Stranger, now: i64) -> Reply {
        let refusal = match stranger {
            Stranger::Unknown => Refusal::new(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find \
                 more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            ),
            Stranger::Expired { at_ms } => {
                let message = format!(
                    "The OAuth token used to make this call expired {} second(s) ago.",
                    (now - at_ms) / SECOND_MS
                );
                Refusal::new(401, "EXPIRED_AUTHENTICATION", message).with("expire time", vec![iso(at_ms)])
            }
        };
        refusal.reply(&mut self.dice)
    }
}

impl Crm for Hub {
    fn answer(&mut self, call: &Call, row: Option<&RowFault>) -> Reply {
        if let Some(reply) = oauth::answer(self, call).or_else(|| webhooks::answer(self, call)) {
            return reply;
        }
        let now = self.time.now_ms();
        let bearer = match self.doorkeeper.bearer(call.token.as_deref(), now) {
            Ok(bearer) => bearer,
            Err(stranger) => return self.strange(stranger, now),
        };
        if bearer.is_person {
            return self.work(call, &bearer, row);
        }
        match self.gates[bearer.account].pass(is_search(call), now) {
            Ok(headers) => {
                let mut reply = self.work(call, &bearer, row);
                reply.headers.extend(headers);
                reply
            }
            Err((policy, until)) => {
                let mut reply = Reply::json(429, limited(policy, &mut self.dice));
                reply.account = Some(self.portals[bearer.account].id.to_string());
                reply.closed_until = Some(until);
                reply
            }
        }
    }

    fn refusal(&mut self, status: u16, policy: Option<&'static str>) -> Value {
        let (category, message) = match status {
            429 => return limited(policy.unwrap_or("TEN_SECONDLY_ROLLING"), &mut self.dice),
            400 => ("VALIDATION_ERROR", "The values break a validation rule of this account"),
            401 => ("INVALID_AUTHENTICATION", "The access token is invalid"),
            403 => ("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call."),
            423 => ("LOCKED", "The record is locked by another operation"),
            477 => ("MIGRATION_IN_PROGRESS", "The account is being migrated"),
            _ => ("INTERNAL_ERROR", "internal error"),
        };
        let reply = Refusal::new(status, category, message).reply(&mut self.dice);
        reply.body.unwrap_or_default()
    }

    fn lane(&self, call: &Call) -> &'static str {
        if is_search(call) { "search" } else { "calls" }
    }
}

impl Sender for Hub {
    fn letters(&mut self) -> Vec<Letter> {
        let Hub { portals, apps, .. } = self;
        portals.iter_mut().flat_map(|portal| apps.letters(portal.app_id, portal.events.take())).collect()
    }

    fn seal(letters: &[Letter], now_ms: i64) -> Envelope {
        signature::seal(letters, now_ms)
    }

    /// An app's webhooks stay as they are, whatever becomes of their deliveries.
    fn undeliverable(&mut self, _: &Subscriber) {}
}

impl Gates {
    fn new(limits: &Limits) -> Gates {
        Gates {
            window: limits.calls_per_ten_seconds.map(|most| Rolling::new(most, WINDOW_MS)),
            day: limits.calls_per_day.map(|most| Fixed::new(most, Stretch::Day)),
            search: limits.searches_per_second.map(|most| Rolling::new(most, SECOND_MS)),
        }
    }

    /// The headers that tell what is left, or the policy that refuses and when it no longer does. Search has limits
    /// of its own and tells nothing.
    fn pass(&mut self, search: bool, now: i64) -> Result<Vec<(&'static str, String)>, (&'static str, i64)> {
        if search {
            return match self.search.as_mut().map(|gate| gate.admit(now)) {
                Some(Err(until)) => Err(("SECONDLY", until)),
                _ => Ok(Vec::new()),
            };
        }
        let mut headers = Vec::new();
        if let Some(day) = &mut self.day {
            let left = day.admit(now).map_err(|until| ("DAILY", until))?;
            headers.push(("X-HubSpot-RateLimit-Daily", day.most().to_string()));
            headers.push(("X-HubSpot-RateLimit-Daily-Remaining", left.to_string()));
        }
        if let Some(window) = &mut self.window {
            let left = window.admit(now).map_err(|until| ("TEN_SECONDLY_ROLLING", until))?;
            headers.push(("X-HubSpot-RateLimit-Max", window.most().to_string()));
            headers.push(("X-HubSpot-RateLimit-Remaining", left.to_string()));
            headers.push(("X-HubSpot-RateLimit-Interval-Milliseconds", WINDOW_MS.to_string()));
        }
        Ok(headers)
    }
}

fn limited(policy: &str, dice: &mut Dice) -> Value {
    json!({
        "status": "error",
        "message": format!("You have reached your {} limit.", policy.to_lowercase()),
        "errorType": "RATE_LIMIT",
        "correlationId": dice.uuid().to_string(),
        "policyName": policy,
        "requestId": dice.uuid().to_string(),
    })
}

fn is_search(call: &Call) -> bool {
    call.method == "POST" && call.path.last().is_some_and(|last| last == "search")
}

fn route(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let segments = call.segments();
    let supported = |version: &str| VERSIONS.contains(&version);
    match (call.method.as_str(), segments.as_slice()) {
        (_, ["crm", "objects", version, kind, rest @ ..]) if supported(version) => {
            objects::answer(desk, call, named(kind)?, rest)
        }
        (_, ["crm", "properties", version, kind, rest @ ..]) if supported(version) => {
            properties::answer(desk, call, named(kind)?, rest)
        }
        ("POST", ["crm", "associations", version, from, to, "batch", verb @ ..]) if supported(version) => {
            associations::batch(desk, call, [from, to], verb)
        }
        ("GET", ["crm", "owners", version]) if supported(version) => Ok(owners(desk)),
        ("GET", ["account-info", version, "details"]) if supported(version) => Ok(details(desk)),
        ("POST", ["oauth", "v2", "private-apps", "get", "access-token-info"]) => Ok(private_app(desk)),
        _ => Err(Refusal::not_found("resource not found")),
    }
}

fn named(kind: &str) -> Result<Kind, Refusal> {
    Kind::named(kind).ok_or_else(|| Refusal::invalid(format!("Unable to infer object type from: {kind}")))
}

fn owners(desk: &Desk<'_>) -> Reply {
    let owner = json!({
        "id": "41629779",
        "email": "person@example.com",
        "type": "PERSON",
        "firstName": "Test",
        "lastName": "Person",
        "userId": USER,
        "createdAt": iso(desk.now),
        "updatedAt": iso(desk.now),
        "archived": false,
    });
    Reply::json(200, json!({"results": [owner]}))
}

/// <https://developers.hubspot.com/docs/api-reference/latest/account/account-information/get-account-details>
fn details(desk: &Desk<'_>) -> Reply {
    let details = json!({
        "portalId": desk.portal.id,
        "portalName": desk.portal.name,
        "accountType": "STANDARD",
        "timeZone": "UTC",
        "companyCurrency": "USD",
        "additionalCurrencies": [],
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    });
    Reply::json(200, details)
}

/// What a private app's token says of itself.
fn private_app(desk: &Desk<'_>) -> Reply {
    let facts = json!({"userId": USER, "hubId": desk.portal.id, "appId": desk.portal.app_id, "scopes": []});
    Reply::json(200, facts)
}
