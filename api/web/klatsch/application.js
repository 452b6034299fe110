// Which application this page is of: `?app=` and its API key, which is public; without it, the default one. What the browser
// keeps of it has names of its own, so that a tab that goes from one application to another finds nothing of the first.

/** The API key in the page's address, or null. */
export const API_KEY = new URLSearchParams(globalThis.location?.search ?? "").get("app") || null;

/** The name under which the browser keeps something of this application. */
export const ofApp = (name) => (API_KEY === null ? name : `${name} ${API_KEY}`);
