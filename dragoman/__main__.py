"""`python -m dragoman` is the same as `dragoman`."""

from dragoman.cli.entry import main

main()
