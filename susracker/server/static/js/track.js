// Where a person went: cameras in order, as lanes over time and as a list of stops.

import { namesOf, placeOf, sharingPlaces } from "./camera-name.js";
import { el, svg, typed } from "./dom.js";
import { text } from "./text.js";
import { dayOf, exactElement, lasting, timeOf } from "./when.js";

const LANE = 30;
const TOP = 8;
const AXIS = 22;
const DAY = 86_400_000;
const SPANS = { day: DAY, week: 7 * DAY, all: Infinity };
const EDGE = 2;

/** Sightings one after the other by the same camera are one stop. Oldest first. */
export function stopsOf(sightings) {
  const stops = [];
  for (const one of sightings) {
    const last = stops.at(-1);
    if (last?.camera_id === one.camera_id) last.sightings.push(one);
    else stops.push({ camera_id: one.camera_id, camera_location: one.camera_location, sightings: [one] });
  }
  return stops;
}

/** The sightings of a span that ends with the newest one. */
export function within(sightings, span) {
  const last = Date.parse(sightings.at(-1)?.occurred_at);
  return sightings.filter((one) => last - Date.parse(one.occurred_at) <= SPANS[span]);
}

/** The shortest span in which a person moved. */
export function usualSpan(sightings) {
  return Object.keys(SPANS).find((span) => within(sightings, span).length > 1) ?? "all";
}

/** A picture: a lane for each camera, a dot for each sighting, a line for the way. */
export function lanes(sightings) {
  const cameras = [...new Map(sightings.map((one) => [one.camera_id, one])).values()];
  const lane = new Map(cameras.map((one, place) => [one.camera_id, TOP + place * LANE + LANE / 2]));
  const times = sightings.map((one) => Date.parse(one.occurred_at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (at) => `${EDGE + (100 - 2 * EDGE) * (last > first ? (at - first) / (last - first) : 0.5)}%`;
  const points = sightings.map((one, place) => ({ one, x: x(times[place]), y: lane.get(one.camera_id) }));
  const height = TOP + cameras.length * LANE;
  const way = points.slice(1).map((to, place) => svg("line", { class: "way", x1: points[place].x, y1: points[place].y, x2: to.x, y2: to.y }));
  const names = namesOf(cameras);
  const sharing = sharingPlaces(cameras);
  const label = text.person.lanes(stopsOf(sightings).map((stop) => names.get(stop.camera_id)).join(", "));
  return el(
    "div",
    { class: "lanes" },
    el("ol", { class: "small", "aria-hidden": "true" }, cameras.map((one) => laneName(one, sharing))),
    svg(
      "svg",
      { height: height + AXIS, role: "img", "aria-label": label },
      cameras.map((one) => svg("line", { class: "lane", x1: 0, x2: "100%", y1: lane.get(one.camera_id), y2: lane.get(one.camera_id) })),
      way,
      points.map((point) => dot(point, names)),
      axis(first, last, height + AXIS - 6),
    ),
  );
}

/** Where another camera is in the same place, the id stands below it. */
function laneName(camera, sharing) {
  const id = sharing.has(camera.camera_id) && typed(camera.camera_id, { class: "muted" });
  return el("li", { title: camera.camera_id, class: id && "with-id" }, typed(placeOf(camera)), id);
}

function dot({ one, x, y }, names) {
  const when = `${timeOf(one.occurred_at)} · ${names.get(one.camera_id)}`;
  return svg("circle", { class: one.suppressed ? "dot" : "dot alerted", cx: x, cy: y, r: one.suppressed ? 4 : 6 }, svg("title", {}, when));
}

function axis(first, last, y) {
  const shown = (at) => (last - first > DAY / 2 ? `${dayOf(at)}, ${timeOf(at)}` : timeOf(at));
  if (first === last) return svg("text", { x: "50%", y, "text-anchor": "middle" }, shown(first));
  return [
    svg("text", { x: 0, y }, shown(first)),
    svg("text", { x: "100%", y, "text-anchor": "end" }, shown(last)),
  ];
}

/** The stops as a list, the newest first. */
export function stopList(sightings) {
  const stops = stopsOf(sightings);
  return el("ol", { class: "stops" }, stops.map((stop, place) => stopItem(stop, stops[place - 1])).reverse());
}

function stopItem(stop, before) {
  const [first, last] = [stop.sightings[0].occurred_at, stop.sightings.at(-1).occurred_at];
  const alerts = stop.sightings.filter((one) => !one.suppressed).length;
  const gap = before && (Date.parse(first) - Date.parse(before.sightings.at(-1).occurred_at)) / 1000;
  return el(
    "li",
    {},
    el("span", { class: "row spread" }, el("strong", {}, typed(placeOf(stop))), exactElement(last)),
    el(
      "span",
      { class: "small muted" },
      placeOf(stop) !== stop.camera_id && [typed(stop.camera_id), " · "], text.person.seen(stop.sightings.length),
      alerts > 0 && ` · ${text.person.alerted(alerts)}`,
      first !== last && ` · ${text.person.stay(timeOf(first), timeOf(last))}`,
    ),
    gap !== undefined && el("span", { class: "small muted gap" }, text.person.then(lasting(gap))),
  );
}
