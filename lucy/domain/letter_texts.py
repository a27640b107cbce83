"""The letters as they are before anybody edits them; `letters.render` fills them.

What stands here is the content; the frame is in `lucy/domain/letters.py`.
"""

from lucy.domain.letters import LetterKind, LetterName, Template

_NAMES = frozenset({"nombre", "apellido"})
_PERSON = _NAMES | {"dni", "email"}
_NEVER = "<p>La Facultad nunca te va a pedir tu contraseña, ni por correo ni por teléfono.</p>"

KINDS: dict[LetterName, LetterKind] = {
    kind.name: kind
    for kind in (
        LetterKind(LetterName.WELCOME, "La bienvenida a preinscriptos y aspirantes", _PERSON),
        LetterKind(
            LetterName.CREDENTIALS,
            "La primera contraseña de una cuenta nueva",
            _PERSON | {"upn", "password"},
            frozenset({"upn", "password"}),
        ),
        LetterKind(
            LetterName.PASSWORD,
            "La contraseña nueva de un reseteo",
            _PERSON | {"upn", "password"},
            frozenset({"upn", "password"}),
        ),
        LetterKind(
            LetterName.ENROLMENT,
            "Los cursos en los que quedó matriculado",
            _NAMES | {"upn", "moodle_url", "cursos_html"},
            frozenset({"cursos_html"}),
        ),
        LetterKind(
            LetterName.COURSE,
            "La confirmación de un solo curso",
            _NAMES | {"upn", "moodle_url", "curso"},
            frozenset({"curso"}),
        ),
        LetterKind(
            LetterName.STATUS,
            "El cambio de situación en SIAL",
            _NAMES | {"antes", "ahora"},
            frozenset({"ahora"}),
        ),
        LetterKind(
            LetterName.NOTICE,
            "El aviso al correo anterior de que se pidió una contraseña",
            _NAMES | {"upn"},
            frozenset({"upn"}),
        ),
        LetterKind(
            LetterName.RECTIFY,
            "La que deja sin efecto una carta anterior",
            _NAMES | {"upn"},
            frozenset({"upn"}),
        ),
        LetterKind(LetterName.TEST, "El correo de prueba", frozenset({"quien", "cuando", "ambiente"})),
    )
}


def _default(name: LetterName, subject: str, *paragraphs: str) -> Template:
    lines = [one if one.startswith("<") else f"<p>{one}</p>" for one in paragraphs]
    return Template(name, subject, "\n".join(lines) + "\n", KINDS[name].places)


def _box(*rows: tuple[str, str]) -> str:
    """What has to be found at a glance: names over values, on a ground of its own."""
    lines = "<br>\n".join(f"{label}:<br><strong>{value}</strong>" for label, value in rows)
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">'
        '<tr><td style="padding:16px;background-color:#f3f2f1;color:#242424;line-height:28px;">\n'
        f"{lines}</td></tr></table>"
    )


_USER = ("Usuario", "{upn}")
_SECRET = (
    "Contraseña provisoria",
    '<span style="font-family:Consolas,Courier New,monospace;font-size:18px;">{password}</span>',
)
_TEAMS = '<a href="https://teams.microsoft.com" style="color:#0f548c;">teams.microsoft.com</a>'
_MOODLE = '<a href="{moodle_url}" style="color:#0f548c;">aula virtual</a>'

DEFAULTS: dict[LetterName, Template] = {
    template.name: template
    for template in (
        _default(
            LetterName.CREDENTIALS,
            "Tu cuenta institucional de la Facultad de Ciencias Económicas",
            "Hola, {nombre}:",
            "Ya tenés tu cuenta institucional. Con ella entrás a Teams y al aula virtual.",
            _box(_USER, _SECRET),
            "<ol>\n"
            f"<li>Entrá a {_TEAMS} con ese usuario y esa contraseña.</li>\n"
            "<li>La primera vez te va a pedir que elijas una contraseña nueva: que sólo vos conozcas.</li>\n"
            "<li>Guardá este correo hasta haber entrado; después borralo.</li>\n</ol>",
            _NEVER,
            "Si no pediste esta cuenta o tus datos están mal ({apellido}, {nombre}, documento {dni}), avisanos desde "
            "{email} al equipo del aula virtual de la Facultad.",
        ),
        _default(
            LetterName.PASSWORD,
            "Tu contraseña nueva de la cuenta institucional",
            "Hola, {nombre}:",
            "Se pidió una contraseña nueva para tu cuenta institucional. <strong>La que tenías ya no sirve.</strong>",
            _box(_USER, _SECRET),
            f"Entrá a {_TEAMS} con esos datos: te va a pedir que elijas una contraseña que sólo vos conozcas. Después "
            "borrá este correo.",
            "Si no la pediste, avisanos enseguida: escribile al equipo del aula virtual de la Facultad.",
            _NEVER,
        ),
        _default(
            LetterName.WELCOME,
            "Te damos la bienvenida a la Facultad de Ciencias Económicas",
            "Hola, {nombre}:",
            "Recibimos tu inscripción en la Facultad de Ciencias Económicas, a nombre de <strong>{apellido}, {nombre}"
            "</strong> (documento {dni}).",
            "Más adelante te vamos a escribir a este correo ({email}) con tu cuenta institucional: con ella vas a "
            "entrar a Teams y al aula virtual. Hasta entonces no tenés que hacer nada.",
            "Si algún dato está mal, avisale a Registro de Alumnos.",
            _NEVER,
        ),
        _default(
            LetterName.ENROLMENT,
            "Tus cursos en el aula virtual",
            "Hola, {nombre}:",
            "Ya estás en estos cursos del aula virtual:",
            "{cursos_html}",
            f"Entrá al {_MOODLE} con tu cuenta institucional, <strong>{{upn}}</strong>.",
            "Si te falta un curso o hay uno que no te corresponde, escribile al equipo del aula virtual.",
        ),
        _default(
            LetterName.COURSE,
            "Ya estás en {curso}",
            "Hola, {nombre}:",
            "Ya estás en el curso <strong>{curso}</strong> del aula virtual.",
            f"Entrá al {_MOODLE} con tu cuenta institucional, <strong>{{upn}}</strong>.",
            "Si no te corresponde, escribile al equipo del aula virtual.",
        ),
        _default(
            LetterName.STATUS,
            "Tu situación en la Facultad cambió",
            "Hola, {nombre}:",
            "En los registros de la Facultad figurabas como {antes}; <strong>ahora figurás como {ahora}</strong>.",
            "No tenés que hacer nada: tu cuenta y tus cursos siguen como están, y de lo nuevo te vamos a escribir.",
            "Si no es así, avisale a Registro de Alumnos.",
        ),
        _default(
            LetterName.NOTICE,
            "Se pidió una contraseña nueva para tu cuenta institucional",
            "Hola, {nombre}:",
            "Alguien pidió una contraseña nueva para la cuenta institucional <strong>{upn}</strong>, y la mandamos a "
            "un correo distinto de éste, que es el que figura ahora en los registros de la Universidad.",
            "Si cambiaste tu correo hace poco, no tenés que hacer nada.",
            "<p><strong>Si no fuiste vos, avisanos enseguida</strong>: escribile al equipo del aula virtual de la "
            "Facultad.</p>",
            _NEVER,
        ),
        _default(
            LetterName.RECTIFY,
            "Sobre la cuenta institucional de la que te escribimos",
            "Hola, {nombre}:",
            "Te escribimos antes con los datos de una cuenta institucional a nombre de {apellido}, {nombre}:",
            _box(_USER),
            "Ese envío fue un error nuestro y la cuenta quedó sin efecto: <strong>la contraseña de esa carta ya no "
            "sirve</strong>. Podés borrar aquel correo.",
            "No tenés que hacer nada. Si te corresponde una cuenta, te vamos a escribir de nuevo. Disculpá la "
            "molestia.",
            _NEVER,
        ),
        _default(
            LetterName.TEST,
            "Correo de prueba de Lucy",
            "Este es un correo de prueba. Lo pidió <strong>{quien}</strong> el {cuando} ({ambiente}).",
            "Si lo estás leyendo, el servidor de correo acepta las cartas de Lucy. No hay que contestarlo.",
        ),
    )
}
