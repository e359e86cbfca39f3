-- What the call that started a run answers, as JSON, where the run's tables do not tell it: how far the reading of a CRM is,
-- or the error that ended the run.
alter table backfills add column answer {text};
