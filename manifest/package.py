"""`manifest.json`, the English texts beside it, the icons: made from the settings, put into a zip.

Least permissions: no resource-specific consent, so Lucy hears what mentions her and what is written to her in private.
Source: https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema (1.19), and the limits of
contracts/teams-bot.md, section 7: ten commands a list, 32 and 128 characters.
"""

import io
import json
import zipfile
from pathlib import Path
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from lucy.errors import ConfigurationError
from lucy.settings import Settings
from manifest.texts import COMMANDS, ENGLISH, SPANISH

VERSION = "0.1.0"  # as in pyproject.toml, which is not in the image
HERE = Path(__file__).parent
MANIFEST_VERSION = "1.19"
SCHEMA = "https://developer.microsoft.com/json-schemas/teams/v1.19/MicrosoftTeams"
ICONS = {"color.png": 192, "outline.png": 32}
ACCENT = "#1F3A5F"
ENGLISH_FILE = "en.json"


def build_package(settings: Settings) -> bytes:
    """The zip. Raises ConfigurationError naming each setting that is missing."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, document in (("manifest.json", manifest(settings)), (ENGLISH_FILE, english(settings))):
            package.writestr(_at_rest(name), json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        for name in ICONS:
            package.writestr(_at_rest(name), (HERE / name).read_bytes())
    return content.getvalue()


def manifest(settings: Settings) -> dict[str, object]:
    """Raises ConfigurationError."""
    if problems := _problems(settings):
        raise ConfigurationError("\n".join(problems))
    site = settings.app_site or settings.public_url
    lists = [{"title": spanish.title, "description": spanish.does} for spanish, _english in COMMANDS]
    return {
        "$schema": f"{SCHEMA}.schema.json",
        "manifestVersion": MANIFEST_VERSION,
        "version": VERSION,
        "id": settings.app_id or str(uuid5(NAMESPACE_URL, f"urn:lucy:{settings.bot_app_id.lower()}")),
        "developer": {
            "name": settings.app_developer,
            "websiteUrl": site,
            "privacyUrl": site,
            "termsOfUseUrl": site,
        },
        "name": {"short": settings.app_name, "full": f"{settings.app_name}, {SPANISH.full_name}"},
        "description": {"short": SPANISH.short, "full": SPANISH.full},
        "localizationInfo": {
            "defaultLanguageTag": "es",
            "additionalLanguages": [{"languageTag": "en", "file": ENGLISH_FILE}],
        },
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": ACCENT,
        "bots": [
            {
                "botId": settings.bot_app_id,
                "scopes": ["personal", "team"],
                "supportsFiles": False,
                "isNotificationOnly": False,
                "commandLists": [{"scopes": ["personal", "team"], "commands": lists}],
            }
        ],
        "permissions": ["identity", "messageTeamMembers"],
        "validDomains": [urlsplit(settings.public_url).hostname or ""],
    }


def english(settings: Settings) -> dict[str, str]:
    """What of the manifest is another text in English."""
    found = {
        "$schema": f"{SCHEMA}.Localization.schema.json",
        "name.short": settings.app_name,
        "name.full": f"{settings.app_name}, {ENGLISH.full_name}",
        "description.short": ENGLISH.short,
        "description.full": ENGLISH.full,
    }
    for at, (_spanish, one) in enumerate(COMMANDS):
        place = f"bots[0].commandLists[0].commands[{at}]"
        found |= {f"{place}.title": one.title, f"{place}.description": one.does}
    return found


def _problems(settings: Settings) -> list[str]:
    found = []
    for name in ("bot_app_id", "app_id"):
        value = getattr(settings, name)
        if (value or name == "bot_app_id") and not _is_guid(value):
            found.append(f"LUCY_{name.upper()} has to be a GUID, as Entra gives it.")
    for name in ("public_url", "app_site"):
        value = getattr(settings, name)
        if (value or name == "public_url") and not value.startswith("https://"):
            found.append(f"LUCY_{name.upper()} has to be an https address: Teams takes no other.")
    for name, longest in (("app_name", 30), ("app_developer", 32)):
        if not 0 < len(getattr(settings, name)) <= longest:
            found.append(f"LUCY_{name.upper()} has to be of 1 to {longest} characters.")
    return found


def _is_guid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _at_rest(name: str) -> zipfile.ZipInfo:
    """The same package from the same settings, byte for byte."""
    entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
