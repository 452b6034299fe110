"""What moves bytes: WebSocket, server-sent events, HTTP, and the limits before them."""
