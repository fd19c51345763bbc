// An operator's panel, in the official JavaScript client: prints each event as a line of JSON.
// Usage: node operator.mjs URL [AUTH], where AUTH is JSON such as {"last_seq": 41, "key": "sus_…"}.
import { io } from "socket.io-client";

const [url, given] = process.argv.slice(2);
let auth = given === undefined ? undefined : JSON.parse(given);
const options = { auth: (send) => send(auth), reconnectionDelayMax: 500 };
const socket = auth === undefined ? io(url) : io(url, options);
const print = (event) => (data) => console.log(JSON.stringify({ event, data }));

socket.on("connect", print("connect"));
socket.on("connect_error", (error) => print("connect_error")(error.message));
for (const event of ["alert", "new_alert"]) socket.on(event, print(event));
socket.on("new_alert", (alert) => { if (auth) auth = { ...auth, last_seq: alert.seq }; });
