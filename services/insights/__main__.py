"""``python -m services.insights``: this service as one worker process, as ``baton worker
insights``."""

from baton.cli.main import app

if __name__ == "__main__":
    app(["worker", "insights"])
