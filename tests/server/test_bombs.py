"""Pictures that take long or much memory, beside a camera."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from PIL import Image

from susracker.commands.serving import TRIM_SECONDS
from tests.pictures import HOPPER, bomb, encoded, portrait
from tests.waiting import PATIENCE, wait_until

BOMBS = 3
FRAME = Image.fromarray(portrait(HOPPER)).resize((800, 800))


def resident(site) -> float:
    """Megabytes that the server has in memory."""
    status = Path(f"/proc/{site.server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def padded(form: str, **options: bool) -> bytes:
    """As many pixels as are decoded, and just enough bytes for them, most of which do nothing."""
    return encoded(Image.new("RGB", (4990, 4990)), form, **options) + bytes(100_000)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (bomb(7_070, 7_070), "7070 x 7070 pixels"),
        (encoded(Image.new("RGB", (16_383, 3_051)), "WEBP", lossless=True), "16383 x 3051 pixels"),
        (encoded(FRAME.resize((7_070, 7_070))), "at most 25,000,000"),
    ],
    ids=["PNG", "WebP", "JPEG"],
)
def test_what_no_camera_sends_is_refused(site, data, said):
    """By its header, so that it costs nothing: see tests/faces/test_hostile_pictures.py."""
    answer = site.upload(data, "bomb")
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


def test_a_setting_allows_larger_pictures_in_detections(own_site, faces):
    site = own_site("--max-detection-megapixels", "0.01")
    assert "at most 10,000 are" in site.upload(faces["hopper"], "a").json()["detail"]
    photo = base64.b64encode(HOPPER.read_bytes()).decode()
    answer = site.post("/api/criminals", json={"name": "Again", "images": [photo]})
    assert answer.status_code == 409  # for it is enrolled already: its size is no hindrance


def post(site, data: bytes, camera: str) -> None:
    answer = requests.post(
        f"{site.url}/face_upload",
        data={"camera_id": camera, "camera_location": "x"},
        files={"file": ("face.jpg", data)},
        timeout=2 * PATIENCE,
    )
    assert answer.status_code == 200, answer.text


def test_a_camera_does_not_wait_behind_large_pictures(own_site, faces):
    site, data = own_site("--workers", "2"), padded("PNG")
    post(site, data, "first")
    post(site, faces["stranger"], "gate")
    before = most = resident(site)
    with ThreadPoolExecutor(BOMBS) as pool:
        bombs = [pool.submit(post, site, data, f"bomb-{n}") for n in range(BOMBS)]
        beside = 0
        while not all(one.done() for one in bombs):
            post(site, faces["stranger"], "gate")
            most = max(most, resident(site))
            beside += 1
        for one in bombs:
            one.result()
    back = wait_until(lambda: resident(site) < before + 60, 2 * TRIM_SECONDS)
    print(f"{beside} beside; MB before, most, after: {before} {most} {resident(site)}")
    # A camera that waited behind them would be answered once for each at most.
    assert beside > 3 * BOMBS
    assert most - before < 400
    assert back
