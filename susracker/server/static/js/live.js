// The live connection: what happens when an alert arrives, when one is judged, and when the
// connection comes back.

import { plain } from "./bidi.js";
import { notify } from "./notify.js";
import { Connection } from "./socketio.js";
import { sound } from "./sound.js";
import { text } from "./text.js";

/** Milliseconds before the newest alerts are asked for again. */
const PAUSE = 3000;

export class Live {
  constructor(frame) {
    this.frame = frame;
    this.wasUp = false;
    this.toAnnounce = [];
  }

  /** Reads the newest alerts, and follows from there on; the connection is made meanwhile. */
  async start() {
    const { log } = this.frame;
    const hasRead = this.readFirst(log);
    this.connection = new Connection({
      auth: () => hasRead.then(() => ({ last_seq: log.lastSeq })),
      events: {
        new_alert: (alert) => this.arrive(alert),
        alert_updated: (update) => this.judged(update),
      },
      up: () => this.up(),
      down: () => this.frame.showLink(false),
      refused: (why) => this.refused(why),
    });
    await hasRead;
  }

  /** Tries until the newest alerts are read: nothing can be followed before. */
  async readFirst(log) {
    while (!this.isClosed && !log.hasStarted) {
      try {
        await log.start();
      } catch (error) {
        this.frame.showLink(false);
        this.frame.failed(error);
        log.dispatchEvent(new Event("change"));
        await new Promise((done) => setTimeout(done, PAUSE));
      }
    }
  }

  close() {
    this.isClosed = true;
    this.connection?.close();
  }

  up() {
    this.frame.showLink(true);
    if (this.wasUp) {
      this.frame.details.forgetAll();
      this.frame.log.readAgain().catch((error) => this.frame.failed(error));
    }
    this.wasUp = true;
  }

  /** Where the session is over, the next request says so, and the page asks for a key. */
  async refused(why) {
    try {
      await this.frame.log.readAgain();
      this.frame.say(text.frame.refused(why), "bad");
    } catch (error) {
      this.frame.failed(error);
    }
  }

  arrive(alert) {
    const { log, details } = this.frame;
    details.put(alert);
    for (const added of log.add([alert])) {
      added.freshUntil = Date.now() + 1500;
      this.notice(added);
    }
  }

  judged(update) {
    this.frame.details.change(update);
    this.frame.log.change(update);
  }

  /** Makes someone aware of a new alert. */
  notice(alert) {
    this.announceSoon(alert);
    notify(plain(alert.name ?? alert.event_type), text.alerts.notification(alert.camera_id));
    if (alert.criminal_id) {
      this.frame.people.get(alert.criminal_id).then((person) => person?.threat === "high" && sound());
    }
  }

  announceSoon(alert) {
    this.toAnnounce.push(alert);
    this.announcing ??= setTimeout(() => {
      const alerts = this.toAnnounce.splice(0);
      this.announcing = null;
      const [first] = alerts;
      this.frame.announce(
        alerts.length === 1 ? text.alerts.arrived(first.name ?? first.event_type, first.camera_id) : text.alerts.announced(alerts.length),
      );
    }, 1000);
  }
}
