"""How the REST server writes an answer: JSON when asked for, else XML.

Source: contracts/moodle.md (first paragraph); `webservice/rest/locallib.php`,
https://docs.moodle.org/dev/Creating_a_web_service_client.
"""

import json
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sandbox.moodle.errors import MoodleError

XML_HEAD = '<?xml version="1.0" encoding="UTF-8" ?>\n'


def json_answer(result: Any) -> str:
    return json.dumps(result, ensure_ascii=True, separators=(",", ":"))


def json_error(error: MoodleError) -> str:
    return json_answer(error.body())


def xml_answer(result: Any) -> str:
    body = "" if result is None else _element(result)
    return f"{XML_HEAD}<RESPONSE>\n{body}</RESPONSE>\n"


def xml_error(error: MoodleError) -> str:
    code = "" if error.errorcode is None else f"<ERRORCODE>{escape(error.errorcode)}</ERRORCODE>\n"
    return (
        f"{XML_HEAD}<EXCEPTION class={quoteattr(error.exception)}>\n{code}"
        f"<MESSAGE>{escape(error.message)}</MESSAGE>\n</EXCEPTION>\n"
    )


def _element(value: Any) -> str:
    if isinstance(value, list):
        return f"<MULTIPLE>\n{''.join(_element(item) for item in value)}</MULTIPLE>\n"
    if isinstance(value, dict):
        keys = "".join(f"<KEY name={quoteattr(name)}>{_element(item)}</KEY>\n" for name, item in value.items())
        return f"<SINGLE>\n{keys}</SINGLE>\n"
    text = str(int(value)) if isinstance(value, bool) else str(value)
    return f"<VALUE>{escape(text)}</VALUE>\n"
