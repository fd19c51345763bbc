// Descriptions of the API: what stands between backticks is code.

import { el } from "../dom.js";

/** A description as parts of an element. @param {string|undefined} text */
export function prose(text = "") {
  return text.split(/`([^`]*)`/).map((part, place) => (place % 2 ? el("code", {}, part) : part));
}
