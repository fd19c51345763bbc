// What the page takes from an alert. A camera may give an activity any fields of its own, which stand
// beside the server's: they must not pass for a person, a picture or a review.

const FACE = 1;
const COMMON = ["id", "seq", "alert_type", "status", "camera_id", "camera_location", "occurred_at", "received_at", "fpir"];
const OF_FACE = ["criminal_id", "name", "candidates"];
const OF_ACTIVITY = ["event_type"];
const PICTURES = ["detected_face", "criminal_image"];
const SAID = ["status", "reviews", "outcomes"];
const EVIDENCE = ["fpir", "candidates"];

/** An alert as lists have it. */
export function listed(sent) {
  return pick(sent, [...COMMON, ...(sent.alert_type === FACE ? OF_FACE : OF_ACTIVITY)]);
}

/** The same with its pictures. */
export function pictured(sent) {
  return { ...listed(sent), ...(sent.alert_type === FACE && pick(sent, PICTURES)) };
}

/** What people said about an alert, as `alert_updated` and answers about one alert have it. */
export function said(sent) {
  return pick(sent, SAID);
}

/** What `alert_updated` changes in lists: what people said, and better evidence if there is any. */
export function changed(sent) {
  return pick(sent, [...SAID, ...EVIDENCE]);
}

/** The same with the better face. */
export function changedWithFace(sent) {
  return { ...changed(sent), ...(sent.detected_face && pick(sent, ["detected_face"])) };
}

function pick(sent, names) {
  return Object.fromEntries(names.filter((name) => name in sent).map((name) => [name, sent[name]]));
}
