"""Templates that an encoder lacks, made of the stored photos."""

from __future__ import annotations

import logging
from collections.abc import Callable

from susracker.commands.working import counting
from susracker.enrolment.enroller import Enroller
from susracker.enrolment.report import Refusal

log = logging.getLogger(__name__)


def encode_missing(
    enroller: Enroller, workers: int, stopped: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    """Make the templates that are missing, such as after a change of encoder.

    Args:
        stopped: asked before each photo; once it returns true, no further photo is begun.

    Returns:
        how many templates were made, and how many were missing.
    """
    missing = len(enroller.store.photos_without_template(enroller.encoder.id))
    if not missing:
        return 0, 0
    log.info("encoding %d photos without a template of %s", missing, enroller.encoder.id)
    with counting("encoding photos", missing) as done:

        def on_photo(photo_id: str, refusal: Refusal | None) -> None:
            done()
            if refusal:
                log.warning("photo %s gets no template: %s", photo_id, refusal)

        made = enroller.encode_missing(on_photo, workers=workers, stopped=stopped)
    log.info("encoded %d of %d photos", made, missing)
    return made, missing
