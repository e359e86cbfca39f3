//! What is asked of a CRM about webhooks, in the product's terms.
//!
//! What is there already stays, so that asking twice changes nothing.

use std::fmt;

use secrecy::SecretString;
use url::Url;

use super::crm::Client;
use super::fault::{Fault, Refusal};
use super::{attio, hubspot};
use crate::tables::Object;

/// Whose webhooks they are, and what opens their administration.
#[derive(Debug, Clone)]
pub enum Owner {
    /// `HubSpot`'s belong to an app, for every account that has installed it; the developer's key opens them.
    App { id: String, key: SecretString },
    /// `Attio`'s belong to a workspace, whose token opens them.
    Workspace(SecretString),
}

/// Something that happens at a CRM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    pub object: Object,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Created,
    /// A property's value, or any of them when none is named.
    Changed(Option<String>),
    Deleted,
    Restored,
    Merged,
    Associated,
    /// Deleted with everything that was known of it.
    Erased,
}

/// A CRM's promise to tell of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// By which it is ended.
    pub id: String,
    /// Where it is delivered; none while that is not said.
    pub target: Option<String>,
    /// Those that are known here.
    pub topics: Vec<Topic>,
    pub state: State,
}

/// Whether events are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Active,
    /// Some were given up after their last repetition.
    Failing,
    Inactive,
}

/// What is to be delivered, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub target: &'a str,
    pub topics: &'a [Topic],
    /// Take the place of what is there: of another target of the app, or of a webhook whose secret is not known.
    pub replace: bool,
}

/// What became of what was wanted.
#[derive(Debug, Clone, Default)]
pub struct Registered {
    /// `Attio`'s webhook, `HubSpot`'s app.
    pub id: String,
    /// What signs deliveries, when the CRM has just made it: it is never told again.
    pub secret: Option<SecretString>,
    pub added: Vec<Topic>,
    pub kept: Vec<Topic>,
    pub refused: Vec<(Topic, Refusal)>,
}

impl Client {
    /// What is subscribed to now.
    pub async fn hooks(&self, owner: &Owner) -> Result<Vec<Subscription>, Fault> {
        match owner {
            Owner::App { id, key } => hubspot::hooks(self, id, key).await,
            Owner::Workspace(token) => attio::hooks(self, token).await,
        }
    }

    /// Adds what is missing. The app of another target is left alone, unless that may be replaced: a duplicate.
    pub async fn hook(&self, owner: &Owner, wanted: Wanted<'_>) -> Result<Registered, Fault> {
        match owner {
            Owner::App { id, key } => hubspot::hook(self, id, key, wanted).await,
            Owner::Workspace(token) => attio::hook(self, token, wanted).await,
        }
    }

    /// Ends a subscription; one that is not there any more has ended.
    pub async fn unhook(&self, owner: &Owner, id: &str) -> Result<(), Fault> {
        match owner {
            Owner::App { id: app, key } => hubspot::unhook(self, app, key, id).await,
            Owner::Workspace(token) => attio::unhook(self, token, id).await,
        }
    }
}

impl Topic {
    pub fn new(object: Object, what: What) -> Topic {
        Topic { object, what }
    }

    /// As `HubSpot` names it: the type of the event, and the property when it is one's.
    pub fn at_hubspot(&self) -> (String, Option<&str>) {
        let property = match &self.what {
            What::Changed(property) => property.as_deref(),
            _ => None,
        };
        (hubspot::event_type(self), property)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.object.name();
        match &self.what {
            What::Created => write!(f, "{object} created"),
            What::Changed(None) => write!(f, "{object} changed"),
            What::Changed(Some(property)) => write!(f, "{object} changed: {property}"),
            What::Deleted => write!(f, "{object} deleted"),
            What::Restored => write!(f, "{object} restored"),
            What::Merged => write!(f, "{object} merged"),
            What::Associated => write!(f, "{object} associated"),
            What::Erased => write!(f, "{object} deleted for privacy"),
        }
    }
}

/// Whether an address is of the same connection as another one, whatever host and path it is reached by.
pub(super) fn is_same_connection(address: &str, other: &str) -> bool {
    connection_of(address).is_some_and(|connection| connection_of(other) == Some(connection))
}

/// The connection's id, with which an address of ours ends.
pub(super) fn connection_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    url.path_segments()?.rfind(|segment| !segment.is_empty()).map(str::to_owned)
}

/// The host of an address, which is all that messages show of other people's addresses.
pub(super) fn host(address: &str) -> String {
    let url = Url::parse(address).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "another place".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_connection_that_it_ends_with() {
        let own = "https://hooks.example.com/webhooks/attio/0199";
        let check = |address: &str, expected: bool| {
            assert_eq!(is_same_connection(address, own), expected, "{address}");
        };
        check(own, true);
        check("https://other.example.com/base/webhooks/attio/0199/", true);
        check("https://hooks.example.com/webhooks/attio/0198", false);
        check("https://hooks.example.com/", false);
        check("", false);
        assert!(!is_same_connection("https://a.example/", "https://a.example/"));
    }

    #[test]
    fn a_topic_says_what_happens() {
        let topic = |what| Topic::new(Object::Contact, what).to_string();
        assert_eq!(topic(What::Changed(Some("email".to_owned()))), "contact changed: email");
        assert_eq!(topic(What::Erased), "contact deleted for privacy");
        assert_eq!(host("https://hooks.example.com:8443/secret?token=x"), "hooks.example.com");
    }
}
