//! The organization's skills, all or one.

use serde::Serialize;

use super::super::Status;
use super::super::grid::Grid;
use super::super::output::width;
use super::super::session::Session;
use super::rows;
use crate::error::{Result, conflict, nearest, not_found};
use crate::store::skills::SkillRow;

#[derive(Debug, Serialize)]
struct Listed {
    key: String,
    name: String,
    category: Option<String>,
    version: String,
    origin: String,
    /// on, off, or broken.
    state: &'static str,
    description: String,
}

pub(super) async fn list(session: &Session) -> Result<Status> {
    let connection = session.connect().await?;
    let listed: Vec<Listed> = rows(&connection).await?.into_iter().map(listed).collect();
    session.output.result(&listed, || {
        let mut grid = Grid::new(["skill", "state", "origin", "category", "what it is for"]);
        for skill in &listed {
            let category = skill.category.clone().unwrap_or_default();
            let row =
                [&skill.key, skill.state, &skill.origin, &category, &skill.description].map(str::to_owned);
            grid.row(row);
        }
        grid.render(width())
    })?;
    Ok(Status::Done)
}

pub(super) async fn show(session: &Session, key: &str) -> Result<Status> {
    let connection = session.connect().await?;
    let rows = rows(&connection).await?;
    let Some(row) = rows.iter().find(|row| row.skill_key == key) else {
        let error = not_found(format!("there is no skill `{key}`"));
        return Err(match nearest(key, rows.iter().map(|row| row.skill_key.as_str())) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`opstables skills list` shows what there is"),
        });
    };
    let Some(text) = &row.compiled else {
        return Err(match state(row) {
            "off" => {
                conflict(format!("`{key}` is switched off")).hint(format!("`opstables skills enable {key}`"))
            }
            _ => conflict(format!("`{key}` cannot be used")).hint("`opstables skills lint` says why"),
        });
    };
    let library = connection.person().library().await?;
    session
        .output
        .result(&crate::tools::get_skill::shown(library.find(key)?), || text.trim_end().to_owned())?;
    Ok(Status::Done)
}

fn listed(row: SkillRow) -> Listed {
    Listed {
        state: state(&row),
        key: row.skill_key,
        name: row.name,
        category: row.category,
        version: row.version,
        origin: row.origin,
        description: row.description,
    }
}

fn state(row: &SkillRow) -> &'static str {
    match (row.is_enabled, &row.compiled) {
        (false, _) => "off",
        (true, Some(_)) => "on",
        (true, None) => "broken",
    }
}
