"""The letters of passwords and of welcome, as they are before anybody edits them; `letters.render` fills them.

One frame for all: 600 px, inline styles, colours that a dark mode may turn; tables look alike in every client.
"""

from lucy.domain.letters import Template

_HEAD = """\
<!DOCTYPE html>
<html lang="es-AR"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>[title]</title></head>
<body style="margin:0;padding:0;background-color:#f3f2f1;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"
 style="max-width:600px;width:100%;background-color:#ffffff;font-family:Segoe UI,Arial,sans-serif;color:#242424;">
<tr><td style="padding:24px 32px;background-color:#1f3a5f;color:#ffffff;font-size:18px;">
Facultad de Ciencias Económicas · UNRC</td></tr>
<tr><td style="padding:32px;font-size:16px;line-height:24px;">
"""
_FOOT = "\n</td></tr></table></td></tr></table></body></html>\n"
_NEVER = "La Facultad nunca te va a pedir tu contraseña, ni por correo ni por teléfono."
_SIGNED = """\
Equipo del aula virtual
Facultad de Ciencias Económicas, Universidad Nacional de Río Cuarto
"""


def _page(title: str, *paragraphs: str) -> str:
    texts = "\n".join(f'<p style="margin:0 0 16px;">{one}</p>' for one in paragraphs)
    return _HEAD.replace("[title]", title) + texts + _FOOT


PASSWORD = Template(
    subject="Tu contraseña nueva de la cuenta institucional",
    places=frozenset({"nombre", "upn", "password"}),
    text=f"""\
Hola, {{nombre}}:

Se pidió una contraseña nueva para tu cuenta institucional de la Facultad de Ciencias Económicas (UNRC).
La que tenías ya no sirve.

  Usuario:                {{upn}}
  Contraseña provisoria:  {{password}}

Entrá a https://teams.microsoft.com con esos datos: te va a pedir que elijas una contraseña que sólo
vos conozcas. Después borrá este correo.

Si no la pediste, avisanos enseguida: escribile al equipo del aula virtual de la Facultad.
{_NEVER}

{_SIGNED}""",
    html=_page(
        "Tu contraseña nueva",
        "Hola, {nombre}:",
        "Se pidió una contraseña nueva para tu cuenta institucional. <strong>La que tenías ya no sirve.</strong>",
        "Usuario<br><strong>{upn}</strong>",
        'Contraseña provisoria<br><strong style="font-family:Consolas,Courier New,monospace;font-size:18px;">'
        "{password}</strong>",
        'Entrá a <a href="https://teams.microsoft.com" style="color:#0f548c;">teams.microsoft.com</a> con esos datos: '
        "te va a pedir que elijas una contraseña que sólo vos conozcas. Después borrá este correo.",
        "Si no la pediste, avisanos enseguida: escribile al equipo del aula virtual de la Facultad.",
        _NEVER,
    ),
)

NOTICE = Template(
    subject="Se pidió una contraseña nueva para tu cuenta institucional",
    places=frozenset({"nombre", "upn"}),
    text=f"""\
Hola, {{nombre}}:

Alguien pidió una contraseña nueva para la cuenta institucional {{upn}}, y la mandamos a un correo distinto de éste,
que es el que figura ahora en los registros de la Universidad.

Si cambiaste tu correo hace poco, no tenés que hacer nada.
Si no fuiste vos, avisanos enseguida: escribile al equipo del aula virtual de la Facultad.

{_NEVER}

{_SIGNED}""",
    html=_page(
        "Se pidió una contraseña nueva",
        "Hola, {nombre}:",
        "Alguien pidió una contraseña nueva para la cuenta institucional <strong>{upn}</strong>, y la mandamos a un "
        "correo distinto de éste, que es el que figura ahora en los registros de la Universidad.",
        "Si cambiaste tu correo hace poco, no tenés que hacer nada.",
        "<strong>Si no fuiste vos, avisanos enseguida</strong>: escribile al equipo del aula virtual de la Facultad.",
        _NEVER,
    ),
)

WELCOME = Template(
    subject="Te damos la bienvenida a la Facultad de Ciencias Económicas",
    places=frozenset({"nombre", "apellido", "dni", "email"}),
    text=f"""\
Hola, {{nombre}}:

Recibimos tu inscripción en la Facultad de Ciencias Económicas (UNRC), a nombre de {{apellido}}, {{nombre}}
(documento {{dni}}).

Más adelante te vamos a escribir a este correo ({{email}}) con tu cuenta institucional: con ella vas a
entrar a Teams y al aula virtual. Hasta entonces no tenés que hacer nada.

Si algún dato está mal, avisale a Registro de Alumnos.
{_NEVER}

{_SIGNED}""",
    html=_page(
        "Te damos la bienvenida",
        "Hola, {nombre}:",
        "Recibimos tu inscripción en la Facultad de Ciencias Económicas, a nombre de <strong>{apellido}, {nombre}"
        "</strong> (documento {dni}).",
        "Más adelante te vamos a escribir a este correo ({email}) con tu cuenta institucional: con ella vas a entrar a "
        "Teams y al aula virtual. Hasta entonces no tenés que hacer nada.",
        "Si algún dato está mal, avisale a Registro de Alumnos.",
        _NEVER,
    ),
)

TEST = Template(
    subject="Correo de prueba de Lucy",
    places=frozenset({"quien", "cuando", "ambiente"}),
    text=f"""\
Este es un correo de prueba. Lo pidió {{quien}} el {{cuando}} ({{ambiente}}).

Si lo estás leyendo, el servidor de correo acepta las cartas de Lucy. No hay que contestarlo.

{_SIGNED}""",
    html=_page(
        "Correo de prueba",
        "Este es un correo de prueba. Lo pidió <strong>{quien}</strong> el {cuando} ({ambiente}).",
        "Si lo estás leyendo, el servidor de correo acepta las cartas de Lucy. No hay que contestarlo.",
    ),
)
