-- Contains-search on SQLite: a trigram index over the folded search text, kept by triggers.

create virtual table ops_search using fts5 (
  search,
  content = 'dynamic_table_rows',
  content_rowid = 'seq',
  tokenize = 'trigram'
);

create trigger ops_search_insert after insert on dynamic_table_rows when new.search <> '' begin
  insert into ops_search (rowid, search) values (new.seq, new.search);
end;

create trigger ops_search_update after update of search on dynamic_table_rows when old.search <> new.search begin
  insert into ops_search (ops_search, rowid, search) select 'delete', old.seq, old.search where old.search <> '';
  insert into ops_search (rowid, search) select new.seq, new.search where new.search <> '';
end;

create trigger ops_search_delete after delete on dynamic_table_rows when old.search <> '' begin
  insert into ops_search (ops_search, rowid, search) values ('delete', old.seq, old.search);
end;
