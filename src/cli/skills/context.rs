//! What an organization tells about itself.

use serde_json::Value as Json;

use super::super::Status;
use super::super::grid::Grid;
use super::super::output::width;
use super::super::session::Session;
use super::{begin, changed};
use crate::error::Result;
use crate::skills;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List what is known
    List,
    /// Set a value; JSON is read as such, anything else is text
    Set {
        /// Its key, with periods before its parts, as icp.industry
        key: String,
        /// Text, a number, or JSON
        value: String,
    },
    /// Take a value out
    Unset {
        /// Its key
        key: String,
    },
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let (key, value) = match args.action {
        Action::List => return list(session).await,
        Action::Set { key, value } => {
            let json = serde_json::from_str(&value).unwrap_or(Json::String(value));
            (key, Some(json))
        }
        Action::Unset { key } => (key, None),
    };
    let connection = session.connect().await?;
    let mut tx = begin(&connection).await?;
    let services = &connection.app.services;
    let said = format!("{key} is {}", if value.is_some() { "set" } else { "taken out" });
    services.skills.tell(&mut tx, connection.org, &key, value, services.clock.now()).await?;
    tx.commit().await?;
    changed(session, &connection, None, true, said).await
}

async fn list(session: &Session) -> Result<Status> {
    let connection = session.connect().await?;
    let (mut tx, _) = connection.person().read().await?;
    let told = skills::told(&mut tx, connection.org).await?;
    session.output.result(&told, || {
        if told.is_empty() {
            return "Nothing is known yet: `opstables skills context set company_name \"Acme\"`".to_owned();
        }
        let mut grid = Grid::new(["key", "value"]);
        for (key, value) in &told {
            grid.row([key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)]);
        }
        grid.render(width())
    })?;
    Ok(Status::Done)
}
