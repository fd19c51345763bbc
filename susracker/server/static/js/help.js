// Which keys do what, and whether they do.

import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { setShortcuts, shortcutsOn } from "./keys.js";
import { text } from "./text.js";

export function helpDialog() {
  const rows = text.help.rows.map(([key, does]) => el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, key)), el("td", {}, does)));
  const on = el("input", { type: "checkbox", checked: shortcutsOn(), onchange: () => setShortcuts(on.checked) });
  openDialog(
    text.help.title,
    [el("label", { class: "check" }, on, text.help.on), el("table", { class: "plain" }, el("tbody", {}, rows))],
    { narrow: true },
  );
}
