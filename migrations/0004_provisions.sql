-- What the clauses of agreements say, each with its place, instead of a list of their types; what a deposit's capacity
-- is counted in.

create table provision (
    revision bigint not null references revision deferrable initially deferred, retracted boolean not null default false,
    source text not null, locator text not null, note text not null,
    id text not null, agreement text not null, type text not null,
    binding text not null check (binding in ('yes', 'no', 'not_stated')),
    "text" text not null, quote text not null, obliges text[] not null, minerals text[] not null,
    forbids text[] not null check (forbids <@ array['licence', 'tax', 'quota', 'ban']),
    amount double precision, currency text not null, evidence_level text not null,
    constraint provision_amount_is_finite check (amount >= 0 and amount < 'infinity')
);
create unique index provision_key on provision (id, revision);
create trigger only_grows before update or delete or truncate on provision
    for each statement execute function refuse_change();

insert into provision (revision, retracted, source, locator, note, id, agreement, type, binding, "text", quote, obliges,
                       minerals, forbids, currency, evidence_level)
select revision, retracted, source, locator, note, id || '-' || replace(clause, '_', '-'), id, clause, binding, '', '',
       '{}', '{}', '{}', '', evidence_level
from agreement, unnest(provisions) as clause;

alter table agreement drop column provisions;

alter table deposit add column basis text not null default '';
alter table deposit alter column basis drop default;
