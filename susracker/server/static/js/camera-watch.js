// Looks now and then whether a camera has fallen silent, whatever view is open.

import { ApiError, get } from "./api.js";
import { firstOfDays, silenceOf } from "./silence.js";
import { text } from "./text.js";

const EACH = 60_000;
export const DAYS = 7;

/** All cameras with their days and their silence, by id. */
export async function readCameras() {
  const [{ cameras }, { days }] = await Promise.all([get("/api/cameras"), get("/api/cameras/days", { since: firstOfDays(DAYS) })]);
  return cameras.map((camera) => {
    const own = days.filter((day) => day.camera_id === camera.camera_id);
    return { ...camera, days: own, ...silenceOf(camera, own) };
  });
}

export class CameraWatch {
  /** @param {(message: string) => void} warn @param {(error) => void} failed */
  constructor(warn) {
    this.warn = warn;
    this.silent = new Set();
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
    for (const camera of cameras) {
      const { camera_id: id, camera_location: location, isSilent } = camera;
      if (isSilent && !this.silent.has(id)) this.warn(text.cameras.fellSilent(location, id));
      if (isSilent) this.silent.add(id);
      else this.silent.delete(id);
    }
  }
}
