"""JSON Schemas of models, with references into one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

WHERE = "#/components/schemas/"

Schema = dict[str, Any]


class Schemas:
    """The schemas of models, each by a reference; those that were asked for are `components`."""

    def __init__(self) -> None:
        self._models: dict[type[BaseModel], None] = {}

    def reference(self, model: type[BaseModel]) -> Schema:
        """Where the schema of a model will be."""
        self._models[model] = None
        return {"$ref": WHERE + model.__name__}

    @property
    def components(self) -> Schema:
        """The schemas by name, those that they refer to included."""
        _, found = models_json_schema(
            [(model, "validation") for model in self._models],
            ref_template=WHERE + "{model}",
            schema_generator=_Plain,
        )
        return dict(found.get("$defs", {}))


def parameters(model: type[BaseModel] | None) -> list[Schema]:
    """The fields of a model as parameters of a query."""
    fields = model.model_json_schema(schema_generator=_Plain)["properties"] if model else {}
    return [{"name": name, "in": "query", "schema": _present(one)} for name, one in fields.items()]


def _present(schema: Mapping[str, Any]) -> Schema:
    """The schema of a parameter where it is given: one that is None is left out."""
    kinds = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "title")}
    if kept.get("default", "") is None:
        del kept["default"]
    return kept | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})


class _Plain(GenerateJsonSchema):
    """Without a title for each field, which only repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
