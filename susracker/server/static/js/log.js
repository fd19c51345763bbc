// The alerts that the page knows, each once, in the order of the server's log, however they came:
// live, after a reconnection, or read page by page. Tells listeners at most once per frame.

import { get } from "./api.js";

export const UNJUDGED = new Set(["new", "to be confirmed"]);

const FIRST_PAGE = 200;
const PAGE = 500;

export class AlertLog extends EventTarget {
  constructor() {
    super();
    /** By `seq`, oldest first. */
    this.alerts = [];
    this.byId = new Map();
    /** `seq` of the newest alert that the server has sent. */
    this.lastSeq = 0;
    /** Whether the oldest alert of all has been read. */
    this.isComplete = false;
    this.early = new Map();
    this.isTelling = false;
  }

  /** Reads the newest alerts; after this, `lastSeq` is what to connect with. */
  async start() {
    const { last_seq: last } = await get("/api/alerts", { after: 0, limit: 1 });
    this.lastSeq = last;
    this.readFrom = last + 1;
    await this.readOlder(FIRST_PAGE);
  }

  /** Reads the page before the oldest alert that is known. Of calls at the same time, one reads. */
  readOlder(size = PAGE) {
    this.reading ??= this.#readOlder(size).finally(() => (this.reading = null));
    return this.reading;
  }

  async #readOlder(size) {
    if (this.isComplete) return;
    const after = Math.max(0, this.readFrom - 1 - size);
    const { alerts } = await get("/api/alerts", { after, limit: size });
    this.add(alerts.filter((one) => one.seq < this.readFrom));
    this.readFrom = after + 1;
    this.isComplete = after === 0;
    this.#tell();
  }

  /** Reads again what is known of the newest alerts: others may have judged them meanwhile. */
  async readAgain() {
    const { alerts } = await get("/api/alerts", { after: Math.max(0, this.lastSeq - PAGE), limit: PAGE });
    alerts.forEach((one) => this.byId.has(one.id) && this.change(one));
  }

  /** Adds alerts; those that are known already stay as they are. Returns those that were not. */
  add(alerts) {
    const added = alerts.filter((one) => !this.byId.has(one.id));
    for (const one of added) {
      Object.assign(one, this.early.get(one.id));
      this.early.delete(one.id);
      this.byId.set(one.id, one);
      this.#insert(one);
      this.lastSeq = Math.max(this.lastSeq, one.seq);
    }
    if (added.length) this.#tell();
    return added;
  }

  /** Applies what people said about an alert, which may arrive before the alert. */
  change(update) {
    const known = this.byId.get(update.id);
    if (!known) {
      this.early.set(update.id, update);
      return;
    }
    Object.assign(known, update);
    this.#tell();
    this.dispatchEvent(new CustomEvent("judged", { detail: known }));
  }

  /** How many of the known alerts nobody has decided yet. */
  get waiting() {
    return this.alerts.reduce((sum, one) => sum + UNJUDGED.has(one.status), 0);
  }

  #insert(alert) {
    let place = this.alerts.length;
    while (place && this.alerts[place - 1].seq > alert.seq) place -= 1;
    this.alerts.splice(place, 0, alert);
  }

  #tell() {
    if (this.isTelling) return;
    this.isTelling = true;
    requestAnimationFrame(() => {
      this.isTelling = false;
      this.dispatchEvent(new Event("change"));
    });
  }
}
