"""Letters: templates with `{name}` places, filled without anything executable."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A letter as it is written. Only the `places` it declares are filled; other braces (CSS) stay as they are."""

    subject: str
    html: str
    text: str
    places: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str = field(repr=False)
    text: str = field(repr=False)


def render(template: Template, values: Mapping[str, str]) -> Rendered:
    """Fill a template. Raises KeyError when a declared place has no value: a letter with a hole is never sent."""

    def fill(source: str, *, escape: bool) -> str:
        def one(found: re.Match[str]) -> str:
            name = found[1]
            if name not in template.places:
                return found[0]
            return html.escape(values[name]) if escape else values[name]

        return _PLACE.sub(one, source)

    subject = " ".join(fill(template.subject, escape=False).split())
    return Rendered(subject, fill(template.html, escape=True), fill(template.text, escape=False))


CREDENTIALS = Template(
    subject="Tu cuenta institucional de la Facultad de Ciencias Económicas",
    places=frozenset({"nombre", "apellido", "dni", "email", "upn", "password"}),
    text="""\
Hola, {nombre}:

Ya tenés tu cuenta institucional de la Facultad de Ciencias Económicas (UNRC).
Con ella entrás a Teams y al aula virtual.

  Usuario:                {upn}
  Contraseña provisoria:  {password}

Cómo empezar:
  1. Entrá a https://teams.microsoft.com con ese usuario y esa contraseña.
  2. La primera vez te va a pedir que elijas una contraseña nueva: que sólo vos conozcas.
  3. Guardá este correo hasta haber entrado; después borralo.

La Facultad nunca te va a pedir tu contraseña, ni por correo ni por teléfono.
Si no pediste esta cuenta o tus datos están mal ({apellido}, {nombre}, documento {dni}),
avisanos desde {email} al equipo del aula virtual de la Facultad.

Equipo del aula virtual
Facultad de Ciencias Económicas, Universidad Nacional de Río Cuarto
""",
    html="""\
<!DOCTYPE html>
<html lang="es-AR"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Tu cuenta institucional</title></head>
<body style="margin:0;padding:0;background-color:#f3f2f1;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"
 style="max-width:600px;width:100%;background-color:#ffffff;font-family:Segoe UI,Arial,sans-serif;color:#242424;">
<tr><td style="padding:24px 32px;background-color:#1f3a5f;color:#ffffff;font-size:18px;">
Facultad de Ciencias Económicas · UNRC</td></tr>
<tr><td style="padding:32px;font-size:16px;line-height:24px;">
<p style="margin:0 0 16px;">Hola, {nombre}:</p>
<p style="margin:0 0 16px;">Ya tenés tu cuenta institucional. Con ella entrás a Teams y al aula virtual.</p>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"
 style="background-color:#f3f2f1;color:#242424;"><tr><td style="padding:16px;font-size:16px;line-height:28px;">
Usuario<br><strong>{upn}</strong><br>Contraseña provisoria<br>
<strong style="font-family:Consolas,Courier New,monospace;font-size:18px;">{password}</strong></td></tr></table>
<ol style="margin:16px 0;padding-left:24px;">
<li>Entrá a <a href="https://teams.microsoft.com" style="color:#0f548c;">teams.microsoft.com</a> con ese usuario y
esa contraseña.</li>
<li>La primera vez te va a pedir que elijas una contraseña nueva: que sólo vos conozcas.</li>
<li>Guardá este correo hasta haber entrado; después borralo.</li></ol>
<p style="margin:0 0 16px;">La Facultad nunca te va a pedir tu contraseña, ni por correo ni por teléfono.</p>
<p style="margin:0;font-size:14px;line-height:20px;">Si no pediste esta cuenta o tus datos están mal ({apellido},
{nombre}, documento {dni}), avisanos desde {email} al equipo del aula virtual de la Facultad.</p>
</td></tr></table></td></tr></table></body></html>
""",
)


RECTIFY = Template(
    subject="Sobre la cuenta institucional de la que te escribimos",
    places=frozenset({"nombre", "apellido", "upn"}),
    text="""\
Hola, {nombre}:

Te escribimos antes con los datos de una cuenta institucional de la Facultad de Ciencias Económicas
(UNRC) a nombre de {apellido}, {nombre}:

  Usuario:  {upn}

Ese envío fue un error nuestro y la cuenta quedó sin efecto: la contraseña de esa carta ya no sirve.
Podés borrar aquel correo.

No tenés que hacer nada. Si te corresponde una cuenta, te vamos a escribir de nuevo.
Disculpá la molestia.

La Facultad nunca te va a pedir tu contraseña, ni por correo ni por teléfono.

Equipo del aula virtual
Facultad de Ciencias Económicas, Universidad Nacional de Río Cuarto
""",
    html="""\
<!DOCTYPE html>
<html lang="es-AR"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Sobre la cuenta de la que te escribimos</title></head>
<body style="margin:0;padding:0;background-color:#f3f2f1;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"
 style="max-width:600px;width:100%;background-color:#ffffff;font-family:Segoe UI,Arial,sans-serif;color:#242424;">
<tr><td style="padding:24px 32px;background-color:#1f3a5f;color:#ffffff;font-size:18px;">
Facultad de Ciencias Económicas · UNRC</td></tr>
<tr><td style="padding:32px;font-size:16px;line-height:24px;">
<p style="margin:0 0 16px;">Hola, {nombre}:</p>
<p style="margin:0 0 16px;">Te escribimos antes con los datos de una cuenta institucional a nombre de {apellido},
{nombre}:</p>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"
 style="background-color:#f3f2f1;color:#242424;"><tr><td style="padding:16px;font-size:16px;line-height:28px;">
Usuario<br><strong>{upn}</strong></td></tr></table>
<p style="margin:16px 0;">Ese envío fue un error nuestro y la cuenta quedó sin efecto: <strong>la contraseña de esa
carta ya no sirve</strong>. Podés borrar aquel correo.</p>
<p style="margin:0 0 16px;">No tenés que hacer nada. Si te corresponde una cuenta, te vamos a escribir de nuevo.
Disculpá la molestia.</p>
<p style="margin:0;font-size:14px;line-height:20px;">La Facultad nunca te va a pedir tu contraseña, ni por correo ni por
teléfono.</p>
</td></tr></table></td></tr></table></body></html>
""",
)


def message_id(*, batch: int, step: int, domain: str) -> str:
    """The same for every attempt at one letter, so that a repeat can be recognised as one."""
    return f"<lucy.{batch}.{step}@{domain}>"
