// Records of people whom alerts name. They are read when they are shown, and again after a while,
// for someone may edit them.

import { ApiError, get, path } from "./api.js";
import { Cache } from "./cache.js";

const KEPT = 500;
const SECONDS = 120;

export class People extends EventTarget {
  constructor() {
    super();
    this.cache = new Cache((id) => this.#read(id), KEPT, SECONDS);
  }

  /** A person's record; null if they were removed, or it cannot be had at present. */
  get(id) {
    return this.cache.get(id);
  }

  known(id) {
    return this.cache.known(id);
  }

  /** Forgets a record that was changed. */
  drop(id) {
    this.cache.drop(id);
  }

  async #read(id) {
    try {
      const person = await get(path`/api/criminals/${id}`);
      this.dispatchEvent(new CustomEvent("read", { detail: person }));
      return person;
    } catch (error) {
      if (error instanceof ApiError) return null;
      throw error;
    }
  }
}
