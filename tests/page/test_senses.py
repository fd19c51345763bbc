"""What reaches people who do not look at the page, and the webcam."""

from __future__ import annotations

import re

from tests.page.looks import eventually, expect, live, row
from tests.page.test_people import put
from tests.server.conftest import HOPPER

NOTES = """
window.notes = [];
window.later = 0;
const clock = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "currentTime").get;
Object.defineProperty(BaseAudioContext.prototype, "currentTime", {
    get() { return clock.call(this) + window.later; },
});
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
    window.notes.push(this.frequency.value);
    return start.call(this, at);
};
"""

NOTIFICATIONS = """
window.notified = [];
window.isHidden = false;
Object.defineProperty(document, "hidden", { get: () => window.isHidden });
const Real = window.Notification;
window.Notification = class extends Real {
    constructor(title, options) {
        super(title, options);
        window.notified.push([title, options.body]);
    }
};
"""


def test_a_tone_sounds_for_a_high_threat_only_and_can_be_muted(own_site, faces, pages):
    site = own_site("--cooldown-seconds", "0", "--passage-seconds", "0")
    put(site, f"/api/criminals/{site.ids['hopper']}", {"threat": "high"})
    page = pages.open(site.url, script=NOTES)
    live(page)
    page.locator("main").click()
    site.upload(faces["collins"], "medium")
    expect(row(page, "medium")).to_be_visible()
    site.upload(faces["hopper"], "high")
    eventually(page, "window.notes.length === 2")
    assert page.evaluate("window.notes") == [880, 1175]
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Sound off")).to_be_visible()
    site.upload(faces["hopper"], "muted")
    expect(row(page, "muted").get_by_text("High threat")).to_be_visible()
    page.evaluate("window.later = 60")  # tones that come together sound once
    site.upload(faces["hopper"], "still")
    expect(row(page, "still")).to_be_visible()
    assert page.evaluate("window.notes.length") == 2


def test_the_browser_notifies_while_nobody_looks_at_the_page(site, faces, pages):
    page = pages.open(site.url, script=NOTIFICATIONS, permissions=["notifications"])
    live(page)
    site.upload(faces["hopper"], "looked-at")
    expect(row(page, "looked-at")).to_be_visible()
    page.evaluate("window.isHidden = true")
    site.upload(faces["hopper"], "unseen")
    eventually(page, "window.notified.length === 1")
    assert page.evaluate("window.notified") == [[HOPPER.name, "Camera unseen"]]


def test_a_photo_is_taken_with_the_webcam_which_is_then_off(site, pages):
    page = pages.open(f"{site.url}/#/people", script=TRACKS)
    page.get_by_role("button", name="Add a person").click()
    page.get_by_role("button", name="use the webcam").click()
    eventually(page, "document.querySelector('video')?.videoWidth > 0")
    page.get_by_role("button", name="Take a photo").click()
    expect(page.get_by_text(re.compile("Face found"))).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    assert page.evaluate("window.tracks.map((track) => track.readyState)") == ["ended"]


TRACKS = """
window.tracks = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.tracks.push(...stream.getTracks());
    return stream;
};
"""
