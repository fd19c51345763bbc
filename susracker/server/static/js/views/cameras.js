// Cameras: when each was last heard from, what it sends, and how often its alerts are dismissed.

import { ApiError, get } from "../api.js";
import { DAYS, readCameras } from "../camera-watch.js";
import { placeOf } from "../camera-name.js";
import { el, fill, typed } from "../dom.js";
import { failure } from "../failure.js";
import { sparkBars } from "../plot.js";
import { firstOfDays, lastDays, quietFor } from "../silence.js";
import { SitePanel } from "../site-panel.js";
import { table } from "../table.js";
import { text } from "../text.js";
import { agoElement, lasting } from "../when.js";

const AGAIN = 15_000;
const HOUR = 3_600_000;

export function open(frame) {
  return new CamerasView(frame);
}

class CamerasView {
  constructor(frame) {
    this.frame = frame;
    this.title = text.cameras.title;
    this.content = el("div", {}, el("p", { class: "empty" }, text.loading));
    this.site = new SitePanel(frame);
    this.element = el("div", { class: "view" }, el("header", {}, el("h1", {}, text.cameras.title)), el("div", { class: "stack" }, this.content, this.site.element));
    this.timer = setInterval(() => !document.hidden && this.read(), AGAIN);
    this.readAll();
  }

  close() {
    clearInterval(this.timer);
  }

  /** What became of alerts takes longer, changes slowly, and each look at it is noted. */
  async readAll() {
    await this.read();
    if (!this.isShown) return;
    try {
      const { cameras } = await get("/api/alerts/stats", { since: firstOfDays(DAYS) });
      this.judged = new Map(cameras.map((one) => [one.name, one]));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.frame.failed(error);
    }
    await this.read();
  }

  async read() {
    try {
      this.show(await readCameras());
      this.isShown = true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.isShown) this.frame.failed(error);
      else fill(this.content, failure(error, () => this.readAll()));
    }
  }

  show(cameras) {
    this.site.know(cameras);
    if (!cameras.length) {
      fill(this.content, el("div", { class: "card empty" }, el("p", {}, text.cameras.none), el("p", {}, text.cameras.noneHint)));
      return;
    }
    const silentFirst = [...cameras].sort((one, other) => other.isSilent - one.isSilent);
    const head = ["camera", "heard", "faces", "alerts", "week", "dismissed"].map((name) => text.cameras[name]);
    const seconds = quietFor(cameras);
    fill(
      this.content,
      el("div", { class: "card stack" }, seconds !== null && el("p", { class: "notice warn" }, text.cameras.quiet(lasting(seconds))), table(text.cameras.title, head, silentFirst.map((one) => this.row(one)))),
    );
  }

  row(camera) {
    const today = lastDays(1)[0];
    const sent = camera.days.find((day) => day.day === today) ?? { searches: 0, alerts: 0 };
    const hours = Math.max(1, (Date.now() - Date.parse(today)) / HOUR);
    const week = lastDays(DAYS).map((day) => [day, camera.days.find((one) => one.day === day)?.searches ?? 0]);
    return el(
      "tr",
      {},
      el("td", { class: "camera" }, el("strong", {}, typed(placeOf(camera))), placeOf(camera) !== camera.camera_id && el("p", { class: "small muted" }, typed(camera.camera_id))),
      el("td", {}, agoElement(camera.last_heard_at), this.silence(camera)),
      el("td", { class: "number" }, perHour(sent.searches, hours)),
      el("td", { class: "number" }, perHour(sent.alerts, hours)),
      el("td", {}, sparkBars(week.map(([, count]) => count), week.map(([day, count]) => text.cameras.onDay(day, count)), text.cameras.week)),
      el("td", { class: "number" }, this.dismissed(camera.camera_id)),
    );
  }

  silence({ isSilent, usual, seconds }) {
    if (!isSilent) return null;
    return el("p", { class: "small" }, el("span", { class: "chip bad" }, text.cameras.silent(lasting(seconds))), " ", text.cameras.usual(lasting(usual)));
  }

  dismissed(cameraId) {
    const judged = this.judged?.get(cameraId);
    const decided = judged ? judged.confirmed + judged.dismissed : 0;
    return decided ? text.cameras.share(Math.round((100 * judged.dismissed) / decided), judged.dismissed, decided) : text.none;
  }
}

function perHour(count, hours) {
  const rate = count / hours;
  return rate >= 10 ? Math.round(rate).toLocaleString() : rate.toFixed(1);
}
