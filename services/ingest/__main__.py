"""``python -m services.ingest``: this service as one worker process, as ``baton worker ingest``."""

from baton.cli.main import app

if __name__ == "__main__":
    app(["worker", "ingest"])
