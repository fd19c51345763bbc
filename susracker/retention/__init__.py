"""How long records are kept, and how a person is erased."""
