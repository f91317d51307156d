"""A projector of the board that runs until it is killed: run as a process by the tests of kill -9.

``python -m tests.services.insights.killed_projector BOOTSTRAP NAMESPACE FOLDER``.
"""

import sys
from pathlib import Path

from services.insights.projection.board_stores import BoardFiles
from services.insights.projection.projector import Projector


def main() -> None:
    bootstrap, namespace, folder = sys.argv[1:]
    options = {"bootstrap.servers": bootstrap, "log_level": 2}
    Projector(options, namespace, BoardFiles(Path(folder))).run()


if __name__ == "__main__":
    main()
