"""What users would otherwise run: Flask-SocketIO, HOG, dlib's network through dlib, and a Python
loop over everyone.

    python benchmarks/baseline_server.py people.npy 5999

It is written as the examples of these libraries are, and is not part of susracker.
"""

from __future__ import annotations

import base64
import sqlite3
import sys
import threading
import time

import cv2
import dlib
import numpy as np
from flask import Flask, jsonify, request
from flask_socketio import SocketIO

from susracker.faces.weights import LANDMARKS, RECOGNITION, weights_file

TOLERANCE, COOLDOWN = 0.6, 5

app = Flask("plain")
socketio = SocketIO(app, async_mode="threading")
detector = dlib.get_frontal_face_detector()
landmarks = dlib.shape_predictor(str(weights_file(LANDMARKS)))
network = dlib.face_recognition_model_v1(str(weights_file(RECOGNITION)))
known_encodings: list[np.ndarray] = []
last_alerts: dict[tuple[int, str], float] = {}
# One detector and one network are shared, and dlib's are not safe to share.
recognition = threading.Lock()
database = sqlite3.connect(sys.argv[1] + ".alerts.db", check_same_thread=False)
database.execute("CREATE TABLE IF NOT EXISTS alerts (person INT, camera TEXT, at REAL, face BLOB)")


@app.get("/healthz")
def ready():
    return jsonify(people=len(known_encodings))


@app.post("/face_upload")
def face_upload():
    data = request.files["file"].read()
    camera = request.form["camera_id"]
    image = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), 1), cv2.COLOR_BGR2RGB)
    with recognition:
        boxes = detector(image, 0) or [dlib.rectangle(0, 0, image.shape[1], image.shape[0])]
        shape = landmarks(image, boxes[0])
        encoding = np.array(network.compute_face_descriptor(image, shape))
    best, best_distance = None, TOLERANCE
    for person, known in enumerate(known_encodings):
        distance = np.linalg.norm(known - encoding)
        if distance < best_distance:
            best, best_distance = person, distance
    if best is None:
        return jsonify(message="No match found")
    now = time.time()
    if now - last_alerts.get((best, camera), 0) < COOLDOWN:
        return jsonify(message="Match found but in cooldown")
    last_alerts[best, camera] = now
    with recognition, database:
        database.execute("INSERT INTO alerts VALUES (?, ?, ?, ?)", (best, camera, now, data))
    alert = {"criminal_id": best, "detected_face": base64.b64encode(data).decode()}
    socketio.emit("alert", alert)
    return jsonify(message="Match found", match=alert)


if __name__ == "__main__":
    known_encodings.extend(np.load(sys.argv[1]))
    socketio.run(app, port=int(sys.argv[2]), allow_unsafe_werkzeug=True)
