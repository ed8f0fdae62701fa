"""Measures the server as a client sees it: delay, processor time, capacity and memory. `python -m bench` runs it all.

Every figure comes from a real server in a process of its own, started for the run on a free port, and from clients that
speak at the speed of speech. The method is described in docs/performance.md.
"""
