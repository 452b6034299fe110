// Made by ./klatsch schemas from infra/ops/generate/glossary/shown.py. Change that, not this file.

export const TERMS = {
  "actor": {
    "plain": "who did it",
    "sentence": "The user, service or operator whose command an event came of; system is Klatsch itself."
  },
  "application": {
    "plain": "whose users these are",
    "sentence": "A tenant of the installation: users, rooms and messages of its own, its API keys and settings. What names none is in the default one."
  },
  "catch-up": {
    "plain": "coming back",
    "sentence": "What a client that was away gets instead of a fresh snapshot: the deltas since."
  },
  "command": {
    "plain": "what was asked for",
    "sentence": "A request to change something; its shard's owner makes events of it, or refuses it."
  },
  "delivery": {
    "plain": "a change handed to a connection",
    "sentence": "One delta that was given to one open connection."
  },
  "delta": {
    "plain": "a change, as clients get it",
    "sentence": "What an event changes of what one user sees."
  },
  "event": {
    "plain": "what happened",
    "sentence": "A fact, written to the log once and never changed: a message was posted, a room renamed."
  },
  "feed": {
    "plain": "what people are told",
    "sentence": "The topic from which connections are served: each event's deltas, by recipient."
  },
  "handles": {
    "plain": "names that are taken",
    "sentence": "Usernames, e-mail addresses and room names of one's choice: who has which, so that nobody else gets it."
  },
  "hub": {
    "plain": "the switchboard of connections",
    "sentence": "Reads the feed once for all connections of a process."
  },
  "lag": {
    "plain": "not there yet",
    "sentence": "Events that stand in the log, and that the read models or the feed do not have yet; usually under a second's worth."
  },
  "log": {
    "plain": "the record of all that happened",
    "sentence": "The topics of Kafka that hold all events, for ever: what Klatsch is made of."
  },
  "months": {
    "plain": "old messages put aside",
    "sentence": "Messages of old months can be written to files and taken out of the database."
  },
  "owner": {
    "plain": "the process that decides",
    "sentence": "For each shard one process, which takes its commands one by one; if it goes, another takes over."
  },
  "p99": {
    "plain": "the slowest one in a hundred",
    "sentence": "99 of 100 requests were answered within this time."
  },
  "parked": {
    "plain": "waits for a fix",
    "sentence": "An event could not be applied: what follows it in the same room or for the same person waits, everything else goes on."
  },
  "position": {
    "plain": "a place in the log",
    "sentence": "Topic, shard and offset of an event: rooms/3/1234."
  },
  "projector": {
    "plain": "what reads the log",
    "sentence": "Makes something of the events: tables, or the feed."
  },
  "read models": {
    "plain": "the tables that are read",
    "sentence": "The tables of Postgres from which reads are answered; made from the log, and can be made anew."
  },
  "rebuild": {
    "plain": "making the tables anew",
    "sentence": "Folds the whole log into fresh tables, then switches to them."
  },
  "record": {
    "plain": "an entry of the log",
    "sentence": "An event with its place in the log; a few are only signs of a new owner."
  },
  "role": {
    "plain": "what a process does",
    "sentence": "api answers, push holds connections, feed and project read the log, analytics finds emotions, usage counts."
  },
  "shard": {
    "plain": "a part of the log",
    "sentence": "Rooms, people and names are spread over shards; each is written by one owner, in order."
  },
  "signals": {
    "plain": "presence and typing",
    "sentence": "Who is there and who types: told to others, and kept nowhere."
  },
  "standby": {
    "plain": "ready to take over",
    "sentence": "It works as soon as the process that does it now goes away."
  },
  "stream": {
    "plain": "one thing's events",
    "sentence": "All events of one room, one person or one name, in order."
  },
  "term": {
    "plain": "an owner's turn",
    "sentence": "Where in the log the present owner of a shard began; it rises with each new owner, and what an older one still writes is void."
  }
};
