"""What can detect, recognise, translate and speak: one engine, one file. Sees only `config`."""
