// Keeps what was asked for last, and asks for a few things at once at most, the newest wish first.

const AT_ONCE = 4;

export class Cache {
  /**
   * @param {(key: string) => Promise} read
   * @param {number} size how many values are kept
   * @param {number} seconds how long a value is right
   */
  constructor(read, size, seconds = Infinity) {
    this.read = read;
    this.size = size;
    this.milliseconds = seconds * 1000;
    this.kept = new Map();
    this.waiting = [];
    this.running = 0;
  }

  /** The value of a key, read if it is not kept. */
  get(key) {
    const found = this.kept.get(key);
    if (found && Date.now() - found.at < this.milliseconds) {
      this.#keep(key, found);
      return found.promise;
    }
    const promise = new Promise((resolve, reject) => this.waiting.push({ key, resolve, reject }));
    this.#keep(key, { promise, at: Date.now() });
    promise.then(
      (value) => this.#settle(key, promise, value),
      () => this.kept.get(key)?.promise === promise && this.kept.delete(key),
    );
    this.#next();
    return promise;
  }

  /** The value if it is here already, or undefined. */
  known(key) {
    return this.kept.get(key)?.value;
  }

  put(key, value) {
    this.#keep(key, { promise: Promise.resolve(value), value, at: Date.now() });
  }

  /** Changes fields of a value, if it is kept or on its way. */
  change(key, fields) {
    const found = this.kept.get(key);
    if (found?.value) Object.assign(found.value, fields);
    else if (found) this.kept.delete(key);
  }

  drop(key) {
    this.kept.delete(key);
  }

  clear() {
    this.kept.clear();
  }

  #settle(key, promise, value) {
    const found = this.kept.get(key);
    if (found?.promise === promise) found.value = value;
  }

  #keep(key, entry) {
    this.kept.delete(key);
    this.kept.set(key, entry);
    if (this.kept.size > this.size) this.kept.delete(this.kept.keys().next().value);
  }

  #next() {
    if (this.running >= AT_ONCE || !this.waiting.length) return;
    const { key, resolve, reject } = this.waiting.pop();
    this.running += 1;
    this.read(key)
      .then(resolve, reject)
      .finally(() => {
        this.running -= 1;
        this.#next();
      });
  }
}
