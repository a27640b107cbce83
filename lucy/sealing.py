"""Sealing of temporary passwords: Fernet with rotation, keys from `LUCY_SECRET_KEYS` (newest first)."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from lucy.errors import ConfigurationError, LucyError


class SealBroken(LucyError):
    """A sealed password cannot be opened with any of the keys in force."""


class Sealer:
    """Opens and closes sealed passwords; knows nothing of where they are kept."""

    def __init__(self, keys: str) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        except ValueError:
            raise ConfigurationError(
                "LUCY_SECRET_KEYS must hold Fernet keys (32 bytes in URL-safe base64), separated by commas. Make one "
                "with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            ) from None

    def seal(self, password: str) -> str:
        return self._fernet.encrypt(password.encode()).decode()

    def rotate(self, ciphertext: str) -> str:
        """The same password, closed with the newest key. Raises SealBroken."""
        try:
            return self._fernet.rotate(ciphertext.encode()).decode()
        except InvalidToken:
            raise SealBroken("no key in LUCY_SECRET_KEYS opens this seal") from None

    def open(self, ciphertext: str) -> str:
        """Raises SealBroken."""
        try:
            return self._fernet.decrypt(ciphertext.encode()).decode()
        except InvalidToken:
            raise SealBroken("no key in LUCY_SECRET_KEYS opens this seal") from None
