// Times: how long ago, and exactly, in the viewer's zone.

import { el } from "./dom.js";
import { text } from "./text.js";

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago a time was, such as "3 min ago". */
export function ago(iso, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 5) return text.ago.now;
  if (seconds < MINUTE) return text.ago.seconds(Math.floor(seconds));
  if (seconds < HOUR) return text.ago.minutes(Math.floor(seconds / MINUTE));
  if (seconds < DAY) return text.ago.hours(Math.floor(seconds / HOUR));
  return text.ago.days(Math.floor(seconds / DAY));
}

/** A length of time, such as "2 min 5 s". */
export function lasting(exactly) {
  const seconds = Math.round(exactly);
  if (seconds < MINUTE) return text.lasting.seconds(seconds);
  if (seconds < HOUR) return text.lasting.minutes(Math.floor(seconds / MINUTE), seconds % MINUTE);
  return text.lasting.hours(Math.floor(seconds / HOUR), Math.floor((seconds % HOUR) / MINUTE));
}

/** An element that says how long ago something was, and exactly when on hover; it stays right. */
export function agoElement(iso) {
  return el("time", { datetime: iso, title: both(iso), "data-ago": "" }, ago(iso));
}

/** An element that says exactly when something was. */
export function exactElement(iso, { timeOnly = false } = {}) {
  return el("time", { datetime: iso, title: both(iso) }, (timeOnly ? clock : exact).format(new Date(iso)));
}

export const dayOf = (iso) => day.format(new Date(iso));
export const timeOf = (iso) => clock.format(new Date(iso));

/** The moment in the viewer's zone, and as the server has it. */
function both(iso) {
  return `${exact.format(new Date(iso))} · ${iso.replace("T", " ").replace(/\.\d+/, "")}`;
}

/** Keeps the texts of all `agoElement`s on the page right. */
export function keepAgoRight() {
  setInterval(() => {
    const now = Date.now();
    for (const one of document.querySelectorAll("time[data-ago]")) {
      const shown = ago(one.dateTime, now);
      if (one.textContent !== shown) one.textContent = shown;
    }
  }, 1000);
}
