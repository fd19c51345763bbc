// A part of a view whose buttons ask the server for something.

export class Panel {
  constructor(frame) {
    this.frame = frame;
  }

  /** Does some work, and says so if the server refuses it. */
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      this.frame.failed(error);
    }
  }
}
