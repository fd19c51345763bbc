// What an alert has beside its entry in the list: pictures, reviews and outcomes. The server notes
// each look, so only what is shown is asked for; what was shown last is kept.

import { changedWithFace, pictured, said } from "./alert.js";
import { ApiError, get, path } from "./api.js";
import { Cache } from "./cache.js";
import { text } from "./text.js";

const KEPT = 150;

export class Details {
  constructor() {
    this.cache = new Cache(read, KEPT);
  }

  /** An alert with everything. Rejects with `ApiError`. */
  get(id) {
    return this.cache.get(id);
  }

  /** Keeps an alert that came live: nobody has said anything about it. */
  put(alert) {
    this.cache.put(alert.id, { ...pictured(alert), reviews: [], outcomes: [], held: null });
  }

  /** Applies what people said, or better evidence. */
  change(update) {
    this.cache.change(update.id, changedWithFace(update));
  }

  /** After a disconnection, others may have said something that was not heard. */
  forgetAll() {
    this.cache.clear();
  }
}

async function read(id) {
  const found = await get(path`/api/alerts/${id}`);
  // An address can name something else below /api/alerts, such as `stats`.
  if (found.id !== id) throw new ApiError(404, text.alerts.unknown);
  return { ...pictured(found), ...said(found), held: found.held };
}

/** The address of an alert's face, or null. */
export function faceOf(alert) {
  return alert.detected_face ? `data:image/jpeg;base64,${alert.detected_face}` : null;
}
