"""``python -m services.sla_watcher``: this service as one worker process."""

from baton.engine.kafka.worker import run_worker
from baton.settings import Settings
from services.sla_watcher.app import SERVICE

if __name__ == "__main__":
    run_worker(SERVICE, Settings())
