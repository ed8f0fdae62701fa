"""Child processes: for libraries and programs that may end or hang, or that hold the interpreter's lock."""
