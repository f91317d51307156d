"""What plans deliveries from Kafka's log until it is killed: run as a process by the tests of
kill -9.

``python -m tests.services.delivery.killed_follower BOOTSTRAP NAMESPACE FOLDER``: the targets are
those of FOLDER/targets.yaml, and the store is in FOLDER.
"""

import sys
from pathlib import Path

from services.delivery.log.follower import Follower
from services.delivery.store.outbox_store import Store
from services.delivery.targets.target_reading import read_targets


def main() -> None:
    bootstrap, namespace, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    options = {"bootstrap.servers": bootstrap, "log_level": 2}
    targets = read_targets(folder / "targets.yaml")
    Follower(options, namespace, lambda: Store(folder, namespace), targets).run()


if __name__ == "__main__":
    main()
