-- Evidence for published methods and for scenarios: who sources from whom, what studies print, trade, control, deposits.

create table control (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    mineral text not null, stage text not null check (stage in ('extraction', 'processing')),
    host text not null, controller text not null, type text not null check (type in ('ownership', 'offtake')),
    year integer not null, share double precision, printed text not null, evidence_level text not null,
    constraint control_share_is_a_fraction check (share between 0 and 1)
);
create unique index control_key on control (source, mineral, stage, host, controller, type, year, revision);

create table sourcing (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    buyer text not null, mineral text not null, stage text not null check (stage in ('extraction', 'processing')),
    "of" text not null check ("of" in ('supply', 'imports')),
    period_start integer not null, period_end integer not null, country text not null,
    share double precision, printed text not null, basis text not null, qualifier text not null,
    constraint sourcing_share_is_a_fraction check (share between 0 and 1),
    constraint sourcing_period_in_order check (period_start <= period_end)
);
create unique index sourcing_key
    on sourcing (source, buyer, mineral, stage, period_start, period_end, country, revision);

create table reliance (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    buyer text not null, mineral text not null, stage text not null check (stage in ('extraction', 'processing')),
    period_start integer not null, period_end integer not null,
    reliance double precision, printed text not null, basis text not null, qualifier text not null,
    constraint reliance_is_a_fraction check (reliance between 0 and 1),
    constraint reliance_period_in_order check (period_start <= period_end)
);
create unique index reliance_key on reliance (source, buyer, mineral, stage, period_start, period_end, revision);

create table parameter (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    name text not null, label text not null, mineral text, stage text check (stage in ('extraction', 'processing')),
    country text, year integer, value double precision, "text" text not null, printed text not null, unit text not null,
    constraint parameter_value_is_finite check (value between -1e12 and 1e12)
);
create unique index parameter_key on parameter (source, name, label, mineral, stage, country, year, revision)
    nulls not distinct;

create table rating (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    mineral text not null, label text not null, measure text not null, year integer not null,
    value double precision, printed text not null,
    constraint rating_value_is_finite check (value between -1e6 and 1e6)
);
create unique index rating_key on rating (source, mineral, label, measure, year, revision);

create table production (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    commodity text not null, mineral text, stage text check (stage in ('extraction', 'processing')),
    country text not null, year integer not null, quantity double precision,
    printed text not null, unit text not null, basis text not null, qualifier text not null,
    constraint production_quantity_is_finite check (quantity >= 0 and quantity < 'infinity')
);
create unique index production_key on production (source, commodity, country, year, revision);

create table trade (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    code text not null, year integer not null, exporter text not null, importer text not null,
    value double precision, quantity double precision,
    constraint trade_value_is_finite check (value >= 0 and value < 'infinity'),
    constraint trade_quantity_is_finite check (quantity >= 0 and quantity < 'infinity')
);
create unique index trade_key on trade (source, code, year, exporter, importer, revision);

create table tariff_line (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    commodity text not null, mineral text, stage text check (stage in ('extraction', 'processing')),
    code text not null check (code ~ '^\d{6}$'), edition text not null, "text" text not null
);
create unique index tariff_line_key on tariff_line (source, commodity, code, revision);

create table claim (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    id text not null, made text, subject text not null, statement text not null,
    value double precision, unit text not null, evidence_level text not null, shown_in text[] not null,
    constraint claim_value_is_finite check (value between -1e12 and 1e12)
);
create unique index claim_key on claim (id, revision);

create table deposit (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    id text not null, name text not null, country text not null, place text not null, minerals text[] not null,
    stage text not null check (stage in ('extraction', 'processing')), status text not null, "start" text,
    capacity double precision, unit text not null, resource text not null, caveats text[] not null,
    printed text not null, evidence_level text not null,
    constraint deposit_capacity_is_finite check (capacity >= 0 and capacity < 'infinity')
);
create unique index deposit_key on deposit (id, revision);

do $$
declare
    name text;
begin
    foreach name in array array['control', 'sourcing', 'reliance', 'parameter', 'rating', 'production', 'trade',
                                'tariff_line', 'claim', 'deposit'] loop
        execute format('create trigger only_grows before update or delete or truncate on %I '
                       'for each statement execute function refuse_change()', name);
    end loop;
end
$$;
