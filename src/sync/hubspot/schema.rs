//! Whose token it is, which properties there are, and the one of our own.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

use super::{Caller, HUBSPOT_API_VERSION, ROW_PROPERTY, faults};
use crate::sync::crm::{Account, Client, Property};
use crate::sync::fault::{Class, Fault};
use crate::sync::wire::{Reply, list_at, text_at};
use crate::sync::wording::Told;
use crate::tables::Object;

/// The portal, and the app that the token belongs to: its id is the `sourceId` of what we write. A token that tells
/// no app, as service keys do, has no writer.
pub(in crate::sync) async fn account(client: &Client, token: &SecretString) -> Result<Account, Fault> {
    let caller = Caller { client, token, object: Object::Contact };
    let reply = caller.get(&format!("/account-info/{HUBSPOT_API_VERSION}/details")).await?;
    let details = success(&reply)?;
    let id = text_at(details, &["portalId"]).ok_or_else(|| missing("portal id"))?.into_owned();
    let name = ["portalName", "uiDomain"].iter().find_map(|key| text_at(details, &[key]));
    let name = name.map_or_else(|| format!("HubSpot {id}"), Into::into);
    Ok(Account { id, name, writer: writer(&caller).await? })
}

/// Asks for the app of an OAuth token, then for that of a private app's token: each endpoint refuses the other's.
/// The introspection of 2026-09 would take the app's secret as well, which is not at hand for every token.
async fn writer(caller: &Caller<'_>) -> Result<Option<String>, Fault> {
    let secret = caller.token.expose_secret();
    let escaped: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let reply = caller.get(&format!("/oauth/v1/access-tokens/{escaped}")).await?;
    if let Some(app) = app(&reply, "app_id")? {
        return Ok(Some(app));
    }
    let body = json!({ "tokenKey": secret });
    let reply = caller.post("/oauth/v2/private-apps/get/access-token-info", &body).await?;
    app(&reply, "appId")
}

fn app(reply: &Reply, key: &str) -> Result<Option<String>, Fault> {
    if reply.is_success() {
        return Ok(text_at(reply.read()?, &[key]).map(Into::into));
    }
    let fault = faults::fault(reply, &Told::default());
    if fault.class.passes() { Err(fault) } else { Ok(None) }
}

/// The properties of an object, with what is computed or locked marked as such.
pub(in crate::sync) async fn properties(
    client: &Client,
    token: &SecretString,
    object: Object,
) -> Result<Vec<Property>, Fault> {
    let caller = Caller { client, token, object };
    let reply = caller.get(&format!("/crm/properties/{HUBSPOT_API_VERSION}/{}", caller.plural())).await?;
    Ok(list_at(success(&reply)?, "results").iter().filter_map(property).collect())
}

fn property(raw: &Json) -> Option<Property> {
    let flag = |path: &[&str]| {
        path.iter().try_fold(raw, |inside, key| inside.get(key)).and_then(Json::as_bool).unwrap_or(false)
    };
    let mut options: Vec<(i64, String, String)> = list_at(raw, "options")
        .iter()
        .filter_map(|option| {
            let place = option.get("displayOrder").and_then(Json::as_i64).unwrap_or(i64::MAX);
            let value = text_at(option, &["value"])?.into_owned();
            let label = text_at(option, &["label"]).map_or_else(|| value.clone(), Into::into);
            Some((place, value, label))
        })
        .collect();
    // The order is that of the lifecycle, too.
    options.sort_by_key(|(place, ..)| *place);
    let name = text_at(raw, &["name"])?.into_owned();
    Some(Property {
        label: text_at(raw, &["label"]).map_or_else(|| name.clone(), Into::into),
        name,
        kind: text_at(raw, &["type"]).unwrap_or_default().into_owned(),
        read_only: flag(&["modificationMetadata", "readOnlyValue"]) || flag(&["calculated"]),
        unique: flag(&["hasUniqueValue"]),
        multiple: text_at(raw, &["fieldType"]).is_some_and(|field| field == "checkbox"),
        options: options.into_iter().map(|(_, value, label)| (value, label)).collect(),
        object_id: None,
    })
}

/// Makes the unique property that carries the row's id, unless it is there. Uniqueness can only be given when a
/// property is made, so one of that name without it is of somebody else.
pub(in crate::sync) async fn prepare(
    client: &Client,
    token: &SecretString,
    object: Object,
) -> Result<(), Fault> {
    let caller = Caller { client, token, object };
    let path = format!("/crm/properties/{HUBSPOT_API_VERSION}/{}", caller.plural());
    let reply = caller.get(&format!("{path}/{ROW_PROPERTY}")).await?;
    if reply.status != 404 {
        let is_unique = property(success(&reply)?).is_some_and(|property| property.unique);
        let not_ours =
            || Fault::unsent(Class::Invalid, "there is a property `ops_row_id` that is not unique");
        return if is_unique { Ok(()) } else { Err(not_ours()) };
    }
    // It stands where a property stands that every portal has.
    let neighbour = match object {
        Object::Meeting => "hs_meeting_title",
        Object::Contact => "email",
        Object::Company => "name",
    };
    let reply = caller.get(&format!("{path}/{neighbour}")).await?;
    let group =
        text_at(success(&reply)?, &["groupName"]).ok_or_else(|| missing("property group"))?.into_owned();
    let reply = caller
        .post(
            &path,
            &json!({
                "name": ROW_PROPERTY,
                "label": "opstables row",
                "description": "The id of the row that opstables keeps in step with this record.",
                "groupName": group,
                "type": "string",
                "fieldType": "text",
                "formField": false,
                "hasUniqueValue": true,
            }),
        )
        .await?;
    // Another process may have made it in between.
    if reply.status == 409 { Ok(()) } else { success(&reply).map(|_| ()) }
}

fn success(reply: &Reply) -> Result<&Json, Fault> {
    if reply.is_success() { reply.read() } else { Err(faults::fault(reply, &Told::default())) }
}

fn missing(what: &str) -> Fault {
    Fault::sent(Class::Unexpected, format!("the answer has no {what}"))
}
