-- A revision that is committed is closed: rows come with a new one, and revisions come one after the other. So what the
-- ledger said at a revision stays what it was even where somebody writes who should not.
-- The schema is fixed in the functions, for a temporary table of the writer's would be found before the ledger's.

do $$
declare
    place text := quote_ident(current_schema());
    kind text;
begin
    execute format($code$
        create function refuse_rows_of_closed_revisions() returns trigger language plpgsql
            set search_path = %s, pg_temp as $function$
        declare
            closed bigint;
        begin
            perform pg_advisory_xact_lock(4337001);  -- in turn with others that write
            select max(id) into closed from revision;
            if exists (select from added where revision <= closed) then
                raise exception 'revision %% and those before it are closed: a row for one of them is refused', closed
                    using errcode = 'restrict_violation', hint = 'write a new revision';
            end if;
            return null;
        end
        $function$;

        create function refuse_revisions_out_of_turn() returns trigger language plpgsql
            set search_path = %s, pg_temp as $function$
        declare
            next bigint;
        begin
            perform pg_advisory_xact_lock(4337001);
            select coalesce(max(id), 0) + 1 into next from revision;
            if new.id <> next then
                raise exception 'revision %% is next: %% is refused', next, new.id using errcode = 'restrict_violation';
            end if;
            return new;
        end
        $function$;
    $code$, place, place);

    create trigger in_turn before insert on revision
        for each row execute function refuse_revisions_out_of_turn();
    for kind in select tgrelid::regclass::text from pg_trigger
                where tgname = 'only_grows' and tgrelid in (select attrelid from pg_attribute where attname = 'retracted') loop
        execute format('create trigger only_new_revisions after insert on %s referencing new table as added '
                       'for each statement execute function refuse_rows_of_closed_revisions()', kind);
    end loop;
end
$$;
