-- Which way messages went. Their text is kept only where the organization wants it; the hash tells repeated
-- messages apart without saying what they were.
alter table ops_organizations add column keeps_messages boolean not null default false;

create table ops_routed_messages (
  org_id {id} not null references ops_organizations (id),
  id {id} not null,
  routed_at {time} not null,
  message_hash {text} not null,
  message {text},
  -- table, skill or none.
  step {text} not null,
  table_key {text},
  operation {text},
  skill_key {text},
  confidence double precision not null,
  latency_us bigint not null,
  primary key (org_id, id)
);

create index ops_routed_messages_time on ops_routed_messages (org_id, routed_at);
