"""`dragoman bench`: measures a running server as its clients see it, over a real socket, at the speed of speech.

Lateness and what it costs in quality; the method and the definitions are in docs/performance.md. Nothing here needs
the server to be on this machine. What measures this project's own server from the inside is in `bench/`, at the root of
the repository, and is built on this.
"""
