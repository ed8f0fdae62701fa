"""One engine, one folder. A new one is a folder here and a line in the table of its kind in `models/loading.py`."""
