// The demo's entry: from a session to a state, a connection and the views, and back to the welcome page at the end.

import { Api } from "./klatsch/api.js";
import { Connection } from "./klatsch/connection.js";
import { Lookups } from "./klatsch/lookups.js";
import { Outbox } from "./klatsch/outbox.js";
import * as session from "./klatsch/session.js";
import { Store } from "./klatsch/store.js";
import { fill, h } from "./view/dom.js";
import { shell } from "./view/shell.js";
import { toast } from "./view/toasts.js";
import { welcome } from "./view/welcome.js";

/** How long after a change the state is saved for a reload, in ms. */
const SAVE_AFTER = 500;
/** Pause before the first snapshot is asked for again, in ms. */
const AGAIN = 2000;

const root = document.getElementById("app");

function start(notice = "") {
  const found = session.loadSession();
  if (found) return enter(found);
  document.title = "Klatsch";
  fill(root, welcome({ notice, onSession: (opened) => (session.saveSession(opened), enter(opened)) }));
}

async function enter(opened) {
  let left = false;
  const leave = (notice) => {
    if (left) return;
    left = true;
    app.stop();
    session.clearSession();
    location.hash = "";
    for (const open of document.querySelectorAll("dialog")) open.close();
    start(notice);
  };
  const app = { user: opened.user, stop: () => {}, leave };
  app.api = new Api({ token: opened.token, onRefused: () => leave("Your session has ended. Please log in again.") });
  fill(root, h("p", { class: "loading", role: "status" }, "Fetching your conversations…"));
  app.store = await firstStore(app);
  if (left) return;
  connect(app, opened.token);
  const view = shell(app);
  app.stop = stopper(app, view);
  fill(root, view.element);
  view.start();
}

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

function connect(app, token) {
  const { api, store } = app;
  app.lookups = new Lookups(api, store, toast);
  app.outbox = new Outbox(session.loadOutbox(), (entries) => {
    session.saveOutbox(entries);
    store.changed();
  });
  app.connection = new Connection({
    token,
    store,
    position: api.position,
    on: {
      state: (name) => {
        if (name === "online") app.outbox.flush();
        store.changed();
      },
      refused: () => app.leave("Your session has ended. Please log in again."),
      broken: (error) => {
        console.error(error);
        snapshot(app, store);
      },
    },
  });
  app.outbox.attach(app.connection, store);
  app.connection.start();
}

/** Saves the state while the page is used, and undoes everything at its end. */
function stopper(app, view) {
  let timer = null;
  const save = () => {
    clearTimeout(timer);
    timer = null;
    session.saveState(app.store.save());
  };
  const unwatch = app.store.watch(() => {
    timer ??= setTimeout(save, SAVE_AFTER);
  });
  addEventListener("pagehide", save);
  save();
  return () => {
    unwatch();
    clearTimeout(timer);
    removeEventListener("pagehide", save);
    view.stop();
    app.connection.stop();
  };
}

start();
