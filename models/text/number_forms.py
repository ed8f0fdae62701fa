"""How languages write numbers, sums of money and shares: the forms of the Unicode CLDR, by way of Babel."""

from dataclasses import dataclass
from functools import cache

from babel import Locale, UnknownLocaleError

PLAIN_BLANK, NARROW_BLANK, WIDE_BLANK = " ", "\u202f", "\u00a0"
"""The plain one, and those at which no line breaks. A group of digits is parted by a narrow one."""

UNBROKEN_BLANKS = NARROW_BLANK + WIDE_BLANK + "\u2009"
BLANKS = PLAIN_BLANK + UNBROKEN_BLANKS


@dataclass(frozen=True, slots=True)
class NumberForm:
    """`decimal` and `group` part fractions and thousands; groups have `primary` digits, and `secondary` from the second
    on (12,34,567 in Hindi). `money` and `share` are what stands in front of a number and behind it, where "¤" is the
    currency's sign and "%" the sign of hundredths.
    """

    decimal: str
    group: str
    primary: int
    secondary: int
    money: tuple[str, str]
    share: tuple[str, str]

    @property
    def blank_grouped(self) -> bool:
        """Whether blanks part thousands."""
        return self.group in BLANKS

    def write(self, whole: str, fraction: str | None, *, grouped: bool) -> str:
        """A number of these digits; where it is `grouped`, thousands are parted."""
        if grouped and len(whole) > self.primary:
            head, tail = whole[: -self.primary], whole[-self.primary :]
            first = len(head) % self.secondary or self.secondary
            groups = [head[:first], *(head[at : at + self.secondary] for at in range(first, len(head), self.secondary))]
            whole = self.group.join([*groups, tail])
        return whole if fraction is None else f"{whole}{self.decimal}{fraction}"


@cache
def form_of(language: str) -> NumberForm | None:
    """The form of a language by its code, with Western digits; None where CLDR has none."""
    try:
        locale = Locale(language)
        symbols = locale.number_symbols["latn"]
        decimal, group = str(symbols["decimal"]), str(symbols["group"])
        # Typed only as a mapping of names, some of which have no default.
        shares, money = locale.percent_formats[None], locale.currency_formats["standard"]
        primary, secondary = locale.decimal_formats[None].grouping
    except (UnknownLocaleError, ValueError, KeyError):
        return None
    return NumberForm(
        decimal=decimal,
        group=NARROW_BLANK if group in BLANKS else group,
        primary=int(primary),
        secondary=int(secondary),
        money=_around(str(money.pattern)),
        share=_around(str(shares.pattern)),
    )


def _around(pattern: str) -> tuple[str, str]:
    """What a pattern has in front of its number and behind it: ("", "\u00a0¤") of "#,##0.00\u00a0¤"."""
    positive = pattern.partition(";")[0].replace("\u200e", "").replace("\u200f", "")
    number = [at for at, letter in enumerate(positive) if letter in "#0"]
    return positive[: number[0]], positive[number[-1] + 1 :]
