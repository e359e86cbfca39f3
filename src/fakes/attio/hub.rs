//! Who is let in, how often, and which call it is.

use serde_json::{Value, json};

use super::desk::{Answer, Desk};
use super::record::Actor;
use super::refusal::Refusal;
use super::workspace::Workspace;
use super::{attributes, notes, oauth, records, webhooks};
use crate::fakes::accounts::{Bearer, Doorkeeper};
use crate::fakes::deliveries::{Envelope, Letter, Sender, Subscriber};
use crate::fakes::dice::Dice;
use crate::fakes::limits::{Fixed, Limits, Stretch};
use crate::fakes::options::Options;
use crate::fakes::server::{Call, Crm, Reply, RowFault};
use crate::fakes::time::{Time, http_date, iso_nanos};

/// Every workspace behind one address.
pub(super) struct Hub {
    pub(super) time: Time,
    pub(super) dice: Dice,
    pub(super) doorkeeper: Doorkeeper,
    pub(super) workspaces: Vec<Workspace>,
    gates: Vec<Gates>,
    pub(super) merge_ms: i64,
}

/// What one workspace's requests have to pass.
struct Gates {
    reads: Option<Fixed>,
    writes: Option<Fixed>,
    merges: Option<Fixed>,
}

impl Hub {
    pub(super) fn new(options: &Options) -> Hub {
        let mut dice = Dice::new(options.seed);
        let workspaces = options
            .accounts
            .iter()
            .map(|given| Workspace::new(&given.id, &given.name, &given.writer, &mut dice))
            .collect();
        Hub {
            time: Time { clock: options.clock.clone(), skew_ms: options.skew_ms },
            dice,
            doorkeeper: Doorkeeper::new(options),
            workspaces,
            gates: options.accounts.iter().map(|_| Gates::new(&options.limits)).collect(),
            merge_ms: options.merge_ms,
        }
    }

    fn work(&mut self, call: &Call, bearer: &Bearer) -> Reply {
        let workspace = &mut self.workspaces[bearer.account];
        let account = workspace.id.clone();
        let kind = if bearer.by_flow { "app" } else { "api-token" };
        let actor = if bearer.is_person {
            Actor { kind: "workspace-member", id: workspace.member.clone() }
        } else {
            Actor { kind, id: workspace.writer.clone() }
        };
        let mut desk =
            Desk { actor, workspace, dice: &mut self.dice, now: self.time.now_ms(), merge_ms: self.merge_ms };
        let mut reply = route(&mut desk, call).unwrap_or_else(|refusal| refusal.reply());
        reply.account = Some(account);
        reply
    }
}

impl Crm for Hub {
    /// There are no batches, so no row of one can fail.
    fn answer(&mut self, call: &Call, _: Option<&RowFault>) -> Reply {
        if let Some(reply) = oauth::answer(self, call) {
            return reply;
        }
        let now = self.time.now_ms();
        let Ok(bearer) = self.doorkeeper.bearer(call.token.as_deref(), now) else {
            let message = "The access token is missing, invalid or expired.";
            return Refusal::new(401, "unauthorized", message).reply();
        };
        if bearer.is_person {
            return self.work(call, &bearer);
        }
        match self.gates[bearer.account].pass(lane(call), now) {
            Ok(()) => self.work(call, &bearer),
            Err(until) => {
                let mut reply = Reply::json(429, limited());
                reply.headers.push(("Retry-After", http_date(until)));
                reply.account = Some(self.workspaces[bearer.account].id.clone());
                reply.closed_until = Some(until);
                reply
            }
        }
    }

    fn refusal(&mut self, status: u16, _: Option<&'static str>) -> Value {
        match status {
            429 => limited(),
            400 => Refusal::new(status, "validation_type", "The values are not valid.").body(),
            401 => Refusal::new(status, "unauthorized", "The access token is invalid.").body(),
            403 => Refusal::new(status, "insufficient_scopes", "The access token lacks a scope.").body(),
            _ => Refusal::new(status, "internal_error", "An error occurred.").body(),
        }
    }

    fn lane(&self, call: &Call) -> &'static str {
        lane(call)
    }
}

impl Sender for Hub {
    fn letters(&mut self) -> Vec<Letter> {
        let Hub { workspaces, dice, .. } = self;
        workspaces.iter_mut().flat_map(|workspace| workspace.events.letters(dice)).collect()
    }

    fn seal(letters: &[Letter], _: i64) -> Envelope {
        webhooks::seal(letters)
    }

    fn undeliverable(&mut self, to: &Subscriber) {
        let webhooks = self.workspaces.iter_mut().flat_map(|workspace| &mut workspace.events.webhooks);
        for webhook in webhooks.filter(|webhook| webhook.id == to.webhook) {
            webhook.fail();
        }
    }
}

impl Gates {
    fn new(limits: &Limits) -> Gates {
        let gate = |most: Option<u32>| most.map(|most| Fixed::new(most, Stretch::Second));
        Gates {
            reads: gate(limits.reads_per_second),
            writes: gate(limits.writes_per_second),
            merges: gate(limits.merges_per_second),
        }
    }

    /// Nothing, or when the limit resets.
    fn pass(&mut self, lane: &str, now: i64) -> Result<(), i64> {
        let gates = match lane {
            "reads" => [self.reads.as_mut(), None],
            "merges" => [self.merges.as_mut(), self.writes.as_mut()],
            _ => [self.writes.as_mut(), None],
        };
        gates.into_iter().flatten().try_for_each(|gate| gate.admit(now).map(drop))
    }
}

/// Reads that are queries are POSTs.
fn lane(call: &Call) -> &'static str {
    match call.path.last().map(String::as_str) {
        _ if call.method == "GET" => "reads",
        Some("query") => "reads",
        Some("merge") => "merges",
        _ => "writes",
    }
}

fn limited() -> Value {
    Refusal::new(429, "rate_limit_exceeded", "Rate limit exceeded, please try again later").body()
}

fn route(desk: &mut Desk<'_>, call: &Call) -> Answer {
    match (call.method.as_str(), call.segments().as_slice()) {
        ("GET", ["v2", "objects"]) => {
            let shown: Vec<Value> = (0..desk.workspace.objects.len()).map(|at| object(desk, at)).collect();
            Ok(Reply::json(200, json!({"data": shown})))
        }
        ("GET", ["v2", "objects", name]) => {
            let at = desk.object(name)?;
            Ok(Reply::json(200, json!({"data": object(desk, at)})))
        }
        (_, ["v2", "objects", name, "records", rest @ ..]) => {
            let at = desk.object(name)?;
            records::answer(desk, call, at, rest)
        }
        (_, ["v2", "objects", name, "attributes", rest @ ..]) => {
            let at = desk.object(name)?;
            attributes::answer(desk, call, at, rest)
        }
        (_, ["v2", "notes", rest @ ..]) => notes::answer(desk, call, rest),
        (_, ["v2", "webhooks", rest @ ..]) => webhooks::answer(desk, call, rest),
        ("GET", ["v2", "workspace_members"]) => Ok(members(desk)),
        _ => Err(Refusal::no_call()),
    }
}

fn object(desk: &Desk<'_>, at: usize) -> Value {
    let object = &desk.workspace.objects[at];
    json!({
        "id": {"workspace_id": desk.workspace.id, "object_id": object.id},
        "api_slug": object.slug,
        "singular_noun": object.singular,
        "plural_noun": object.slug,
        "created_at": iso_nanos(desk.now),
    })
}

fn members(desk: &Desk<'_>) -> Reply {
    let member = json!({
        "id": {"workspace_id": desk.workspace.id, "workspace_member_id": desk.workspace.member},
        "first_name": "Test",
        "last_name": "Person",
        "avatar_url": null,
        "email_address": desk.workspace.member_email,
        "created_at": iso_nanos(desk.now),
        "access_level": "admin",
    });
    Reply::json(200, json!({"data": [member]}))
}
