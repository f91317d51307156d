"""``python -m services.router``: this service as one worker process, as ``baton worker router``."""

from baton.cli.main import app

if __name__ == "__main__":
    app(["worker", "router"])
