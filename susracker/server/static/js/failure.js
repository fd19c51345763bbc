// What stands in place of something that the server did not give, or has not given yet.

import { ApiError } from "./api.js";
import { el, fill } from "./dom.js";
import { text } from "./text.js";

/** Lets a reading fill a place; says there that it takes a moment, and why it failed if it did. */
export async function load(place, read) {
  fill(place, el("p", { class: "muted" }, text.loading));
  try {
    await read();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    fill(place, failure(error, () => load(place, read)));
  }
}

/** @param {ApiError} error @param {() => void} again tries once more */
export function failure(error, again) {
  return el("div", { class: "empty" }, el("p", { class: "notice bad", role: "alert" }, whyNot(error)), el("button", { onclick: again }, text.again));
}

/** What did not work, as a sentence. */
export function whyNot({ message }) {
  return text.frame.failed(message);
}
