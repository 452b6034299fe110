// Made from schemas/asyncapi.json by `./klatsch schemas`: change that, not this file.

/** Types of deltas that set members of their room: each becomes what `data` says. */
export const ROOM_CHANGES = [
  "room.renamed",
  "room.described",
  "room.topic_line_set",
  "room.settings_changed",
  "room.data_changed",
  "room.custom_changed",
];

/** What a deleted room shows besides its id, type, state and times. */
export const GONE = {
  name: "",
  description: null,
  topic_line: null,
  settings: { notifications: true, announcements: true, posting: "members", inviting: "members" },
  data: {},
  custom: {},
  seq: 0,
  last: null,
  members: 0,
  pins: 0,
  owner: null,
};
