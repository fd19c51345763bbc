// The audit log: who did what, newest first, and whether the log is whole.

import { get } from "./api.js";
import { el, fill, typed } from "./dom.js";
import { load } from "./failure.js";
import { Panel } from "./panel.js";
import { table } from "./table.js";
import { text } from "./text.js";
import { exactElement } from "./when.js";

const PAGE = 100;

export function auditPanel(frame) {
  const panel = new AuditPanel(frame);
  load(panel.log, () => panel.readNewest());
  return panel.element;
}

class AuditPanel extends Panel {
  constructor(frame) {
    super(frame);
    this.body = el("tbody", {});
    this.state = el("span", { role: "status" });
    this.more = el("button", { hidden: true, onclick: () => this.attempt(() => this.readOlder()) }, text.audit.more);
    const head = ["at", "actor", "action", "subject", "reason", "address"].map((name) => text.audit.head[name]);
    this.table = table(text.audit.title, head, this.body, { kind: "small" });
    this.log = el("div", { class: "log" });
    this.element = el(
      "section",
      { class: "card stack", "aria-label": text.audit.title },
      el("div", { class: "row spread" }, el("h2", {}, text.audit.title), el("div", { class: "row" }, this.state, el("button", { onclick: () => this.attempt(() => this.verify()) }, text.audit.verify))),
      this.log,
      this.more,
    );
  }

  async readNewest() {
    const { head } = await get("/api/audit", { after: 0, limit: 1 });
    this.first = head?.first ?? 1;
    this.oldest = (head?.seq ?? 0) + 1;
    fill(this.body);
    await this.readOlder();
    fill(this.log, this.table);
  }

  async readOlder() {
    const after = Math.max(this.first - 1, this.oldest - 1 - PAGE);
    const { entries } = await get("/api/audit", { after, limit: PAGE });
    const rows = entries.filter((one) => one.seq < this.oldest).reverse();
    this.body.append(...rows.map(rowOf));
    this.oldest = after + 1;
    this.more.hidden = this.oldest <= this.first;
  }

  async verify() {
    fill(this.state, text.audit.verifying);
    const found = await get("/api/audit/verification");
    if (found.is_whole) fill(this.state, el("span", { class: "chip good" }, text.audit.whole(found.entries)));
    else fill(this.state, el("span", { class: "chip bad" }, text.audit.broken), " ", found.problems.join("; "));
    await this.readNewest();
  }
}

function rowOf(entry) {
  return el(
    "tr",
    {},
    el("td", {}, exactElement(entry.at)),
    el("td", {}, typed(entry.actor)),
    el("td", { title: entry.detail }, entry.action),
    el("td", {}, entry.subject ? typed(entry.subject.slice(0, 8), { title: entry.subject }) : ""),
    el("td", {}, typed(entry.reason)),
    el("td", {}, typed(entry.address)),
  );
}
