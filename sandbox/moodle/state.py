"""The simulated site: its tables, its settings and what a test may seed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from sandbox.control import Control
from sandbox.moodle.errors import course_not_visible, no_permission
from sandbox.moodle.models import ADMIN, DEMO_COURSES, SERVICE_USER, Course, Enrolment, Group, User
from sandbox.moodle.store import Store

POST_MAX_BYTES = 8 * 2**20


@dataclass
class Site:
    """The settings an administrator of the real site has, every one seedable.

    `missing_capabilities`: what the token's user lacks; by default `moodle/site:viewfullnames`, so that nothing comes
    to rely on `firstname`. `functions`: those in the token's service, None for all. `account_problem`: an errorcode
    such as `wsaccessusersuspended`, `forcepasswordchangenotice`, `sitepolicynotagreed`. `canonical_host`: any other
    Host header is redirected. `latency_s` is added to each call, `row_latency_s` to each row of its arrays.
    Source: contracts/moodle.md.
    """

    release: str = "4.3.3+ (Build: 20240223)"
    auth_methods: tuple[str, ...] = ("manual", "email", "nologin", "oauth2", "oidc")
    languages: tuple[str, ...] = ("en", "es", "es_ar")
    missing_capabilities: tuple[str, ...] = ("moodle/site:viewfullnames",)
    functions: tuple[str, ...] | None = None
    max_input_vars: int = 1000
    post_max_bytes: int = POST_MAX_BYTES
    latency_s: float = 0.0
    row_latency_s: float = 0.0
    maintenance: bool = False
    web_services: bool = True
    database_up: bool = True
    token_expired: bool = False
    account_problem: str | None = None
    canonical_host: str | None = None

    @property
    def major(self) -> int:
        return int(self.release.partition(".")[0])


@dataclass
class MoodleState:
    """`token` is the only one accepted, given by `login/token.php` for `password` and `service`.

    `mails` are the letters Moodle itself sent (`createpassword`).
    """

    token: str
    password: str = ""
    service: str = "lucy"
    control: Control = field(default_factory=Control)
    site_name: str = "Campus Virtual (sandbox)"
    site: Site = field(default_factory=Site)
    store: Store = field(default_factory=Store)
    mails: list[dict[str, str]] = field(default_factory=list)
    token_valid: bool = True
    in_flight: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._fill()

    @property
    def caller(self) -> User:
        return self.store.users[SERVICE_USER.id]

    def may(self, capability: str) -> bool:
        return capability not in self.site.missing_capabilities

    def require(self, capability: str) -> None:
        if not self.may(capability):
            raise no_permission(capability)

    def enter_course(self, course: Course) -> None:
        """Moodle's `validate_context` of a course. Raises MoodleError (`requireloginerror`)."""
        if not self.may("moodle/course:view") or not self.sees(course):
            raise course_not_visible()

    def sees(self, course: Course) -> bool:
        return course.visible or self.may("moodle/course:viewhiddencourses")

    def course_by_shortname(self, shortname: str) -> Course | None:
        return next((course for course in self.store.courses.values() if course.shortname == shortname), None)

    def reset(self) -> None:
        """Back to a new site with the demonstration's courses."""
        self.site = Site()
        self.store = Store()
        self.mails = []
        self.token_valid = True
        self.in_flight = set()
        self._fill()

    def seed(self, wanted: Any) -> None:
        """Add rows and change settings.

        Shape: `{"site": {…}, "courses": [{…}], "users": [{…}], "enrolments": [{…}], "groups": [{…, "user_ids": […]}]}`
        with the field names of `models` and `Site`; users and groups may leave out `id`, lists stand for tuples.
        """
        self.site = replace(self.site, **_tuples(wanted.get("site", {})))
        with self.store.transaction():
            for row in wanted.get("courses", []):
                self.store.put_course(Course(**_tuples(row)))
            for row in wanted.get("users", []):
                self.store.put_user(User(**{"id": row.get("id") or self.store.next_user_id(), **row}))
            for row in wanted.get("enrolments", []):
                self.store.put_enrolment(Enrolment(**_tuples({"role_ids": (5,), **row})))
            for row in wanted.get("groups", []):
                self._seed_group(dict(row))

    def snapshot(self) -> dict[str, Any]:
        """Everything but secrets, as JSON."""
        return {
            "site": {setting.name: getattr(self.site, setting.name) for setting in fields(self.site)},
            "courses": [asdict(course) for course in self.store.courses.values()],
            "users": [asdict(user) for user in self.store.users.values()],
            "enrolments": [asdict(enrolment) for enrolment in self.store.enrolments.values()],
            "groups": [
                {**asdict(group), "user_ids": list(self.store.members(group.id))}
                for group in self.store.groups.values()
            ],
            "mails": list(self.mails),
        }

    def _seed_group(self, row: dict[str, Any]) -> None:
        user_ids = row.pop("user_ids", [])
        group = Group(**{"id": row.get("id") or self.store.next_group_id(), **row})
        self.store.put_group(group)
        for user_id in user_ids:
            self.store.add_member(group.id, user_id)

    def _fill(self) -> None:
        for user in (ADMIN, SERVICE_USER):
            self.store.put_user(user)
        for course in DEMO_COURSES:
            self.store.put_course(course)


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
