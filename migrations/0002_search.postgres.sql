-- Contains-search on PostgreSQL: a trigram index where the extension can be had; without it a search reads the
-- organization's rows and gives the same answer.

do $$
begin
  create extension if not exists pg_trgm;
  create index dynamic_table_rows_search on dynamic_table_rows using gin (search gin_trgm_ops);
exception
  when others then
    raise notice 'pg_trgm is not available (%): searches read every row of the organization', sqlerrm;
end
$$;
