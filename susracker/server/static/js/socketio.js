// Socket.IO over a WebSocket, as far as the page needs it: events from the server, in one namespace.
// Engine.IO protocol, revision 4: https://github.com/socketio/engine.io-protocol
// Socket.IO protocol, revision 5: https://github.com/socketio/socket.io-protocol

const OPEN = "0";
const CLOSE = "1";
const PING = "2";
const PONG = "3";
const CONNECT = "40";
const DISCONNECT = "41";
const EVENT = "42";
const REFUSED = "44";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5000;
/** Milliseconds in which a connection must be made: a network that swallows everything refuses nothing. */
const OPENING = 15_000;
/** Milliseconds beyond the server's own after which a silent connection counts as lost. */
const PATIENCE = 5000;

/** A connection that is made again whenever it is lost. */
export class Connection {
  /**
   * @param {object} handlers
   *   auth(): a promise of what to show at each connection, such as {last_seq}.
   *   events: {name: handler(data)}; messages of other events are not parsed.
   *   up(), down(): called when the connection comes and goes. refused(message): by the server.
   */
  constructor(handlers) {
    this.handlers = handlers;
    this.names = Object.keys(handlers.events).map((name) => [name, `${EVENT}["${name}",`]);
    this.pause = FIRST_PAUSE;
    this.isClosed = false;
    this.wake = () => this.retryNow();
    addEventListener("online", this.wake);
    this.open();
  }

  /** Ends the connection for good. */
  close() {
    this.isClosed = true;
    removeEventListener("online", this.wake);
    clearTimeout(this.retry);
    clearTimeout(this.silence);
    this.socket?.close();
  }

  open() {
    const { protocol, host } = location;
    const scheme = protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${host}/socket.io/?EIO=4&transport=websocket`);
    this.socket = socket;
    socket.onmessage = ({ data }) => socket === this.socket && this.read(data);
    socket.onclose = () => socket === this.socket && this.lost();
    this.longest = OPENING;
    this.expectMore();
  }

  read(data) {
    this.expectMore();
    if (data === PING) this.socket.send(PONG);
    else if (data.startsWith(EVENT)) this.event(data);
    else if (data.startsWith(CONNECT)) this.connected();
    else if (data.startsWith(REFUSED)) this.refused(JSON.parse(data.slice(REFUSED.length)));
    else if (data.startsWith(OPEN)) this.greet(JSON.parse(data.slice(1)));
    else if (data.startsWith(DISCONNECT) || data === CLOSE) this.socket.close();
  }

  async greet({ pingInterval, pingTimeout }) {
    const { socket } = this;
    this.longest = pingInterval + pingTimeout + PATIENCE;
    this.expectMore();
    const shown = JSON.stringify(await this.handlers.auth());
    if (socket === this.socket && socket.readyState === WebSocket.OPEN) socket.send(CONNECT + shown);
  }

  connected() {
    this.pause = FIRST_PAUSE;
    this.handlers.up();
  }

  refused({ message }) {
    this.handlers.refused(message);
    this.socket.close();
  }

  event(data) {
    for (const [name, start] of this.names) {
      if (data.startsWith(start)) {
        this.handlers.events[name](JSON.parse(data.slice(EVENT.length))[1]);
        return;
      }
    }
  }

  expectMore() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.abandon(), this.longest);
  }

  /** A network that is gone closes nothing: do not wait for it. */
  abandon() {
    const { socket } = this;
    this.socket = null;
    socket?.close();
    this.lost();
  }

  lost() {
    clearTimeout(this.silence);
    if (this.isClosed) return;
    this.handlers.down();
    this.retry = setTimeout(() => this.open(), this.pause * (0.5 + Math.random() / 2));
    this.pause = Math.min(LONGEST_PAUSE, this.pause * 2);
  }

  retryNow() {
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.retry);
    this.open();
  }
}
