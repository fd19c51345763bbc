// A tone for alerts about people with a high threat, which can be muted.

const MUTED = "susracker.muted";
const LEAST_PAUSE = 2;

let context = null;
let lastAt = -LEAST_PAUSE;

export const isMuted = () => localStorage.getItem(MUTED) === "yes";

export function setMuted(muted) {
  localStorage.setItem(MUTED, muted ? "yes" : "no");
}

/** Browsers let a page sound only after someone has touched it. */
export function prepareSound() {
  addEventListener("pointerdown", wake, { once: true });
  addEventListener("keydown", wake, { once: true });
}

/** Two short notes; alerts that come together sound once. */
export function sound() {
  if (isMuted() || context?.state !== "running") return;
  if (context.currentTime - lastAt < LEAST_PAUSE) return;
  lastAt = context.currentTime;
  note(880, lastAt);
  note(1175, lastAt + 0.18);
}

function wake() {
  context ??= new AudioContext();
  context.resume();
}

function note(frequency, at) {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = frequency;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.2, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.16);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.17);
}
