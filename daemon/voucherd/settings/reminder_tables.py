"""The reminder settings that partners, programmes and vouchers of some value have of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from voucherd.domain.reconciliation.amounts import money, parse_amount
from voucherd.domain.reminder_tables import REMINDED, Closed, OwnReminders, ValueRule
from voucherd.settings import forms
from voucherd.settings.keys import UNUSUAL, Amount, Count, Section, Steps, as_error, checked
from voucherd.settings.refusal import RefusedError

Currency = Annotated[str, AfterValidator(checked(forms.currency))]
ClosedDays = tuple[Annotated[Any, BeforeValidator(checked(forms.closed_days))], ...]
BY_VALUE_EXAMPLE = [{"at_least": "10000.00", "currency": "EUR", "bill": [45, 30, 14, 7, 3, 1, 0]}]
CLOSED_EXAMPLE = ["2021-12-24", "2021-12-27..2021-12-31"]


class StepsTable(Section):
    """Steps of the deadlines that a table names; the others are as a farther setting says."""

    reserve: Steps | None = Field(
        default=None, description="Days before the deadline to reserve.", examples=[[14, 7, 3, 1, 0]]
    )
    redeem: Steps | None = Field(
        default=None, description="Days before the deadline to redeem.", examples=[[30, 14, 7, 3, 1, 0]]
    )
    bill: Steps | None = Field(
        default=None, description="Days before the deadline to bill.", examples=[[30, 14, 7, 3, 1, 0]]
    )

    def own_steps(self) -> dict[str, tuple[int, ...]]:
        """The steps of each deadline that is named."""
        named = {"reserve": self.reserve, "redeem": self.redeem, "bill": self.bill}
        return {name: days for name, days in named.items() if days is not None}


class StepsByValue(StepsTable):
    """Other steps for vouchers from some value on."""

    at_least: Amount = Field(description="The value from which on the steps hold.", examples=["10000.00"])
    currency: Currency = Field(description="Its currency (ISO 4217); never converted.", examples=["EUR"])

    @model_validator(mode="after")
    def _says_something(self) -> StepsByValue:
        if not self.own_steps():
            raise as_error(RefusedError("names no steps", f"give it one of {', '.join(REMINDED)}"))
        try:
            self._minor_units()
        except ValueError as error:
            raise as_error(RefusedError(f"is not an amount: {error}", 'write it like "10000.00"')) from None
        return self

    def _minor_units(self) -> int:
        return parse_amount(f"{self.at_least:f}", self.currency)

    def rule(self, file: str, key: str) -> ValueRule:
        """The rule as the domain knows it; `key` is where it stands in `file`."""
        amount = self._minor_units()
        steps = self.own_steps()
        written = sources(steps, file, key)
        worth = money(amount, self.currency)
        return ValueRule(
            amount,
            self.currency,
            steps,
            {d: f"{said} (worth {worth} or more)" for d, said in written.items()},
        )


ByValue = tuple[StepsByValue, ...]


def sources(deadlines: Iterable[str], file: str, key: str) -> dict[str, str]:
    """Per deadline where its steps are written, for `explain`."""
    return {deadline: f"{key}.{deadline} in {file}" for deadline in deadlines}


def rules_of(rows: Sequence[StepsByValue], file: str, key: str) -> tuple[ValueRule, ...]:
    """The rules by value of the table `key`."""
    return tuple(row.rule(file, f"{key}.by_value[{index}]") for index, row in enumerate(rows))


def closed_by(spans: Iterable[tuple[date, date]], whose: str) -> tuple[Closed, ...]:
    """Closed days with who is closed on them."""
    return tuple(Closed(first, last, whose) for first, last in spans)


class ProgrammeReminders(StepsTable):
    """Steps of a programme's vouchers, before the desk's and behind a partner's own."""

    by_value: ByValue = Field(
        default=(),
        description="Other steps from some value of the voucher on, before the steps of this table and the desk's.",
        examples=[BY_VALUE_EXAMPLE],
        json_schema_extra=UNUSUAL,
    )

    def own(self, file: str, key: str = "reminders") -> OwnReminders:
        """The settings as the domain knows them."""
        steps = self.own_steps()
        return OwnReminders(
            steps=steps, by_value=rules_of(self.by_value, file, key), sources=sources(steps, file, key)
        )


class PartnerReminders(StepsTable):
    """What this partner has of its own; a key left out is as the rules by value, the programme or the desk say."""

    by_value: ByValue = Field(
        default=(),
        description="Other steps for its vouchers from some value on, before the steps of this table.",
        examples=[BY_VALUE_EXAMPLE],
        json_schema_extra=UNUSUAL,
    )
    send_at: Annotated[time | None, BeforeValidator(checked(forms.clock_time))] = Field(
        default=None, description="The partner's local time.", examples=["08:00"]
    )
    business_days_only: bool | None = Field(
        default=None,
        description="false: also on weekends and public holidays of its country.",
        examples=[False],
    )
    closed_days: ClosedDays = Field(
        default=(),
        description="Days and spans of days on which it is closed, beside the desk's; mail goes earlier.",
        examples=[CLOSED_EXAMPLE],
        json_schema_extra=UNUSUAL,
    )
    escalate_at: Annotated[Count | None, Field(ge=0, le=730)] = Field(
        default=None, description="From this many days on, `escalation` is copied.", examples=[5]
    )

    def own(self, file: str, key: str, whose: str) -> OwnReminders:
        """The settings as the domain knows them."""
        steps = self.own_steps()
        return OwnReminders(
            steps=steps,
            by_value=rules_of(self.by_value, file, key),
            send_at=self.send_at,
            business_days_only=self.business_days_only,
            escalate_at=self.escalate_at,
            closed=closed_by(self.closed_days, whose),
            sources=sources(steps, file, key),
        )


def desk_sources(given: Iterable[str], variables: Mapping[str, str], file: str) -> dict[str, str]:
    """Where the desk's own steps come from: a key that was `given`, a variable that overrides it, the default."""
    named = set(given)
    return {
        deadline: variables.get(deadline)
        or (f"reminders.{deadline} in {file}" if deadline in named else f"reminders.{deadline}, the default")
        for deadline in REMINDED
    }
