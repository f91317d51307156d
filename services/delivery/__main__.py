"""``python -m services.delivery``: this service as one worker process, as ``baton worker
delivery``."""

from baton.cli.main import app

if __name__ == "__main__":
    app(["worker", "delivery"])
