"""One translation session: stages joined by bounded queues. Sees the interfaces of `models`, and `config`."""
