"""`python -m bench`; guarded, because child processes import this module again."""

from bench.cli import main

if __name__ == "__main__":
    main()
