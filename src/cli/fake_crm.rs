//! `opstables fake-crm`: stand-ins for HubSpot and Attio to try synchronization with, without an account.

use std::io;
use std::net::SocketAddr;

use serde::Serialize;

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
}

const EXAMPLE: &str = "Examples:
  opstables fake-crm
  opstables fake-crm --port-hubspot 0 --port-attio 0 --json";

/// What opens the stand-ins' accounts; it is good for nothing else.
const TOKEN: &str = "demo-token";

#[derive(Debug, Serialize)]
struct Report {
    hubspot: Place,
    attio: Place,
}

#[derive(Debug, Serialize)]
struct Place {
    url: String,
    /// The variable by which other commands find it.
    variable: &'static str,
    token: &'static str,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<Status> {
    let signal = Signals::listen()?;
    let hubspot = options(Options::hubspot(Clock::System), args.port_hubspot);
    let hubspot = HubspotFake::start(hubspot).await;
    let hubspot = hubspot.map_err(|error| taken("--port-hubspot", args.port_hubspot, &error))?;
    let attio = options(Options::attio(Clock::System), args.port_attio);
    let attio = AttioFake::start(attio).await;
    let attio = attio.map_err(|error| taken("--port-attio", args.port_attio, &error))?;
    let place = |url: String, variable| Place { url, variable, token: TOKEN };
    let report = Report {
        hubspot: place(hubspot.url(), "OPSTABLES_HUBSPOT_BASE_URL"),
        attio: place(attio.url(), "OPSTABLES_ATTIO_BASE_URL"),
    };
    session.output.result(&report, || show(&report))?;
    signal.first().await;
    Ok(Status::Done)
}

fn options(mut options: Options, port: u16) -> Options {
    options.bind = Some(SocketAddr::from(([127, 0, 0, 1], port)));
    for account in &mut options.accounts {
        account.token = TOKEN.into();
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
    format!(
        "HubSpot stand-in  {}\nAttio stand-in    {}\n\n{}\n  \
         export {}={}\n  export {}={}\n  \
         OPSTABLES_HUBSPOT_TOKEN={TOKEN} opstables connect hubspot\n  \
         OPSTABLES_ATTIO_TOKEN={TOKEN} opstables connect attio\n  \
         opstables worker\n\nCtrl-C stops them; what they hold is forgotten.",
        hubspot.url,
        attio.url,
        styled(STRONG, "In another terminal:"),
        hubspot.variable,
        hubspot.url,
        attio.variable,
        attio.url,
    )
}
