"""``baton registry``: the read part of a schema registry's API, for subscribers' deserializers."""

import typer
import uvicorn

from baton.contracts.schemas import shelf
from baton.registry.app import RegistryApi
from baton.registry.book import book_of
from baton.settings import load_settings

app = typer.Typer(add_completion=False)


class RegistryInUse(RuntimeError):
    """Another registry's ids are on the wire; the text says what to do."""


@app.command(
    epilog="Examples:  baton registry        curl -s http://127.0.0.1:8081/subjects        "
    "a consumer: schema.registry.url=http://127.0.0.1:8081"
)
def registry(
    host: str = typer.Option(
        "127.0.0.1", "--host", help="Address to listen on. It asks for no password: keep it inside."
    ),
    port: int = typer.Option(8081, "--port", min=0, max=65535, help="Port to listen on."),
) -> None:
    """Serve the schemas of the public topics as a Confluent Schema Registry does, read-only, until
    Ctrl-C.

    Every Avro deserializer of Confluent's works with it unchanged. It is a process of its own: it
    needs no broker and no write key, and belongs on the subscribers' side of a firewall, where the
    gateway does not.
    """
    settings = load_settings()
    if settings.registry_url:
        raise RegistryInUse(
            "BATON_REGISTRY_URL is set: the ids on the wire are those of that registry; point "
            "consumers to it"
        )
    book = book_of(shelf(), settings.namespace)
    typer.echo(f"{len(book.subjects)} subjects at http://{host}:{port}/subjects")
    uvicorn.run(RegistryApi(book).app(), host=host, port=port, log_level="warning")
