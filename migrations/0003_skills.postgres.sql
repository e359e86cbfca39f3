
-- What the agents of an organization read: its enabled skills, filled in.
create function get_organization_skills_for_agent(org uuid)
returns table (
  skill_key text,
  name text,
  description text,
  category text,
  version text,
  linked_skills jsonb,
  content text,
  compiled_at timestamptz
)
language sql stable
as $$
  select s.skill_key, s.name, s.description, s.category, s.version, s.linked_skills, s.compiled, s.compiled_at
  from organization_skills s
  where s.org_id = org and s.is_enabled and s.compiled is not null
  order by s.skill_key
$$;
