//! `opstables fake-crm`: stand-ins for HubSpot and Attio to try synchronization with, without an account.

use std::io;
use std::net::SocketAddr;

use serde::Serialize;
use url::Url;

use super::Status;
use super::output::{STRONG, styled};
use super::session::Session;
use super::worker::Signals;
use crate::clock::Clock;
use crate::error::{Error, Result, invalid};
use crate::fakes::{AttioFake, HubspotFake, Options};

/// Run stand-ins for HubSpot and Attio, to try synchronization without an account
///
/// They speak the CRMs' wire formats and hold callers to their documented limits. What they hold is in memory and gone
/// when they stop.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Port of the HubSpot stand-in on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8801, value_name = "PORT")]
    port_hubspot: u16,
    /// Port of the Attio stand-in on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8802, value_name = "PORT")]
    port_attio: u16,
    /// Deliver webhooks: those that are registered under --public-url go to this address instead
    #[arg(long, value_name = "URL")]
    deliver_to: Option<Url>,
    /// The public address that --deliver-to stands for; signatures are over this one, as for the CRMs themselves
    #[arg(long, default_value = "https://hooks.example.com", value_name = "URL")]
    public_url: Url,
}

const EXAMPLE: &str = "Examples:
  opstables fake-crm
  opstables fake-crm --port-hubspot 0 --port-attio 0 --json
  opstables fake-crm --deliver-to http://127.0.0.1:8787";

/// What opens the stand-ins' accounts, and the app of HubSpot's; these are good for nothing else.
const TOKEN: &str = "demo-token";
/// What a person's own edits come with.
const PERSON: &str = "demo-person";
const DEVELOPER_KEY: &str = "demo-developer-key";
const CLIENT_SECRET: &str = "demo-client-secret";

#[derive(Debug, Serialize)]
struct Report {
    hubspot: Place,
    attio: Place,
    /// What HubSpot's webhooks are set up with.
    app: App,
    /// Where webhooks are delivered; none while they are not.
    deliveries: Option<Route>,
}

#[derive(Debug, Serialize)]
struct App {
    id: String,
    developer_key: &'static str,
    client_secret: &'static str,
}

#[derive(Debug, Serialize)]
struct Route {
    public_url: String,
    deliver_to: String,
}

#[derive(Debug, Serialize)]
struct Place {
    url: String,
    /// The variable by which other commands find it.
    variable: &'static str,
    token: &'static str,
    /// The token of a person's own edits.
    person: &'static str,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<Status> {
    let signal = Signals::listen()?;
    let hubspot = options(Options::hubspot(Clock::System), args.port_hubspot);
    let app = hubspot.accounts.first().map(|account| account.writer.clone()).unwrap_or_default();
    let hubspot = HubspotFake::start(hubspot).await;
    let hubspot = hubspot.map_err(|error| taken("--port-hubspot", args.port_hubspot, &error))?;
    let attio = options(Options::attio(Clock::System), args.port_attio);
    let attio = AttioFake::start(attio).await;
    let attio = attio.map_err(|error| taken("--port-attio", args.port_attio, &error))?;
    let place = |url: String, variable| Place { url, variable, token: TOKEN, person: PERSON };
    let route = args.deliver_to.as_ref().map(|to| Route {
        public_url: args.public_url.as_str().trim_end_matches('/').to_owned(),
        deliver_to: to.as_str().trim_end_matches('/').to_owned(),
    });
    for deliveries in [hubspot.deliveries(), attio.deliveries()] {
        if let Some(route) = &route {
            deliveries.route(&route.public_url, &route.deliver_to);
        }
    }
    let report = Report {
        hubspot: place(hubspot.url(), "OPSTABLES_HUBSPOT_BASE_URL"),
        attio: place(attio.url(), "OPSTABLES_ATTIO_BASE_URL"),
        app: App { id: app, developer_key: DEVELOPER_KEY, client_secret: CLIENT_SECRET },
        deliveries: route,
    };
    session.output.result(&report, || show(&report))?;
    signal.first().await;
    Ok(Status::Done)
}

fn options(mut options: Options, port: u16) -> Options {
    options.bind = Some(SocketAddr::from(([127, 0, 0, 1], port)));
    options.developer_key = DEVELOPER_KEY.into();
    options.client_secret = CLIENT_SECRET.into();
    for account in &mut options.accounts {
        account.token = TOKEN.into();
        account.person = Some(PERSON.into());
    }
    options
}

fn taken(flag: &str, port: u16, error: &io::Error) -> Error {
    invalid(format!("127.0.0.1:{port} cannot be listened on: {error}"))
        .at(flag)
        .hint("name another port; 0 takes a free one")
}

fn show(report: &Report) -> String {
    let (hubspot, attio) = (&report.hubspot, &report.attio);
    let (app, webhooks) = (&report.app, deliveries(report.deliveries.as_ref()));
    format!(
        "HubSpot stand-in  {}\nAttio stand-in    {}\n\
         A person there    edits through their APIs with the token {PERSON}\n\
         HubSpot app       {}, developer key {}, client secret {}\n\
         Webhooks          {webhooks}\n\n{}\n  \
         export {}={}\n  export {}={}\n  \
         OPSTABLES_HUBSPOT_TOKEN={TOKEN} opstables connect hubspot\n  \
         OPSTABLES_ATTIO_TOKEN={TOKEN} opstables connect attio\n  \
         opstables worker\n\nCtrl-C stops them; what they hold is forgotten.",
        hubspot.url,
        attio.url,
        app.id,
        app.developer_key,
        app.client_secret,
        styled(STRONG, "In another terminal:"),
        hubspot.variable,
        hubspot.url,
        attio.variable,
        attio.url,
    )
}

fn deliveries(route: Option<&Route>) -> String {
    match route {
        Some(route) => format!("for {} are delivered to {}", route.public_url, route.deliver_to),
        None => "are not delivered; --deliver-to says where to".to_owned(),
    }
}
