"""What the app package says of itself, and the ten commands of its menu, in both languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    full_name: str
    short: str
    full: str


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """`title` is what the menu writes into the message; `does` explains it."""

    title: str
    does: str


SPANISH = About(
    "aula virtual de la Facultad",
    "Cuentas, credenciales y cursos de los estudiantes, desde el canal.",
    "Lucy recibe cada noche a los estudiantes que figuran en SIAL, les crea la cuenta institucional, les manda sus "
    "credenciales por correo y los matricula en Moodle. Lo que toca a muchas personas espera que lo apruebe otra. En "
    "el canal se ven cantidades y documentos enmascarados; los datos de un estudiante, en el chat personal.",
)
ENGLISH = About(
    "the faculty's virtual campus",
    "Students' accounts, credentials and courses, from the channel.",
    "Each night Lucy takes in the students that the university's records list, makes their institutional accounts, "
    "mails them their credentials and enrols them in Moodle. What touches many people waits for somebody else's "
    "approval. The channel shows counts and masked numbers; a student's own data appear in the personal chat.",
)
# The ten most used. The bot understands both titles.
COMMANDS: tuple[tuple[MenuEntry, MenuEntry], ...] = (
    (MenuEntry("ayuda", "Lo que podés pedir, con ejemplos"), MenuEntry("help", "What you may ask for, with examples")),
    (MenuEntry("estado", "Cómo está todo ahora"), MenuEntry("status", "How everything stands now")),
    (
        MenuEntry("alumno", "Todo lo que se sabe de un alumno: alumno 40.123.456"),
        MenuEntry("student", "All that is known of a student: student 40.123.456"),
    ),
    (
        MenuEntry("por que", "Por qué tiene o no tiene cada cosa: por que 40.123.456"),
        MenuEntry("why", "Why somebody has or lacks each thing: why 40.123.456"),
    ),
    (
        MenuEntry("activar", "Cuenta, licencia, carta y cursos: activar aspirantes sin:cuenta"),
        MenuEntry("activate", "Account, licence, letter and courses: activate aspirantes sin:cuenta"),
    ),
    (
        MenuEntry("matricular", "Los cursos que dan las reglas: matricular carrera:CP"),
        MenuEntry("enrol", "The courses that the rules give: enrol carrera:CP"),
    ),
    (
        MenuEntry("resetear", "Una contraseña nueva, por carta: resetear 40.123.456"),
        MenuEntry("reset", "A new password, by letter: reset 40.123.456"),
    ),
    (
        MenuEntry("aprobar", "Dejar que se haga un pedido de otra persona"),
        MenuEntry("approve", "Let another person's request be done"),
    ),
    (MenuEntry("lotes", "Los últimos pedidos"), MenuEntry("batches", "The latest requests")),
    (
        MenuEntry("deriva", "Lo que en Entra o en Moodle no está como debe"),
        MenuEntry("drift", "What is not as it should be"),
    ),
)
