"""Sending to the inbox while no brokers answer; with brokers it is tested on Kafka."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.delivery.answers.inbox import KafkaInbox, NotTaken

NOBODY = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}


def test_lines_that_no_broker_takes_are_said_to_be_lost_each_to_its_own_sender() -> None:
    inbox = KafkaInbox(NOBODY, "baton")
    with ThreadPoolExecutor(8) as threads:
        sending = [threads.submit(inbox.send, {"id": f"line-{n}"}) for n in range(8)]
        for one in sending:
            with pytest.raises(NotTaken):
                one.result()


def test_a_process_that_sent_ends_by_itself() -> None:
    words = (
        "from services.delivery.answers.inbox import KafkaInbox, NotTaken\n"
        f"try: KafkaInbox({NOBODY!r}, 'baton').send({{'id': 'x'}})\n"
        "except NotTaken: print('lost')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "lost\n")
