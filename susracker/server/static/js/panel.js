// A part of a view whose buttons ask the server for something.

export class Panel {
  constructor(frame) {
    this.frame = frame;
  }

  /** Does some work, and says so if the server refuses it. Clicks while it is done are passed over. */
  async attempt(work) {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await work();
    } catch (error) {
      this.frame.failed(error);
    } finally {
      this.isBusy = false;
    }
  }
}
