//! `manage_tables`: the gallery of standard tables, and putting them up or away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::confirm::Bound;
use super::ctx::Ctx;
use super::outcome::Status;
use super::published;
use super::schema::Map;
use super::tool::{Hints, Tool, Toolset, Words};
use crate::error::{Result, invalid};
use crate::store::{organizations, rows, structure};
use crate::tables::custom::valid_label;
use crate::tables::provision::{Provisioned, provision};
use crate::tables::{Catalog, TABLES};

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    pub action: TableAction,
    /// For provision: this one, also when it was deleted; default all live ones
    #[serde(default)]
    pub table: Option<String>,
    /// For relabel
    #[serde(default)]
    pub label: Option<String>,
    /// Token of the preview
    #[serde(default, skip_serializing)]
    pub confirm: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableAction {
    Gallery,
    Provision,
    Relabel,
    Delete,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    pub status: Status,
    /// The standard tables and what each brings.
    pub gallery: Vec<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Template {
    pub table: String,
    pub label: String,
    pub icon: String,
    pub about: String,
    pub columns: usize,
    pub views: usize,
    pub automations: usize,
    pub rows: i64,
    /// Whether the organization has it.
    pub state: TableState,
    /// What this call did to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Provisioned>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableState {
    Live,
    Deleted,
}

pub fn tool() -> Tool {
    let words = Words {
        name: "manage_tables",
        title: "Manage tables",
        description: "The gallery of standard tables; provision (create, upgrade or bring back), relabel or delete one. \
                      A deleted table keeps its rows and comes back with them.",
    };
    Tool::new(words, Toolset::Admin, Hints::EDIT, run).with_input(describe)
}

async fn run(ctx: Ctx, args: Args) -> Result<Output> {
    let (mut tx, catalog) = ctx.begin().await?;
    let named = match &args.table {
        Some(key) => Some(known(&catalog, key)?),
        None => None,
    };
    let mut done = Vec::new();
    match (args.action, named) {
        (TableAction::Gallery, _) => {}
        (TableAction::Provision, named) => {
            let restore: Vec<&str> = named.into_iter().collect();
            done = provision(&mut tx, ctx.org, &restore, ctx.services.clock.now()).await?;
        }
        (TableAction::Relabel, Some(table)) => {
            let label = args.label.as_deref().ok_or_else(|| invalid("say the new label").at("label"))?;
            organizations::bump(&mut tx, ctx.org).await?;
            structure::relabel_table(&mut tx, ctx.org, table, &valid_label(label)?).await?;
        }
        (TableAction::Delete, Some(table)) => {
            catalog.table(table)?;
            let held = rows::counts(&mut tx, ctx.org).await?.into_iter().find(|(key, _)| key == table);
            let held = held.map_or(0, |(_, count)| count);
            let bound = Bound::new(&ctx, "manage_tables", &json!([&args, held]), &[]);
            match &args.confirm {
                Some(token) => bound.check(&catalog, ctx.services.clock.now_ms(), token)?,
                None if held > 0 => {
                    return Ok(Output {
                        status: Status::NeedsConfirmation,
                        gallery: Vec::new(),
                        effect: Some(format!("takes the table {table} with its {held} rows out of sight")),
                        confirm: Some(bound.token(&catalog)?),
                    });
                }
                None => {}
            }
            organizations::bump(&mut tx, ctx.org).await?;
            structure::set_table_deleted(&mut tx, ctx.org, table, Some(ctx.services.clock.now())).await?;
        }
        (_, None) => {
            return Err(invalid("say which table")
                .at("table")
                .choices("", TABLES.iter().map(|table| table.key)));
        }
    }
    tx.commit().await?;
    // Read back: a catalog loaded before the commit would be kept even if the commit failed.
    let (mut tx, catalog) = ctx.read().await?;
    let counts = rows::counts(&mut tx, ctx.org).await?;
    let template = |table: &crate::tables::CatalogTable| Template {
        table: table.key().to_owned(),
        label: table.label.clone(),
        icon: table.declared.icon.to_owned(),
        about: table.declared.about.to_owned(),
        columns: table.declared.columns.len(),
        views: table.declared.views.len(),
        automations: table.declared.automations.len(),
        rows: counts.iter().find(|(key, _)| key == table.key()).map_or(0, |(_, count)| *count),
        state: if table.deleted { TableState::Deleted } else { TableState::Live },
        done: done.iter().find(|(known, _)| known.key == table.key()).map(|(_, done)| *done),
    };
    let gallery = catalog.tables.iter().map(template).collect();
    Ok(Output { status: Status::Done, gallery, effect: None, confirm: None })
}

fn known(catalog: &Catalog, key: &str) -> Result<&'static str> {
    let table = catalog.tables.iter().map(crate::tables::CatalogTable::key).find(|known| *known == key);
    table.ok_or_else(|| {
        crate::error::not_found(format!("there is no table `{key}`"))
            .at("table")
            .choices(key, TABLES.iter().map(|table| table.key))
    })
}

fn describe(schema: &mut Map) {
    published::table(schema, "table");
}
