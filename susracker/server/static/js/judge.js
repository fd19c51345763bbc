// Where an operator judges an alert: a verdict, a reason, and later what became of the encounter.

import { ApiError, newKey, path, post } from "./api.js";
import { el, fill, once } from "./dom.js";
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
    this.other = el("input", { name: "reason", maxlength: 200, placeholder: text.judge.otherReason, "aria-label": text.judge.otherReason });
    this.note = el("textarea", { name: "note", maxlength: 2000, rows: 2, placeholder: text.judge.note, "aria-label": text.judge.note });
    this.element = el("div", { class: "judge card" });
  }

  /** Shows the alert as it is now; what someone is typing stays. */
  update(alert) {
    const isSame = this.drawn === this.stateOf(alert);
    const isJudged = alert.reviews.length > this.reviews;
    this.alert = alert;
    if (isSame) return;
    if (isJudged && this.verdict && !this.isSending) this.heard(alert.reviews.at(-1));
    this.draw();
  }

  press(key) {
    if (key in VERDICTS && this.isOpen) return this.choose(VERDICTS[key]);
    if (this.verdict && this.isOpen && /^[1-9]$/.test(key)) return this.pressReason(Number(key) - 1);
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
    this.reviews = this.alert.reviews.length;
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
            { class: `verdict ${verdict}`, "aria-pressed": String(this.verdict === verdict), onclick: once(() => this.choose(verdict)) },
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
    return el(
      "form",
      { class: "reasons stack", onsubmit: (event) => this.submit(event) },
      el("h3", { class: "muted small" }, text.judge.why),
      el(
        "div",
        { class: "row" },
        this.reasons().map((reason, place) =>
          el("button", { type: "button", onclick: once(() => this.review(reason)) }, el("kbd", {}, place + 1), " ", reason),
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
    const body = { verdict: this.verdict, reason, note: this.note.value };
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

  /** The same for what is said again because its answer was lost: it is recorded once. */
  keyFor(what, body) {
    const said = JSON.stringify([what, body]);
    if (said !== this.said) this.key = newKey();
    this.said = said;
    return this.key;
  }

  async send(what, body) {
    if (this.isSending) return;
    this.isSending = true;
    try {
      const changed = await post(path`/api/alerts/${this.alert.id}/${what}`, body, { "Idempotency-Key": this.keyFor(what, body) });
      this.choiceEnds(null);
      this.said = null;
      this.other.value = this.note.value = "";
      this.onJudged(changed);
      // The live connection may have been faster, and then nothing is new.
      this.draw();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.refused(error, body);
    } finally {
      this.isSending = false;
    }
  }

  /** A review that came while the reason was chosen: one's own, if its answer was lost, or another's. */
  heard({ verdict, reason }) {
    const isOwn = this.lost?.verdict === verdict && this.lost.reason === reason;
    this.choiceEnds(isOwn ? null : text.status[verdict]);
  }

  /** @param {string|null} what somebody else said */
  choiceEnds(what) {
    this.verdict = null;
    this.isChanging = false;
    if (what) this.frame.say(text.judge.already(what), "bad");
  }

  /** If somebody else was faster, shows what they said. */
  refused(error, body) {
    this.lost = error.status === 0 ? body : null;
    if (this.lost && !this.isOpen) {
      this.choiceEnds(null); // the live connection has brought it
      return;
    }
    if (error.status !== 409 || !error.body.alert) {
      this.frame.failed(error);
      return;
    }
    this.choiceEnds(error.message);
    this.frame.details.change(error.body.alert);
    this.frame.log.change(error.body.alert);
  }
}
