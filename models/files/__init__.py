"""Model files: the catalogue of what there is; pulling, verifying and keeping it; bundles to carry it."""
