"""How many steps the model-based tests take, set in one place.

    SUSRACKER_STEPS=50000 python -m pytest --timeout 0 tests/matchers/test_model.py

By default the steps are the same on every run, so that a failure can be seen again. A number set
by hand makes them random.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

STEPS = 2000


def machine_settings(steps_per_run: int = 50) -> settings:
    """Settings with which one state machine takes about `SUSRACKER_STEPS` steps, 2,000 by default.

    Args:
        steps_per_run: steps before the machine starts afresh.
    """
    asked = os.environ.get("SUSRACKER_STEPS")
    return settings(
        # Some runs end early.
        max_examples=max(1, round(1.15 * int(asked or STEPS) / steps_per_run)),
        stateful_step_count=steps_per_run,
        deadline=None,
        derandomize=asked is None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
