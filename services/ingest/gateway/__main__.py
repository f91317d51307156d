"""``python -m services.ingest.gateway``: the gateway as a process, as ``baton worker gateway``."""

from baton.cli.main import app

if __name__ == "__main__":
    app(["worker", "gateway"])
