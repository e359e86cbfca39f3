-- Up to which moment each organization's stored derived columns have followed the clock. Without a line all of them are
-- computed again, as in an organization of a version that had none.
create table ops_derived (
  org_id {id} primary key references ops_organizations (id),
  reached_at {time} not null
);
