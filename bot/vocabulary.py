"""The words of the commands, Spanish first, English second, without accents.

`LATER` are commands that people will read about and that are not built yet: the bot says so instead of guessing.
"""

from enum import StrEnum


class CommandName(StrEnum):
    """What the bot can be asked for; the value is the word that help and suggestions show."""

    HELP = "ayuda"
    STATUS = "estado"
    STUDENT = "alumno"
    INGEST = "ingesta"
    ASIDE = "apartados"
    ACTIVATE = "activar"
    BATCH = "lote"
    BATCHES = "lotes"
    APPROVE = "aprobar"
    REJECT = "rechazar"
    CANCEL = "cancelar"
    PAUSE = "pausar"
    RESUME = "reanudar"
    RETRY = "reintentar"
    UNDO = "deshacer"
    SPLIT = "partir"
    RELEASE = "soltar"
    PAUSE_ALL = "pausa general"
    ENROL = "matricular"
    UNENROL = "desmatricular"
    ACCOUNT = "cuenta"
    LICENCE = "licencia"
    RESET = "resetear"
    RESEND = "reenviar"
    WELCOME = "bienvenida"
    SITUATION = "situacion"
    DISABLE = "deshabilitar"
    ENABLE = "habilitar"
    TEST_MAIL = "correo de prueba"
    LETTERS = "plantillas"
    RULES = "reglas"
    DRIFT = "deriva"
    CONFIG = "config"
    AUDIT = "auditoria"
    PERMISSIONS = "permisos"
    WHY = "por que"


_N = CommandName

WORDS: dict[CommandName, tuple[str, ...]] = {
    _N.HELP: ("ayuda", "ayudame", "help", "?", "comandos", "commands", "menu"),
    _N.STATUS: ("estado", "status"),
    _N.STUDENT: ("alumno", "alumna", "estudiante", "student", "dni", "buscar", "busca", "find"),
    _N.INGEST: ("ingesta", "ingestar", "ingest"),
    _N.ASIDE: ("apartados", "apartado", "held", "aside"),
    _N.ACTIVATE: ("activar", "activa", "activate"),
    _N.BATCH: ("lote", "batch"),
    _N.BATCHES: ("lotes", "batches"),
    _N.APPROVE: ("aprobar", "aproba", "aprueba", "apruebo", "approve"),
    _N.REJECT: ("rechazar", "rechaza", "rechazo", "reject"),
    _N.CANCEL: ("cancelar", "cancela", "cancelo", "cancel"),
    _N.PAUSE: ("pausar", "pausa", "pauso", "pause"),
    _N.RESUME: ("reanudar", "reanuda", "reanudo", "resume"),
    _N.RETRY: ("reintentar", "reintenta", "reintento", "retry"),
    _N.UNDO: ("deshacer", "deshace", "undo"),
    _N.SPLIT: ("partir", "parti", "dividir", "split"),
    _N.RELEASE: ("soltar", "solta", "liberar", "release"),
    _N.PAUSE_ALL: (
        "pausa general", "pausar general", "general pause", "pausa todo", "pausar todo", "parar todo", "pause all",
        "pause everything",
    ),
    _N.ENROL: ("matricular", "matricula", "enrol", "enroll"),
    _N.UNENROL: ("desmatricular", "desmatricula", "unenrol", "unenroll"),
    _N.ACCOUNT: ("cuenta", "cuentas", "account", "accounts"),
    _N.LICENCE: ("licencia", "licencias", "licence", "license"),
    _N.RESET: ("resetear", "resetea", "reset"),
    _N.RESEND: ("reenviar", "reenvia", "resend"),
    _N.WELCOME: ("bienvenida", "bienvenidas", "welcome"),
    _N.SITUATION: ("situacion", "situaciones", "situation"),
    _N.DISABLE: ("deshabilitar", "deshabilita", "disable"),
    _N.ENABLE: ("habilitar", "habilita", "enable"),
    _N.TEST_MAIL: ("correo de prueba", "test mail", "mail test"),
    _N.LETTERS: ("plantillas", "plantilla", "cartas", "carta", "templates", "template", "letters"),
    _N.RULES: ("reglas", "regla", "rules", "rule"),
    _N.DRIFT: ("deriva", "drift"),
    _N.CONFIG: ("config", "configuracion", "configuration", "settings"),
    _N.AUDIT: ("auditoria", "auditar", "audit"),
    _N.WHY: ("por que", "porque", "why"),
    _N.PERMISSIONS: ("permisos", "permiso", "permissions", "permission"),
}  # fmt: skip

LATER: dict[str, tuple[str, ...]] = {
    "salud": ("salud", "health"),
    "eliminar": ("eliminar", "elimina", "delete"),
    "exportar": ("exportar", "exporta", "export"),
    "agenda": ("agenda", "schedule"),
    "respaldo": ("respaldo", "backup"),
}

COMMANDS: dict[str, CommandName] = {word: name for name, words in WORDS.items() for word in words}
LATER_WORDS: dict[str, str] = {word: name for name, words in LATER.items() for word in words}

# Said around a command, meaning nothing for it.
COURTESIES = (
    "por favor", "porfavor", "porfa", "please", "gracias", "muchas gracias", "thanks", "thank you", "hola", "buenas",
    "buen dia", "buenos dias", "buenas tardes", "hi", "hello", "che", "lucy",
)  # fmt: skip
LEADS = frozenset({
    "quiero", "quisiera", "necesito", "ver", "mostrar", "mostrame", "mostra", "dame", "decime", "show", "me", "give",
    "i", "want", "need", "el", "la", "los", "las", "un", "una", "the", "a", "an", "de", "del", "al", "of",
})  # fmt: skip

# `clave:valor` that belongs to a command and not to its selection: every spelling → its name.
OPTIONS: dict[CommandName, dict[str, str]] = {
    _N.ACTIVATE: {
        "correo": "correo",
        "mail": "correo",
        "email": "correo",
        "moodle": "moodle",
        "cursos": "cursos",
        "courses": "cursos",
    },
    _N.ENROL: {"bajas": "bajas", "removals": "bajas", "correo": "correo", "mail": "correo", "email": "correo"},
    _N.UNENROL: {"curso": "curso", "course": "curso"},
    _N.ACCOUNT: {"correo": "correo", "mail": "correo", "email": "correo"},
    _N.RESET: {"correo": "correo", "mail": "correo", "email": "correo"},
    _N.UNDO: {"correo": "correo", "mail": "correo", "email": "correo"},
    _N.INGEST: {"desde": "desde", "since": "desde", "from": "desde", "hasta": "hasta", "until": "hasta", "to": "hasta"},
}
