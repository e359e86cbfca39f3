-- The product's tables. One text for both databases: {id}, {time}, {json}, {text} and {bytes} are spelled by
-- the migrator for each. Every key starts with the organization, so that the schema can be sharded by it.

create table ops_organizations (
  id {id} primary key,
  slug {text} not null unique,
  name {text} not null,
  timezone {text} not null,
  -- Moves with every change of what a catalog is made of; a process that holds an older one loads again.
  version bigint not null,
  signing_key {bytes} not null,
  created_at {time} not null
);

create table ops_members (
  org_id {id} not null references ops_organizations (id),
  -- A UUID as text: rows hold it in a text slot.
  id {text} not null,
  name {text} not null,
  email {text},
  created_at {time} not null,
  primary key (org_id, id)
);

create unique index ops_members_name on ops_members (org_id, lower(name));

create table dynamic_tables (
  org_id {id} not null references ops_organizations (id),
  key {text} not null,
  label {text} not null,
  -- Which declaration the organization was last provisioned from.
  template {text} not null,
  created_at {time} not null,
  deleted_at {time},
  primary key (org_id, key)
);

create table dynamic_table_columns (
  org_id {id} not null,
  table_key {text} not null,
  key {text} not null,
  label {text} not null,
  kind {text} not null,
  slot {text},
  options {json} not null,
  about {text} not null,
  position bigint not null,
  is_system boolean not null,
  is_locked boolean not null,
  is_hidden boolean not null,
  -- Set by the organization: a newer version leaves its label, place and visibility alone.
  is_edited boolean not null,
  created_at {time} not null,
  primary key (org_id, table_key, key),
  foreign key (org_id, table_key) references dynamic_tables (org_id, key) on delete cascade
);

create unique index dynamic_table_columns_slot on dynamic_table_columns (org_id, table_key, slot)
where slot is not null;

create table dynamic_table_views (
  org_id {id} not null,
  table_key {text} not null,
  key {text} not null,
  label {text} not null,
  spec {json} not null,
  position bigint not null,
  is_system boolean not null,
  is_edited boolean not null,
  created_at {time} not null,
  primary key (org_id, table_key, key),
  foreign key (org_id, table_key) references dynamic_tables (org_id, key) on delete cascade
);

-- A value lives in its slot and nowhere else. Its provenance is the row's base version, or its own entry in
-- `provenance` where it was written later: {"status": [hlc_ms, hlc_ctr, source, actor]}.
create table dynamic_table_rows (
  {seq}
  org_id {id} not null references ops_organizations (id),
  table_key {text} not null,
  id {id} not null,
  base_ms bigint not null,
  base_ctr bigint not null,
  base_source {text} not null,
  base_actor {text} not null,
  provenance {json} not null,
  created_at {time} not null,
  updated_at {time} not null,
  archived_ms bigint,
  archived_ctr bigint,
  tags {text},
  search {text} not null,
  t01 {text},
  t02 {text},
  t03 {text},
  t04 {text},
  t05 {text},
  t06 {text},
  t07 {text},
  t08 {text},
  t09 {text},
  t10 {text},
  t11 {text},
  t12 {text},
  t13 {text},
  t14 {text},
  t15 {text},
  t16 {text},
  t17 {text},
  t18 {text},
  t19 {text},
  t20 {text},
  t21 {text},
  t22 {text},
  t23 {text},
  t24 {text},
  t25 {text},
  t26 {text},
  t27 {text},
  t28 {text},
  t29 {text},
  t30 {text},
  t31 {text},
  t32 {text},
  t33 {text},
  t34 {text},
  t35 {text},
  t36 {text},
  n01 double precision,
  n02 double precision,
  n03 double precision,
  n04 double precision,
  n05 double precision,
  n06 double precision,
  n07 double precision,
  n08 double precision,
  n09 double precision,
  n10 double precision,
  n11 double precision,
  n12 double precision,
  n13 double precision,
  n14 double precision,
  d01 {time},
  d02 {time},
  d03 {time},
  d04 {time},
  d05 {time},
  d06 {time},
  d07 {time},
  d08 {time},
  d09 {time},
  d10 {time},
  d11 {time},
  d12 {time},
  f01 boolean,
  f02 boolean,
  f03 boolean,
  f04 boolean,
  f05 boolean,
  f06 boolean,
  f07 boolean,
  f08 boolean,
  {row_key} (org_id, table_key, id)
);

create table ops_changes (
  org_id {id} not null references ops_organizations (id),
  id {id} not null,
  table_key {text} not null,
  source {text} not null,
  actor {json} not null,
  created_at {time} not null,
  -- The change that this one undoes.
  undo_of {id},
  primary key (org_id, id)
);

create unique index ops_changes_undo on ops_changes (org_id, undo_of) where undo_of is not null;

-- One line for each row a change touched. `cells` holds what each cell was and became; for a created row it
-- is empty, since the row itself, or the next change's `before`, says what it began with.
create table ops_change_rows (
  org_id {id} not null,
  change_id {id} not null,
  table_key {text} not null,
  row_id {id} not null,
  action {text} not null,
  cells {json} not null,
  primary key (org_id, change_id, row_id),
  foreign key (org_id, change_id) references ops_changes (org_id, id)
);

create index ops_change_rows_row on ops_change_rows (org_id, table_key, row_id, change_id);

create table ops_idempotency (
  org_id {id} not null references ops_organizations (id),
  actor {text} not null,
  key {text} not null,
  -- SHA-256 of the tool and its arguments: the same key with others is refused.
  digest {text} not null,
  result {json} not null,
  created_at {time} not null,
  primary key (org_id, actor, key)
);

-- What the derived views and indexes were last made from.
create table ops_settings (
  key {text} primary key,
  value {text} not null
);
