"""The wires: HTTP and WebSocket in, vendor messages out. Sees `pipeline`, `models` and `config`."""
