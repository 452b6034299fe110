-- name: noted_log
-- The ids of the event topics as they were noted; others wait until the end of the transaction.
select log from installation for update

-- name: note_log
-- Notes the ids of the event topics.
update installation set log = $1
