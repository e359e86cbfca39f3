//! Completions for the arguments of the resource templates, and for the words that tools take.

use rmcp::model::{CompleteRequestParams, CompletionInfo, Reference};

use super::resources::{ROW_TEMPLATE, TABLE_TEMPLATE};
use super::skills;
use crate::error::{Error, Result, internal, invalid};
use crate::tools::{Ctx, describe};

/// What can be completed; all but `table` and `skill` depend on the table.
const ARGUMENTS: &[&str] = &["table", "id", "column", "view", "option", "owner", "skill"];
const TEMPLATES: &[&str] = &[TABLE_TEMPLATE, ROW_TEMPLATE, skills::TEMPLATE];

pub(super) async fn complete(ctx: &Ctx, request: &CompleteRequestParams) -> Result<CompletionInfo> {
    check_reference(&request.r#ref)?;
    let argument = request.argument.name.as_str();
    if !ARGUMENTS.contains(&argument) {
        let unknown = invalid(format!("there is no argument `{argument}` to complete"));
        return Err(unknown.choices(argument, ARGUMENTS.iter().copied()));
    }
    let table =
        request.context.as_ref().and_then(|context| context.get_argument("table")).map(String::as_str);
    let begun = &request.argument.value;
    let mut values = match argument {
        "skill" => skills::complete(ctx, begun).await?,
        _ => describe::complete(ctx, argument, table, begun).await?,
    };
    let total = values.len();
    values.truncate(CompletionInfo::MAX_VALUES);
    let has_more = total > values.len();
    CompletionInfo::with_pagination(values, u32::try_from(total).ok(), has_more).map_err(internal)
}

fn check_reference(reference: &Reference) -> Result<()> {
    match reference {
        Reference::Resource(resource) if TEMPLATES.contains(&resource.uri.as_str()) => Ok(()),
        Reference::Resource(resource) => {
            Err(no_reference(format!("there is no resource template `{}`", resource.uri)))
        }
        _ => Err(no_reference("what a prompt is about cannot be completed".to_owned())),
    }
}

fn no_reference(message: String) -> Error {
    invalid(message).choices("", TEMPLATES.iter().copied())
}
