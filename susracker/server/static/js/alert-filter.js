// Which alerts are shown: those to judge or all, and by camera, person, threat, state and time.

import { el } from "./dom.js";
import { UNJUDGED } from "./log.js";
import { text } from "./text.js";

export class FilterBar {
  constructor(frame, onChange) {
    this.frame = frame;
    this.onlyUnjudged = true;
    this.onChange = onChange;
    this.fields = this.makeFields();
    this.summary = el("summary", {}, text.alerts.filter);
    this.tabs = [true, false].map((unjudged) =>
      el("button", { onclick: () => this.showUnjudged(unjudged) }, unjudged ? text.alerts.toJudge : text.alerts.all),
    );
    this.element = el(
      "div",
      { class: "filter" },
      el("div", { class: "row", role: "group", "aria-label": text.alerts.show }, this.tabs),
      el(
        "details",
        {},
        this.summary,
        el("form", { class: "fields", oninput: () => this.changed(), onsubmit: (event) => event.preventDefault() }, this.labels(), this.clearButton()),
      ),
    );
    this.showTabs();
  }

  /** Whether any field is filled in. */
  get isNarrowed() {
    return Object.values(this.fields).some((field) => field.value);
  }

  /** Whether an alert is to be shown. */
  fits(alert) {
    const { camera, person, threat, state, since, until } = this.fields;
    if (this.onlyUnjudged && !UNJUDGED.has(alert.status)) return false;
    if (state.value && alert.status !== state.value) return false;
    if (!holds([alert.camera_id, alert.camera_location], camera.value)) return false;
    if (!holds([alert.name ?? alert.event_type], person.value)) return false;
    if (threat.value && this.frame.people.known(alert.criminal_id)?.threat !== threat.value) return false;
    const at = Date.parse(alert.occurred_at);
    return !(since.value && at < Date.parse(since.value)) && !(until.value && at > Date.parse(until.value));
  }

  makeFields() {
    const choice = (any, names) =>
      el("select", {}, el("option", { value: "" }, any), Object.entries(names).map(([value, name]) => el("option", { value }, name)));
    return {
      camera: el("input", { type: "search" }),
      person: el("input", { type: "search" }),
      threat: choice(text.alerts.anyThreat, text.threat),
      state: choice(text.alerts.anyState, text.status),
      since: el("input", { type: "datetime-local" }),
      until: el("input", { type: "datetime-local" }),
    };
  }

  labels() {
    return Object.entries(this.fields).map(([name, field]) => el("label", { class: "field" }, text.alerts[name], field));
  }

  clearButton() {
    const clear = () => {
      for (const field of Object.values(this.fields)) field.value = "";
      this.changed();
    };
    return el("button", { type: "button", onclick: clear }, text.alerts.clear);
  }

  showUnjudged(unjudged) {
    this.onlyUnjudged = unjudged;
    this.showTabs();
    this.onChange();
  }

  showTabs() {
    this.tabs.forEach((tab, place) => tab.setAttribute("aria-pressed", String((place === 0) === this.onlyUnjudged)));
  }

  changed() {
    const filled = Object.values(this.fields).filter((field) => field.value).length;
    this.summary.textContent = filled ? text.alerts.filterOn(filled) : text.alerts.filter;
    if (this.fields.threat.value) this.readPeople();
    this.onChange();
  }

  /** The threat is known of people whose record was read. */
  readPeople() {
    const ids = new Set(this.frame.log.alerts.map((one) => one.criminal_id).filter(Boolean));
    ids.forEach((id) => this.frame.people.get(id));
  }
}

function holds(texts, part) {
  const wanted = part.trim().toLowerCase();
  return !wanted || texts.some((one) => one?.toLowerCase().includes(wanted));
}
