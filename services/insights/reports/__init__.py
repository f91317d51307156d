"""What each page shows, read from the store: one module a page, plain values out. No HTML, no
clock: the moment is handed in."""
