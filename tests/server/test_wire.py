"""The wire formats that cameras and panels in the field speak."""

from __future__ import annotations

import base64
import io
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image

from tests.server.conftest import COLLINS, HOPPER, jpeg

FACE_FIELDS = {
    "criminal_id",
    "name",
    "confidence",
    "timestamp",
    "camera_id",
    "camera_location",
    "detected_face",
    "criminal_image",
    "alert_type",
}
ACTIVITY_FIELDS = {"event_type", "camera_id", "camera_location", "timestamp", "alert_type"}
NEW_FIELDS = {
    "id",
    "seq",
    "score",
    "distance",
    "fpir",
    "candidates",
    "status",
    "occurred_at",
    "received_at",
    "details",
}


def detection(face=None, **changes):
    body = {
        "camera_id": "gate",
        "camera_location": "Main gate",
        "event_type": "face",
        "timestamp": datetime.now(timezone.utc).isoformat(),
    }
    if face is not None:
        body["image"] = base64.b64encode(face).decode()
    return body | changes


def test_face_upload_says_what_became_of_the_face(site, faces):
    first = site.upload(faces["hopper"], "w1")
    assert first.status_code == 200
    assert first.json()["message"] == "Match found"
    match = first.json()["match"]
    assert match["criminal_id"] == site.ids["hopper"]
    assert match["camera_id"] == "w1"
    assert site.upload(faces["hopper"], "w1").json() == {"message": "Match found but in cooldown"}
    assert site.upload(faces["stranger"], "w1").json() == {"message": "No match found"}
    assert site.upload(faces["wall"], "w1").json() == {"message": "No face detected"}


def test_the_same_person_on_another_camera_alerts_at_once(site, faces):
    answers = [site.upload(faces["collins"], camera).json()["message"] for camera in ("w2", "w3")]
    assert answers == ["Match found", "Match found"]


def test_face_upload_without_a_file_or_with_no_picture(site):
    fields = {"camera_id": "w4", "camera_location": "here"}
    missing = site.post("/face_upload", data=fields)
    assert (missing.status_code, missing.json()) == (400, {"error": "No file provided"})
    for content in (b"", b"this is text", b"\xff\xd8\xff\xe0 cut"):
        wrong = site.post("/face_upload", data=fields, files={"file": ("face.jpg", content)})
        assert wrong.status_code == 400
        assert wrong.json()["error"] == "Invalid image"


def test_activity_alert_is_sent_once_a_cooldown(site, operator):
    body = {"camera_id": "w5", "camera_location": "Hall", "event_type": "violence"}
    assert site.post("/activity_alert", json=body).json() == {"message": "Alert sent"}
    assert site.post("/activity_alert", json=body).json() == {"message": "Alert in cooldown"}
    other = site.post("/activity_alert", json=body | {"event_type": "fire"})
    assert other.json() == {"message": "Alert sent"}
    event = operator.next("alert")
    assert set(event) == ACTIVITY_FIELDS
    assert event["alert_type"] == 2
    assert set(operator.next("new_alert")) == ACTIVITY_FIELDS | NEW_FIELDS


def test_both_events_of_a_face_have_their_fields(site, operator, faces):
    answer = site.upload(faces["hopper"], "w6").json()["match"]
    alert, new_alert = operator.next("alert"), operator.next("new_alert")
    assert set(alert) == FACE_FIELDS
    assert set(new_alert) == FACE_FIELDS | NEW_FIELDS
    assert new_alert == answer
    assert alert["alert_type"] == 1
    assert alert["name"].startswith("Grace Hopper")
    assert alert["confidence"] == f"{100 * (1 - 1.5 * new_alert['distance']):.2f}%"
    assert base64.b64decode(alert["detected_face"]).startswith(b"\xff\xd8")
    assert alert["criminal_image"].startswith("data:image/jpeg;base64,")
    assert new_alert["status"] == "new"
    assert new_alert["candidates"][0]["criminal_id"] == alert["criminal_id"]
    assert datetime.fromisoformat(alert["timestamp"]).tzinfo is not None


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_detections_take_base64_with_and_without_a_prefix(site, faces, prefix):
    image = prefix + base64.b64encode(faces["hopper"]).decode()
    body = detection(camera_id=f"w7{len(prefix)}", image=image)
    assert site.post("/api/detections", json=body).json()["message"] == "Match found"


def test_a_detection_keeps_the_cameras_time(site, faces):
    seen = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=5)))
    body = detection(faces["collins"], camera_id="w8", timestamp=seen.isoformat())
    match = site.post("/api/detections", json=body).json()["match"]
    assert datetime.fromisoformat(match["occurred_at"]) == seen
    assert datetime.fromisoformat(match["received_at"]) > seen


def test_a_time_in_the_future_is_replaced_by_the_time_of_arrival(site, faces):
    ahead = datetime.now(timezone.utc) + timedelta(days=1)
    body = detection(faces["collins"], camera_id="w9", timestamp=ahead.isoformat())
    match = site.post("/api/detections", json=body).json()["match"]
    assert match["occurred_at"] == match["received_at"]


def test_a_repeated_event_is_harmless(site, faces):
    body = detection(faces["hopper"], camera_id="w10", event_id="e-1")
    first = site.post("/api/detections", json=body).json()
    again = site.post("/api/detections", json=body).json()
    assert first["message"] == "Match found"
    assert again == first
    track = site.get(f"/api/criminals/{site.ids['hopper']}/track").json()["sightings"]
    assert [sighting["camera_id"] for sighting in track].count("w10") == 1


def test_an_activity_as_a_detection_keeps_no_picture(site, faces, operator):
    body = detection(faces["stranger"], camera_id="w11", event_type="violence")
    assert site.post("/api/detections", json=body).json() == {"message": "Alert sent"}
    assert "detected_face" not in operator.next("new_alert")


def test_a_frame_with_both_people_raises_two_alerts(site, faces):
    pictures = [Image.open(p.portrait).convert("RGB").resize((512, 512)) for p in (HOPPER, COLLINS)]
    frame = jpeg(np.hstack([np.asarray(picture) for picture in pictures]))
    matches = site.upload(frame, "w12").json()["matches"]
    assert {match["criminal_id"] for match in matches} == set(site.ids.values())


def test_alerts_are_listed_and_shown(site, faces):
    match = site.upload(faces["hopper"], "w13").json()["match"]
    listed = site.all_alerts()
    assert [alert["seq"] for alert in listed] == sorted(alert["seq"] for alert in listed)
    assert match["id"] in {alert["id"] for alert in listed}
    more = {"held": None, "reviews": [], "outcomes": []}
    assert site.get(f"/api/alerts/{match['id']}").json() == match | more
    assert site.get("/api/alerts/nobody").status_code == 404
    assert site.get("/api/alerts", after="x").status_code == 400


def test_the_track_crosses_cameras_in_time_order(site, faces):
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for minute, camera in ((2, "t2"), (1, "t1"), (3, "t3")):
        moment = (start + timedelta(minutes=minute)).isoformat()
        body = detection(faces["hopper"], camera_id=camera, timestamp=moment)
        assert site.post("/api/detections", json=body).json()["message"] == "Match found"
    track = site.get(f"/api/criminals/{site.ids['hopper']}/track").json()["sightings"]
    assert [s["camera_id"] for s in track if s["camera_id"][0] == "t"] == ["t1", "t2", "t3"]


def test_cameras_are_counted(site, faces):
    for face in ("hopper", "hopper", "stranger", "wall"):
        site.upload(faces[face], "counted", "Roof")
    cameras = {camera["camera_id"]: camera for camera in site.get("/api/cameras").json()["cameras"]}
    assert cameras["counted"]["detections"] == 4
    assert cameras["counted"]["alerts"] == 1
    assert cameras["counted"]["camera_location"] == "Roof"


def test_health(site):
    assert site.get("/healthz").json() == {"status": "ok"}
    ready = site.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["watchlist"] == 2


def test_the_enrolment_photo_is_sent_small_wherever_it_is_shown(site, operator, faces):
    answer = site.upload(faces["hopper"], "thumbnail").json()
    looked_up = site.get(f"/api/alerts/{answer['match']['id']}").json()
    shown = [answer["match"], *answer["matches"], looked_up]
    shown += [operator.next("alert"), operator.next("new_alert")]
    (image,) = {one["criminal_image"] for one in shown}
    small = base64.b64decode(image.removeprefix("data:image/jpeg;base64,"))
    assert HOPPER.portrait.stat().st_size > 20_000 >= len(small)
    with Image.open(HOPPER.portrait) as photo, Image.open(io.BytesIO(small)) as shown_small:
        width, height = shown_small.size
        assert width / height == pytest.approx(photo.width / photo.height, abs=0.01)


# -- old cameras ----------------------------------------------------------------------------------


def last_alert(site):
    return site.all_alerts()[-1]


@pytest.mark.parametrize("fields", [{}, {"camera_id": "", "camera_location": ""}])
def test_a_face_without_a_camera_is_of_an_unknown_one(own_site, faces, fields):
    site = own_site()
    answer = site.post("/face_upload", data=fields, files={"file": faces["hopper"]})
    assert answer.json()["message"] == "Match found"
    alert = last_alert(site)
    assert (alert["camera_id"], alert["camera_location"]) == ("unknown_camera", "unknown_location")


def test_an_activity_without_fields_is_an_unknown_one(site):
    assert site.post("/activity_alert", json={}).json() == {"message": "Alert sent"}
    alert = last_alert(site)
    assert alert["event_type"] == "unknown_activity"
    assert (alert["camera_id"], alert["camera_location"]) == ("unknown_camera", "unknown_location")


def test_numbers_are_names_of_cameras_and_places(site, faces):
    numbered = {"camera_id": 12, "camera_location": 3}
    assert site.post("/activity_alert", json=numbered | {"event_type": "fire"}).status_code == 200
    assert (last_alert(site)["camera_id"], last_alert(site)["camera_location"]) == ("12", "3")
    assert site.post("/api/detections", json=detection(faces["hopper"], camera_id=12)).ok
    assert last_alert(site)["camera_id"] == "12"
    assert site.post("/api/detections", json=detection(camera_id=True)).status_code == 400


# -- details and kinds of activities --------------------------------------------------------------

DETAILS = {
    "severity": 3,
    "zone": {"id": 7, "name": "Depot \u00e9"},
    "tags": ["a", "b"],
    "$x.y": None,
}


@pytest.mark.parametrize("route", ["/activity_alert", "/api/detections"])
def test_fields_that_are_not_known_reach_the_panel_and_are_stored(site, operator, route):
    body = detection(camera_id=f"d1{route}", event_type="loitering") | DETAILS
    assert site.post(route, json=body).json() == {"message": "Alert sent"}
    alert, new_alert = operator.next("alert"), operator.next("new_alert")
    assert {name: alert[name] for name in DETAILS} == DETAILS
    assert {name: new_alert[name] for name in DETAILS} == DETAILS
    stored = last_alert(site)["details"]
    assert {name: stored[name] for name in DETAILS} == DETAILS
    assert new_alert["details"] == stored


def test_a_detail_changes_no_field_of_ours(site, operator):
    forged = {"alert_type": 1, "id": "x", "seq": 0, "status": "confirmed", "details": "y"}
    body = {"camera_id": "d2", "event_type": "loitering"} | forged
    assert site.post("/activity_alert", json=body).ok
    alert, new_alert = operator.next("alert"), operator.next("new_alert")
    assert alert["alert_type"] == new_alert["alert_type"] == 2
    assert new_alert["status"] == "new"
    assert new_alert["seq"] == last_alert(site)["seq"] > 0
    assert new_alert["details"] == forged


def test_pictures_and_long_texts_of_an_activity_are_not_kept(site, operator, faces):
    picture = base64.b64encode(faces["stranger"]).decode()
    sent = {
        "frame": picture,
        "small": "data:image/png;base64,AAAA",
        "note": "kept",
        "long": "x" * 600,
    }
    body = {"camera_id": "d3", "event_type": "loitering"} | sent
    answer = site.post("/activity_alert", json=body).json()
    assert answer == {"message": "Alert sent", "left_out": ["frame", "small", "long"]}
    assert operator.next("new_alert")["details"] == {"note": "kept"}


def test_details_have_a_limit_together(site, operator):
    sent = {f"field{number:02}": "x" * 400 for number in range(30)}
    answer = site.post("/activity_alert", json={"camera_id": "d4"} | sent).json()
    assert 0 < len(answer["left_out"]) < 30
    assert len(operator.next("new_alert")["details"]) + len(answer["left_out"]) == 30


def test_a_number_that_json_cannot_say_is_not_kept(site, operator):
    body = '{"camera_id": "d5", "score": NaN, "zone": 1}'
    headers = {"Content-Type": "application/json"}
    assert site.post("/activity_alert", data=body, headers=headers).json()["left_out"] == ["score"]
    assert operator.next("new_alert")["details"] == {"zone": 1}


def test_an_activity_cools_down_however_it_is_written(site):
    for kind, message in (("Violence", "Alert sent"), ("violence", "Alert in cooldown")):
        body = {"camera_id": "d6", "event_type": kind}
        assert site.post("/activity_alert", json=body).json() == {"message": message}
    assert last_alert(site)["event_type"] == "Violence"


def test_face_may_be_written_in_upper_case(site, faces):
    body = detection(faces["hopper"], camera_id="d7", event_type="Face")
    assert site.post("/api/detections", json=body).json()["message"] == "Match found"
    assert site.post("/activity_alert", json={"event_type": "FACE"}).status_code == 400
