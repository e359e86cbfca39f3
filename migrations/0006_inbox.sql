-- What the CRMs told by webhooks, kept before it is answered for and taken in afterwards.

-- What a connection's webhooks are told apart by, and whether what they bring is taken in.
create table crm_hooks (
  org_id {id} not null references ops_organizations (id),
  system {text} not null,
  -- The secrets that they are signed with, sealed: the newest first, two at most.
  secrets {bytes} not null,
  -- Set while nothing is taken in: why, and since when. What comes waits in the inbox.
  held_reason {text},
  held_at {time},
  -- How many rows changed by what came since the window began: too many of them hold back the rest.
  window_ms bigint not null default 0,
  window_changed bigint not null default 0,
  primary key (org_id, system)
);

create table crm_inbox (
  org_id {id} not null references ops_organizations (id),
  system {text} not null,
  -- In the order of arrival.
  id {id} not null,
  -- By it an event that is delivered again is known.
  dedupe_key {text} not null,
  -- contact or company, and the record's id there.
  object {text} not null,
  record_id {text} not null,
  -- The event as the CRM sent it.
  event {json} not null,
  -- When it first came.
  received_ms bigint not null,
  -- pending, leased, done or dead.
  state {text} not null,
  run_after_ms bigint not null,
  attempts bigint not null,
  -- Moves with each claim: who holds an older one has lost the lease.
  fence bigint not null,
  leased_until_ms bigint,
  error {text},
  settled_ms bigint,
  primary key (org_id, system, id)
);

create unique index crm_inbox_dedupe on crm_inbox (org_id, system, dedupe_key);

create index crm_inbox_record on crm_inbox (org_id, system, object, record_id);

create index crm_inbox_due on crm_inbox (org_id, system, run_after_ms, id) where state = 'pending';

create index crm_inbox_leased on crm_inbox (org_id, system, leased_until_ms) where state = 'leased';

create index crm_inbox_settled on crm_inbox (org_id, settled_ms) where state = 'done';

-- The rows that a CRM changed since its window began: a row that changes again counts once.
create table crm_changed_rows (
  org_id {id} not null,
  system {text} not null,
  row_id {id} not null,
  primary key (org_id, system, row_id)
);

-- Deliveries that were refused, by the reason.
create table crm_refusals (
  org_id {id} not null references ops_organizations (id),
  system {text} not null,
  reason {text} not null,
  deliveries bigint not null,
  last_at {time} not null,
  primary key (org_id, system, reason)
);

-- People and records that were erased for good, as hashes: nothing brings them back by itself.
create table crm_erased (
  org_id {id} not null references ops_organizations (id),
  key_hash {text} not null,
  erased_at {time} not null,
  primary key (org_id, key_hash)
);
