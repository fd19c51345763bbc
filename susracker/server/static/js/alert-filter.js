// Which alerts are shown: those to judge or all, and by camera, person, threat, state and time.

import { ApiError, get } from "./api.js";
import { cameraText } from "./camera-name.js";
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
        { ontoggle: () => this.readCameras() },
        this.summary,
        el("form", { class: "fields", oninput: () => this.changed(), onsubmit: (event) => event.preventDefault() }, this.labels(), this.clearButton()),
      ),
    );
    this.showTabs();
  }

  /** What to ask the server for: whatever fits is among the answers to these queries. */
  get queries() {
    const { camera, since, until, state } = this.fields;
    const all = {
      ...(camera.value && { camera_id: camera.value }),
      ...(since.value && { since: new Date(since.value).toISOString() }),
      ...(until.value && { until: new Date(until.value).toISOString() }),
    };
    if (state.value) return [{ ...all, status: state.value }];
    return this.onlyUnjudged ? [...UNJUDGED].map((status) => ({ ...all, status })) : [all];
  }

  /** Whether any field is filled in. */
  get isNarrowed() {
    return Object.values(this.fields).some((field) => field.value);
  }

  /** Tells of an alert whether it is to be shown; reads the fields once for however many alerts. */
  predicate() {
    const { onlyUnjudged, frame } = this;
    const { camera, person, threat, state, since, until } = Object.fromEntries(
      Object.entries(this.fields).map(([name, field]) => [name, field.value]),
    );
    const [first, last] = [Date.parse(since), Date.parse(until)];
    return (alert) =>
      !(onlyUnjudged && !UNJUDGED.has(alert.status)) &&
      !(state && alert.status !== state) &&
      !(camera && alert.camera_id !== camera) &&
      !(person && !holds(alert.name ?? alert.event_type, person)) &&
      !(threat && frame.people.known(alert.criminal_id)?.threat !== threat) &&
      !(since && Date.parse(alert.occurred_at) < first) &&
      !(until && Date.parse(alert.occurred_at) > last);
  }

  makeFields() {
    const choice = (any, names) =>
      el("select", {}, el("option", { value: "" }, any), Object.entries(names).map(([value, name]) => el("option", { value }, name)));
    return {
      camera: choice(text.alerts.anyCamera, {}),
      person: el("input", { type: "search" }),
      threat: choice(text.alerts.anyThreat, text.threat),
      state: choice(text.alerts.anyState, text.status),
      since: el("input", { type: "datetime-local" }),
      until: el("input", { type: "datetime-local" }),
    };
  }

  /** The cameras that there are. */
  async readCameras() {
    try {
      const { cameras } = await get("/api/cameras");
      const { camera } = this.fields;
      const known = new Set([...camera.options].map((option) => option.value));
      const options = cameras.filter((one) => !known.has(one.camera_id));
      camera.append(...options.map((one) => el("option", { value: one.camera_id }, cameraText(one))));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.frame.failed(error);
    }
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
    // A state that was judged is among all.
    if (this.fields.state.value && !UNJUDGED.has(this.fields.state.value)) this.onlyUnjudged = false;
    this.showTabs();
    this.onChange();
  }

  /** The threat is known of people whose record was read. */
  readPeople() {
    const ids = new Set(this.frame.log.alerts.map((one) => one.criminal_id).filter(Boolean));
    ids.forEach((id) => this.frame.people.get(id));
  }
}

function holds(text, part) {
  return (text ?? "").toLowerCase().includes(part.trim().toLowerCase());
}
