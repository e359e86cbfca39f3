-- What an organization tells about itself, for its skills to be filled in with.
create table organization_context (
  org_id {id} not null references ops_organizations (id),
  key {text} not null,
  value {json} not null,
  updated_at {time} not null,
  primary key (org_id, key)
);

-- The skills of an organization as its agents read them, and what it has decided about each.
create table organization_skills (
  org_id {id} not null references ops_organizations (id),
  skill_key {text} not null,
  -- platform, organization or folder: where its text comes from.
  origin {text} not null,
  is_enabled boolean not null,
  -- The SKILL.md that the organization wrote itself, and the texts beside it by path.
  template {text},
  files {json} not null,
  name {text} not null,
  description {text} not null,
  category {text},
  version {text} not null,
  linked_skills {json} not null,
  -- The SKILL.md with everything filled in; none while it cannot be.
  compiled {text},
  -- SHA-256 of what was compiled: another one is written, the same is left alone.
  digest {text} not null,
  compiled_at {time} not null,
  primary key (org_id, skill_key)
);
