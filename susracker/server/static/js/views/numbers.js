// Numbers: what became of alerts today and this week, and the false alert rate beside the promise.

import { get } from "../api.js";
import { benchmarkPanel } from "../benchmark-panel.js";
import { el, fill, typed } from "../dom.js";
import { load } from "../failure.js";
import { intervalPlot, partsBar, percent } from "../plot.js";
import { firstOfDays } from "../silence.js";
import { table } from "../table.js";
import { text } from "../text.js";
import { lasting } from "../when.js";

const SPANS = { today: 1, week: 7, month: 28 };

export function open(frame) {
  return new NumbersView(frame);
}

class NumbersView {
  constructor(frame) {
    this.frame = frame;
    this.title = text.numbers.title;
    this.content = el("div", { class: "stack" });
    this.element = el("div", { class: "view numbers" }, el("header", {}, el("h1", {}, text.numbers.title)), el("div", { class: "stack" }, this.content, benchmarkPanel()));
    load(this.content, () => this.read());
  }

  async read() {
    const spans = Object.entries(SPANS);
    const found = await Promise.all(spans.map(([, days]) => get("/api/alerts/stats", { since: firstOfDays(days) })));
    this.show(Object.fromEntries(spans.map(([name], place) => [name, found[place]])));
  }

  show({ today, week, month }) {
    fill(
      this.content,
      el("div", { class: "tiles" }, this.tile(text.numbers.today, today), this.tile(text.numbers.week, week)),
      this.rate(week),
      this.groups(text.numbers.cameras, week.cameras, week.promised_fpir),
      this.groups(text.numbers.weeks, month.weeks, month.promised_fpir),
      this.groups(text.numbers.people, week.people, null),
    );
  }

  tile(name, { all }) {
    const { median } = all.response_seconds;
    return el(
      "section",
      { class: "card stack" },
      el("h2", {}, name),
      el("p", { class: "figure number" }, text.numbers.alerts(all.alerts)),
      partsBar(partsOf(all), name),
      el("ul", { class: "row small legend" }, partsOf(all).map((part) => el("li", { class: part.kind }, `${part.name} `, el("strong", { class: "number" }, part.value)))),
      el("p", { class: "small muted" }, median === null ? text.numbers.noResponse : text.numbers.response(lasting(median))),
    );
  }

  rate({ all, promised_fpir: promised }) {
    const parts = [el("h2", {}, text.numbers.rate)];
    if (all.false_alert_rate === null) parts.push(el("p", { class: "muted" }, text.numbers.noSearches));
    else {
      const { interval, searches } = all;
      parts.push(
        el("p", { class: "figure number" }, percent(all.false_alert_rate), " ", el("span", { class: "small muted" }, text.numbers.interval(percent(interval[0]), percent(interval[1])))),
        el("p", {}, text.numbers.promise(percent(promised), searches)),
        all.unreviewed > 0 && el("p", { class: "notice warn" }, text.numbers.unreviewed(all.unreviewed, percent(all.highest_rate))),
        all.warning && el("p", { class: `notice ${interval[0] > promised ? "bad" : ""}` }, asSentence(all.warning)),
      );
    }
    return el("section", { class: "card stack" }, parts);
  }

  groups(title, groups, promised) {
    if (!groups.length) return null;
    const most = Math.max(2 * (promised ?? 0), ...groups.map((one) => one.interval?.[1] ?? 0));
    const names = ["name", "alerts", "state", ...(promised ? ["falseRate"] : []), "responseHead"];
    return el(
      "section",
      { class: "card stack" },
      el("h2", {}, title),
      table(title, names.map((name) => text.numbers.head[name]), groups.map((one) => this.row(one, promised, most))),
    );
  }

  row(group, promised, most) {
    const { median } = group.response_seconds;
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, typed(group.name)),
      el("td", { class: "number" }, group.alerts.toLocaleString()),
      el("td", { class: "bar-cell" }, partsBar(partsOf(group), group.name)),
      promised && el("td", { class: "interval-cell" }, rateCell(group, promised, most)),
      el("td", { class: "number" }, median === null ? text.none : lasting(median)),
    );
  }
}

function rateCell(group, promised, most) {
  if (group.false_alert_rate === null) return text.none;
  const [low, high] = group.interval;
  const label = text.numbers.rateLabel(percent(group.false_alert_rate), percent(low), percent(high), percent(promised));
  return [el("span", { class: "number small" }, percent(group.false_alert_rate)), intervalPlot({ rate: group.false_alert_rate, interval: group.interval, promised, most }, label)];
}

/** What the server says in the middle of a line. */
function asSentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1)}.`;
}

function partsOf(group) {
  const part = (name, value, kind) => ({ name, value, kind });
  return [
    part(text.status.confirmed, group.confirmed, "confirmed"),
    part(text.status.dismissed, group.dismissed, "dismissed"),
    part(text.status.unsure, group.unsure + group.to_be_confirmed, "unsure"),
    part(text.status.new, group.unreviewed, "new"),
  ];
}
