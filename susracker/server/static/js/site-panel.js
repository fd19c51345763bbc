// The plan of the site among the cameras: shown to all, changed by those who may.

import { put, queryOf, remove } from "./api.js";
import { cameraText, namesOf } from "./camera-name.js";
import { el, fill } from "./dom.js";
import { Panel } from "./panel.js";
import { dropZone } from "./photo-drop.js";
import { planPicture, readSite } from "./site-plan.js";
import { text } from "./text.js";

export class SitePanel extends Panel {
  constructor(frame) {
    super(frame);
    this.mayChange = frame.session.may("manage");
    this.cameras = [];
    this.element = el("section", { class: "card stack site", "aria-label": text.site.title, hidden: true });
    this.attempt(() => this.read());
  }

  async read() {
    this.site = await readSite();
    this.draw();
  }

  /** Cameras that can be placed. */
  know(cameras) {
    const isNew = cameras.length !== this.cameras.length;
    this.cameras = cameras;
    if (isNew && this.site) this.draw();
  }

  draw() {
    const { address } = this.site;
    this.element.hidden = !address && !this.mayChange;
    fill(
      this.element,
      el("h2", {}, text.site.title),
      address && planPicture(this.site, { labels: namesOf(this.cameras), onClick: this.mayChange ? (share) => this.attempt(() => this.place(share)) : undefined }),
      this.mayChange && this.tools(),
    );
  }

  tools() {
    const zone = dropZone(([file]) => this.attempt(() => this.upload(file)), { hint: text.site.drop, label: text.site.title, multiple: false, webcam: false });
    if (!this.site.address) return [el("p", { class: "muted" }, text.site.none), zone];
    const placed = new Set(this.site.places.map((one) => one.camera_id));
    const before = this.choice?.value;
    this.choice = el(
      "select",
      { "aria-label": text.site.camera },
      this.cameras.map((one) => el("option", { value: one.camera_id, selected: before ? one.camera_id === before : !placed.has(one.camera_id) }, cameraText(one))),
    );
    return [
      el("p", { class: "muted small" }, text.site.hint),
      el("div", { class: "row" }, this.choice, el("button", { onclick: () => this.attempt(() => this.takeOff()) }, text.site.takeOff)),
      el("details", {}, el("summary", { class: "small muted" }, text.site.another), zone),
    ];
  }

  async upload(file) {
    const body = new FormData();
    body.append("file", file);
    await put("/api/site/plan", body);
    await this.read();
  }

  async place({ x, y }) {
    if (!this.choice?.value) return;
    await put("/api/site/places", { camera_id: this.choice.value, x, y });
    await this.read();
  }

  async takeOff() {
    await remove(`/api/site/places${queryOf({ camera_id: this.choice.value })}`);
    await this.read();
  }
}
