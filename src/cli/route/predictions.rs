//! A prediction for each message on stdin, as evaluations of routers read them.

use std::io::BufRead;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::super::Status;
use super::super::session::Session;
use super::Args;
use crate::clock::Clock;
use crate::error::{Result, internal, invalid};
use crate::router::{Call, Router, Step};
use crate::skills::{Choice, Library, platform};
use crate::tables::{Catalog, catalog_as_declared};

/// A message to predict: `{"id": "m1", "text": "urgent leads"}`.
#[derive(Debug, Deserialize)]
struct Message {
    id: Json,
    text: String,
}

/// What predictions are made with.
struct Predictor {
    router: Router,
    library: Arc<Library>,
    now: DateTime<Utc>,
    zone: Tz,
}

/// Without a database the tables are as they are declared and the skills those that ship.
pub(super) async fn run(session: &Session, args: &Args) -> Result<Status> {
    let (catalog, own) = if session.has_database() {
        let ctx = session.connect().await?.person();
        let (_, catalog) = ctx.read().await?;
        (catalog, Some(ctx.library().await?))
    } else {
        (Arc::new(catalog_as_declared()), None)
    };
    let library = match (&args.skills, own) {
        (Some(path), _) => Arc::new(Library::read(path)?),
        (None, Some(own)) => own,
        (None, None) => Arc::new(Library::new(platform().clone())),
    };
    let predictor = predictor(args, catalog, library)?;
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(internal)?;
        if line.trim().is_empty() {
            continue;
        }
        let message = read(&line, number + 1)?;
        session.output.line(predictor.predict(&message))?;
    }
    Ok(Status::Done)
}

fn predictor(args: &Args, catalog: Arc<Catalog>, library: Arc<Library>) -> Result<Predictor> {
    let now = match &args.now {
        None => Clock::System.now(),
        Some(text) => text
            .parse()
            .map_err(|_| invalid(format!("`{text}` is no time")).hint("write it as 2026-03-02T10:00:00Z"))?,
    };
    let zone = match &args.tz {
        None => catalog.zone,
        Some(text) => text
            .parse()
            .map_err(|_| invalid(format!("`{text}` is no time zone")).hint("write it as Europe/Berlin"))?,
    };
    Ok(Predictor { router: Router::new(catalog), library, now, zone })
}

/// A line is an object, or the text itself with its number as the id.
fn read(line: &str, number: usize) -> Result<Message> {
    if !line.trim_start().starts_with('{') {
        return Ok(Message { id: json!(number), text: line.to_owned() });
    }
    serde_json::from_str(line).map_err(|error| {
        invalid(format!("line {number} is no message: {error}"))
            .hint("write {\"id\": \"m1\", \"text\": \"urgent leads\"}")
    })
}

impl Predictor {
    fn predict(&self, message: &Message) -> Json {
        let started = Instant::now();
        let step = self.router.route(&message.text, self.now, self.zone);
        let choice = match step {
            Step::Call(_) => None,
            Step::Leave { .. } => Some(self.library.choose(&message.text)),
        };
        let latency = started.elapsed().as_secs_f64() * 1e6;
        let mut prediction = match (step, choice) {
            (Step::Call(call), _) => of_call(&call),
            (Step::Leave { reason }, Some(choice)) => of_choice(&choice, &reason),
            (Step::Leave { reason }, None) => {
                of_choice(&Choice { candidates: Vec::new(), chosen: None, trace: Vec::new() }, &reason)
            }
        };
        prediction.insert("id".to_owned(), message.id.clone());
        prediction.insert("latency_us".to_owned(), json!((latency * 10.0).round() / 10.0));
        Json::Object(prediction)
    }
}

fn of_call(call: &Call) -> Map<String, Json> {
    let sort: Vec<Json> =
        call.sort.iter().map(|(column, dir)| json!({"column": column, "dir": dir})).collect();
    let group_by: Vec<&str> = call.group_by.iter().map(|(column, _)| column.as_str()).collect();
    let aggregate = call.figure.as_ref().map(|(function, column)| json!({"fn": function, "column": column}));
    object(json!({
        "kind": "table",
        "table": call.table,
        "operation": call.operation.name(),
        "arguments": {
            "filters": call.filters,
            "sort": sort,
            "limit": call.limit,
            "group_by": group_by,
            "aggregate": aggregate,
            "set": call.set,
            "fields": call.fields,
        },
        "confidence": call.confidence,
    }))
}

fn of_choice(choice: &Choice, reason: &str) -> Map<String, Json> {
    let chosen = choice.chosen().map(|candidate| candidate.key.as_str());
    let candidates: Vec<&str> = choice.candidates.iter().map(|candidate| candidate.key.as_str()).collect();
    object(json!({
        "kind": if chosen.is_some() { "skill" } else { "none" },
        "skill": chosen,
        "skill_candidates": candidates,
        "reason": reason,
    }))
}

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
