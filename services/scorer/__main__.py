"""``python -m services.scorer``: this service as one worker process, as ``baton worker scorer``."""

from baton.cli.main import app

if __name__ == "__main__":
    app(["worker", "scorer"])
