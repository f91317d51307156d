"""An agreement is UTF-8; a file in another encoding is refused with the place and the remedy."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.agreement.source.read import AgreementRefused, examine, read_agreement
from baton.cli.main import build

STARTER = Path(__file__).resolve().parents[2] / "baton" / "agreement" / "starter.yaml"
TEXT = STARTER.read_text(encoding="utf-8").replace("\nname: ", "\nname: Bäcker & ", 1)
LINE = TEXT[: TEXT.index("Bäcker")].count("\n") + 1
UTF_16 = "is written in UTF-16: save it as UTF-8"
REFUSED = {
    "latin-1": f":{LINE}: byte 8 of the line, 0xe4, is not UTF-8: save it as UTF-8",
    "cp1252": f":{LINE}: byte 8 of the line, 0xe4, is not UTF-8: save it as UTF-8",
    "utf-16": f": {UTF_16}",
    "utf-16-be": ":1: has a zero byte, as UTF-16 has: save it as UTF-8",
    "utf-32": ": is written in UTF-32: save it as UTF-8",
}


@pytest.mark.parametrize("encoding", REFUSED)
def test_a_file_in_another_encoding_is_refused_with_its_place(
    encoding: str, tmp_path: Path
) -> None:
    file = tmp_path / "agreement.yaml"
    file.write_bytes(TEXT.encode(encoding))
    with pytest.raises(AgreementRefused) as refused:
        read_agreement(file)
    assert str(refused.value) == f"{file}{REFUSED[encoding]}"
    result = CliRunner().invoke(build(), ["agreement", "check", str(file)])
    assert result.exit_code == 1
    assert REFUSED[encoding].partition(": ")[2] in result.output


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_a_mark_and_without(encoding: str) -> None:
    model = examine(TEXT.encode(encoding), STARTER.parent).model
    assert model is not None
    assert model.name.startswith("Bäcker & ")
