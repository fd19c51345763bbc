// Which views there are, and who sees them. A view's code is loaded when it is opened.

import { el } from "./dom.js";
import { text } from "./text.js";

const VIEWS = [
  { name: "alerts", needs: "view", load: () => import("./views/alerts.js") },
  { name: "people", needs: "view", load: () => import("./views/people.js") },
  { name: "find", needs: "find", load: () => import("./views/find.js") },
  { name: "cameras", needs: "view", load: () => import("./views/cameras.js") },
  { name: "numbers", needs: "view", load: () => import("./views/numbers.js") },
  { name: "admin", needs: "audit", load: () => import("./views/admin.js") },
];

/** Views that the address may name and the navigation does not. */
const OTHERS = [
  { name: "person", parent: "people", needs: "view", load: () => import("./views/person.js") },
];

/** The views that a session's navigation shows. */
export function viewsFor(session) {
  return VIEWS.filter((view) => session.may(view.needs));
}

/** Opens the view with a name, or the first one. Returns {element, title, name, close(), press(key)}. */
export async function openView(frame, name, rest) {
  const allowed = viewsFor(frame.session);
  const found = [...VIEWS, ...OTHERS].find((view) => view.name === name) ?? allowed[0];
  if (!found || !frame.session.may(found.needs)) {
    return { name, title: text.product, element: el("p", { class: "empty" }, text.frame.notAllowed) };
  }
  const module = await found.load();
  return Object.assign(module.open(frame, ...rest), { name: found.parent ?? found.name });
}
