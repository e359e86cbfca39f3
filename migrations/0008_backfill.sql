-- What comes from the application's own data: which row a record of it is, and how far each run has come.

-- Which row a record of the application is, whatever becomes of the row's values.
create table app_links (
  org_id {id} not null references ops_organizations (id),
  -- A table's key, or `profiles` for members.
  table_key {text} not null,
  source_id {text} not null,
  row_id {id} not null,
  -- A digest of each value that the record had last: a value that is the same says nothing new.
  said {bytes} not null,
  primary key (org_id, table_key, source_id)
);

create index app_links_row on app_links (org_id, table_key, row_id);

-- One line for each run.
create table backfills (
  org_id {id} not null references ops_organizations (id),
  id {id} not null,
  -- What it reads: app.
  source {text} not null,
  -- Where that is, without a password.
  place {text} not null,
  -- running, done, failed or cancelled.
  state {text} not null,
  -- Moves with each process that takes it up: who holds an older one has lost it.
  fence bigint not null,
  error {text},
  started_at {time} not null,
  updated_at {time} not null,
  finished_at {time},
  primary key (org_id, id)
);

create index backfills_started on backfills (org_id, started_at);

-- One line for each table of a run, written in the transaction of each batch.
create table backfill_tables (
  org_id {id} not null,
  backfill_id {id} not null,
  table_key {text} not null,
  position bigint not null,
  is_done boolean not null,
  -- The last record that is written; the next run goes on behind it.
  checkpoint {text},
  total bigint not null,
  read bigint not null,
  created bigint not null,
  updated bigint not null,
  unchanged bigint not null,
  archived bigint not null,
  refused bigint not null,
  -- How many values were left out, and the first of them with the reason.
  left_out bigint not null,
  faults {json} not null,
  updated_at {time} not null,
  primary key (org_id, backfill_id, table_key),
  foreign key (org_id, backfill_id) references backfills (org_id, id) on delete cascade
);
