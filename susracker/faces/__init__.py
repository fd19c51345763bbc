"""From bytes to a picture, to faces, to embeddings."""
