// Cameras that are heard no more. Cameras send what they see and no sign of life, so one is silent
// when it has not been heard for much longer than usual, while others are heard. If most are not,
// it is a quiet night, or something that all of them share has failed: that is one message.

const LEAST = 15 * 60;
const TIMES = 10;
/** From fewer detections, nothing is usual. */
const ENOUGH = 10;
const DAY = 86_400;

/**
 * Adds to cameras how usual their silence is.
 * @param {object[]} cameras as `GET /api/cameras` has them, each with its `days` as `GET /api/cameras/days` has them
 * @returns {object[]} the same with `isOverdue`, `isSilent`, `seconds` and `usual`: mean seconds between detections, or null
 */
export function withSilence(cameras, now = Date.now()) {
  const found = cameras.map((one) => ({ ...one, ...silenceOf(one, one.days, now) }));
  const isSiteQuiet = found.filter((one) => one.isOverdue).length > found.filter(isHeard).length;
  return found.map((one) => ({ ...one, isSilent: one.isOverdue && (!isSiteQuiet || one.seconds > DAY) }));
}

/** For how many seconds no camera has been heard, if that is longer than usual for any; or null. */
export function quietFor(cameras) {
  if (cameras.some(isHeard) || !cameras.some((one) => one.isOverdue)) return null;
  return Math.min(...cameras.map((one) => one.seconds));
}

const isHeard = ({ isOverdue, seconds, usual }) => !isOverdue && (usual !== null || seconds <= LEAST);

function silenceOf(camera, days, now) {
  const seconds = Math.max(0, (now - Date.parse(camera.last_heard_at)) / 1000);
  const detections = days.reduce((sum, day) => sum + day.detections, 0);
  if (detections < ENOUGH) return { isOverdue: false, seconds, usual: null };
  const usual = (days.length * DAY) / detections;
  return { isOverdue: seconds > Math.max(LEAST, TIMES * usual), seconds, usual };
}

/** The first of the last `count` days, today included, as YYYY-MM-DD in UTC. */
export function firstOfDays(count, now = Date.now()) {
  return lastDays(count, now)[0];
}

/** The last `count` days, oldest first. */
export function lastDays(count, now = Date.now()) {
  return Array.from({ length: count }, (_, place) => new Date(now - (count - 1 - place) * DAY * 1000).toISOString().slice(0, 10));
}
