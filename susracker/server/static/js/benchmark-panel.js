// How well recognition worked on the site's own photos when it was measured last.

import { get } from "./api.js";
import { el, fill, typed } from "./dom.js";
import { load } from "./failure.js";
import { percent } from "./plot.js";
import { table } from "./table.js";
import { text } from "./text.js";
import { exactElement } from "./when.js";

export function benchmarkPanel() {
  const content = el("div", { class: "stack" });
  load(content, () => show(content));
  return el("section", { class: "card stack", "aria-label": text.benchmark.title }, el("h2", {}, text.benchmark.title), content);
}

async function show(content) {
  const { benchmark } = await get("/api/benchmark");
  if (!benchmark) {
    fill(content, el("p", { class: "muted" }, text.benchmark.none));
    return;
  }
  const { measured_at: at, dataset, people, photos, rates, target_fpir: target, other_settings: other } = benchmark;
  fill(
    content,
    el("p", {}, exactElement(at), " · ", typed(dataset), " · ", text.benchmark.of(people, photos)),
    other.length > 0 && el("p", { class: "notice warn" }, text.benchmark.other(other.join(", "))),
    table(text.benchmark.title, ["enrolled", "photos", "frames", "falseAlerts", "missed"].map((name) => text.benchmark.head[name]), rates.map(row)),
    el("p", { class: "small muted" }, text.benchmark.promised(percent(target))),
  );
}

function row(one) {
  return el(
    "tr",
    {},
    el("td", { class: "number" }, one.enrolled.toLocaleString()),
    el("td", { class: "number" }, one.photos_each),
    el("td", { class: "number" }, one.frames),
    el("td", { class: "number" }, rate(one.realised_fpir, one.realised_fpir_interval, one.stranger_searches)),
    el("td", { class: "number" }, rate(one.realised_fnir, one.realised_fnir_interval, one.mated_searches)),
  );
}

function rate(share, [low, high], searches) {
  return [percent(share), " ", el("span", { class: "small muted" }, text.benchmark.interval(percent(low), percent(high), searches))];
}
