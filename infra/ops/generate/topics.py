"""What the reference, the AsyncAPI document and the analyst's page say of the topics: words only."""

from __future__ import annotations

from infra.base.kafka import EVENT_TOPICS

#: One sentence or two for each topic.
ABOUT = {
    "users": "Users, their sessions, relationships and visual characters. Key: the user's id.",
    "rooms": "Rooms, their members and messages. Key: the room's id.",
    "handles": "Names that one user at most may hold. Key: the kind of name and the name, `username:ada`.",
    "apps": "Applications that the installation serves. Key: the application's id; of plans that of the plan.",
    "secrets": "Password hashes and sealed secrets, for the vault. Key: the credential's id; compacted, so that one "
    "can be removed. Not part of the log, and nothing for analysts.",
    "feed": "Who is to receive what: deltas with their recipients. No key; partition: CRC-32 of the user's id, modulo "
    "the partition count. Written only by the feed projector, under the same rule of terms.",
    "signals": "Presence and typing, for minutes: what push nodes tell each other. Key: the node; it writes to one "
    "partition. Nothing here is an event, some of it may be lost, and nothing is made from it.",
}

READERS_RULE = (
    "Every partition has one writer at a time. A writer opens it by appending `log.opened` (header `opened`); the "
    "offset of that record is the writer's term, and every other record carries its writer's in the header `term`. "
    "**The readers' rule:** drop a record whose `term` is not the offset of the latest `log.opened` before it in its "
    "partition. What is dropped was written by an owner that had been replaced; nobody was ever told that it happened."
)

#: The rule for programs, complete: it is run by the tests.
FILTER = '''\
terms = {}


def valid(record):
    """Whether a record counts. Ask for each one, in order of offset, from the beginning of its partition."""
    headers, place = dict(record.headers), (record.topic, record.partition)
    if "opened" in headers:
        terms[place] = record.offset
        return True
    return int(headers.get("term", -1)) == terms.get(place)
'''

#: The same for the output of ``kcat -J``, one JSON object a record.
JQ_FILTER = """\
foreach inputs as $r ({};
  ([$r.headers // [] | range(0; length; 2) as $i | {key: .[$i], value: .[$i + 1]}] | from_entries) as $h
  | if $h.opened then .[$r.partition | tostring] = $r.offset | .ok = true
    else .ok = (($h.term // "-1" | tonumber) == .[$r.partition | tostring]) end;
  if .ok then $r else empty end)
"""

__all__ = ["ABOUT", "EVENT_TOPICS", "FILTER", "JQ_FILTER", "READERS_RULE"]
