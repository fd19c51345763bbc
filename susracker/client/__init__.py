"""A camera's side, whose events arrive whatever the network does, and an operator's, for programs.

from susracker.client import Camera, Operator

with Camera("http://server:5000", "gate-1", "Main gate", spool="spool") as camera:
    camera.send_face(jpeg, at)

with Operator("http://server:5000", key) as operator:
    for alert in operator.alerts(after=last_seq):
        operator.review(alert.id, "dismissed", "much taller")
"""

from susracker.client.camera import Camera, Counts
from susracker.client.operator import Operator
from susracker.client.records import Told

__all__ = ["Camera", "Counts", "Operator", "Told"]
