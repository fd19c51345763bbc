// Everything that people said about an alert, oldest first.

import { el, typed } from "./dom.js";
import { text } from "./text.js";
import { agoElement } from "./when.js";

export function history({ reviews, outcomes }) {
  const said = [...reviews.map(asReview), ...outcomes.map(asOutcome)].sort((one, other) => one.at.localeCompare(other.at));
  if (!said.length) return null;
  return el(
    "div",
    { class: "history stack" },
    el("h3", { class: "muted small" }, text.judge.history),
    el("ol", { class: "small" }, said.map((one) => one.element)),
  );
}

function asReview(one) {
  return entry(one, text.status[one.verdict], one.reason);
}

function asOutcome(one) {
  return entry(one, text.judge.outcomeSaved(text.outcome[one.outcome]), null);
}

function entry(one, what, reason) {
  const element = el(
    "li",
    {},
    el("strong", {}, what),
    reason && [" – ", typed(reason)],
    " · ",
    typed(one.made_by, { class: "muted" }),
    " · ",
    el("span", { class: "muted" }, agoElement(one.made_at)),
    one.note && el("p", { class: "note" }, typed(one.note)),
  );
  return { at: one.made_at, element };
}
