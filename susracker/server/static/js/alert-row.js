// One alert in the list: both faces small, who, where, when, and what was said about it.

import { cameraLine } from "./camera-name.js";
import { statusChip, threatChip } from "./chips.js";
import { faceOf } from "./details.js";
import { el, typed } from "./dom.js";
import { shortOdds } from "./odds.js";
import { text } from "./text.js";
import { agoElement } from "./when.js";

/** Rows that scroll by faster than this are not looked at, so their pictures are not asked for. */
const GLANCE = 150;

export function alertRow(alert, frame) {
  const person = frame.people.known(alert.criminal_id);
  return el(
    "div",
    { class: Date.now() < (alert.freshUntil ?? 0) ? "alert-row fresh" : "alert-row" },
    el("span", { class: "faces" }, alert.alert_type === 1 ? faces(alert, frame) : activitySign()),
    el(
      "span",
      { class: "who" },
      el("span", { class: "row spread" }, el("strong", {}, nameOf(alert)), el("span", { class: "small muted" }, agoElement(alert.occurred_at))),
      el("span", { class: "muted small" }, cameraLine(alert)),
      el(
        "span",
        { class: "row small" },
        person?.threat === "high" && threatChip(person.threat),
        alert.status !== "new" && statusChip(alert.status),
        alert.status === "new" && alert.fpir !== null && el("span", { class: "muted", title: text.odds.hint }, shortOdds(alert.fpir)),
      ),
    ),
  );
}

/** What the row of an alert depends on. */
export function markOf(alert, frame) {
  return `${alert.status} ${alert.name} ${alert.fpir} ${frame.people.known(alert.criminal_id)?.threat}`;
}

export function nameOf(alert) {
  if (alert.alert_type === 2) return text.alerts.activity(alert.event_type);
  return alert.name ? typed(alert.name) : text.alerts.removed;
}

function faces(alert, frame) {
  const seen = el("img", { alt: "", width: 56, height: 56 });
  const enrolled = el("img", { alt: "", width: 56, height: 56 });
  const show = (found) => {
    const sources = [faceOf(found), found.criminal_image];
    [seen, enrolled].forEach((image, place) => sources[place] && image.setAttribute("src", sources[place]));
  };
  const known = frame.details.cache.known(alert.id);
  if (known) show(known);
  else setTimeout(() => seen.isConnected && frame.details.get(alert.id).then(show, () => {}), GLANCE);
  if (alert.criminal_id && !frame.people.known(alert.criminal_id)) {
    setTimeout(() => seen.isConnected && frame.people.get(alert.criminal_id), GLANCE);
  }
  return [seen, enrolled];
}

function activitySign() {
  return el("span", { class: "activity", "aria-hidden": "true" }, "!");
}
