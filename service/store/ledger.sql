-- name: lock
-- Writers queue here, so that revisions are numbered without gaps in the order they commit.
select pg_advisory_xact_lock(4337001);

-- name: head
-- The newest revision.
select id, committed_at, author, reason, rows, data_version, file, file_sha256, retracts
  from revision order by id desc limit 1;

-- name: head_id
-- The number of the newest revision, 0 in an empty ledger.
select coalesce(max(id), 0) from revision;

-- name: begin
-- The next revision's number, the digests it starts from, and a time not before its predecessor's.
select coalesce(max(id), 0) + 1 as id,
       greatest(clock_timestamp(), max(committed_at)) as committed_at,
       coalesce((array_agg(digests order by id desc))[1], '{}') as digests
  from revision;

-- name: condition
-- What the check constraint $1 of table $2 demands, as an expression over its columns.
select pg_get_expr(conbin, conrelid) from pg_constraint where conname = $1 and conrelid = to_regclass($2);

-- name: renew_statistics
-- What the planner knows of the table $1, as of now.
select renew_statistics($1::text::regclass);

-- name: add_revision
-- Written last: the digests are those of the ledger with its rows.
insert into revision (id, committed_at, author, reason, rows, digests, data_version, file, file_sha256, retracts)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: revision
-- One revision by its number.
select id, committed_at, author, reason, rows, data_version, file, file_sha256, retracts
  from revision where id = $1;

-- name: revision_at
-- The newest revision committed at or before a moment.
select max(id) from revision where committed_at <= $1;

-- name: revisions
-- The revisions $1 to $2, or to the newest, oldest first.
select id, committed_at, author, reason, rows, data_version, file, file_sha256, retracts
  from revision where id >= $1 and ($2::bigint is null or id <= $2) order by id;
