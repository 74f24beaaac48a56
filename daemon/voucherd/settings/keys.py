"""What a key of a configuration file may hold: the kinds of value, and the table that holds them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from voucherd.settings import endpoint, forms
from voucherd.settings.endpoint import Endpoint
from voucherd.settings.refusal import RefusedError
from voucherd.settings.secret import Secret


def checked(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A check of `forms` as pydantic calls it: a refusal becomes an error that keeps its remedy."""

    def validate(value: Any) -> Any:
        try:
            return check(value)
        except RefusedError as refused:
            raise as_error(refused) from None

    return validate


def as_error(refused: RefusedError) -> PydanticCustomError:
    """A refusal as pydantic passes it on."""
    return PydanticCustomError("refused", "{what}", {"what": refused.what, "remedy": refused.remedy})


def _located(parse: Callable[[str, Path], Any]) -> Callable[[Any, ValidationInfo], Any]:
    """A reader of URLs that needs the configuration's folder."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            raise as_error(RefusedError("is not a URL", "write it as text"))
        try:
            return parse(value, _base(info))
        except RefusedError as refused:
            raise as_error(refused) from None

    return validate


def _base(info: ValidationInfo) -> Path:
    return Path(info.context["base"]) if info.context else Path()


def _resolve(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise as_error(
            RefusedError("is not a path", "write it as text; relative paths start at this file's folder")
        )
    return _base(info) / value


def _not_a_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise as_error(RefusedError("is not a number", "write a whole number"))
    return value


def listed(value: Any) -> Any:
    """One text where a list is asked for stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _exact(value: Any) -> Any:
    """Amounts are written as text: a TOML float has lost what was meant already."""
    if isinstance(value, (float, bool)):
        raise as_error(RefusedError("is not an exact amount", f'write it as text: "{value}"'))
    return value


TYPICAL: dict[str, JsonValue] = {
    "typical": True
}  # not commented out in the annotated example, though optional
UNUSUAL: dict[str, JsonValue] = {"typical": False}  # commented out there, though it has an example

Text = Annotated[str, AfterValidator(checked(forms.one_line))]
Name = Annotated[str, AfterValidator(checked(forms.name))]
Addr = Annotated[str, AfterValidator(checked(forms.address))]
Domain = Annotated[str, AfterValidator(checked(forms.domain))]
Zone = Annotated[str, AfterValidator(checked(forms.zone))]
Locale = Annotated[str, AfterValidator(checked(forms.locale))]
Country = Annotated[str, AfterValidator(checked(forms.country))]
Located = Annotated[Path, BeforeValidator(_resolve)]
Count = Annotated[int, BeforeValidator(_not_a_switch)]
Steps = Annotated[tuple[Count, ...], AfterValidator(checked(forms.steps))]
Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0)]
MailboxUrl = Annotated[Endpoint, BeforeValidator(_located(endpoint.mailbox_url))]
DeliveryUrl = Annotated[Endpoint, BeforeValidator(_located(endpoint.delivery_url))]
StoreUrl = Annotated[str, BeforeValidator(_located(endpoint.store_url))]


def words(*known: str) -> AfterValidator:
    """A value out of a closed list."""
    return AfterValidator(checked(lambda value: forms.one_of(value, known)))


class Section(BaseModel):
    """One table of a configuration file: unknown keys are refused, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    _secrets: dict[str, Secret] = PrivateAttr(default_factory=dict)

    def secret(self, name: str) -> Secret:
        """The secret `name` of this table (`password`, `token_key`)."""
        return self._secrets[name]
