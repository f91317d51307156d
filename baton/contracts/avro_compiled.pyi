"""Types of ``avro_compiled.pyx``."""

from collections.abc import Callable, Iterable
from typing import Any

class Node:
    def __init__(
        self,
        kind: str,
        made_of: Any = ...,
        fields: Iterable[tuple[str, Node]] = ...,
        element: Node | None = ...,
        written_once: bool = ...,
    ) -> None: ...

def encoder(node: Node, frame: bytes) -> Callable[..., bytes]: ...
def decoder(node: Node) -> Callable[[bytes, int], Any]: ...
