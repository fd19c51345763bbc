"""Pictures from bytes, faces from pictures, embeddings from faces."""
