-- name: page
-- Applications by id, without the default one, which may have no row.
select {columns app} from apps where id > $1 and id <> 'default' order by id limit $2

-- name: by_id
-- One application; the default one has a row once it has an event.
select {columns app} from apps where id = $1

-- name: by_key
-- Whose API key it is: the application, and the key's sealed secret, if the vault has it.
select {columns app a}, c.sealed
from apps a left join credentials c on c.id = a.keys -> $1 ->> 'secret'
where a.api_keys @> array[$1]

-- name: called
-- Applications by id or by name, that of the id first, and not more than an error names.
select id from apps where id = $1 or name = $1 order by id <> $1, id limit 5
