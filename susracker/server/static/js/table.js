// A table that scrolls by itself where the screen is narrow.

import { el } from "./dom.js";

/**
 * @param {string} label what the table is called
 * @param {string[]} head titles of the columns
 * @param {Node|Node[]} rows or a `tbody`
 */
export function table(label, head, rows, { kind = "" } = {}) {
  const titles = head.map((title) => el("th", { scope: "col" }, title));
  const body = rows instanceof Node ? rows : el("tbody", {}, rows);
  return el(
    "div",
    { class: "wide", role: "region", "aria-label": label, tabindex: "0" },
    el("table", { class: kind || null, "aria-label": label }, el("thead", {}, el("tr", {}, titles)), body),
  );
}
