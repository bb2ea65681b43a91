"""Locales by their names in CLDR."""

from babel import localedata

from pipeline.errors import JobError


def check_locale(whose: str, locale: str | None) -> None:
    """Raise JobError on a locale that CLDR does not have."""
    if locale and not localedata.exists(locale):
        raise JobError(f"{whose}: no such locale: {locale} (en_US, de_DE and fr_CH are some)")
