-- Who may do what. The login that migrates owns the tables and alone may change the schema and make or revoke API keys.
-- Members of chokepoint_writer may read, and add evidence and scenarios; members of chokepoint_reader may only read.
-- Roles belong to the whole server: an operator, or another database's migration, may have made them already.

do $$
declare
    role text;
begin
    foreach role in array array['chokepoint_reader', 'chokepoint_writer'] loop
        if not exists (select from pg_roles where rolname = role) then
            begin
                execute format('create role %I', role);
            exception
                when duplicate_object or unique_violation then
                    null;  -- the migration of another database was quicker
                when insufficient_privilege then
                    raise exception 'the login % may not create the role %', current_user, role
                        using errcode = 'insufficient_privilege',
                              hint = 'as a login that may, run: create role chokepoint_reader; '
                                     'create role chokepoint_writer; then migrate again';
            end;
        end if;
    end loop;
end
$$;

-- Statistics as of now help an import that is large beside the ledger, and renewing them is the owner's privilege.
create function renew_statistics(kind regclass) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from pg_trigger where tgrelid = kind and tgname = 'only_grows')
       and exists (select from pg_class where oid = kind and pg_get_userbyid(relowner) = current_user) then
        execute format('analyze %s', kind);
    end if;
end
$$;

do $$
declare
    place text := quote_ident(current_schema());
    database text := quote_ident(current_database());
    ledger text;
    kept_by_owner text[] := array['api_key', 'api_key_revocation'];
begin
    -- a temporary table can fill the disk, and a table or function of one's own can pass for the ledger's
    execute format('revoke temporary on database %s from public', database);
    execute format('revoke create on schema %s from public', place);
    execute format('grant temporary on database %s to chokepoint_writer', database);
    execute format('grant usage on schema %s to chokepoint_reader, chokepoint_writer', place);

    execute 'grant select on schema_migration to chokepoint_reader, chokepoint_writer';
    for ledger in select tgrelid::regclass::text from pg_trigger
                  where tgname = 'only_grows' and tgrelid in (select oid from pg_class
                                                             where relnamespace = current_schema()::regnamespace) loop
        execute format('grant select on %s to chokepoint_reader, chokepoint_writer', ledger);
        if not ledger = any(kept_by_owner) then
            execute format('grant insert on %s to chokepoint_writer', ledger);
        end if;
    end loop;
    execute format('alter default privileges in schema %s grant select on tables to chokepoint_reader', place);
    execute format('alter default privileges in schema %s grant select, insert on tables to chokepoint_writer', place);

    revoke execute on function renew_statistics(regclass) from public;
    grant execute on function renew_statistics(regclass) to chokepoint_writer;
end
$$;
