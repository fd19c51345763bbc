"""What an edge camera does: frames of a video, and the faces that are cut out of them."""
