-- API keys, and what a revision says of the file it was read from.
-- A key is a row that never changes; taking it back is a row of its own. Only keyed hashes are kept.

create table api_key (
    id         text        primary key check (id ~ '^[a-z2-7]{8}$'),
    name       text        not null check (name <> ''),
    scope      text        not null check (scope in ('read', 'write', 'admin')),
    digest     bytea       not null unique check (octet_length(digest) = 32),
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    constraint api_key_expires_after_creation check (expires_at > created_at)
);
comment on column api_key.digest is 'HMAC-SHA256 of the whole key under CHOKEPOINT_SECRET.';

create table api_key_revocation (
    key        text        primary key references api_key,
    revoked_at timestamptz not null default clock_timestamp(),
    reason     text        not null
);

create function announce_key() returns trigger language plpgsql as $$
begin
    perform pg_notify('chokepoint_key', '');
    return null;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array['api_key', 'api_key_revocation'] loop
        execute format('create trigger only_grows before update or delete or truncate on %I '
                       'for each statement execute function refuse_change()', name);
        execute format('create trigger announce after insert on %I '
                       'for each statement execute function announce_key()', name);
    end loop;
end
$$;

alter table revision
    add column file        text check (file <> ''),
    add column file_sha256 text check (file_sha256 ~ '^[0-9a-f]{64}$'),
    add column retracts    bigint references revision check (retracts < id),
    add constraint revision_file_has_its_hash check ((file is null) = (file_sha256 is null));
comment on column revision.file is 'The name of the file the rows were read from, null where there was none.';
comment on column revision.retracts is 'The older revision whose rows this one takes back.';

-- Rows stand in the order of their revisions, so the smallest kind of index finds those of one revision.
do $$
declare
    name text;
begin
    foreach name in array array['source', 'country', 'mineral', 'listing', 'bloc', 'membership', 'share', 'reserve',
                                'governance', 'agreement', 'restriction', 'control', 'sourcing', 'reliance', 'parameter',
                                'rating', 'production', 'trade', 'tariff_line', 'claim', 'deposit'] loop
        execute format('create index %I on %I using brin (revision)', name || '_revision', name);
    end loop;
end
$$;
