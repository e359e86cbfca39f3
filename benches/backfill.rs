//! How fast the application's data comes in: 100,000 leads, 100,000 meetings and 50,000 contacts of 5,000 companies, with every
//! derivation, from one schema of PostgreSQL into the tables of a file of SQLite and of another database on the same server; each once more, with
//! nothing new.
//!
//! ```text
//! OPSTABLES_TEST_POSTGRES=postgres://user@host/postgres cargo bench --bench backfill
//! ```
//! `OPSTABLES_BENCH_LEADS` makes it another size. Peak memory is that of this process, as Linux reports it.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::sync::Arc;
use std::time::Instant;

use opstables::app::{App, Options};
use opstables::backfill::{self, Host, Report, Settings};
use opstables::records::Actor;
use opstables::store::Org;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

mod databases;

const LEADS: u32 = 100_000;
const TARGET: &str = "opstables_backfill_bench";
const SOURCE: &str = "opstables_backfill_source";

fn main() {
    // Cargo passes `--bench`; anything else is a filter of the harness that this is not.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let Some(server) = databases::server() else {
            println!("OPSTABLES_TEST_POSTGRES names no server");
            return;
        };
        let leads =
            std::env::var("OPSTABLES_BENCH_LEADS").ok().and_then(|text| text.parse().ok()).unwrap_or(LEADS);
        let source = databases::anew(&server, SOURCE).await;
        fill(&source, leads).await;
        let folder = tempfile::TempDir::new().expect("a folder");
        for (name, target) in databases::both(folder.path(), TARGET).await {
            println!("{name}");
            measure(&target, &source).await;
        }
        for name in [TARGET, SOURCE] {
            databases::remove(&server, name).await;
        }
    });
}

async fn measure(target: &str, source: &str) {
    let settings = Settings {
        source: Some(source.to_owned().into()),
        schema: Some("app".to_owned()),
        names: None,
        batch: None,
    };
    let options = Options { backfill: settings.clone(), ..Options::at(target) };
    let app = App::open(&options).expect("a database");
    let (org, _) = app.create_organization("bench", "Bench", chrono_tz::UTC).await.expect("an organization");
    for name in ["first run", "second run"] {
        let began = Instant::now();
        let report = backfill::run(&host(&app, org), &settings, &[], false).await.expect("a backfill");
        show(name, &report, began.elapsed().as_secs_f64());
    }
    app.services.store.close().await;
}

fn show(name: &str, report: &Report, seconds: f64) {
    let sum = |of: fn(&backfill::TableReport) -> i64| report.tables.iter().map(of).sum::<i64>();
    let (read, written) = (sum(|table| table.read), sum(|table| table.created + table.updated));
    println!(
        "{name}: {read} records read, {written} rows written in {seconds:.1} s: {:.0} rows/s; peak memory {} MB",
        read as f64 / seconds,
        peak_mb()
    );
    for table in &report.tables {
        let (left, refused) = (table.values_left_out, table.refused);
        println!(
            "  {:<10} {:>7} created {:>7} updated {left} left out {refused} refused",
            table.table, table.created, table.updated
        );
    }
}

/// The most memory that this process has had.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn host(app: &App, org: Org) -> Host {
    let services = &app.services;
    Host {
        store: Arc::clone(&services.store),
        catalogs: Arc::clone(&services.catalogs),
        clock: services.clock.clone(),
        ids: services.ids.clone(),
        org,
        actor: Actor::default(),
        progress: Arc::new(|_, _, _| {}),
    }
}

/// The application's tables as such applications have them: with primary keys, and indexes on what refers to others.
async fn fill(source: &str, leads: u32) {
    let mut connection = PgConnection::connect(source).await.expect("the source");
    for statement in STATEMENTS.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        let statement = statement.replace("{leads}", &leads.to_string());
        connection
            .execute(AssertSqlSafe(statement.clone()))
            .await
            .unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
}

const STATEMENTS: &str = "
create schema app;
create table app.profiles (id uuid primary key, first_name text, last_name text, email text);
insert into app.profiles
select md5('profile' || g)::uuid, 'First' || g, 'Last' || g, 'user' || g || '@ourselves.com' from generate_series(1, 40) g;
create table app.companies (id uuid primary key, name text, domain text, website text, industry text, size text, phone text,
  linkedin_url text, description text, revenue numeric, created_at timestamptz, updated_at timestamptz);
insert into app.companies
select md5('company' || g)::uuid, 'Company ' || g, 'company' || g || '.com', 'https://company' || g || '.com', 'Industry ' || g % 40,
  (array['1-10', '11-50', '51-200', '201-1000', '1001+'])[1 + g % 5], '+1415555' || lpad((g % 10000)::text, 4, '0'),
  'https://www.linkedin.com/company/company-' || g, 'What company ' || g || ' does', g * 1000,
  now() - interval '400 days', now() - interval '30 days' from generate_series(1, {leads} / 20) g;
create table app.contacts (id uuid primary key, first_name text, last_name text, email text, company_id uuid, title text, phone text,
  linkedin_url text, lifecycle_stage text, created_at timestamptz, updated_at timestamptz);
insert into app.contacts
select md5('contact' || g)::uuid, 'Given' || g, 'Family' || g % 997, 'person' || g || '@company' || 1 + g % ({leads} / 20) || '.com',
  md5('company' || 1 + g % ({leads} / 20))::uuid, 'Head of ' || g % 50, '+1415556' || lpad((g % 10000)::text, 4, '0'),
  'https://www.linkedin.com/in/person-' || g, (array['lead', 'mql', 'sql', 'customer'])[1 + g % 4],
  now() - interval '300 days', now() - interval '20 days' from generate_series(1, {leads} / 2) g;
create index on app.contacts (lower(email));
create table app.meetings (id uuid primary key, title text, start_time timestamptz, duration_minutes integer, primary_contact_id uuid,
  company_id uuid, sentiment_score double precision, summary text, next_actions jsonb, owner_user_id uuid, share_url text,
  transcript_text text, created_at timestamptz, updated_at timestamptz);
insert into app.meetings
select md5('meeting' || g)::uuid, 'Demo with Given' || 1 + g % ({leads} / 2), now() - interval '200 days' + g * interval '3 minutes', 30,
  case when g % 2 = 0 then md5('contact' || 1 + g % ({leads} / 2))::uuid end,
  case when g % 4 <> 0 then md5('company' || 1 + g % ({leads} / 20))::uuid end, (g % 200 - 100) / 100.0,
  'They spoke about price, delivery and the pilot number ' || g || '. ' || repeat('The next step is a trial with two teams. ', 6),
  '[\"Send the offer\", \"Book the pilot\"]', md5('profile' || 1 + g % 40)::uuid, 'https://recordings.example.com/share/' || g,
  repeat('Speaker one: what does it cost? Speaker two: that depends. ', 15), now() - interval '200 days', now() - interval '10 days'
from generate_series(1, {leads}) g;
create index on app.meetings (primary_contact_id);
create table app.meeting_attendees (id uuid primary key, meeting_id uuid, name text, email text, is_external boolean);
insert into app.meeting_attendees
select md5('attendee' || g)::uuid, md5('meeting' || g)::uuid, 'Given' || g, 'person' || 1 + g % ({leads} / 2) || '@company' || 1 + g % ({leads} / 20) || '.com', true
from generate_series(1, {leads}) g;
insert into app.meeting_attendees
select md5('own' || g)::uuid, md5('meeting' || g)::uuid, 'First', 'user' || 1 + g % 40 || '@ourselves.com', false from generate_series(1, {leads}) g;
create index on app.meeting_attendees (meeting_id);
create index on app.meeting_attendees (lower(email));
create table app.leads (id uuid primary key, contact_name text, contact_email text, domain text, meeting_title text, meeting_start timestamptz,
  booking_link_name text, source_channel text, utm_source text, external_source text, status text, priority text, owner_id uuid,
  meeting_outcome text, meeting_id uuid, created_at timestamptz, updated_at timestamptz);
insert into app.leads
select md5('lead' || g)::uuid, 'Given' || g || ' Family', 'person' || g || '@company' || 1 + g % ({leads} / 20) || '.com', null, 'Demo with Given' || g,
  now() - interval '200 days' + g * interval '3 minutes', case when g % 3 = 0 then 'Demo link' end, case when g % 3 = 1 then 'Partner' end, 'newsletter', null,
  (array['new', 'prepping', 'ready', 'converted'])[1 + g % 4], (array['low', 'normal', 'high'])[1 + g % 3], md5('profile' || 1 + g % 40)::uuid, null,
  md5('meeting' || g)::uuid, now() - interval '210 days' + g * interval '3 minutes', now() - interval '9 days' from generate_series(1, {leads}) g;
create index on app.leads (meeting_id);
create table app.deals (id uuid primary key, name text, lead_source_channel text);
insert into app.deals select md5('deal' || g)::uuid, 'Deal ' || g, 'Partner' from generate_series(1, 1000) g;
create table app.clients (id uuid primary key, company_name text, contact_name text, contact_email text, deal_id uuid, subscription_amount numeric,
  status text, subscription_start_date date, owner_id uuid, created_at timestamptz);
insert into app.clients
select md5('client' || g)::uuid, 'Company ' || g, 'Given' || g, 'person' || g || '@company' || g || '.com', md5('deal' || g)::uuid, 100 + g, 'active',
  current_date - 100, md5('profile' || 1 + g % 40)::uuid, now() - interval '100 days' from generate_series(1, 1000) g;
analyze;
";
