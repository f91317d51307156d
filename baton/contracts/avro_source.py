"""The text of an encoder or decoder in the making (:mod:`baton.contracts.avro_binary`)."""

from __future__ import annotations

from typing import Any


class Source:
    """The text of a function in the making, and the names it uses."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope
        self._lines: list[str] = []
        self._names = 0
        self._items: list[str] = []
        self._blocks = False

    def line(self, text: str) -> None:
        self._lines.append(text)

    def name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def items(self, *expressions: str) -> None:
        """What is written next: fields in a row are one tuple, without a call for each of them."""
        self._items += expressions

    def write_items(self, indent: str) -> None:
        """Write what is collected: what comes next is inside a block, or behind one."""
        if not self._blocks:
            self._blocks = True
            self.line(f"{indent}p = [{', '.join(self._items)}]; a = p.append; x = p.extend")
        elif len(self._items) == 1:
            self.line(f"{indent}a({self._items[0]})")
        elif self._items:
            self.line(f"{indent}x(({', '.join(self._items)}))")
        self._items.clear()

    def join_items(self, indent: str) -> None:
        """The end of an encoder."""
        if self._blocks:
            self.write_items(indent)
            self.line(f"{indent}return join(p)")
        else:
            self.line(f"{indent}return join(({', '.join(self._items)}))")

    def compiled(self, function: str, record_type: Any) -> Any:
        code = compile("\n".join(self._lines), f"<{function} {record_type.__name__}>", "exec")
        exec(code, self.scope)  # as dataclasses does: the text is made of our own field names alone
        return self.scope[function]
