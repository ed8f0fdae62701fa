"""The page in a real browser. Skipped, with a word, where there is no Chromium or no Playwright."""
