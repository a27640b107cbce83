"""Made-up names and towns for synthetic students: common given names and surnames, paired at random."""

import re
import unicodedata

GIVEN_NAMES = (
    "Ana",
    "Martina",
    "Lucía",
    "María José",
    "Agustín",
    "Joaquín",
    "Sofía",
    "Ramiro",
    "Nicolás",
    "Valentina",
    "Ezequiel",
    "Julieta",
    "Tomás",
    "Milagros",
    "Ignacio",
    "Brenda",
    "Facundo",
    "Camila",
    "Iñaki",
    "Rocío",
)
SURNAMES = (
    "Suárez",
    "Pérez",
    "Gómez",
    "Ibáñez",
    "Moreno",
    "Quiroga",
    "Bianchi",
    "Fernández",
    "Lucero",
    "Ñáñez",
    "Peralta",
    "Sosa",
    "Müller",
    "Ferreyra",
    "Giraudo",
    "Castro",
    "Domínguez",
    "Rossi",
    "Agüero",
    "Medina",
)
TOWNS = ("Río Cuarto", "Las Higueras", "Holmberg", "General Cabrera", "Villa Mercedes", "Sampacho", "Coronel Moldes")


def mail_name(name: str) -> str:
    """The name as it stands before the @: `Ñáñez` → `nanez`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]+", ".", plain.lower()).strip(".")
