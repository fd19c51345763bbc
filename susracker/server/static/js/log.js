// The alerts that the page knows, each once, in the order of the server's log, however they came:
// live, after a reconnection, or read page by page. Tells listeners at most once per frame.

import { changed, listed } from "./alert.js";
import { get, queryOf } from "./api.js";

export const UNJUDGED = new Set(["new", "to be confirmed"]);

const FIRST_PAGE = 60;
const PAGE = 500;
const EVERYTHING = {};

export class AlertLog extends EventTarget {
  constructor() {
    super();
    /** By `seq`, oldest first. */
    this.alerts = [];
    this.byId = new Map();
    /** `seq` of the newest alert that the server has sent. */
    this.lastSeq = 0;
    /** How far back each query was read. */
    this.cursors = new Map();
    this.early = new Map();
    this.isTelling = false;
  }

  /** Reads the newest alerts; after this, `lastSeq` is what to connect with. */
  async start() {
    await this.#read(EVERYTHING, FIRST_PAGE);
    this.hasStarted = true;
    this.#tell();
  }

  /**
   * Reads the alerts before the oldest one that each query has led to.
   * @param {object[]} queries parameters of `GET /api/alerts`
   */
  async readOlder(queries) {
    await Promise.all(queries.filter((query) => !this.isComplete([query])).map((query) => this.#read(query, PAGE)));
    this.#tell();
  }

  /** Whether queries have led to the oldest alert that fits each of them. */
  isComplete(queries) {
    return queries.every((query) => this.#cursor(EVERYTHING).isComplete || this.#cursor(query).isComplete);
  }

  /** Of calls with the same query at the same time, one reads. */
  #read(query, limit) {
    const cursor = this.#cursor(query);
    cursor.reading ??= this.#readPage(query, cursor, limit).finally(() => (cursor.reading = null));
    return cursor.reading;
  }

  async #readPage(query, cursor, limit) {
    const before = Math.min(cursor.before, this.#cursor(EVERYTHING).before);
    const { alerts, last_seq: last } = await get("/api/alerts", { ...query, before, limit });
    this.add(alerts);
    if (!this.hasStarted) this.lastSeq = Math.max(this.lastSeq, last);
    cursor.before = alerts.at(-1)?.seq ?? 0;
    cursor.isComplete = alerts.length < limit;
  }

  #cursor(query) {
    const key = queryOf(query);
    if (!this.cursors.has(key)) this.cursors.set(key, { before: Number.MAX_SAFE_INTEGER, isComplete: false });
    return this.cursors.get(key);
  }

  /** Reads again what is known of the newest alerts: others may have judged them meanwhile. */
  async readAgain() {
    const { alerts } = await get("/api/alerts", { after: Math.max(0, this.lastSeq - PAGE), limit: PAGE });
    for (const one of alerts.map(listed)) {
      if (this.byId.has(one.id)) this.#apply(one.id, one);
    }
  }

  /** Adds alerts; those that are known already stay as they are. Returns those that were not. */
  add(alerts) {
    const added = alerts.filter((one) => !this.byId.has(one.id)).map(listed);
    for (const one of added) {
      Object.assign(one, this.early.get(one.id));
      this.early.delete(one.id);
      this.byId.set(one.id, one);
      this.lastSeq = Math.max(this.lastSeq, one.seq);
    }
    const newest = this.alerts.at(-1)?.seq ?? 0;
    this.alerts.push(...added);
    if (added.length > 1 || added[0]?.seq < newest) this.alerts.sort((one, other) => one.seq - other.seq);
    if (added.length) this.#tell();
    return added;
  }

  /** Applies what people said about an alert, or better evidence; both may arrive before the alert. */
  change(update) {
    if (this.byId.has(update.id)) this.#apply(update.id, changed(update));
    else this.early.set(update.id, { ...this.early.get(update.id), ...changed(update) });
  }

  #apply(id, fields) {
    Object.assign(this.byId.get(id), fields);
    this.#tell();
  }

  /** How many of the known alerts nobody has decided yet. */
  get waiting() {
    return this.alerts.reduce((sum, one) => sum + UNJUDGED.has(one.status), 0);
  }

  /** Whether there may be more of these among the alerts that were not read yet. */
  get mayWaitLonger() {
    return this.waiting === this.alerts.length && !this.isComplete([EVERYTHING]);
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
