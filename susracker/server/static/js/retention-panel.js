// For how long the server keeps what.

import { get } from "./api.js";
import { el, fill } from "./dom.js";
import { load } from "./failure.js";
import { text } from "./text.js";

export function retentionPanel() {
  const content = el("div", { class: "stack" });
  load(content, () => show(content));
  return el("section", { class: "card stack", "aria-label": text.retention.title }, el("h2", {}, text.retention.title), content);
}

async function show(content) {
  const { days, records_detections: records, encrypted } = await get("/api/retention");
  const row = ([name, count]) => [el("dt", { class: "muted small" }, text.retention.names[name] ?? name), el("dd", {}, count ? text.retention.days(count) : text.retention.unlimited)];
  fill(
    content,
    el("dl", { class: "pairs" }, Object.entries(days).map(row)),
    records && el("p", { class: "notice warn" }, text.retention.records),
    el("p", { class: `notice ${encrypted ? "good" : "warn"}` }, encrypted ? text.retention.encrypted : text.retention.plain),
    el("p", { class: "small muted" }, text.retention.hint),
  );
}
