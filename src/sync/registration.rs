//! Has a CRM tell of what happens in an organization's account: brings its webhooks in line with the connection's mapping,
//! and says where they are not.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use super::access::{access, not_connected};
use super::connect::{described, refused};
use super::engine::Engine;
use super::fault::{Class, Fault, Refusal};
use super::subscriptions::{
    Owner, Registered, State, Subscription, Topic, Wanted, What, connection_of, host,
};
use crate::error::{Error, Result, conflict, invalid};
use crate::store::{ConnectionRow, Org, connections};
use crate::tables::{Catalog, Form, Object, System};

/// What a person brings to have a `HubSpot` app's webhooks set up. `Attio`'s need nothing but the connection's token.
#[derive(Debug, Clone)]
pub struct App {
    /// The one that the connection's writes are by when none is named.
    pub id: Option<String>,
    /// The key of the developer's account.
    pub developer_key: SecretString,
    /// What signs deliveries; that of the connection's own tokens when none is given.
    pub client_secret: Option<SecretString>,
}

/// What became of the webhooks of a connection.
#[derive(Debug, Clone)]
pub struct Registration {
    pub connection: Uuid,
    /// Where they are delivered.
    pub target: String,
    /// `Attio`'s webhook, `HubSpot`'s app.
    pub id: String,
    /// What signs deliveries from now on. None when it is the one that was told when the webhook was made.
    pub secret: Option<SecretString>,
    pub added: Vec<Topic>,
    pub kept: Vec<Topic>,
    pub refused: Vec<(Topic, Refusal)>,
}

/// What a CRM must be told for a connection's webhooks.
#[derive(Debug, Clone)]
pub struct Declared {
    pub connection: Uuid,
    pub target: String,
    pub topics: Vec<Topic>,
}

/// What is wrong with the webhooks of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// There are none.
    Unregistered,
    /// They are delivered to another host or path, which is named by its host.
    Elsewhere(String),
    Missing(Topic),
    Inactive(Topic),
    /// Deliveries were given up.
    Failing,
}

/// Sets up the webhooks of a connection at `{public_url}/webhooks/{system}/{connection}`. What is there already stays;
/// with `replace` it makes room: for whoever does not know the secret of the webhook that is there, because the answer
/// that told it was lost, and for an app that tells another target.
pub async fn register(
    engine: &Engine,
    org: Org,
    system: System,
    public_url: &str,
    app: Option<&App>,
    replace: bool,
) -> Result<Registration> {
    let place = Place::of(engine, org, system).await?;
    let target = place.target(public_url)?;
    let owner = owner(engine, org, &place, app).await?;
    let secret = client_secret(engine, org, &place, app)?;
    let topics = topics(system, &place.catalog);
    let wanted = Wanted { target: &target, topics: &topics, replace };
    let registered = engine.client()?.hook(&owner, wanted).await;
    let Registered { id, secret: made, added, kept, refused } =
        registered.map_err(|fault| unregistered(system, &fault))?;
    Ok(Registration { connection: place.row.id, target, id, secret: made.or(secret), added, kept, refused })
}

/// What is wrong with the webhooks of a connection; nothing when all is well.
pub async fn check(
    engine: &Engine,
    org: Org,
    system: System,
    public_url: &str,
    app: Option<&App>,
) -> Result<Vec<Finding>> {
    let place = Place::of(engine, org, system).await?;
    let target = place.target(public_url)?;
    let owner = owner(engine, org, &place, app).await?;
    let hooks = engine.client()?.hooks(&owner).await.map_err(|fault| unregistered(system, &fault))?;
    Ok(place.findings(&hooks, &target))
}

/// Ends the webhooks of a connection; how many subscriptions there were. The app's others stay.
pub async fn unregister(engine: &Engine, org: Org, system: System, app: Option<&App>) -> Result<usize> {
    let place = Place::of(engine, org, system).await?;
    let owner = owner(engine, org, &place, app).await?;
    let refused = |fault: Fault| unregistered(system, &fault);
    let client = engine.client()?;
    let own: Vec<Subscription> =
        client.hooks(&owner).await.map_err(refused)?.into_iter().filter(|hook| place.is_own(hook)).collect();
    for hook in &own {
        client.unhook(&owner, &hook.id).await.map_err(refused)?;
    }
    Ok(own.len())
}

/// What a person sets up who declares a connection's webhooks at the CRM themselves.
pub async fn declared(engine: &Engine, org: Org, system: System, public_url: &str) -> Result<Declared> {
    let place = Place::of(engine, org, system).await?;
    Ok(Declared {
        connection: place.row.id,
        target: place.target(public_url)?,
        topics: topics(system, &place.catalog),
    })
}

/// What a connection is to be told of: everything that happens to the records that it keeps in step. A property that a
/// CRM refuses to tell of is read by the schedule.
pub fn topics(system: System, catalog: &Catalog) -> Vec<Topic> {
    let mut topics = Vec::new();
    for &object in Object::READ {
        let both = [What::Created, What::Deleted, What::Merged];
        topics.extend(both.map(|what| Topic::new(object, what)));
        match system {
            System::Attio => topics.push(Topic::new(object, What::Changed(None))),
            System::Hubspot => {
                topics.push(Topic::new(object, What::Restored));
                topics.extend(properties(system, catalog, object));
            }
        }
    }
    if system == System::Hubspot {
        topics.extend([What::Associated, What::Erased].map(|what| Topic::new(Object::Contact, what)));
    }
    topics
}

/// A change of each property that a column is; the record's own id never changes.
fn properties(system: System, catalog: &Catalog, object: Object) -> Vec<Topic> {
    let fields =
        catalog.connection(system).into_iter().flat_map(|connection| connection.fields_of(object.table()));
    let fields = fields.filter(|field| field.form != Form::RecordId);
    let mut names: Vec<String> = fields.map(|field| field.property.clone()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| Topic::new(object, What::Changed(Some(name)))).collect()
}

/// A connection whose webhooks are looked at or set up.
struct Place {
    system: System,
    row: ConnectionRow,
    catalog: Arc<Catalog>,
}

impl Place {
    async fn of(engine: &Engine, org: Org, system: System) -> Result<Place> {
        let row = {
            let mut tx = engine.store.read().await?;
            connections::get(&mut tx, org, system.name(), false).await?
        };
        let row = row.ok_or_else(|| not_connected(system))?;
        let (_, catalog) = engine.catalogs.read(&engine.store, org, engine.clock.now()).await?;
        Ok(Place { system, row, catalog })
    }

    /// Where the connection's webhooks are delivered.
    fn target(&self, public_url: &str) -> Result<String> {
        let is_public =
            |url: &Url| url.scheme() == "https" && url.query().is_none() && url.fragment().is_none();
        if !Url::parse(public_url).is_ok_and(|url| is_public(&url)) {
            return Err(invalid(format!(
                "`{public_url}` is no address that {} delivers to",
                self.system.label()
            ))
            .at("public_url")
            .hint("CRMs call https addresses that the Internet reaches, such as https://hooks.example.com"));
        }
        let base = public_url.trim_end_matches('/');
        Ok(format!("{base}/webhooks/{}/{}", self.system.name(), self.row.id))
    }

    fn is_own(&self, hook: &Subscription) -> bool {
        hook.target.as_deref().and_then(connection_of) == Some(self.row.id.to_string())
    }

    fn findings(&self, hooks: &[Subscription], target: &str) -> Vec<Finding> {
        let own: Vec<&Subscription> = hooks.iter().filter(|hook| self.is_own(hook)).collect();
        if own.is_empty() {
            // An app has one target; a workspace has as many as it likes.
            let target =
                hooks.iter().filter(|_| self.system == System::Hubspot).find_map(|hook| hook.target.as_ref());
            return vec![target.map_or(Finding::Unregistered, |target| Finding::Elsewhere(host(target)))];
        }
        let mut findings = Vec::new();
        let moved = own.iter().filter_map(|hook| hook.target.as_ref()).find(|known| *known != target);
        findings.extend(moved.map(|target| Finding::Elsewhere(host(target))));
        if own.iter().any(|hook| hook.state == State::Failing) {
            findings.push(Finding::Failing);
        }
        for topic in topics(self.system, &self.catalog) {
            let mut telling = own.iter().filter(|hook| hook.topics.contains(&topic)).peekable();
            let is_known = telling.peek().is_some();
            if telling.any(|hook| hook.state != State::Inactive) {
                continue;
            }
            if is_known {
                findings.push(Finding::Inactive(topic));
            } else if !self.is_computed(&topic) {
                findings.push(Finding::Missing(topic));
            }
        }
        findings
    }

    /// Whether the CRM itself writes the property, so that it may refuse to tell of it.
    fn is_computed(&self, topic: &Topic) -> bool {
        let What::Changed(Some(name)) = &topic.what else { return false };
        let described = described(&self.row);
        let properties = described.get(topic.object.name()).map(Vec::as_slice).unwrap_or_default();
        properties.iter().any(|property| property.name == *name && property.read_only)
    }
}

/// Who administers a connection's webhooks.
async fn owner(engine: &Engine, org: Org, place: &Place, app: Option<&App>) -> Result<Owner> {
    let system = place.system;
    if system == System::Attio {
        let access = access(engine, org, system).await?.map_err(|fault| refused(system, &fault))?;
        return Ok(Owner::Workspace(access.token));
    }
    let app = app.ok_or_else(|| {
        invalid("HubSpot's webhooks belong to an app, and its developer's key is not given")
            .at("developer_key")
            .hint("the developer account shows it under Keys; a project's app has its webhooks in its project's files")
    })?;
    let id = app.id.clone().or_else(|| place.row.writer.clone()).ok_or_else(|| {
        invalid("the connection's token does not say which app it is of")
            .at("app_id")
            .hint("name the app's id")
    })?;
    if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("the id of a HubSpot app is a number").at("app_id"));
    }
    Ok(Owner::App { id, key: app.developer_key.clone() })
}

/// What an app's deliveries are signed with. A webhook of `Attio` gets a secret of its own when it is made.
fn client_secret(
    engine: &Engine,
    org: Org,
    place: &Place,
    app: Option<&App>,
) -> Result<Option<SecretString>> {
    if place.system == System::Attio {
        return Ok(None);
    }
    let secret = match app.and_then(|app| app.client_secret.clone()) {
        Some(secret) => Some(secret),
        None => {
            engine.vault()?.open(org, place.row.id, &place.row.tokens)?.oauth.map(|oauth| oauth.client_secret)
        }
    };
    let secret = secret.ok_or_else(|| {
        invalid("the app's client secret, which signs its webhooks, is not known")
            .at("client_secret")
            .hint("give it as the app's settings show it: what is not signed with it is refused")
    })?;
    Ok(Some(secret))
}

/// The error of webhooks that could not be looked at or set up.
fn unregistered(system: System, fault: &Fault) -> Error {
    let mut error = match (system, fault.class) {
        (System::Hubspot, Class::Duplicate) => {
            return conflict(format!("HubSpot: {}", fault.message)).hint(
                "an app has one target for all accounts that have installed it: replace it, or use an app of your own",
            );
        }
        (System::Hubspot, Class::Unauthorized | Class::Missing) => {
            invalid(format!("HubSpot: {}", fault.message))
                .hint("the developer's key and the app's id must be of one account")
        }
        (System::Attio, Class::Forbidden) => {
            return refused(system, fault).hint("the token needs the scope webhook:read-write");
        }
        _ => return refused(system, fault),
    };
    error.message = format!("the webhooks cannot be set up: {}", error.message);
    error
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Unregistered => f.write_str("no webhooks are set up"),
            Finding::Elsewhere(host) => write!(f, "webhooks are delivered to {host}, not here"),
            Finding::Missing(topic) => write!(f, "not subscribed to: {topic}"),
            Finding::Inactive(topic) => write!(f, "switched off: {topic}"),
            Finding::Failing => f.write_str("deliveries were given up after their last repetition"),
        }
    }
}
