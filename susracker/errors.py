"""Every error susracker raises on purpose.

    SusrackerError
      InputError                what was handed in is wrong; nothing was changed
        PictureError            not a picture, or a truncated or damaged one
          PictureTooLargeError  more pixels than a setting allows
        FaceRefusedError        a picture whose face cannot be enrolled (`reason` says why)
        RecordingError          no recording, a newer one, or one that cannot be written
      ConfigError               a setting is wrong
        UnknownBackendError     no backend of that name or URL scheme
        MissingDriverError      the backend needs an extra that is not installed
      EncoderError              weights are missing, or the network differs from dlib's own or fails
      StoreError
        StoreUnavailableError   cannot be opened, read or written right now
        StoreFormatError        not a susracker store, or of a newer version
        NotFoundError           no record with that id
        DuplicateError          the photo or the event is stored already
        RecentAlertError        the same was alerted a moment ago; nothing was stored
        ConflictError           someone else was faster: look again, then decide
          JudgedError           the alert is judged already, and the change names no judgement
          HeldError             a held alert would lose what was to be removed
      SpoolError                a camera's waiting events cannot be kept
      AccessError               who asks may not have what they ask for
        KeyRequiredError        no key, or one that is wrong, expired or revoked
        NotAllowedError         the key's role may not do this
      ServerUnavailableError    a client gets no answer from the server
      ListenError               the server's address cannot be listened on
      OverloadedError           the queue is full: try again later
      RateLimitError            a client asks too often: try again later

Errors of third-party libraries are turned into one of these where the library is called. The
message is one line that says what is wrong and what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from susracker.models import Alert


class SusrackerError(Exception):
    """Base of all errors that susracker raises on purpose."""


class InputError(SusrackerError):
    """What was handed in is wrong; nothing was changed."""


class PictureError(InputError):
    """The bytes are not a picture that can be read, or hold too many pixels."""


class PictureTooLargeError(PictureError):
    """The picture has more pixels than a setting allows: `max_megapixels` for enrolment photos."""


class FaceRefusedError(InputError):
    """The picture's face cannot be enrolled.

    Attributes:
        reason: one of "no face", "several faces", "group photo", "too small", "too blurred",
            "several people", "unlike the other photos".
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class ConfigError(SusrackerError):
    """A setting is wrong."""


class UnknownBackendError(ConfigError):
    """No backend goes by that name or URL scheme."""


class MissingDriverError(ConfigError):
    """The backend needs a package that is not installed."""


class EncoderError(SusrackerError):
    """The recognition network cannot be built, differs from dlib's own, or fails."""


class StoreError(SusrackerError):
    """The store cannot do what was asked."""


class StoreUnavailableError(StoreError):
    """The store cannot be opened, read or written right now."""


class StoreFormatError(StoreError):
    """Not a susracker store, or one written by a newer version."""


class NotFoundError(StoreError):
    """No record has that id."""


class DuplicateError(StoreError):
    """The photo or the event is stored already; nothing was changed."""


class RecentAlertError(StoreError):
    """Alerts of the same person or activity on the same camera are stored that are too near in
    time; nothing was changed.

    Attributes:
        recent: the stored alerts, without their faces, by the id of the alert that each holds back.
    """

    def __init__(self, message: str, recent: Mapping[str, Alert]) -> None:
        super().__init__(message)
        self.recent = recent


class ConflictError(StoreError):
    """The person to be added exists, or was edited since the revision that an edit is based on;
    nothing was changed."""


class JudgedError(ConflictError):
    """The alert has a judgement that the new one does not name as the one it replaces; nothing was
    changed.

    Attributes:
        alert_id: of the alert.
    """

    def __init__(self, message: str, alert_id: str) -> None:
        super().__init__(message)
        self.alert_id = alert_id


class HeldError(ConflictError):
    """A held alert names the person, or shows the photo, that was to be removed; nothing was
    changed."""


class RecordingError(InputError):
    """Not a recording, one of a newer version, or a place where none can be written."""


class SpoolError(SusrackerError):
    """A camera's events, which wait to be sent, cannot be kept or read."""


class AccessError(SusrackerError):
    """Who asks may not have what they ask for."""


class KeyRequiredError(AccessError):
    """There is no key, or one that is wrong, expired or revoked."""


class NotAllowedError(AccessError):
    """The role of the key may not do this."""


class ServerUnavailableError(SusrackerError):
    """A client gets no answer from the server, or only that it should try again.

    Attributes:
        retry_after: seconds that the server asked the client to wait, or 0.
    """

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ListenError(SusrackerError):
    """The server's address cannot be listened on."""


class OverloadedError(SusrackerError):
    """The queue is full.

    Attributes:
        retry_after: seconds after which it is worth trying again.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimitError(SusrackerError):
    """A client makes more requests than it may.

    Attributes:
        retry_after: seconds after which it may ask again.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
