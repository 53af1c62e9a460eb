"""Connections that several receivers share: sockets and the clients of clouds."""
