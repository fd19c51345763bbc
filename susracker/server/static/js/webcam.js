// A photo taken with the webcam.

import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { text } from "./text.js";

const QUALITY = 0.95;

/** @param {(file: File) => void} onPhoto @param {(message: string) => void} onProblem */
export async function openWebcam(onPhoto, onProblem) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
  } catch (error) {
    onProblem(text.form.noWebcam(error.message));
    return;
  }
  const video = el("video", { autoplay: true, muted: true, playsinline: true });
  video.srcObject = stream;
  const take = async () => {
    const blob = await still(video);
    dialog.close();
    onPhoto(new File([blob], "webcam.jpg", { type: blob.type }));
  };
  const button = el("button", { class: "main", onclick: take }, text.form.take);
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  const dialog = openDialog(text.form.webcamTitle, [video, button], { onClose: stop });
}

function still(video) {
  const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}
