//! How a copilot's host is told to start this very program: the JSON that Claude Desktop, Claude Code,
//! Cursor and others take.

use serde_json::{Map, Value, json};

use super::output::{STRONG, styled};
use crate::config::{Config, Origin};

/// The `mcpServers` object for these settings; what is a default is left out, and so is a password.
pub(super) fn client_config(config: &Config) -> Value {
    let mut env = Map::new();
    if *config.origin("database.url") != Origin::Default {
        env.insert("OPSTABLES_DATABASE_URL".to_owned(), json!(absolute(&config.database_shown())));
    }
    let caller = [("OPSTABLES_ORG", &config.caller.org), ("OPSTABLES_USER", &config.caller.user)];
    for (name, value) in caller {
        if let Some(value) = value {
            env.insert(name.to_owned(), json!(value));
        }
    }
    let mut server = json!({ "command": program(), "args": ["serve"] });
    if !env.is_empty() {
        server["env"] = Value::Object(env);
    }
    json!({ "mcpServers": { "opstables": server } })
}

/// The same with the words around it, for a person.
pub(super) fn instructions(config: &Config) -> String {
    let snippet = client_config(config);
    let mut text = format!(
        "{}\n{snippet:#}\n\nIn Claude Code:  claude mcp add-json opstables '{}'",
        styled(
            STRONG,
            "To connect a copilot, put this into its MCP configuration (Claude Desktop, Cursor, …):"
        ),
        snippet["mcpServers"]["opstables"]
    );
    if config.database.url != config.database_shown() {
        text += "\nThe database's password is left out above: add it to OPSTABLES_DATABASE_URL.";
    }
    text
}

/// The absolute path of this program.
pub(super) fn program() -> String {
    std::env::current_exe().map_or_else(|_| "opstables".to_owned(), |path| path.display().to_string())
}

/// The URL of a SQLite file with the file's absolute path: a host starts the server in a folder of its own.
fn absolute(url: &str) -> String {
    let Some(path) = url.strip_prefix("sqlite://") else { return url.to_owned() };
    let absolute = std::path::absolute(path).map(|path| path.display().to_string());
    format!("sqlite://{}", absolute.unwrap_or_else(|_| path.to_owned()))
}
