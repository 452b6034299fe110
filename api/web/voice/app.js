// The entry of /voice: from a session to a channel, in which people talk.

import { Api } from "../klatsch/api.js";
import * as session from "../klatsch/session.js";
import { answerTabs, askTabs } from "../klatsch/sharing.js";
import { fill, h, icon } from "../view/dom.js";
import { mark } from "../view/mark.js";
import { toast, tried } from "../view/toasts.js";
import { welcome } from "../view/welcome.js";
import { Call } from "./call.js";
import { channelList } from "./channels.js";
import { insidePanel } from "./inside.js";
import { openMicrophone } from "./microphone.js";
import { SECONDS, bytesOf, levelOf } from "./sound.js";
import { Speaker } from "./speaker.js";

const ENDED = "Your session has ended. Please log in again.";
/** Pause before it is asked again who one is, in ms. */
const AGAIN = 2000;

/** Milliseconds without a frame after which somebody has left whom the server does not report: it does every 5 s. */
const GONE = 8000;
/** Milliseconds after which a server has reported who has come. */
const NAMED = 1500;

const PITCH = {
  title: "Talk. Not a word is kept.",
  words: "Live channels: what you say goes to everybody who is there, as you say it, and into no log.",
  other: ["/", "chat"],
};

const root = document.getElementById("app");

function start(notice = "") {
  const found = session.loadSession();
  if (found) return enter(found);
  const page = welcome({
    notice,
    pitch: PITCH,
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
  let voice = null;
  let left = false;
  const leave = (notice, expired = false) => {
    if (left) return;
    left = true;
    renewal.stop();
    voice?.stop();
    if (expired) session.endSession();
    else session.clearSession();
    start(notice);
  };
  const api = new Api({ token: opened.token, onRefused: ({ code }) => leave(ENDED, code === "token_expired") });
  const renewal = new session.Renewal(api, opened);
  renewal.start();
  fill(root, h("p", { class: "loading", role: "status" }, "Looking who is there…"));
  const me = await whoAmI(api, () => left);
  if (left) return;
  voice = new Voice(api, me, leave);
  fill(root, voice.element);
  voice.start();
}

/** The user's own profile, asked for until it is there or `over()`. */
async function whoAmI(api, over) {
  while (!over()) {
    try {
      return (await api.get("/v1/users/me")).user;
    } catch (problem) {
      toast(problem);
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
  return null;
}

/** The page of one who is logged in; what its two panels see as `app`. */
class Voice {
  /** Id of the channel that one is in, or about to be; null: none. */
  channel = null;
  #me;
  #number = null;
  #channels = new Map();
  #speakers = new Map();
  #context = null;
  #microphone = null;
  #muted = false;
  #level = 0;
  #call;
  #list;
  #inside;
  #stopAnswering = () => {};

  constructor(api, me, leave) {
    this.api = api;
    this.#me = me;
    this.#call = new Call(api, {
      state: (name, words, number) => this.#changed(name, words, number),
      frame: (message) => this.#speaker(message.user).hear(message),
    });
    this.#list = channelList(this);
    this.#inside = insidePanel(this);
    this.element = h(
      "div",
      { class: "voice" },
      h(
        "header",
        { class: "voice-head" },
        h("h1", { class: "wordmark" }, mark(), "Klatsch voice"),
        h("a", { href: "../" }, "To the chat"),
        h("span", { class: "hint" }, me.name),
        h(
          "button",
          { type: "button", class: "icon-button", "aria-label": "Log out", title: "Log out", onclick: out },
          icon("leave"),
        ),
      ),
      h("main", { class: "voice-main" }, this.#list.element, this.#inside.element),
    );

    async function out() {
      await tried(() => api.do("DELETE", "/v1/sessions/current"));
      leave("");
    }
  }

  start() {
    this.#stopAnswering = answerTabs(() => ({ ...session.loadSession(), name: this.#me.name }));
    this.#list.start();
    this.#inside.update();
  }

  stop() {
    this.#stopAnswering();
    this.#list.stop();
    this.#inside.stop();
    this.#out();
  }

  // For the panels.

  /** The channels as the list has them. Who is in none of its reports, and was not heard for long, has left. */
  known(channels) {
    this.#channels = new Map(channels.map((one) => [one.id, one]));
    const present = new Set(this.#users().map((user) => user.number));
    for (const [number, { heard }] of this.#speakers)
      if (!present.has(number) && Date.now() - heard > GONE) this.#speakers.delete(number);
    this.#inside.update();
  }

  owns = ({ owner }) => owner === this.#me.id;

  channelName = () => this.#channels.get(this.channel)?.name ?? `Channel ${this.channel}`;

  /** Who is in the channel: oneself first, then those whom the server has reported, and who is heard already. */
  people() {
    const own = { number: this.#number ?? 0, name: this.#me.name, own: true, muted: this.#muted };
    const others = new Map([...this.#speakers.keys()].map((number) => [number, `Speaker ${number}`]));
    for (const { id, number, name } of this.#users()) if (number !== null && id !== this.#me.username) others.set(number, name);
    others.delete(own.number);
    return [own, ...[...others].map(([number, name]) => ({ number, name, own: false }))];
  }

  levelOf(number) {
    if (number !== (this.#number ?? 0)) return this.#speakers.get(number)?.takeLevel() ?? 0;
    const level = this.#level;
    this.#level = 0;
    return level;
  }

  async join(channel) {
    this.#out();
    this.channel = channel;
    this.#context = new AudioContext();
    this.#show();
    this.#inside.focus();
    this.#call.join(channel).catch((error) => (toast(error), this.leave()));
    await this.hear();
  }

  leave() {
    const channel = this.channel;
    this.#out();
    this.#inside.say("You have left.");
    this.#list.focus(channel);
  }

  mute(muted) {
    this.#muted = muted;
    this.#inside.update();
  }

  /** Opens the microphone; what is wrong is said, and one hears the others all the same. */
  async hear() {
    const context = this.#context;
    let began = null;
    let count = 0;
    try {
      await context.resume();
      const microphone = await openMicrophone(context, (samples) => {
        began ??= Date.now();
        this.#said(samples, began + Math.round(1000 * SECONDS * count));
        count += 1;
      });
      if (context !== this.#context) return microphone.close();
      this.#microphone = microphone;
      microphone.onLost(() => this.#inside.microphone("The microphone is gone."));
      this.#inside.microphone("");
    } catch (error) {
      if (context === this.#context) this.#inside.microphone(error.message);
    }
  }

  // Inside.

  #users() {
    return this.#channels.get(this.channel)?.users ?? [];
  }

  #said(samples, timestamp) {
    if (this.#muted) return;
    this.#level = Math.max(this.#level, levelOf(samples));
    this.#call.send(timestamp, bytesOf(samples));
  }

  #speaker(number) {
    let speaker = this.#speakers.get(number);
    if (!speaker) {
      speaker = new Speaker(this.#context);
      this.#speakers.set(number, speaker);
      this.#inside.update();
      // The server says within a second who it is.
      setTimeout(() => this.#list.look(), NAMED);
    }
    return speaker;
  }

  #changed(name, words, number) {
    if (name === "in") {
      this.#number = number;
      this.#list.look();
    }
    if (name === "again") this.#speakers.clear();
    if (name === "out") this.#out();
    this.#inside.say(words);
    this.#show();
  }

  #out() {
    this.#call.leave();
    this.#microphone?.close();
    this.#context?.close();
    this.#microphone = this.#context = null;
    this.#inside.microphone("");
    this.#inside.press(false);
    this.#speakers.clear();
    this.channel = this.#number = null;
    this.#show();
  }

  #show() {
    this.#list.update();
    this.#inside.update();
  }
}

start();
