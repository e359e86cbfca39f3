-- Organizations' connections to CRMs, what is known to be there, what is still to be sent, and which edits were lost.

create table crm_connections (
  org_id {id} not null references ops_organizations (id),
  -- hubspot or attio; an organization has one connection to each.
  system {text} not null,
  id {id} not null,
  -- active, paused (by a person) or broken (its token is refused).
  state {text} not null,
  -- Why it is broken, for people.
  reason {text},
  -- The account at the CRM, and who our writes are said to be by there.
  account {text} not null,
  account_name {text} not null,
  writer {text},
  -- The tokens, sealed: only the process's key opens them.
  tokens {bytes} not null,
  tokens_expire_at {time},
  -- Until when the process that replaces the tokens may take for it: a refresh token is good for one use.
  refreshing_until_ms bigint,
  -- Whether rows made after connecting become records there.
  creates boolean not null,
  -- What differs from the declared mapping: [{table, column, property, form, way, policy}].
  mapping {json} not null,
  -- The properties of each object as the CRM described them.
  properties {json} not null,
  properties_read_at {time} not null,
  connected_at {time} not null,
  -- No call before this moment: the day's calls are used up, or the CRM asked to wait.
  paused_until {time},
  last_success_at {time},
  last_failure_at {time},
  last_failure {text},
  primary key (org_id, system)
);

-- Which record of a CRM a row is. What is known to be at the CRM stands with it, by column:
-- {"email": ["ann@acme.com", at_ms]}.
create table crm_links (
  org_id {id} not null references ops_organizations (id),
  system {text} not null,
  object {text} not null,
  record_id {text} not null,
  table_key {text} not null,
  row_id {id} not null,
  shadow {json} not null,
  linked_at {time} not null,
  -- When the CRM was last heard from about it, and when it says it was last modified.
  heard_at {time} not null,
  modified_ms bigint,
  -- Set while the CRM has deleted the record.
  gone_ms bigint,
  -- Whether lost edits of the row stand open.
  has_conflicts boolean not null,
  primary key (org_id, system, object, record_id)
);

create unique index crm_links_row on crm_links (org_id, row_id, system);

-- Records that were merged into others: whoever still names the old one means the new one.
create table crm_aliases (
  org_id {id} not null references ops_organizations (id),
  system {text} not null,
  object {text} not null,
  record_id {text} not null,
  becomes {text} not null,
  created_at {time} not null,
  primary key (org_id, system, object, record_id)
);

-- What a column's property at a CRM held over time: what others wrote there, and what we sent.
create table crm_ledger (
  org_id {id} not null references ops_organizations (id),
  system {text} not null,
  row_id {id} not null,
  column_key {text} not null,
  id {id} not null,
  record_id {text},
  value {json} not null,
  value_hash {text} not null,
  -- For what we sent: the version of the cell, and when it went out.
  version_ms bigint,
  version_ctr bigint,
  sent_ms bigint,
  -- When it was at the CRM by the CRM's clock, as first taken in and as reported; none until that is known.
  at_ms bigint,
  reported_ms bigint,
  actor {text},
  -- For what others wrote: whether the cell lost it to a write that is not a person's answer to it.
  is_lost boolean not null,
  created_at {time} not null,
  primary key (org_id, row_id, column_key, system, id)
);

create index crm_ledger_time on crm_ledger (org_id, created_at);

-- One line for each edit that lost and that nobody who wrote later had seen. Lines refer to nothing, so that nothing
-- deletes them.
create table ops_sync_conflicts (
  org_id {id} not null,
  id {id} not null,
  table_key {text} not null,
  row_id {id} not null,
  column_key {text} not null,
  system {text} not null,
  object {text} not null,
  record_id {text},
  -- overwritten, stale_arrival, delete_vs_edit, merge_collision or remote_rejected.
  kind {text} not null,
  -- What decided: policy, time, counter, source_rank, value_hash or tombstone.
  rule {text} not null,
  winner_value {json} not null,
  winner_source {text} not null,
  winner_actor {text} not null,
  winner_ms bigint not null,
  winner_ctr bigint not null,
  winner_reported_ms bigint,
  loser_value {json} not null,
  loser_source {text} not null,
  loser_actor {text} not null,
  loser_ms bigint not null,
  loser_ctr bigint not null,
  loser_reported_ms bigint,
  -- The loser's version as one text: an edit is lost once.
  loser_version {text} not null,
  -- How far the loser's clock was ahead of the time it was taken in at.
  clock_skew_ms bigint not null,
  -- open, superseded, kept, restored or set.
  resolution {text} not null,
  resolved_by {text},
  resolved_at {time},
  -- The change that resolved it.
  change_id {id},
  created_at {time} not null,
  primary key (org_id, id)
);

create unique index ops_sync_conflicts_loser on ops_sync_conflicts (org_id, row_id, column_key, loser_version);

create index ops_sync_conflicts_open on ops_sync_conflicts (org_id, resolution, created_at, id);

-- What a CRM must still learn: one line a row. The values are read when they are sent.
create table hubspot_sync_queue (
  org_id {id} not null references ops_organizations (id),
  row_id {id} not null,
  table_key {text} not null,
  -- The columns that differ from what is known to be there: {"email": true}.
  columns {json} not null,
  -- pending, leased, done, dead or paused.
  state {text} not null,
  priority bigint not null,
  run_after_ms bigint not null,
  attempts bigint not null,
  -- Moves with each claim: who holds an older one has lost the lease.
  fence bigint not null,
  leased_until_ms bigint,
  -- Whether it went out and the answer never came: it is read back before it is sent again.
  in_doubt boolean not null,
  enqueued_ms bigint not null,
  error {text},
  error_class {text},
  error_column {text},
  correlation {text},
  done_ms bigint,
  primary key (org_id, row_id)
);

create index hubspot_sync_queue_due on hubspot_sync_queue (org_id, priority, run_after_ms, row_id)
where state = 'pending';

create index hubspot_sync_queue_leased on hubspot_sync_queue (org_id, leased_until_ms) where state = 'leased';

create index hubspot_sync_queue_dead on hubspot_sync_queue (org_id, row_id) where state = 'dead';

create table attio_sync_queue (
  org_id {id} not null references ops_organizations (id),
  row_id {id} not null,
  table_key {text} not null,
  columns {json} not null,
  state {text} not null,
  priority bigint not null,
  run_after_ms bigint not null,
  attempts bigint not null,
  fence bigint not null,
  leased_until_ms bigint,
  in_doubt boolean not null,
  enqueued_ms bigint not null,
  error {text},
  error_class {text},
  error_column {text},
  correlation {text},
  done_ms bigint,
  primary key (org_id, row_id)
);

create index attio_sync_queue_due on attio_sync_queue (org_id, priority, run_after_ms, row_id)
where state = 'pending';

create index attio_sync_queue_leased on attio_sync_queue (org_id, leased_until_ms) where state = 'leased';

create index attio_sync_queue_dead on attio_sync_queue (org_id, row_id) where state = 'dead';
