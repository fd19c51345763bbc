// Which views there are, and who sees them. A view's code is loaded when it is opened.

import { get } from "./api.js";
import { el } from "./dom.js";
import { failure } from "./failure.js";
import { text } from "./text.js";

const VIEWS = [
  { name: "alerts", takes: 1, needs: "view", load: () => import("./views/alerts.js") },
  { name: "people", needs: "view", load: () => import("./views/people.js") },
  { name: "find", needs: "find", load: () => import("./views/find.js") },
  { name: "cameras", needs: "view", load: () => import("./views/cameras.js") },
  { name: "numbers", needs: "view", load: () => import("./views/numbers.js") },
  { name: "admin", needs: "audit", load: () => import("./views/admin.js") },
];

/** Views that the address may name and the navigation does not. */
const OTHERS = [
  { name: "person", takes: 1, parent: "people", needs: "view", load: () => import("./views/person.js") },
];

/** The views that a session's navigation shows. */
export function viewsFor(session) {
  return VIEWS.filter((view) => session.may(view.needs));
}

/** Opens the view with a name; without one, the first. Returns {element, title, name, close(), press(key)}. */
export async function openView(frame, name, rest) {
  const [first] = viewsFor(frame.session);
  const found = name ? [...VIEWS, ...OTHERS].find((view) => view.name === name) : first;
  if (!found || rest.length > (found.takes ?? 0)) return notice(text.frame.noSuchPage, first);
  if (!frame.session.may(found.needs)) return notice(text.frame.notAllowed, first);
  const module = await codeOf(found, frame);
  return Object.assign(module.open(frame, ...rest), { name: found.parent ?? found.name });
}

/** The code of a view; if it cannot be had because the server does not answer, one that says so. */
async function codeOf(view, frame) {
  try {
    return await view.load();
  } catch (error) {
    const why = await get("/api/session").then(() => null, (refused) => refused);
    if (why?.status !== 0) throw error;
    return { open: () => ({ title: text.product, element: failure(why, () => frame.showView()) }) };
  }
}

/** What stands where there is no view: why, and a way out. */
function notice(why, first) {
  const way = first && el("p", {}, el("a", { href: `#/${first.name}` }, text.frame[first.name]));
  return { title: text.product, element: el("div", { class: "empty" }, el("h1", {}, why), way) };
}
