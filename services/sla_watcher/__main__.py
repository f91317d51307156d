"""``python -m services.sla_watcher``: this service as one worker process, as ``baton worker
sla_watcher``."""

from baton.cli.main import app

if __name__ == "__main__":
    app(["worker", "sla_watcher"])
