"""The command line: one file a command, over all four floors."""
