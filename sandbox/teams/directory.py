"""Who and what the simulated tenant holds: a team with channels, its people, the bot. Invented, stable ids."""

from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, UUID, uuid5


@dataclass(frozen=True)
class Bot:
    """`app_id` empty: a bot that speaks to nobody but the sandbox."""

    app_id: str = ""
    name: str = "Lucy"

    @property
    def id(self) -> str:
        return f"28:{self.app_id or 'sandbox-lucy'}"


@dataclass(frozen=True)
class Person:
    """`id` is the Teams id (29:…), valid for one bot only; `aad_object_id` is the Entra object id."""

    name: str
    user_principal_name: str
    aad_object_id: str
    role: str = "user"

    @property
    def id(self) -> str:
        return f"29:1{_opaque('mri', self.aad_object_id)}"

    @property
    def personal_conversation_id(self) -> str:
        return f"a:1{_opaque('chat', self.aad_object_id)}"

    def member(self, tenant_id: str) -> dict[str, str]:
        """As the roster shows a person (TeamsChannelAccount)."""
        given, _, surname = self.name.partition(" ")
        return {
            "id": self.id,
            "name": self.name,
            "givenName": given,
            "surname": surname,
            "objectId": self.aad_object_id,
            "aadObjectId": self.aad_object_id,
            "email": self.user_principal_name,
            "userPrincipalName": self.user_principal_name,
            "tenantId": tenant_id,
            "userRole": self.role,
        }

    def is_called(self, identity: str) -> bool:
        """By Teams id, Entra object id or sign-in name, as the roster can be asked."""
        return identity in {self.id, self.aad_object_id} or identity.lower() == self.user_principal_name.lower()


@dataclass(frozen=True)
class Channel:
    id: str
    name: str


@dataclass(frozen=True)
class Team:
    """The General channel's id equals the team's id."""

    id: str
    name: str
    aad_group_id: str
    channels: tuple[Channel, ...]


@dataclass(frozen=True)
class Directory:
    """One tenant as far as the bot can see it."""

    tenant_id: str
    team: Team
    people: tuple[Person, ...]
    bot: Bot = field(default_factory=Bot)

    def person(self, identity: str) -> Person | None:
        return next((person for person in self.people if person.is_called(identity)), None)

    def has_channel(self, channel_id: str) -> bool:
        return any(channel.id == channel_id for channel in self.team.channels)


def example_directory(*, bot: Bot | None = None) -> Directory:
    """A staff team of five: who asks, who approves, who administers, who only looks, and one who is new."""
    general = "19:campus-general@thread.tacv2"
    team = Team(
        id=general,
        name="Campus virtual",
        aad_group_id=str(_uuid("group/campus")),
        channels=(Channel(general, "General"), Channel("19:campus-altas@thread.tacv2", "Altas de estudiantes")),
    )
    names = ("Ana Operadora", "Bruno Aprobador", "Carla Administradora", "Dario Consulta", "Elena Nueva")
    return Directory(
        tenant_id=str(_uuid("tenant")), team=team, people=tuple(map(example_person, names)), bot=bot or Bot()
    )


def example_person(name: str) -> Person:
    """A person whose ids follow from the name."""
    mailbox = name.lower().replace(" ", ".")
    return Person(
        name=name, user_principal_name=f"{mailbox}@campus.example", aad_object_id=str(_uuid(f"person/{name}"))
    )


def _uuid(what: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"urn:lucy-sandbox:{what}")


def _opaque(kind: str, identity: str) -> str:
    return _uuid(f"{kind}/{identity}").hex
