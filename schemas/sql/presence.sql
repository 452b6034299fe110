-- name: visible
-- Those of some users ($1) whose presence the caller ($3) may know: the caller; and those who share a room with them in
-- which both are by their own will, or hold them for a friend, unless one of the two blocks the other. Each has a room that they show ($2, or null), of
-- which is told whether the caller is in it too, and when they were last seen.
select shown."user", u.seen,
       exists (
           select from members m join rooms r on r.id = m.room and r.state <> 'deleted'
           where m.room = shown.room and m."user" = $3 and m.state = 'joined') as inside
from unnest($1::text[], $2::text[]) as shown ("user", room)
join users u on u.id = shown."user"
where shown."user" = $3 or (
    not exists (
        select from relationships b
        where b.type = 'block'
          and ((b."user" = shown."user" and b.other = $3) or (b."user" = $3 and b.other = shown."user")))
    and (
        exists (
            select from relationships f where f."user" = shown."user" and f.other = $3 and f.type = 'friend')
        or exists (
            select from members mine
            join members theirs on theirs.room = mine.room and theirs."user" = shown."user" and theirs.state = 'joined'
                and theirs.willing
            join rooms r on r.id = mine.room and r.state <> 'deleted'
            where mine."user" = $3 and mine.state = 'joined' and mine.willing)))

-- name: quarrels
-- All with whom the caller has a block, whoever set it.
select case when "user" = $1 then other else "user" end as "user"
from relationships
where type = 'block' and ("user" = $1 or other = $1)
