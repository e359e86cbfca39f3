//! What is said in the demonstration: the user's sentences, and the calls a copilot makes of them.

use serde_json::{Value as Json, json};

use super::sample;

/// One exchange: what the user says, and the calls that answer it.
pub(super) struct Turn {
    pub(super) user: &'static str,
    pub(super) calls: Vec<Call>,
}

/// A call, with what the copilot has to say before it.
pub(super) struct Call {
    pub(super) remark: Option<&'static str>,
    pub(super) tool: &'static str,
    pub(super) arguments: Json,
    /// What of the result before goes into the arguments: the field there, the argument here.
    pub(super) from_last: Option<(&'static str, &'static str)>,
}

impl Call {
    fn new(tool: &'static str, arguments: Json) -> Call {
        Call { remark: None, tool, arguments, from_last: None }
    }

    fn after(remark: &'static str, tool: &'static str, arguments: Json) -> Call {
        Call { remark: Some(remark), ..Call::new(tool, arguments) }
    }

    fn taking(mut self, field: &'static str, argument: &'static str) -> Call {
        self.from_last = Some((field, argument));
        self
    }
}

pub(super) fn turns() -> Vec<Turn> {
    let turn = |user, calls| Turn { user, calls };
    vec![
        turn("What do you know about our sales?", vec![Call::new("describe_tables", json!({}))]),
        turn("Which new high-priority leads came in over the last seven days?", vec![new_leads()]),
        turn(
            "How many leads do we have by status?",
            vec![Call::new("query_leads", json!({ "group_by": ["status"] }))],
        ),
        turn("And how much MRR does each of us look after?", vec![revenue()]),
        turn("I just met Rosa Iqbal of Larkfield Foods. Add her, it's urgent.", vec![create()]),
        turn("Whom do we know at Larkfield?", misspelled()),
        turn("I take over everybody from the Harbour Expo.", take_over()),
        turn("Sorry, that was wrong. Take it back.", vec![undo()]),
    ]
}

fn new_leads() -> Call {
    let filters = json!([
        { "column": "status", "op": "equals", "value": "new" },
        { "column": "priority", "op": "in", "value": ["high", "urgent"] },
        { "column": "created_at", "op": "within_last_days", "value": 7 },
    ]);
    let fields = json!(["contact_name", "domain", "priority", "owner", "created_at"]);
    Call::new("query_leads", json!({ "filters": filters, "fields": fields }))
}

fn revenue() -> Call {
    let arguments = json!({
        "filters": [{ "column": "status", "op": "equals", "value": "active" }],
        "group_by": ["owner"],
        "aggregate": { "fn": "sum", "column": "deal_value" },
        "sort": [{ "column": "_value", "dir": "desc" }],
    });
    Call::new("query_clients", arguments)
}

fn create() -> Call {
    let row = json!({
        "contact_name": "Rosa Iqbal", "contact_email": "rosa@larkfield.example",
        "domain": "larkfield.example", "priority": "urgent", "status": "new", "owner": "me",
    });
    Call::new("save_leads", json!({ "rows": [row], "match_on": "contact_email" }))
}

fn misspelled() -> Vec<Call> {
    let arguments = |column: &str| {
        json!({
            "filters": [{ "column": column, "op": "contains", "value": "@larkfield" }],
            "fields": ["contact_name", "contact_email", "priority", "owner"],
        })
    };
    vec![
        Call::new("query_leads", arguments("contact_emial")),
        Call::after(
            "A misspelled column. The error names the right one:",
            "query_leads",
            arguments("contact_email"),
        ),
    ]
}

fn take_over() -> Vec<Call> {
    let arguments = json!({
        "filters": [{ "column": "source", "op": "equals", "value": sample::FAIR }],
        "set": { "owner": "me" },
    });
    let agreed = "Nothing is written yet. You agree, so the copilot repeats the call with the token:";
    vec![
        Call::new("save_leads", arguments.clone()),
        Call::after(agreed, "save_leads", arguments).taking("confirm", "confirm"),
    ]
}

fn undo() -> Call {
    Call::new("undo_change", json!({})).taking("change_id", "change_id")
}
