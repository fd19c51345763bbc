"""The server: the tracker behind HTTP, and alerts live over Socket.IO."""
