// How a camera is called: by where it is, and by its id.

import { isolated, plain } from "./bidi.js";
import { typed } from "./dom.js";

/** What the server takes for a location where a camera names none. */
const UNKNOWN = "unknown_location";

/** Where a camera is; its id where that is not known. */
export function placeOf({ camera_location: location, camera_id: id }) {
  return hasPlace(location) ? location : id;
}

/** The ids of cameras that stand where another one of them does, so that the place does not tell them apart. */
export function sharingPlaces(cameras) {
  const places = new Map();
  for (const one of cameras) places.set(placeOf(one), (places.get(placeOf(one)) ?? new Set()).add(one.camera_id));
  return new Set([...places.values()].filter((ids) => ids.size > 1).flatMap((ids) => [...ids]));
}

/** What each of some cameras is called among them, by id: its place, with the id if others share the place. */
export function namesOf(cameras) {
  const sharing = sharingPlaces(cameras);
  return new Map(cameras.map((one) => [one.camera_id, sharing.has(one.camera_id) ? cameraText(one) : plain(placeOf(one))]));
}

/** Both, to be read on one line. */
export function cameraLine({ camera_location: location, camera_id: id }) {
  return hasPlace(location) ? [typed(location), " · ", typed(id)] : [typed(id)];
}

/** Both as a text. */
export function cameraText({ camera_location: location, camera_id: id }) {
  return hasPlace(location) ? `${isolated(location)} · ${isolated(id)}` : isolated(id);
}

function hasPlace(location) {
  const known = plain(location ?? "").trim();
  return known !== "" && known !== UNKNOWN;
}
