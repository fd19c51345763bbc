// Cameras that are heard no more. Cameras send what they see and no sign of life, so one is silent
// when it has not been heard for much longer than usual.

const LEAST = 15 * 60;
const TIMES = 10;
/** From fewer detections, nothing is usual. */
const ENOUGH = 10;
const DAY = 86_400;

/**
 * How usual a camera's silence is.
 * @param {object} camera as `GET /api/cameras` has it
 * @param {object[]} days of this camera, as `GET /api/cameras/days` has them
 * @returns {{isSilent: boolean, seconds: number, usual: number|null}} usual: mean seconds between detections
 */
export function silenceOf(camera, days, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(camera.last_heard_at)) / 1000);
  const detections = days.reduce((sum, day) => sum + day.detections, 0);
  if (detections < ENOUGH) return { isSilent: false, seconds, usual: null };
  const usual = (days.length * DAY) / detections;
  return { isSilent: seconds > Math.max(LEAST, TIMES * usual), seconds, usual };
}

/** The first of the last `count` days, today included, as YYYY-MM-DD in UTC. */
export function firstOfDays(count, now = Date.now()) {
  return lastDays(count, now)[0];
}

/** The last `count` days, oldest first. */
export function lastDays(count, now = Date.now()) {
  return Array.from({ length: count }, (_, place) => new Date(now - (count - 1 - place) * DAY * 1000).toISOString().slice(0, 10));
}
