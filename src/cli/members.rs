//! `opstables members`: the people who can own rows.

use serde::Serialize;

use super::Status;
use super::grid::Grid;
use super::session::{Connection, Session};
use crate::error::{Result, invalid};

/// List the organization's members, or add some
///
/// Members can own rows, and `me` means the one whom --user names.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the members
    List,
    /// Add members; those who are there already stay as they are
    Add {
        /// Member, as "Ann Lee <ann@acme.com>" or a name alone
        #[arg(required = true, value_name = "MEMBER")]
        members: Vec<String>,
    },
}

const EXAMPLE: &str = r#"Example:
  opstables members add "Ann Lee <ann@acme.com>" "Bob Ray""#;

/// A member as the command line names one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) email: Option<String>,
}

#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    name: String,
    email: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<Vec<String>>,
    members: Vec<Listed>,
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let (connection, added) = match args.action {
        Action::List => (session.connect().await?, None),
        Action::Add { members } => {
            let members = members.iter().map(|text| parse_member(text)).collect::<Result<Vec<_>>>()?;
            let connection = session.connect().await?;
            let added = add(&connection, members).await?;
            (connection, Some(added))
        }
    };
    let (_, catalog) = connection.person().read().await?;
    let members = catalog.members.iter().map(|member| Listed {
        id: member.id.to_string(),
        name: member.name.clone(),
        email: member.email.clone(),
    });
    let report = Report { organization: catalog.name.clone(), added, members: members.collect() };
    session.output.result(&report, || show(&report))?;
    Ok(Status::Done)
}

async fn add(connection: &Connection, members: Vec<Member>) -> Result<Vec<String>> {
    let mut added = Vec::new();
    for member in members {
        if connection.app.add_member(connection.org, &member.name, member.email.as_deref()).await? {
            added.push(member.name);
        }
    }
    Ok(added)
}

fn show(report: &Report) -> String {
    let mut text = match report.added.as_deref() {
        None => String::new(),
        Some([]) => "Nobody was added: they are members already.\n\n".to_owned(),
        Some(added) => format!("Added {}.\n\n", added.join(", ")),
    };
    if report.members.is_empty() {
        return format!(
            "{} has no members yet: `opstables members add \"Ann Lee <ann@acme.com>\"`",
            report.organization
        );
    }
    let mut grid = Grid::new(["name", "email", "id"]);
    for member in &report.members {
        grid.row([member.name.clone(), member.email.clone().unwrap_or_default(), member.id.clone()]);
    }
    text += &grid.render(None);
    text
}

/// `Ann Lee <ann@acme.com>`, or a name alone.
pub(super) fn parse_member(text: &str) -> Result<Member> {
    let (name, email) = match text.trim().split_once('<') {
        Some((name, rest)) => (name, Some(rest.trim().trim_end_matches('>').trim())),
        None => (text, None),
    };
    let name = name.trim().trim_matches('"').to_owned();
    let is_address = email.is_none_or(email_address::EmailAddress::is_valid);
    if name.is_empty() || !is_address || name.contains('@') {
        return Err(
            invalid(format!("`{text}` does not name a member")).hint("write \"Ann Lee <ann@acme.com>\"")
        );
    }
    Ok(Member { name, email: email.map(str::to_lowercase) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_a_name_and_perhaps_an_address() {
        let read = |text: &str| parse_member(text).unwrap();
        let ann = Member { name: "Ann Lee".to_owned(), email: Some("ann@acme.com".to_owned()) };
        assert_eq!(read("Ann Lee <ann@ACME.com>"), ann);
        assert_eq!(read(" Bob "), Member { name: "Bob".to_owned(), email: None });
        for wrong in ["", "<ann@acme.com>", "ann@acme.com", "Ann <ann>"] {
            assert!(parse_member(wrong).is_err(), "{wrong}");
        }
    }
}
