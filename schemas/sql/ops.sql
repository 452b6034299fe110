-- name: note_log
-- Notes the ids of the event topics at the first start; says those that were noted first.
update installation set log = coalesce(log, $1) returning log
