-- Scenarios that were asked to be kept. One is named by what it asks, so keeping it twice is keeping it once.

create table scenario (
    id        text        primary key check (id ~ '^[0-9a-f]{24}$'),
    request   text        not null,
    known_at  bigint      not null references revision,
    as_of     date        not null,
    author    text        not null,
    stored_at timestamptz not null default clock_timestamp()
);
comment on column scenario.request is 'The JSON of the request with its day and revision fixed: its hash is the id.';

create trigger only_grows before update or delete or truncate on scenario
    for each statement execute function refuse_change();
