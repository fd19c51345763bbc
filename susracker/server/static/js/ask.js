// Asks whether something that cannot be undone is meant.

import { openDialog } from "./dialog.js";
import { el, once } from "./dom.js";
import { text } from "./text.js";

/** Resolves to whether the person agreed. */
export function ask(title, hint, agree) {
  return new Promise((resolve) => {
    let agreed = false;
    const yes = el("button", { class: "danger", onclick: once(() => ((agreed = true), dialog.close())) }, agree);
    const no = el("button", { autofocus: true, onclick: () => dialog.close() }, text.cancel);
    const content = [el("p", {}, hint), el("div", { class: "row" }, no, yes)];
    const dialog = openDialog(title, content, { narrow: true, onClose: () => resolve(agreed) });
  });
}
