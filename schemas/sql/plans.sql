-- name: page
-- Plans by id.
select {columns plan} from plans where id > $1 order by id limit $2

-- name: by_id
-- One plan.
select {columns plan} from plans where id = $1

-- name: of_app
-- The plan of an application, if it has one.
select {columns plan p} from plans p join apps a on a.plan = p.id where a.id = $1
