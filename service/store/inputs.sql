-- name: revisions_of_score
-- The revisions up to $4 that wrote something a score of the mineral $1 can rest on, whoever buys; $2 are the minerals
-- that it is a group or a member of, itself among them, and $3 is the first revision asked for. Before the ledger knew
-- the mineral there was nothing to score.
select distinct revision from (
    select revision from share where mineral = $1
    union all select revision from mineral where id = any($2)
    union all select revision from listing where mineral = any($2)
    union all select revision from restriction where mineral = any($2)
    union all select revision from agreement where scope <> 'named' or minerals && $2
    union all select revision from provision where minerals = '{}' or minerals && $2
    union all select revision from bloc
    union all select revision from membership
    union all select revision from governance where country in (select country from share where mineral = $1)
    union all select revision from source
        where id in (select source from share where mineral = $1) or id in (select source from governance)
) written where revision between greatest($3, (select min(revision) from mineral where id = $1)) and $4
order by revision;
