//! `opstables call`: one tool, run exactly as a copilot's call over MCP.

use std::io::Read;

use serde_json::{Map, Value};

use super::Status;
use super::session::Session;
use crate::error::{Error, Result, invalid, not_found};
use crate::records::ActorKind;
use crate::tools::{self, Toolbox, Toolset};

/// Call a tool exactly as a copilot would, and print its result as JSON
///
/// The tools and their arguments: `opstables tools list`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Tool, as `query_leads`
    tool: String,
    /// Arguments as a JSON object, @FILE to read them from a file, or - from stdin
    #[arg(default_value = "{}", value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    arguments: String,
}

const EXAMPLE: &str = r#"Example:
  opstables call query_leads '{"filters":[{"column":"status","op":"equals","value":"new"}]}'"#;

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let toolbox = Toolbox::new(tools::all(), Toolset::ALL, false);
    let tool = toolbox.find(&args.tool)?;
    let arguments = parse(&read(&args.arguments)?)?;
    let connection = session.connect().await?;
    let result = tool.call(connection.ctx(ActorKind::Copilot, Some(&tool.name)), arguments).await?;
    session.output.json(&result)?;
    Ok(Status::Done)
}

fn read(source: &str) -> Result<String> {
    if source == "-" {
        let mut text = String::new();
        return match std::io::stdin().read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(invalid(format!("stdin cannot be read: {error}"))),
        };
    }
    match source.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| not_found(format!("the file `{path}` cannot be read: {error}"))),
        None => Ok(source.to_owned()),
    }
}

fn parse(text: &str) -> Result<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(no_object("the arguments are JSON, but not an object")),
        Err(error) => Err(no_object(&format!("the arguments are not JSON: {error}"))),
    }
}

fn no_object(message: &str) -> Error {
    invalid(message).hint("write them as '{\"limit\": 5}', in single quotes for the shell")
}
