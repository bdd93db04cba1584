"""What every section of ``task.yaml`` is made of."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Similarity = Annotated[float, Field(ge=-1, le=1)]
BadRow = Literal["skip", "error"]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Paths = Annotated[list[str], BeforeValidator(_as_list)]


class Section(BaseModel):
    """A block of ``task.yaml``; a key it does not know is an error, not a silent no-op."""

    model_config = ConfigDict(extra="forbid", frozen=True)
