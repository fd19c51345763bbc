// Small labels for states and threats.

import { el } from "./dom.js";
import { text } from "./text.js";

const STATUS = { new: "warn", "to be confirmed": "warn", confirmed: "good", dismissed: "", unsure: "" };
const THREAT = { high: "bad", medium: "", low: "" };

export function statusChip(status) {
  return el("span", { class: `chip ${STATUS[status] ?? ""}` }, text.status[status] ?? status);
}

export function threatChip(threat) {
  return el("span", { class: `chip ${THREAT[threat] ?? ""}` }, text.threat[threat] ?? threat);
}

/** Whether a person is still looked for. */
export function personChip(person) {
  const isExpired = person.status === "wanted" && person.expires_at && Date.parse(person.expires_at) <= Date.now();
  const status = isExpired ? "expired" : person.status;
  return el("span", { class: "chip" }, text.personStatus[status]);
}
