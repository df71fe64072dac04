-- name: add
-- A new key; the clock is the database's.
insert into api_key (id, name, scope, digest, expires_at) values ($1, $2, $3, $4, $5)
returning id, name, scope, digest, created_at, expires_at, null::timestamptz as revoked_at;

-- name: all
-- Every key there ever was, oldest first.
select k.id, k.name, k.scope, k.digest, k.created_at, k.expires_at, r.revoked_at
  from api_key k left join api_key_revocation r on r.key = k.id
 order by k.created_at, k.id;

-- name: revoke
-- Takes a key back; nothing if that was done before.
insert into api_key_revocation (key, reason) values ($1, $2) on conflict (key) do nothing;

-- name: state
-- Two counts that grow with every change of the keys.
select (select count(*) from api_key) as keys, (select count(*) from api_key_revocation) as revocations;
