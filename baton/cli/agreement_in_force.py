"""The agreement in force on the cluster, for commands that need one."""

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.publish import KafkaAgreementTopic, NotPublished, book_of, wall_ms
from baton.cli.cluster import cluster_settings


def compiled_in_force() -> CompiledAgreement:
    """Reads the log of agreements; raises :class:`NotPublished` where none is in force."""
    book = book_of(KafkaAgreementTopic(cluster_settings()).read())
    found = book.at(wall_ms())
    if found is None:
        raise NotPublished(
            "no agreement is in force on this cluster; put one in force with: baton agreement "
            "publish FILE"
        )
    return found.agreement
