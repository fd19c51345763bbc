// An operator's panel, in the official JavaScript client: prints each event as a line of JSON.
// Usage: node operator.mjs URL [LAST_SEQ]
import { io } from "socket.io-client";

const [url, lastSeq] = process.argv.slice(2);
const socket = io(url, lastSeq === undefined ? {} : { auth: { last_seq: Number(lastSeq) } });
const print = (event) => (data) => console.log(JSON.stringify({ event, data }));

socket.on("connect", print("connect"));
socket.on("connect_error", (error) => print("connect_error")(error.message));
for (const event of ["alert", "new_alert"]) socket.on(event, print(event));
