"""System checks: settings that contradict each other are said before the first request."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from billing.gateways import chosen
from pipeline import roster

# Settings of the files that only make sense with others: the first asks for the rest.
FILES_TOGETHER = (
    ("AWS_STORAGE_BUCKET_NAME", ("AWS_S3_REGION_NAME",)),
    ("AWS_S3_ENDPOINT_URL", ("AWS_STORAGE_BUCKET_NAME",)),
    ("AWS_ACCESS_KEY_ID", ("AWS_SECRET_ACCESS_KEY",)),
    ("AWS_SECRET_ACCESS_KEY", ("AWS_ACCESS_KEY_ID",)),
    ("AWS_S3_CUSTOM_DOMAIN", ("AWS_STORAGE_BUCKET_NAME", "AWS_CLOUDFRONT_KEY_ID", "AWS_CLOUDFRONT_KEY")),
    ("AWS_CLOUDFRONT_KEY_ID", ("AWS_S3_CUSTOM_DOMAIN", "AWS_CLOUDFRONT_KEY")),
    ("AWS_CLOUDFRONT_KEY", ("AWS_S3_CUSTOM_DOMAIN", "AWS_CLOUDFRONT_KEY_ID")),
)


@register(Tags.security, deploy=True)
def production_is_not_a_demo(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The sandbox till and debug pages must not meet real customers."""
    found: list[CheckMessage] = []
    if settings.PRODUCTION and settings.DEBUG:
        found.append(Error("DEBUG is on in production.", hint="Unset DEBUG.", id="videogen.E001"))
    if settings.PRODUCTION and chosen.name() == "sandbox":
        found.append(
            Warning(
                "The sandbox till takes no real money.",
                hint="It closes in production; set GATEWAY once a payment provider is configured.",
                id="videogen.W001",
            )
        )
    if settings.PRODUCTION and not settings.REQUIRE_MFA:
        found.append(
            Warning(
                "Staff and creators enter the desk without a second factor.",
                hint="Unset REQUIRE_MFA: a stolen mailbox opens fans' photos and money.",
                id="videogen.W002",
            )
        )
    return found


@register("money")
def a_dollar_costs_something(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Budgets are divided by it."""
    if settings.USD_RATE > 0:
        return []
    return [Error("USD_RATE must be more than 0.", hint="docs/settings.md, Vendors.", id="videogen.E020")]


# ISO 4217 currencies whose minor unit is no hundredth, and those that gateways count in another way than the standard.
NO_HUNDREDTHS = frozenset(
    [
        "BHD",
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "IQD",
        "ISK",
        "JOD",
        "JPY",
        "KMF",
        "KRW",
        "KWD",
        "LYD",
        "MGA",
        "MRU",
        "OMR",
        "PYG",
        "RWF",
        "TND",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)


@register("money")
def money_has_hundredths(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Prices, books and forms write two decimals: 2,900 yen would read as 29."""
    if len(settings.CURRENCY) == 3 and settings.CURRENCY.isupper() and settings.CURRENCY not in NO_HUNDREDTHS:
        return []
    return [Error(f"CURRENCY={settings.CURRENCY} has no hundredths, or is none.", id="videogen.E021")]


@register("vendors")
def vendors_can_be_asked(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Half a key would cost every film, one by one: workers that have one do not start, and their orders wait."""
    return [Error(fault, hint="docs/settings.md, Vendors.", id="videogen.E030") for fault in roster.faults()]


@register("vendors")
def fans_can_pay(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Half a key would be found out by the first fan who pays."""
    return [Error(fault, hint="docs/settings.md, Payments.", id="videogen.E040") for fault in chosen.faults()]


@register("files")
def files_are_whole(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Half a bucket loses files; half a CloudFront hands them to everyone."""
    found: list[CheckMessage] = []
    for first, others in FILES_TOGETHER:
        lacking = [other for other in others if getattr(settings, first) and not getattr(settings, other)]
        if lacking:
            found.append(
                Error(
                    f"{first} is set, {' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not.",
                    hint="docs/settings.md, Files on S3.",
                    id="videogen.E010",
                )
            )
    if settings.AWS_S3_ENDPOINT_URL and not settings.AWS_S3_ENDPOINT_URL.startswith(("https://", "http://")):
        found.append(Error("AWS_S3_ENDPOINT_URL must begin with https:// or http://.", id="videogen.E011"))
    if settings.AWS_CLOUDFRONT_KEY and "PRIVATE KEY-----" not in settings.AWS_CLOUDFRONT_KEY:
        found.append(Error("AWS_CLOUDFRONT_KEY is no private key in PEM form.", id="videogen.E012"))
    return found
