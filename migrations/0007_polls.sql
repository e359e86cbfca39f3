-- Reading the CRMs' records page by page: what changed since the last time, all of them to notice deletions, and all of them
-- when a person asks.

create table crm_polls (
  org_id {id} not null references ops_organizations (id),
  system {text} not null,
  object {text} not null,
  -- changes, sweep or pull.
  kind {text} not null,
  -- Every change up to this moment of the CRM's clock was taken in.
  cursor_ms bigint,
  -- The reading that is under way: when it began here and by the CRM's clock, and where it goes on.
  started_at {time},
  starts_ms bigint,
  position {text},
  -- When the last one was complete.
  done_at {time},
  due_ms bigint not null,
  -- Moves with each claim: who holds an older one has lost the lease.
  fence bigint not null,
  leased_until_ms bigint,
  primary key (org_id, system, object, kind)
);

-- Up to which modification, by the CRM's clock, the record's history was read.
alter table crm_links add column read_ms bigint;

-- Until then nothing is held back, because a person let it go on.
alter table crm_hooks add column free_until_ms bigint not null default 0;
