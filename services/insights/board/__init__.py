"""The web pages: server-rendered, readable without scripts, live where there are some. GET changes
nothing."""
