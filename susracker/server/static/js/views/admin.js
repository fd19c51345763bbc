// Admin: keys, the audit log, and for how long what is kept.

import { auditPanel } from "../audit-panel.js";
import { el } from "../dom.js";
import { keysPanel } from "../keys-panel.js";
import { retentionPanel } from "../retention-panel.js";
import { text } from "../text.js";

export function open(frame) {
  return {
    title: text.admin.title,
    element: el(
      "div",
      { class: "view stack" },
      el("header", {}, el("h1", {}, text.admin.title)),
      frame.session.may("keys") && keysPanel(frame),
      auditPanel(frame),
      retentionPanel(),
    ),
  };
}
