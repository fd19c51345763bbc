// What stands in place of something that the server did not give.

import { el } from "./dom.js";
import { text } from "./text.js";

/** @param {ApiError} error @param {() => void} again tries once more */
export function failure(error, again) {
  return el("div", { class: "empty" }, el("p", { class: "notice bad", role: "alert" }, whyNot(error)), el("button", { onclick: again }, text.again));
}

/** What did not work, as a sentence. */
export function whyNot({ status, message }) {
  return text.frame.failed(status === 0 ? text.frame.unreachable : message);
}
