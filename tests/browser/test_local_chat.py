"""The story in the local chat: ask, be refused one's own approval, approve as another, watch the card move, cancel."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import SCREENS

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATIENCE_MS = 30_000


class Chat:
    """What a person does on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def be(self, name: str) -> None:
        await self.page.get_by_role("radio", name=name).click()

    async def go(self, place: str) -> None:
        await self.page.get_by_role("tab", name=place).click()

    async def say(self, text: str) -> None:
        await self.page.locator("#text").fill(text)
        await self.page.keyboard.press("Enter")

    def card(self, title: str) -> Locator:
        """The newest card with this in its heading."""
        heading = self.page.get_by_role("heading", name=re.compile(re.escape(title)))
        return self.page.locator(".message").filter(has=heading).last

    async def press(self, title: str, button: str) -> None:
        await self.card(title).get_by_role("button", name=button, exact=True).click()

    async def sees(self, title: str, text: str | re.Pattern[str]) -> None:
        await expect(self.card(title)).to_contain_text(text, timeout=PATIENCE_MS)

    async def shoot(self, name: str) -> None:
        await self.page.screenshot(path=SCREENS / f"{name}.png")


@pytest.fixture
def talk(page: Page, chat: str) -> tuple[Chat, str]:
    return Chat(page), chat


async def test_a_batch_from_the_request_to_its_result(talk: tuple[Chat, str]) -> None:
    who, address = talk
    await who.page.goto(address)
    await who.sees("spirantes", "en SIAL")
    await who.be("Carla Administradora")
    await who.say("activar aspirantes sin:cuenta")
    await who.sees("L-0001", "Espera aprobación")
    await who.sees("L-0001", "licencias")
    own = who.card("L-0001")
    await expect(own.get_by_role("button", name="Cancelar")).to_be_visible(timeout=PATIENCE_MS)
    await expect(own.get_by_role("button", name="Aprobar")).to_have_count(0)
    await who.shoot("01-asked")
    await who.say("aprobar L-0001")
    await expect(who.page.locator(".text").last).to_contain_text(
        "la tiene que aprobar otra persona", timeout=PATIENCE_MS
    )
    await who.be("Elena Nueva")
    await who.say("aprobar L-0001")
    await expect(who.page.locator(".text").last).to_contain_text("Todavía no podés usar a Lucy", timeout=PATIENCE_MS)
    await who.be("Bruno Aprobador")
    await who.press("L-0001", "Aprobar")
    await who.sees("L-0001", re.compile("En marcha|Terminada"))
    await who.shoot("02-moving")
    await who.sees("L-0001", "Terminada")
    await expect(who.card("L-0001").get_by_role("button", name="Aprobar")).to_have_count(0)
    await who.shoot("03-finished")


async def test_a_form_is_filled_and_a_batch_is_rejected_with_its_reason(talk: tuple[Chat, str]) -> None:
    who, address = talk
    await who.page.goto(address)
    await who.be("Ana Operadora")
    await who.say("deshabilitar aspirantes con:cuenta")
    await who.sees("Deshabilitar cuentas", "Espera aprobación")
    await who.sees("Deshabilitar cuentas", "Previsión")  # after it the card is left alone
    await who.be("Bruno Aprobador")
    card = who.card("Deshabilitar cuentas")
    await card.get_by_role("button", name="Rechazar").first.click()
    await card.get_by_label(re.compile("motivo|Por qué")).fill("fue una prueba")
    await who.shoot("04-rejecting")
    await card.get_by_role("button", name="Rechazar").last.click()
    await who.sees("Deshabilitar cuentas", "fue una prueba")
    await who.sees("Deshabilitar cuentas", "Rechazada")


async def test_who_asked_cancels(talk: tuple[Chat, str]) -> None:
    who, address = talk
    await who.page.goto(address)
    await who.be("Ana Operadora")
    await who.say("resetear aspirantes con:cuenta")
    await who.sees("Contraseñas nuevas", "Espera aprobación")
    await who.press("Contraseñas nuevas", "Cancelar")
    await who.sees("Contraseñas nuevas", "Cancelada")


async def test_a_student_is_seen_whole_in_private_and_masked_in_the_channel(talk: tuple[Chat, str]) -> None:
    who, address = talk
    await who.page.goto(address)
    await who.be("Dario Consulta")
    await who.go("Chat personal con Lucy")
    await who.say("lote L-0001")
    rows = who.card("L-0001")
    await rows.get_by_role("button", name=re.compile("^Ver los")).click()
    found = re.search(r"\d{1,2}\.\d{3}\.\d{3}", await rows.inner_text(timeout=PATIENCE_MS))
    if found is None:
        await expect(rows).to_contain_text(re.compile(r"\d\.\d{3}\.\d{3}"), timeout=PATIENCE_MS)
        found = re.search(r"\d{1,2}\.\d{3}\.\d{3}", await rows.inner_text())
    assert found is not None
    document = found[0]
    await who.say(f"alumno {document}")
    await who.sees(document, "activa")
    await expect(who.card(document)).to_contain_text("@")
    await who.shoot("05-student")
    await who.card(document).get_by_role("button", name="Por qué").click()
    await who.sees("Por qué", "Qué dice SIAL")
    await who.shoot("06-why")
    await who.go("Altas de estudiantes")
    await who.say(f"alumno {document}")
    await expect(who.card(f"●●●●{document.replace('.', '')[-4:]}")).to_be_visible(timeout=PATIENCE_MS)
    await expect(who.page.locator("#messages .card").last).not_to_contain_text(document)


async def test_without_the_official_renderer_the_page_draws_by_itself(talk: tuple[Chat, str]) -> None:
    who, address = talk
    await who.page.route("**/adaptivecards.js", lambda route: route.fulfill(status=404))
    await who.page.goto(address)
    await who.sees("L-0001", "Terminada")
    await expect(who.page.locator(".ac-adaptiveCard")).to_have_count(0)
    await who.be("Ana Operadora")
    await who.say("ayuda")
    await expect(who.page.locator("#messages .card").last).to_contain_text("activar", timeout=PATIENCE_MS)
    await who.shoot("07-own-renderer")
