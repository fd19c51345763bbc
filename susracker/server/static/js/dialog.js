// A native dialog that is gone when it closes.

import { el } from "./dom.js";
import { text } from "./text.js";

/** Opens a dialog with a title. Returns it; `close()` ends it. */
export function openDialog(title, content, { narrow = false, onClose = () => {} } = {}) {
  const dialog = el("dialog", { class: narrow && "narrow", "aria-label": title, onclose: () => finish() });
  const finish = () => {
    dialog.remove();
    onClose();
  };
  dialog.append(
    el(
      "div",
      { class: "stack" },
      el(
        "div",
        { class: "row spread" },
        el("h2", {}, title),
        el("button", { class: "plain", type: "button", "aria-label": text.close, onclick: () => dialog.close() }, "×"),
      ),
      content,
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Closes whatever is open, for the session is over. */
export function closeDialogs() {
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
}
