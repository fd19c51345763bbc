"""What an edge camera does: read the frames of a video and cut faces out of them."""
