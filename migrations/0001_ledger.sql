-- The append-only evidence ledger. A revision is one commit; every evidence row belongs to one.
-- A newer row with the same key replaces the older one from its revision on; `retracted` withdraws the key.
-- Columns are those of the Structs in service/world/rows.py. A revision's row is written last, when its digests are
-- known, hence the deferred references.

create table revision (
    id           bigint      primary key check (id > 0),
    committed_at timestamptz not null,
    author       text        not null check (author <> ''),
    reason       text        not null check (reason <> ''),
    rows         jsonb       not null,
    digests      jsonb       not null,
    data_version text        not null
);
comment on table revision is 'Ledger commits, numbered without gaps in commit order.';
comment on column revision.rows is 'How many rows of each kind the commit added, retractions included.';
comment on column revision.digests is 'SHA-256 of the current rows of each kind; together they give data_version.';

create table source (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    id text not null,
    title text not null, publisher text not null, edition text not null, published text, retrieved text not null,
    url text not null, licence text not null, attribution text not null, evidence_level text not null,
    precedence integer not null check (precedence >= 1), note text not null
);
create unique index source_key on source (id, revision);

create table country (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    code text not null check (code ~ '^[A-Z]{3}$'),
    alpha_2 text not null, name text not null, official_name text not null, aliases text[] not null
);
create unique index country_key on country (code, revision);

create table mineral (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    id text not null,
    name_en text not null, name_de text not null, symbol text not null, "group" text not null,
    stages text[] not null check (stages <@ array['extraction', 'processing']),
    members text[] not null, uses text[] not null, aliases text[] not null
);
create unique index mineral_key on mineral (id, revision);

create table listing (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    list text not null, owner text not null, mineral text not null,
    status text not null check (status in ('critical', 'strategic')),
    printed text not null, valid_from text not null, valid_to text
);
create unique index listing_key on listing (list, mineral, status, revision);

create table bloc (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    id text not null, name text not null,
    type text not null check (type in ('single_market', 'customs_union', 'forum', 'group')),
    successor text
);
create unique index bloc_key on bloc (id, revision);

create table membership (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    bloc text not null, country text not null, valid_from text not null, valid_to text
);
create unique index membership_key on membership (bloc, country, valid_from, revision);

create table share (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    mineral text not null, stage text not null check (stage in ('extraction', 'processing')),
    period_start integer, period_end integer, country text not null,
    share double precision, printed text not null,
    quantity double precision, total double precision, unit text not null, basis text not null, qualifier text not null,
    -- NaN sorts above every number in Postgres, so the upper bound refuses it too
    constraint share_is_a_fraction check (share between 0 and 1),
    constraint share_quantity_is_finite check (quantity >= 0 and quantity < 'infinity'),
    constraint share_total_is_finite check (total >= 0 and total < 'infinity'),
    constraint share_period_in_order check (
        (period_start is null) = (period_end is null) and coalesce(period_start <= period_end, true)
    )
);
create unique index share_key on share (source, mineral, stage, period_start, period_end, country, revision)
    nulls not distinct;

create table reserve (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    mineral text not null, country text not null, year integer not null, quantity double precision,
    printed text not null, unit text not null, basis text not null, qualifier text not null,
    constraint reserve_quantity_is_finite check (quantity >= 0 and quantity < 'infinity')
);
create unique index reserve_key on reserve (source, mineral, country, year, basis, revision);

create table governance (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    country text not null, dimension text not null check (dimension in ('cc', 'ge', 'pv', 'rl', 'rq', 'va')),
    year integer not null, estimate double precision not null, stderr double precision,
    constraint governance_estimate_in_range check (estimate between -5 and 5),
    constraint governance_stderr_is_finite check (stderr >= 0 and stderr < 'infinity')
);
create unique index governance_key on governance (source, country, dimension, year, revision);

create table agreement (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    id text not null, title text not null, type text not null,
    binding text not null check (binding in ('yes', 'no', 'not_stated')),
    parties text[] not null check (cardinality(parties) >= 1),
    signed text, in_force text, suspended text, resumed text, ended text,
    scope text not null check (scope in ('all', 'critical', 'named')),
    minerals text[] not null, stages text[] not null, provisions text[] not null, successor text,
    evidence_level text not null, printed text not null
);
create unique index agreement_key on agreement (id, revision);

create table restriction (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    id text not null, country text not null,
    type text not null check (type in ('licence', 'tax', 'quota', 'ban')),
    mineral text not null, stages text[] not null check (cardinality(stages) >= 1), targets text[] not null,
    factor double precision check (factor between 1 and 3),
    valid_from text not null, valid_to text, suspended text, resumed text, printed text not null
);
create unique index restriction_key on restriction (id, revision);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger only grows: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation', hint = 'write a newer row that corrects or retracts the older one';
end
$$;

create function announce_revision() returns trigger language plpgsql as $$
begin
    perform pg_notify('chokepoint_revision', new.id::text);
    return null;
end
$$;
create trigger announce after insert on revision for each row execute function announce_revision();

do $$
declare
    name text;
begin
    foreach name in array array['revision', 'source', 'country', 'mineral', 'listing', 'bloc', 'membership', 'share',
                                'reserve', 'governance', 'agreement', 'restriction'] loop
        execute format('create trigger only_grows before update or delete or truncate on %I '
                       'for each statement execute function refuse_change()', name);
    end loop;
end
$$;
