// Where an operator judges an alert: a verdict, a reason, and later what became of the encounter.

import { ApiError, path, post } from "./api.js";
import { el, fill } from "./dom.js";
import { UNJUDGED } from "./log.js";
import { text } from "./text.js";

const VERDICTS = { c: "confirmed", d: "dismissed", u: "unsure" };

export class JudgePanel {
  /** @param {(changed) => void} onJudged called with what the server says of the alert from now on */
  constructor(frame, alert, onJudged) {
    this.frame = frame;
    this.alert = alert;
    this.onJudged = onJudged;
    this.verdict = null;
    this.isChanging = false;
    this.element = el("div", { class: "judge card" });
  }

  /** Shows the alert as it is now; what someone is typing stays. */
  update(alert) {
    const isSame = this.drawn === this.stateOf(alert);
    this.alert = alert;
    if (!isSame) this.draw();
  }

  press(key) {
    if (key in VERDICTS && this.isOpen) return this.choose(VERDICTS[key]);
    if (this.verdict && /^[1-9]$/.test(key)) return this.pressReason(Number(key) - 1);
    if (key === "Escape" && this.verdict) return this.choose(null);
    return false;
  }

  get isOpen() {
    return UNJUDGED.has(this.alert.status) || this.isChanging;
  }

  stateOf(alert) {
    return [alert.status, alert.reviews.length, alert.outcomes.length].join(" ");
  }

  draw() {
    this.drawn = this.stateOf(this.alert);
    fill(this.element, this.isOpen ? this.question() : this.afterwards());
  }

  question() {
    return [
      el("h2", {}, this.title()),
      el(
        "div",
        { class: "verdicts" },
        Object.entries(VERDICTS).map(([key, verdict]) =>
          el(
            "button",
            { class: `verdict ${verdict}`, "aria-pressed": String(this.verdict === verdict), onclick: () => this.choose(verdict) },
            text.judge[verdict], " ", el("kbd", {}, key.toUpperCase()),
          ),
        ),
      ),
      this.verdict && this.reasonForm(),
    ];
  }

  title() {
    if (this.alert.status === "to be confirmed") return text.judge.second;
    return this.alert.alert_type === 1 ? text.judge.title : text.judge.activityTitle;
  }

  choose(verdict) {
    this.verdict = verdict;
    if (!verdict) this.isChanging = false;
    this.draw();
    this.element.querySelector(verdict ? ".reasons button" : "button")?.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "nearest" });
    return true;
  }

  reasons() {
    return (this.alert.alert_type === 1 ? text.judge.reasons : text.judge.activityReasons)[this.verdict];
  }

  pressReason(place) {
    const reason = this.reasons()[place];
    if (reason) this.review(reason);
    return Boolean(reason);
  }

  reasonForm() {
    this.other = el("input", { name: "reason", maxlength: 200, placeholder: text.judge.otherReason, "aria-label": text.judge.otherReason });
    this.note = el("textarea", { name: "note", maxlength: 2000, rows: 2, placeholder: text.judge.note, "aria-label": text.judge.note });
    return el(
      "form",
      { class: "reasons stack", onsubmit: (event) => this.submit(event) },
      el("h3", { class: "muted small" }, text.judge.why),
      el(
        "div",
        { class: "row" },
        this.reasons().map((reason, place) =>
          el("button", { type: "button", onclick: () => this.review(reason) }, el("kbd", {}, place + 1), " ", reason),
        ),
      ),
      el("div", { class: "row grow" }, this.other, el("button", { class: "main" }, text.judge.send)),
      el("details", {}, el("summary", { class: "small muted" }, text.judge.note), this.note),
    );
  }

  submit(event) {
    event.preventDefault();
    const reason = this.other.value.trim();
    if (reason) this.review(reason);
    else this.other.focus();
  }

  review(reason) {
    const body = { verdict: this.verdict, reason, note: this.note?.value ?? "" };
    const replaced = this.isChanging && this.alert.reviews.at(-1)?.id;
    if (replaced) body.replaces = replaced;
    return this.send("review", body);
  }

  afterwards() {
    return [
      this.outcomeForm(),
      el("button", { class: "plain small", onclick: () => this.change() }, text.judge.change),
    ];
  }

  change() {
    this.isChanging = true;
    this.draw();
    this.element.querySelector("button").focus();
  }

  outcomeForm() {
    const last = this.alert.outcomes.at(-1);
    const choice = el(
      "select",
      { name: "outcome", required: true, "aria-label": text.judge.outcomeTitle },
      el("option", { value: "" }, text.judge.chooseOutcome),
      Object.entries(text.outcome).map(([value, name]) => el("option", { value, selected: last?.outcome === value }, name)),
    );
    const note = el("input", { name: "note", maxlength: 2000, placeholder: text.judge.note, "aria-label": text.judge.note });
    const submit = (event) => {
      event.preventDefault();
      this.send("outcome", { outcome: choice.value, note: note.value, ...(last && { replaces: last.id }) });
    };
    return el(
      "form",
      { class: "stack", onsubmit: submit },
      el("h2", {}, last ? text.judge.outcomeChange : text.judge.outcomeTitle),
      el("div", { class: "row grow" }, choice, note, el("button", {}, text.save)),
    );
  }

  async send(what, body) {
    if (this.isSending) return;
    this.isSending = true;
    try {
      const changed = await post(path`/api/alerts/${this.alert.id}/${what}`, body);
      this.verdict = null;
      this.isChanging = false;
      this.onJudged(changed);
      // The live connection may have been faster, and then nothing is new.
      this.draw();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.refused(error);
    } finally {
      this.isSending = false;
    }
  }

  /** If somebody else was faster, shows what they said. */
  refused(error) {
    if (error.status !== 409 || !error.body.alert) {
      this.frame.failed(error);
      return;
    }
    this.frame.say(text.judge.already(error.message), "bad");
    this.verdict = null;
    this.frame.details.change(error.body.alert);
    this.frame.log.change(error.body.alert);
  }
}
