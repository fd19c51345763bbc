// Starts the page: signs in, then shows the frame with the view that the address names.

import * as api from "./api.js";
import { closeDialogs } from "./dialog.js";
import { el, fill } from "./dom.js";
import { Frame } from "./frame.js";
import { currentSession } from "./session.js";
import { signInForm } from "./sign-in.js";
import { prepareSound } from "./sound.js";
import { refuseStrayDrops } from "./stray-drops.js";
import { text } from "./text.js";
import { keepAgoRight } from "./when.js";

const page = document.getElementById("page");
let frame = null;

async function start(message) {
  try {
    open(await currentSession());
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.status === 401) askForKey(message);
    else askForKey(error.status === 0 ? text.signIn.unreachable : error.message);
  }
}

function open(session) {
  frame = new Frame(session, { onSignedOut: () => leave() });
  fill(page, frame.element);
  frame.start();
}

function askForKey(message) {
  fill(page, signInForm(open, message));
}

function leave(message) {
  if (!frame) return;
  frame.close();
  frame = null;
  closeDialogs();
  start(message);
}

api.onSignedOut(() => leave(text.signIn.over));
addEventListener("error", () => frame?.say(text.frame.broken, "bad"));
addEventListener("unhandledrejection", ({ reason }) => frame?.failed(reason));
prepareSound();
refuseStrayDrops();
keepAgoRight();
fill(page, el("p", { class: "empty" }, text.loading));
start();
