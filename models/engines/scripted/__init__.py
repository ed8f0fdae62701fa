"""Hears, translates and speaks what a script says: engines for tests of clients, never chosen unless named."""
