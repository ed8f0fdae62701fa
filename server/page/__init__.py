"""The browser page: static files, served from memory. It is a client of Palabra's socket like any other."""
