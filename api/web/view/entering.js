// The way into a room.

/** Shows a room that a command has just made or joined: its delta may still be on its way. */
export async function enterRoom(app, room) {
  if (!app.rooms.mine(room)) await app.store.read(app.api.get(`/v1/rooms/${room}`));
  app.clearSearch();
  app.open(room);
}
