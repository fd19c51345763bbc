// A native dialog that is gone when it closes.

import { el } from "./dom.js";
import { text } from "./text.js";

/**
 * Opens a dialog with a title. Returns it; `close()` ends it.
 * @param {object} [options] stays: until it is closed by hand, whatever happens around it
 */
export function openDialog(title, content, { narrow = false, stays = false, onClose = () => {} } = {}) {
  const dialog = el("dialog", { class: narrow && "narrow", "aria-label": title, "data-stays": stays, onclose: () => finish() });
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

/** Closes whatever is open, for the session is over, or another view is shown. */
export function closeDialogs() {
  document.querySelectorAll("dialog[open]:not([data-stays])").forEach((dialog) => dialog.close());
}
