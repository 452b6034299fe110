// The demo's entry: from a session to a state, a connection and the views, and back to the welcome page at the end.

import { Api } from "./klatsch/api.js";
import { API_KEY } from "./klatsch/application.js";
import { Connection } from "./klatsch/connection.js";
import { Lookups } from "./klatsch/lookups.js";
import { Outbox } from "./klatsch/outbox.js";
import { Pages } from "./klatsch/pages.js";
import { Rest } from "./klatsch/rest.js";
import { Rooms } from "./klatsch/rooms.js";
import * as session from "./klatsch/session.js";
import { answerTabs, askTabs } from "./klatsch/sharing.js";
import { Signals } from "./klatsch/signals.js";
import { Store } from "./klatsch/store.js";
import { fill, h } from "./view/dom.js";
import { shell } from "./view/shell.js";
import { inNames } from "./view/names.js";
import { sayBy, toast, tried } from "./view/toasts.js";
import { welcome } from "./view/welcome.js";

/** How long after a change the state is saved for a reload, in ms. */
const SAVE_AFTER = 500;
const ENDED = "Your session has ended. Please log in again.";
/** Pause before the first snapshot is asked for again, in ms. */
const AGAIN = 2000;

const root = document.getElementById("app");

function start(notice = "") {
  const found = session.loadSession();
  if (found) return enter(found);
  document.title = "Klatsch";
  const page = welcome({
    key: API_KEY,
    notice,
    onSession: (opened) => {
      stopAsking();
      session.saveSession(opened);
      enter(opened);
    },
  });
  const stopAsking = askTabs(page.offer);
  fill(root, page.element);
}

async function enter(opened) {
  let left = false;
  /** `expired`: the session ran out, so that its user comes back: what was not sent yet is kept. */
  const leave = (notice, expired = false) => {
    if (left) return;
    left = true;
    renewal.stop();
    app.stop();
    if (expired) session.endSession();
    else session.clearSession();
    location.hash = "";
    for (const open of document.querySelectorAll("dialog")) open.close();
    start(notice);
  };
  // `declined`: who has declined an invitation of this user's, as far as this page was told: to be asked no more.
  const app = { user: opened.user, called: "Klatsch", stop: () => {}, leave, declined: new Set() };
  app.api = new Api({ token: opened.token, onRefused: ({ code }) => leave(ENDED, code === "token_expired") });
  const renewal = new session.Renewal(app.api, opened);
  renewal.start();
  fill(root, h("p", { class: "loading", role: "status" }, "Fetching your conversations…"));
  app.store = await firstStore(app);
  if (left) return;
  if (API_KEY !== null) tried(() => learnName(app));
  connect(app, app.api.token, renewal);
  const view = shell(app);
  app.stop = stopper(app, view);
  fill(root, view.element);
  view.start();
}

/** What the application is called, where it is not the default one. */
async function learnName(app) {
  app.called = (await app.api.get("/v1/app")).name;
  app.store.changed();
}

/** What another tab of this browser needs to go on as the same user. */
const shared = (app) => ({ ...session.loadSession(), name: app.store.state.me.name });

/** The state saved before a reload, else a snapshot. */
async function firstStore(app) {
  const saved = session.loadState();
  if (saved) {
    const store = Store.restore(saved);
    if (store.state.me?.id === app.user) return store;
  }
  const store = new Store();
  await snapshot(app, store);
  return store;
}

async function snapshot(app, store) {
  for (;;) {
    try {
      return store.replace(await app.api.get("/v1/sync"));
    } catch (problem) {
      toast(problem);
      if (problem.status === 401) return new Promise(() => {});
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
}

function connect(app, token, renewal) {
  const { api, store } = app;
  app.lookups = new Lookups(api, store, toast);
  app.pages = new Pages(store, (path, query) => app.lookups.read(path, query));
  app.rooms = new Rooms(store);
  sayBy((words) => inNames(app, words));
  app.rest = new Rest(api, store);
  app.signals = new Signals(api, store);
  app.outbox = new Outbox(session.loadOutbox(app.user), (entries) => {
    session.saveOutbox(app.user, entries);
    store.changed();
  });
  app.connection = new Connection({
    token,
    after: (used) => renewal.after(used),
    store,
    position: api.position,
    on: {
      state: (name) => {
        if (name === "online") {
          // Of a first snapshot, or of one that came as the place was lost.
          app.rest.read();
          app.outbox.flush();
          app.signals.connected();
        } else app.signals.lost();
        store.changed();
      },
      signal: (data) => app.signals.take(data),
      refused: () => app.leave(ENDED),
      broken: async (error) => {
        console.error(error);
        await snapshot(app, store);
        app.rest.read();
      },
    },
  });
  app.outbox.attach(app.connection, store);
  app.signals.attach(app.connection);
  app.connection.start();
}

/** Saves the state while the page is used, and undoes everything at its end. */
function stopper(app, view) {
  let timer = null;
  let saved = -1;
  const save = () => {
    clearTimeout(timer);
    timer = null;
    if (saved === app.store.revision) return;
    saved = app.store.revision;
    session.saveState(app.store.save());
  };
  const unwatch = app.store.watch(() => {
    timer ??= setTimeout(save, SAVE_AFTER);
  });
  addEventListener("pagehide", save);
  save();
  const stopAnswering = answerTabs(() => shared(app));
  return () => {
    unwatch();
    stopAnswering();
    clearTimeout(timer);
    removeEventListener("pagehide", save);
    view.stop();
    app.rest.stopped = true;
    app.signals.lost();
    app.connection.stop();
  };
}

start();
