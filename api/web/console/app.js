// The console's entry: from a link to a token, then the wall, which asks for the figures each second, or what
// applications use.

import { fill, h } from "../view/dom.js";
import { Access, foundToken } from "./access.js";
import { usageOf, usagePage } from "./usage.js";
import { wall } from "./wall.js";

const root = document.getElementById("console");

/** The page without access: how to get it. */
function closed(reason) {
  fill(
    root,
    h(
      "main",
      { class: "closed" },
      h("h1", {}, "Klatsch console"),
      reason ? h("p", { role: "alert" }, reason) : null,
      h("p", {}, "For operators. On the machine of the installation run"),
      h("pre", { tabindex: "0", "aria-label": "Command" }, "./klatsch console"),
      h(
        "p",
        {},
        "and open the link that it prints. The link is good for five minutes; the page then stays open for a day.",
      ),
    ),
  );
}

async function start() {
  const token = foundToken();
  if (!token) return closed("");
  let view = null;
  const access = new Access(token, (reason) => {
    view?.stop();
    closed(reason);
  });
  try {
    await access.start();
  } catch (problem) {
    return access.token ? closed(`${problem.detail ?? problem.message} Reload this page to try again.`) : undefined;
  }
  const show = () => {
    view?.stop();
    const usage = usageOf(location.hash);
    view = usage ? usagePage(access, usage) : wall(access);
    fill(root, view.element);
    view.start();
  };
  addEventListener("hashchange", () => access.token && !location.hash.includes("token=") && show());
  show();
}

// A link that is opened in this tab changes the fragment only.
addEventListener("hashchange", () => location.hash.includes("token=") && location.reload());
start();
