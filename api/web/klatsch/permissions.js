// Who may do what in a room, to offer only that: the server's table (producers/roles.py) as this client sees it. The
// server decides; a test compares the two cell by cell.

const RANK = { member: 0, admin: 1, owner: 2 };

const yes = () => true;
const no = () => false;
const own = ({ mine }) => mine;
const ownPosting = ({ mine, entry }) => mine && posting({ entry });
const self = ({ self: oneself }) => oneself;
const below = ({ self: oneself, entry, role }) => oneself || RANK[role] < RANK[entry.member.role];
const posting = ({ entry }) => entry.room.settings.posting === "members";
const inviting = ({ entry }) => entry.room.settings.inviting === "members";

/** Command -> rule for owner, admin, member and the two of a direct room; `archived`: also in an archived room. */
export const TABLE = {
  PostMessage: { owner: yes, admin: yes, member: posting, direct: yes },
  EditMessage: { owner: own, admin: own, member: ownPosting, direct: own },
  DeleteMessage: { owner: yes, admin: yes, member: own, direct: own },
  PinMessage: { owner: yes, admin: yes, member: no, direct: yes },
  UnpinMessage: { owner: yes, admin: yes, member: no, direct: yes },
  MarkRead: { owner: yes, admin: yes, member: yes, direct: yes, archived: true },
  SetNotifications: { owner: yes, admin: yes, member: yes, direct: yes, archived: true },
  ChangeMember: { owner: yes, admin: yes, member: self, direct: self },
  AddMember: { owner: yes, admin: yes, member: inviting, direct: no },
  RemoveMember: { owner: below, admin: below, member: self, direct: self, archived: true },
  ChangeRole: { owner: yes, admin: no, member: no, direct: no },
  TransferOwnership: { owner: yes, admin: no, member: no, direct: no },
  ChangeRoom: { owner: yes, admin: yes, member: no, direct: yes },
  ArchiveRoom: { owner: yes, admin: no, member: no, direct: no, archived: true },
  UnarchiveRoom: { owner: yes, admin: no, member: no, direct: no, archived: true },
  DeleteRoom: { owner: yes, admin: no, member: no, direct: no, archived: true },
};

/**
 * Whether I may do it in a room. `entry`: `{ room, member }` with my own membership. What it is done to: `mine`, whether
 * the message is mine; `self`, whether the member is me; `role`, the member's.
 */
export function may(command, entry, { mine = false, self: oneself = false, role = "member" } = {}) {
  const row = TABLE[command];
  const { room, member } = entry;
  if (room.state === "deleted" || (room.state === "archived" && !row.archived)) return false;
  return row[room.type === "direct" ? "direct" : member.role]({ entry, mine, self: oneself, role });
}
