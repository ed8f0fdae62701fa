"""Clients that other people wrote, against a server of ours: `make clients`.

They live in an environment of their own (`requirements.txt`, in `build/clients`), for they bring a great deal along.
Each `drive_*.py` runs there, in a child; the tests run here. Without that environment nothing of this is collected.
"""
