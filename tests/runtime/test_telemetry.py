"""ONNX Runtime reports nothing to its maker."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SWITCH = "ORT_DISABLE_TELEMETRY"

RUN = """
from susracker.matchers.products import onnx_session
onnx_session()
import os
print(os.environ["ORT_DISABLE_TELEMETRY"])
"""


@pytest.mark.parametrize(("given", "used"), [({}, "1"), ({SWITCH: "true"}, "true")])
def test_onnx_runtime_keeps_no_device_id_and_no_events(tmp_path, given, used):
    inherited = {k: v for k, v in os.environ.items() if k not in (SWITCH, "XDG_CACHE_HOME")}
    environment = inherited | {"HOME": str(tmp_path)} | given
    ran = subprocess.run(
        [sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == used
    assert not [path for path in tmp_path.rglob("*") if "microsoft" in str(path).lower()]
