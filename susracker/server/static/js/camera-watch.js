// Looks now and then whether a camera has fallen silent, whatever view is open.

import { ApiError, get } from "./api.js";
import { cameraText } from "./camera-name.js";
import { firstOfDays, quietFor, withSilence } from "./silence.js";
import { text } from "./text.js";
import { lasting } from "./when.js";

const EACH = 60_000;
export const DAYS = 7;
/** How many cameras that fall silent together are each named. */
const NAMED = 3;

/** All cameras with their days and their silence, by id. */
export async function readCameras() {
  const [{ cameras }, { days }] = await Promise.all([get("/api/cameras"), get("/api/cameras/days", { since: firstOfDays(DAYS) })]);
  const daysOf = new Map(cameras.map((camera) => [camera.camera_id, []]));
  days.forEach((day) => daysOf.get(day.camera_id)?.push(day));
  return withSilence(cameras.map((camera) => ({ ...camera, days: daysOf.get(camera.camera_id) })));
}

export class CameraWatch {
  /** @param {(message: string) => void} warn @param {(error) => void} failed */
  constructor(warn) {
    this.warn = warn;
    this.silent = new Set();
    this.isQuiet = false;
    this.timer = setInterval(() => this.look(), EACH);
    this.look();
  }

  close() {
    clearInterval(this.timer);
  }

  async look() {
    try {
      this.compare(await readCameras());
    } catch (error) {
      // The live connection says already that the server is away.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  compare(cameras) {
    const silent = cameras.filter((one) => one.isSilent);
    const fresh = silent.filter((one) => !this.silent.has(one.camera_id));
    this.silent = new Set(silent.map((one) => one.camera_id));
    const seconds = quietFor(cameras);
    if (seconds !== null && !this.isQuiet) this.warn(text.cameras.quiet(lasting(seconds)));
    this.isQuiet = seconds !== null;
    if (fresh.length > NAMED) this.warn(text.cameras.manyFellSilent(fresh.length));
    else fresh.forEach((one) => this.warn(text.cameras.fellSilent(cameraText(one))));
  }
}
