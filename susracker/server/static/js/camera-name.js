// How a camera is called: by where it is, and by its id.

import { isolated, plain } from "./bidi.js";
import { typed } from "./dom.js";

/** What the server takes for a location where a camera names none. */
const UNKNOWN = "unknown_location";

/** Where a camera is; its id where that is not known. */
export function placeOf({ camera_location: location, camera_id: id }) {
  return hasPlace(location) ? location : id;
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
