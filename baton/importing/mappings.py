"""A mapping of columns that was found once and holds for the next list of the same tool: a small
JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from baton.importing.cells import DateOrder
from baton.importing.columns import IGNORED, ColumnMap, MapWrong, is_field, likely_meant, tidy
from baton.intake.line_reading import problems_of

_MAX_BYTES = 1_000_000


def _checked(field: str) -> str:
    if not is_field(field):
        raise ValueError("is no field that a column can be mapped to")
    if close := likely_meant(field):
        raise ValueError(f"is no field; did you mean {close}? Else write profile.{field}")
    return field


class SavedMapping(BaseModel):
    """Which column is what, and how the file is written. A column that is left out is mapped to
    ``-``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, Annotated[str, AfterValidator(_checked)]]
    dates: DateOrder | None = None
    zone: str | None = None
    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    sheet: str | None = None


def mapping_of(header: list[str], columns: ColumnMap, **terms: str | None) -> SavedMapping:
    """What was found for a header, ready to be saved."""
    names = {
        tidy(name): field or IGNORED
        for name, field in zip(header, columns.fields, strict=True)
        if name.strip()
    }
    return SavedMapping.model_validate(
        {"columns": names, **{name: value for name, value in terms.items() if value}}
    )


def save_mapping(path: Path, mapping: SavedMapping) -> None:
    """Write it; a file that is there is replaced."""
    path.write_text(mapping.model_dump_json(indent=2, exclude_none=True) + "\n", encoding="utf-8")


def load_mapping(path: Path) -> SavedMapping:
    """Read it; raises :class:`MapWrong` with the place and the reason."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MapWrong(f"--mapping {path}: has more than {_MAX_BYTES} bytes")
        return SavedMapping.model_validate(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise MapWrong(f"--mapping {path}: {error.strerror}") from None
    except ValidationError as error:
        raise MapWrong(f"--mapping {path}: " + "; ".join(map(str, problems_of(error)))) from None
    except ValueError:
        raise MapWrong(f"--mapping {path}: is not JSON in UTF-8") from None
