-- name: add
-- Keeps a scenario; nothing if it is kept already.
insert into scenario (id, request, known_at, as_of, author) values ($1, $2, $3, $4, $5) on conflict (id) do nothing;

-- name: one
-- The request of a scenario.
select request from scenario where id = $1;
