"""What the simulated site holds. All frozen: the store replaces them, so that a roll-back puts the old one back."""

from dataclasses import dataclass

STUDENT_ROLE_ID = 5
ROLE_NAMES = {3: "editingteacher", 4: "teacher", 5: "student"}


@dataclass(frozen=True)
class User:
    """`email` as typed; `idnumber` need not be unique; a deleted user stays under its id with mangled names."""

    id: int
    username: str
    firstname: str
    lastname: str
    email: str
    auth: str = "manual"
    idnumber: str = ""
    lang: str = "en"
    city: str = ""
    country: str = ""
    suspended: bool = False
    deleted: bool = False
    site_admin: bool = False


@dataclass(frozen=True)
class Course:
    """`manual_enrolment`: an enabled manual instance; `assignable_role_ids`: what the token's user may give here."""

    id: int
    shortname: str
    fullname: str
    idnumber: str = ""
    visible: bool = True
    manual_enrolment: bool = True
    assignable_role_ids: tuple[int, ...] = (STUDENT_ROLE_ID,)


@dataclass(frozen=True)
class Enrolment:
    """One user in one course by the manual method; times are Unix seconds, 0 for none."""

    course_id: int
    user_id: int
    role_ids: tuple[int, ...]
    suspended: bool = False
    time_start: int = 0
    time_end: int = 0

    def active(self, now_s: float) -> bool:
        """Neither suspended, nor expired, nor still to begin."""
        return not self.suspended and self.time_start <= now_s and (self.time_end == 0 or self.time_end > now_s)


@dataclass(frozen=True)
class Group:
    """Names are unique in a course. `component`: the plugin that holds the memberships, empty for none."""

    id: int
    course_id: int
    name: str
    idnumber: str = ""
    description: str = ""
    component: str = ""


DEMO_COURSES = (
    Course(id=2, shortname="INGRESO-2026", fullname="Ingreso 2026"),
    Course(id=3, shortname="CONT-1", fullname="Contabilidad I"),
    Course(id=4, shortname="ADM-1", fullname="Administración I"),
    Course(id=5, shortname="ECON-1", fullname="Introducción a la Economía"),
    Course(id=6, shortname="MAT-1", fullname="Matemática I"),
    Course(id=7, shortname="TGA-1", fullname="Gestión Agropecuaria I"),
    Course(id=8, shortname="TGE-1", fullname="Gestión Empresarial I"),
    Course(id=9, shortname="BORRADOR", fullname="Aula en preparación", visible=False),
    Course(id=10, shortname="SIN-MANUAL", fullname="Aula sin matriculación manual", manual_enrolment=False),
)

ADMIN = User(
    id=2,
    username="admin",
    firstname="Admin",
    lastname="Usuario",
    email="admin@example.org",
    site_admin=True,
)
SERVICE_USER = User(
    id=3,
    username="lucy-ws",
    firstname="Lucy",
    lastname="Servicio",
    email="lucy-ws@example.org",
    idnumber="lucy-ws",
)
