"""Every parser of what people, cameras, panels or disks hand in, and texts to try it with."""

from __future__ import annotations

import io
import json
from datetime import datetime, timezone

from hypothesis import strategies as st

from susracker.access.export import read_export
from susracker.access.keys import new_key, parse_key
from susracker.access.signing import PublicKey, SigningKey
from susracker.client.delivery import retry_after_seconds
from susracker.config import Settings
from susracker.enrolment.fields import criminal_from_fields
from susracker.errors import ConfigError, InputError, RecordingError, SpoolError, StoreError
from susracker.loading import load_settings, make_settings
from susracker.passwords import without_password
from susracker.recording.reader import Recording
from susracker.replay.results import read_results
from susracker.runtime.data_uri import decode_base64
from susracker.stores.data_key import sealer_of
from tests.server.test_any_body import CRIMINAL, DETECTION
from tests.torture.readers import (
    asked,
    backup,
    connected,
    environment,
    expiry,
    made,
    make_backup,
    make_public_key,
    make_results,
    make_spool,
    of_file,
    people_and_photos,
    plain,
    posted,
    recorded_lines,
    recording,
    spool,
    timestamp,
)
from tests.torture.texts import Parser, any_text, any_value, damaged, damaged_text, json_texts

LISTED = {
    "photo": "a.jpg",
    "name": "Ada",
    "age": 41,
    "crimes": ["fraud"],
    "threat": "low",
    "status": "wanted",
    "case": "K-1",
    "expires": "2126-12-31",
}

CSV = (
    b"photo,name,age,crimes,threat,status,case,expires\r\n"
    b'a.jpg,Ada,41,"fraud; arson",low,wanted,K-1,2126-12-31\r\n'
    b"b.jpg,Ada,,,,,K-1,\r\n"
)

AUDIT = b'{"entry": {"seq": 1}}\n{"head": null}\n'

TOML = b'store = "sqlite:///a.db"\nport = 5000 # of the hall\ntarget_fpir = 1e-3\nworkers = 2\n'

MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\nno picture\r\n"
    b'--x\r\nContent-Disposition: form-data; name="camera_id"\r\n\r\ngate\r\n'
    b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--x--\r\n'
)


_names = st.sampled_from(sorted(Settings.model_fields))
_variables = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_toml = st.builds(lambda name, value: f"{name} = {json.dumps(value)}".encode(), _names, any_value())
_moments = (
    st.datetimes(timezones=st.none() | st.just(timezone.utc)).map(datetime.isoformat) | any_text()
)
_headers = st.dictionaries(
    st.sampled_from(
        ["Authorization", "X-API-Key", "Cookie", "Origin", "Host", "X-Forwarded-For", "Forwarded"]
    ),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
    | st.sampled_from(["Bearer sus_a_b", "susracker_session=a.b.c", "http://[", "[::1", "é:x"]),
    max_size=3,
)
_queries = st.text() | st.sampled_from(["after=-1", "limit=" + "9" * 5000, "%ff=%00"])
# A number, as the whole of it, is no packet to the test client: clients send objects.
_auths = any_value(["key", "last_seq"]).filter(lambda value: type(value) not in (int, float))

FILES_AND_TEXTS = [
    Parser(
        "settings in TOML",
        damaged(TOML) | _toml,
        of_file("susracker.toml", lambda file: load_settings(file=file)),
        (ConfigError,),
    ),
    Parser(
        "settings in the environment",
        st.dictionaries(_names, _variables),
        plain(environment),
        (ConfigError,),
    ),
    Parser(
        "settings by name",
        st.dictionaries(_names, any_value()),
        plain(make_settings),
        (ConfigError,),
    ),
    Parser(
        "lists in CSV",
        damaged(CSV) | st.binary(),
        of_file("a.csv", people_and_photos),
        (InputError,),
    ),
    Parser(
        "lists in JSON",
        json_texts(LISTED).map(lambda row: b"[" + row + b"]") | json_texts(LISTED),
        of_file("a.json", people_and_photos),
        (InputError,),
    ),
    Parser("lines of recordings", json_texts(*recorded_lines()), recording, (RecordingError,)),
    Parser(
        "headers of recordings",
        json_texts({"format": "susracker recording", "version": 1}),
        of_file("recording.json", lambda file: Recording(file.parent)),
        (RecordingError,),
    ),
    Parser(
        "results of replays",
        damaged(made(make_results)),
        of_file("a.jsonl", read_results),
        (InputError,),
    ),
    Parser("spools", damaged(made(make_spool)), spool, (SpoolError,), share=0.2),
    Parser("backups", damaged(made(make_backup)), backup, (StoreError,), share=0.2),
    Parser(
        "data URIs",
        any_value() | damaged_text("data:image/png;base64,aGFsbG8="),
        plain(decode_base64),
        (ValueError,),
    ),
    Parser("dates of cameras", _moments, plain(timestamp), (InputError,)),
    Parser("dates of people", _moments, plain(expiry), (InputError,)),
    Parser("Retry-After", _moments, plain(retry_after_seconds), ()),
    Parser(
        "people",
        st.dictionaries(st.sampled_from(sorted(CRIMINAL)), any_value()),
        plain(criminal_from_fields),
        (InputError,),
    ),
    Parser("keys' texts", any_text() | damaged_text(str(new_key("ab"))), plain(parse_key), ()),
    Parser(
        "data keys",
        any_text() | damaged_text("base64:" + "A" * 43 + "="),
        plain(sealer_of),
        (ConfigError,),
    ),
    Parser(
        "keys of the audit log",
        damaged(made(SigningKey.load_or_make)),
        of_file("a.pem", SigningKey.load_or_make),
        (ConfigError,),
    ),
    Parser(
        "public keys",
        damaged(made(make_public_key)),
        of_file("a.pub.pem", PublicKey.load),
        (ConfigError,),
    ),
    Parser(
        "exports of the audit log",
        damaged(AUDIT) | json_texts({"entry": {}, "head": {}}),
        plain(lambda content: list(read_export(io.BytesIO(content)))),
        (InputError,),
    ),
    Parser(
        "URLs with passwords",
        any_text() | damaged_text("mongodb://a:b@[::1]:5/x?y=z"),
        plain(without_password),
        (),
    ),
]
"""Parsers that are called without a server."""

REQUESTS = [
    Parser(
        "JSON of cameras",
        json_texts(DETECTION),
        posted("application/json", "/api/detections", "/activity_alert"),
        (),
        share=0.5,
    ),
    Parser(
        "JSON of panels",
        json_texts(CRIMINAL),
        posted("application/json", "/api/criminals", "/api/session"),
        (),
        share=0.5,
    ),
    Parser(
        "multipart",
        damaged(MULTIPART),
        posted("multipart/form-data; boundary=x", "/face_upload", "/api/criminals"),
        (),
        share=0.5,
    ),
    Parser("headers and queries", st.tuples(_headers, _queries), asked, (), share=0.5),
    Parser("Socket.IO auth", _auths, connected, (), share=0.5),
]
"""What a server is sent."""
