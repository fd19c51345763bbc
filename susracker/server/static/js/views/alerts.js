// The alerts: a list, and beside it the one that is looked at.

import { el, fill } from "../dom.js";
import { AlertDetail } from "../alert-detail.js";
import { FilterBar } from "../alert-filter.js";
import { alertRow, markOf } from "../alert-row.js";
import { UNJUDGED } from "../log.js";
import { Rows } from "../rows.js";
import { text } from "../text.js";

const ROW_HEIGHT = 76;
const ENOUGH = 30;
/** Milliseconds without another try after older alerts could not be read. */
const PAUSE = 5000;

export function open(frame, id) {
  return new AlertsView(frame, id);
}

class AlertsView {
  constructor(frame, id) {
    this.frame = frame;
    this.title = text.alerts.title;
    this.wanted = id;
    this.pausedUntil = 0;
    this.filter = new FilterBar(frame, () => this.narrow());
    this.rows = new Rows({
      label: text.alerts.list,
      height: ROW_HEIGHT,
      row: (alert) => alertRow(alert, frame),
      mark: (alert) => markOf(alert, frame),
      pick: (alert) => this.choose(alert.id, { byHand: true }),
      nearEnd: () => this.readOlder(),
    });
    this.detail = new AlertDetail(frame, { onJudged: (next) => this.judged(next), onBack: () => this.back() });
    this.note = el("div", { class: "empty" });
    this.element = el(
      "div",
      { class: "alerts" },
      el("section", { class: "list", "aria-label": text.alerts.list }, this.filter.element, this.rows.element, this.note),
      this.detail.element,
    );
    this.onChange = () => this.update();
    frame.log.addEventListener("change", this.onChange);
    frame.people.addEventListener("read", this.onChange);
    this.update();
  }

  close() {
    this.frame.log.removeEventListener("change", this.onChange);
    this.frame.people.removeEventListener("read", this.onChange);
    this.rows.close();
    this.detail.close();
  }

  press(key) {
    if (key === "j" || key === "ArrowDown") return this.move(1);
    if (key === "k" || key === "ArrowUp") return this.move(-1);
    if (key === "Escape" && this.element.classList.contains("open")) return this.back();
    return this.detail.press(key);
  }

  /** Shows what fits the filter; chooses the newest alert where none is chosen. */
  update() {
    const { alerts, hasStarted } = this.frame.log;
    const fits = this.filter.predicate();
    const items = alerts.filter((one) => fits(one) || one.id === this.chosen).reverse();
    this.rows.show(items);
    this.showEnd(items);
    if (this.wanted) this.chooseWanted();
    else if (!this.chosen && items.length) this.choose(items[0].id);
    else if (!this.chosen) this.detail.showNothing(this.emptyHint());
    if (items.length < ENOUGH && hasStarted) this.readOlder();
    this.detail.refresh();
  }

  /** Another filter: what does not fit it is not looked at any more. */
  narrow() {
    const chosen = this.frame.log.byId.get(this.chosen);
    if (chosen && !this.filter.predicate()(chosen)) this.chosen = null;
    this.update();
  }

  choose(id, { byHand = false } = {}) {
    this.chosen = id;
    this.rows.choose(id);
    this.detail.show(id);
    if (byHand) this.element.classList.add("open");
  }

  chooseWanted() {
    this.choose(this.wanted, { byHand: true });
    this.wanted = null;
  }

  move(step) {
    const { items } = this.rows;
    const index = items.findIndex((one) => one.id === this.chosen);
    const next = items[Math.min(items.length - 1, Math.max(0, index + step))];
    if (next) this.choose(next.id);
    return Boolean(next);
  }

  /** After a judgement, goes on with the newest alert that nobody has judged. */
  judged() {
    if (!this.filter.onlyUnjudged) return;
    const { items } = this.rows;
    const place = items.findIndex((one) => one.id === this.chosen);
    const open = (one) => UNJUDGED.has(one.status) && one.id !== this.chosen;
    const next = items.find(open) ?? items[place + 1] ?? items[place - 1];
    if (next && open(next)) this.choose(next.id);
    else {
      this.chosen = null;
      this.back();
    }
    this.update();
  }

  back() {
    this.element.classList.remove("open");
    return true;
  }

  readOlder() {
    const { log } = this.frame;
    const { queries } = this.filter;
    if (!log.hasStarted || log.isComplete(queries) || Date.now() < this.pausedUntil) return;
    log.readOlder(queries).catch((error) => {
      this.pausedUntil = Date.now() + PAUSE;
      this.frame.failed(error);
    });
  }

  emptyHint() {
    const { alerts, hasStarted } = this.frame.log;
    if (!hasStarted && this.frame.isDown) return [text.alerts.unreadable, text.alerts.unreadableHint];
    if (!hasStarted || !this.frame.log.isComplete(this.filter.queries)) return [text.loading];
    if (!alerts.length) return [text.alerts.none, text.alerts.noneHint];
    if (this.filter.isNarrowed) return [text.alerts.noneFit];
    return [text.alerts.noneToJudge, text.alerts.noneToJudgeHint];
  }

  showEnd(items) {
    const hint = items.length ? [] : this.emptyHint();
    fill(this.note, hint.map((line) => el("p", {}, line)));
    this.note.hidden = !hint.length;
  }
}
