// The plan of the site: a picture with cameras on it, and the way that a person took.

import { get } from "./api.js";
import { isolated } from "./bidi.js";
import { el, svg } from "./dom.js";
import { text } from "./text.js";

/** From this share of the height on, the name of a camera stands above its mark. */
const LOW = 0.8;

/** The plan and the places of cameras. */
export async function readSite() {
  const { plan, places } = await get("/api/site");
  return { address: plan && "/api/site/plan", places };
}

/**
 * A plan with a mark for each camera. `labels` are names of cameras by id, as `namesOf` has them.
 * @param {(share: {x: number, y: number}) => void} [onClick] called with where it was clicked
 */
export function planPicture({ address, places }, { stops = [], labels = new Map(), onClick } = {}) {
  const order = new Map();
  stops.forEach((stop, place) => order.set(stop.camera_id, [...(order.get(stop.camera_id) ?? []), place + 1]));
  const marks = places.map((place) => mark(place, order.get(place.camera_id), labels.get(place.camera_id) ?? isolated(place.camera_id)));
  const picture = el("img", { src: address, alt: text.site.alt });
  const plan = el("div", { class: "plan" }, picture, way(stops, places), marks);
  if (onClick) {
    plan.classList.add("placing");
    plan.addEventListener("click", (event) => {
      const { left, top, width, height } = picture.getBoundingClientRect();
      onClick({ x: share(event.clientX - left, width), y: share(event.clientY - top, height) });
    });
  }
  return plan;
}

function mark(place, numbers, label) {
  const kind = `mark${numbers ? " passed" : ""}${place.y > LOW ? " low" : ""}`;
  const element = el("span", { class: kind, title: label }, el("span", { class: "pin" }, numbers?.join(", ")), el("bdi", { class: "small" }, label));
  element.style.left = `${100 * place.x}%`;
  element.style.top = `${100 * place.y}%`;
  element.style.setProperty("--across", 100 * place.x);
  return element;
}

/** The way from stop to stop, as far as their cameras are on the plan. */
function way(stops, places) {
  const known = new Map(places.map((place) => [place.camera_id, place]));
  const points = stops.map((stop) => known.get(stop.camera_id)).filter(Boolean);
  const lines = points.slice(1).map((to, place) =>
    svg("line", { x1: 100 * points[place].x, y1: 100 * points[place].y, x2: 100 * to.x, y2: 100 * to.y }),
  );
  return svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, lines);
}

function share(distance, whole) {
  return Math.min(1, Math.max(0, distance / whole));
}
