"""A camera's side: its events arrive, whatever the network does.

from susracker.client import Camera

with Camera("http://server:5000", "gate-1", "Main gate", spool="spool") as camera:
    camera.send_face(jpeg, at)
"""

from susracker.client.camera import Camera, Counts

__all__ = ["Camera", "Counts"]
