"""What a reader needs to know about each operation beyond its summary: what it answers, and what else it does."""

from __future__ import annotations

#: By operation id; one to three sentences. The contract says elsewhere who may call an operation, and its limits.
DESCRIPTIONS: dict[str, str] = {
    "users.register": "Answers with the user and a first session's token. Without a password that token is the only "
    "way in, until an operator sets one.",
    "users.find": "Give either `name` or `ids`. A name matches usernames and names, also parts of them, the best "
    "match first; people with a block between them do not find each other. Unknown ids are left out.",
    "users.me": "The whole profile, with what only you see: e-mail address, last log-in, who may add you.",
    "users.change": "Only the members that are sent change. `data` and `custom` are merge patches (RFC 7396): "
    "null removes an entry. Everybody who may see you sees all of it but the address and who may add you.",
    "users.upsert": "A user has `external_id` and `name`, always, and may have `username`, `email`, `avatar`, `bio`, "
    "`custom`, `data`, `team` (the id that Klatsch gave it) and `kind` (`regular`, `guest` or `anonymous`); `custom` "
    "and `data` are whole objects, not patches. A user's id follows from your application and its id for them. What is "
    "given takes the place of what was there, and the rest stays; sending the same again changes nothing. If one of "
    "them is bad by its form, or they are too many for one call, none of the call is stored; what else stands against "
    "one, such as an address that is taken, its `problem` says, and the others are stored.",
    "users.query": 'Give either `external_ids` or `custom`: `{"plan": "gold"}` finds whoever has that, beside '
    "anything else. Deactivated users are among them. A page may hold fewer than `limit`; the last has no `next`.",
    "users.deactivate": "All their sessions end, and none can be opened; nobody finds them by name, and nobody adds "
    "them to rooms. Their messages, memberships and name stay, with `deactivated` in their profile.",
    "users.reactivate": "They log in again, and find everything as it is.",
    "users.revoke_tokens": "Tokens that were issued before the time are void, whoever signed them, and sessions "
    "opened before it end, also where they have been renewed since; connections are cut. The time is never moved back. "
    "A token says whole seconds: sign a new one in the next second, or with a fraction.",
    "users.erase": "The profile is blank from then on, and called `Deleted user`; all sessions end, and the name "
    "and the address are free. After the answer they leave their rooms, and with `hide` all that they have said is "
    "deleted, at most 400 messages a second. It is for good: the same `external_id` is refused with `erased`.",
    "users.erasure": "`done` says when nothing was left to do. The numbers come with it, and every 1,000 messages "
    "before.",
    "users.set_team": "They see rooms and people of that team only, and leave the rooms of the one before, with their "
    "invitations and friendships there. Once this is answered, all of that is so.",
    "users.get": "The public profile: what everybody sees.",
    "services.register": "An account for a program. It has no password: the program uses the token of this answer, "
    "which is shown only once.",
    "sessions.open": "Give either `username` or `email`. Each log-in is a session of its own, with its own token. "
    "Where the application has set `session_hours`, `expires` moves on while it is used, and the token stays good.",
    "sessions.issue": "For the server of an application with its own log-in. The session is like one that the person "
    "opened: they can see, renew and end it.",
    "sessions.list": "Where you are logged in, the latest first; the one of the token in use is `current`.",
    "sessions.renew": "A new token of the same session. The old one is valid until it ends.",
    "sessions.close": "The session's token is refused from then on, and its push connections are closed. `current` is "
    "the session of the token in use.",
    "users.change_password": "Needs the current password, if there is one. All other sessions are closed.",
    "users.reset_password": "For somebody who has lost theirs. Closes all their sessions; the answer says how many.",
    "apps.create": "The key names the application and is public. The secret is for the application's server: it is "
    "shown only here and kept sealed. The same request with the same `Idempotency-Key` shows it again.",
    "apps.about": "The application of the token, else of the API key in `Klatsch-Api-Key`, else the default one: for a "
    "page that asks people to log in.",
    "apps.list": "The default application first, then by id.",
    "apps.get": "With its API keys, and until when each is valid; never with a secret.",
    "apps.change": "Only what is sent changes; settings that are not named stay.",
    "apps.roll_key": "The key before stays valid for `grace_seconds`, a day unless you say otherwise; a key that was "
    "still valid beside it ends now. The secret is shown only here, as in `apps.create`.",
    "usage.query": "An application's server sees its own, an operator that of any. Windows in which nothing happened "
    "are left out. Of `active_users` the total counts each user once, of `peak_connections` it is the highest; all "
    "others are sums. The numbers are those of the log up to some seconds ago.",
    "usage.list": "At most 200 applications that used anything, the most first; `all` says how many there are.",
    "apps.suspend": "The default application cannot be suspended: everything that names no other one is in it.",
    "apps.erase": "For good: from then on its keys are nobody's and its connections are cut; all its rows are removed "
    "within seconds to minutes. Needs its name or id once more (`confirm`). The default application cannot be erased. "
    "Events stay in the log and mean nothing any more: `apps.receipt` says how many.",
    "apps.receipt": "Of an erased application only. Besides Kafka: what you have copied from it or from Postgres, also "
    "months of messages that were archived and taken away, is yours to delete.",
    "apps.resume": "If it is not suspended, nothing happens.",
    "apps.revoke_tokens": "Tokens that were issued before the time are void, those of your own server too: sign new "
    "ones with the secret. The time is never moved back. A server names its own application.",
    "apps.choose_plan": "Its limits hold within a second, on every node. Where the application is over one already, "
    "what there is stays, and more of it is refused. A plan that was withdrawn is not chosen.",
    "apps.limits": "Of its own application for a server, of any for operators. What is used is counted in the read "
    "models now and then, with what this node has made since.",
    "plans.define": "With `plan`, the request is all that the plan is from here on, for applications that have it "
    "too; one that was withdrawn is offered again. Prices are for people: nobody is charged.",
    "plans.list": "By id, those that were withdrawn too.",
    "plans.get": "With prices in hundredths of the currency; a limit that is null is none.",
    "plans.withdraw": "Applications that have it keep it, with its limits; no other one chooses it.",
    "teams.create": "Its id follows from your application and your id for it, and is what users are given. Operators "
    "say whose team it is.",
    "teams.list": "In the order of their ids; those that were removed are not among them.",
    "teams.get": "Of another application's team nobody is told that it is there.",
    "teams.change": "Only what is sent changes; `custom` is a merge patch (RFC 7396).",
    "teams.remove": "While users or rooms are in it, it is refused as `in_use`, with `users` and `rooms` as their "
    "numbers: of none, they would see and be seen by others at once. Move the users, and delete the rooms.",
    "relationships.list": "Your friends and the people you block, or (`in`) people who have you as a friend. You do "
    "not learn who blocks you.",
    "relationships.set": "One-sided: it says what the other is to you, and needs no consent. They are notified of a "
    "friendship, not of a block. A block ends pending invitations between the two.",
    "relationships.remove": "From then on they are neither friend nor blocked. If they were neither, nothing happens.",
    "visuals.create": "`model_data` is for your clients; the keys of `emotion_data` are the emotions that it can show.",
    "visuals.list": "All that you made, linked or not.",
    "visuals.get": "Anybody may see and link any visual.",
    "visuals.change": "Members that are not sent stay; one that is sent replaces the whole value.",
    "visuals.choose": "Give the id of a visual that exists, or null for none; or `model_data` to make a new one.",
    "rooms.create": "You are the owner. People who let you add them become members at once; the others are invited, "
    "and named in `invited`. Two people always get the same direct room.",
    "rooms.find": "Without a name: a list, the latest activity first. With a name: the rooms that you are in, with "
    "membership and last message, and public rooms that you could join, with `joined`.",
    "rooms.get": "The room with your membership, the messages that you have not read, and the last message.",
    "rooms.change": "Only the members that are sent change; settings that are not named stay. `data` and `custom` are "
    "merge patches (RFC 7396): null removes a name; in `custom` objects are merged at each level, arrays are replaced.",
    "rooms.archive": "It can be read and left, but not written to, until it is unarchived.",
    "rooms.unarchive": "The room is as it was before. If it is not archived, nothing happens.",
    "rooms.delete": "For its members it no longer exists, nor do invitations to it. An operator can restore it.",
    "rooms.restore": "With everything that was in it. An archived room is unarchived.",
    "rooms.pins": "Who pinned each message, when, and the message as you may see it. The deltas `message.pinned` and "
    "`message.unpinned` keep the list right; `pins` of the room is its length. `users` are those who pinned or wrote.",
    "rooms.history": "The events of the room, the latest first, as you may see them. Deleted content is left out.",
    "members.list": "In the order in which they joined, each with profile and with how far they have read.",
    "members.add": "With `me`: you join a public room, or accept an invitation. With another's id: they become a "
    "member at once (`member`) or are invited (`invitation`), depending on their settings.",
    "members.remove": "An owner who leaves passes the room on to the next member: admins first. For a user who is only "
    "invited, it withdraws the invitation.",
    "members.set_role": "`owner` passes the room on: the old owner becomes an admin.",
    "members.change": "`custom` is a merge patch (RFC 7396), as in `rooms.change`. All in the room see it, and "
    "somebody who comes back to it still has theirs.",
    "members.set_notifications": "Your own choice, which only you see. New members start with the room's setting.",
    "members.read": "Others see how far you have read. `unread` is how many messages are left.",
    "invitations.list": "The rooms that wait for your answer, with the profiles of those who invite you. Accept by "
    "`members.add` with `me`.",
    "invitations.decline": "The person who invited you cannot invite you again, to any room; others can.",
    "messages.send": "`content` depends on `type`. The message needs a key of your own: `client_id`, its older name "
    "`token`, or the header `Idempotency-Key`. Sent again with the same key, it is stored only once.",
    "messages.get": "A deleted message keeps its place and number; its content is empty.",
    "messages.edit": "Only your own. `messages.edits` still shows the earlier content.",
    "messages.pin": "Keeps the message in the list of the room's pins, of at most 50. Where it is pinned already, "
    "nothing changes, and the answer says who has pinned it.",
    "messages.unpin": "Takes it off that list, whoever pinned it. A message that is deleted is unpinned by that.",
    "messages.delete": "Your own, or as the room's roles allow. After that nobody can see its content, or its earlier "
    "versions.",
    "messages.edits": "At most 200, the oldest first; a deleted message has none.",
    "messages.read": "The last ones, or those around a place; always the lowest `seq` first. `older` and `newer` are "
    "the cursors of the pages on both sides; `users` are the profiles of the people in the page.",
    "messages.search": "In all rooms that you are in, the latest first. `highlights` say where the words are.",
    "messages.set_emotion": "People see it only if the author's visual has that emotion: `shown`.",
    "messages.set_emotions": "Each is decided separately: a refused one does not stop the others.",
    "channels.create": "You own it. Its id is the next number: 1, 2, 3 and so on, never used again. At most 100 of "
    "yours may be there at once.",
    "channels.list": "In the order of their ids, those of everybody. Who is in one is what its server has reported "
    "within the last 15 seconds.",
    "channels.get": "Who is in it is what its server has reported within the last 15 seconds.",
    "channels.delete": "For its owner, and for operators. Its id is not used again.",
    "channels.listen": "Says which server to connect to, and gives the token for it, which is good for 10 seconds, "
    "once, and there only; another `channels.listen`, into whichever channel, ends what an earlier one led to. At most "
    "one every 2 seconds. Connect to `server.address` by gRPC, with the token as metadata `channel-token`, or "
    "to `url` by WebSocket, with the token as the first message.",
    "channels.report": "Says that the server lives: one that has not reported for 15 seconds is dead, and its channels "
    "go to others. Each report takes the place of the one before. A service account is one server.",
    "sync.get": "Everything that a client needs at the start, page by page. Deltas continue from `cursor` and `epoch` "
    "of the first page: over the push connection, or by `changes.pull`.",
    "changes.pull": "Without `since`: no deltas, and the current cursor. If deltas since `since` are no longer kept, "
    "`reset` is true and a snapshot replaces them.",
    "presence.get": "People who neither share a room with you nor are your friends are shown as offline.",
    "presence.room": "The ids of at most 1000 people who are online, and how many are online.",
    "presence.set": "For the push connection that sends it, so only over RPC.",
    "channels.watch": "For the push connection that sends it, so only over RPC: a signal `channel` says who is in each "
    "of them now, and again whenever that changes. At most 100; they take the place of those before.",
    "signals.type": "The others in the room are notified at once; it expires after some seconds. Repeat it while the "
    "user is typing.",
    "import.orders": "At most 1000 at once. All are parsed before the first is decided; each then has its own result. "
    "Repeating a `key` changes nothing.",
    "console.history": "One sample every 5 s, kept by the process that answers and filled from the others when it "
    "starts. An unknown value is null.",
    "console.figures": "Shards with their owners, processes, stores and parked streams, at most some seconds old.",
    "console.parked": "At most 200 streams are listed; `all` says how many there are.",
    "console.parked_stream": "At most 20 events, the oldest first.",
    "console.retry": "After a fix. What still fails stays parked, with all that follows it in its stream.",
    "console.rooms": "By id or part of the name; without either, those with the latest activity. Also deleted ones.",
    "console.room": "With `at` or `number`: as it was then, with members and last messages.",
    "console.renew": "Before the current one expires, so that nobody has to go back to the command line.",
}
