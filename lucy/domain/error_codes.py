"""The codes staff see, each with what it means and who must do what.

`T-…` Entra and Teams, `M-…` Moodle, `E-…` mail, `U-…` SIAL, `G-…` general. A code keeps its meaning for ever.
"""

from lucy.texts import _


def explain(code: str) -> str:
    """The Spanish text of a code; a code nobody wrote a text for says so."""
    return _(TEXTS.get(code, TEXTS["G-001"]))


TEXTS: dict[str, str] = {
    "T-002": "Entra rechazó las credenciales de Lucy. Un administrador tiene que revisar el secreto.",
    "T-003": "Entra no aceptó los datos de la cuenta. Los corrige Registro de Alumnos en SIAL.",
    "T-004": "Ese nombre de usuario ya es de otra persona. Un administrador tiene que ver de quién es la cuenta.",
    "T-005": "No quedan licencias. Un administrador tiene que liberar o comprar; después: reintentar.",
    "T-006": "Entra no aceptó la contraseña. Un administrador tiene que revisar la política del inquilino.",
    "T-007": "La cuenta no está en Entra. Un operador tiene que crearla de nuevo.",
    "T-008": "Entra no dejó asignar la licencia. Un administrador tiene que revisar la licencia y la ubicación de uso.",
    "T-009": "Entra no contestó. Lucy lo vuelve a intentar sola.",
    "T-010": "Entra pidió esperar. Lucy sigue sola cuando se pueda.",
    "T-011": "A Lucy le falta un permiso en Graph. Un administrador tiene que darle consentimiento.",
    "T-012": "Teams no aceptó el mensaje. Un administrador tiene que revisar la instalación del bot.",
    "T-013": "La cuenta todavía no se ve en Entra. Lucy lo vuelve a intentar sola.",
    "T-014": "La licencia configurada no existe en el inquilino. Un administrador tiene que revisar su nombre.",
    "T-015": "La respuesta de Entra no se entiende. Un administrador tiene que revisar la dirección de Graph.",
    "T-016": "El dominio de las cuentas no está verificado en Entra. Un administrador tiene que revisarlo.",
    "T-017": "Entra no dejó cambiar la cuenta. Un administrador tiene que verla en Entra.",
    "T-999": "Lucy sólo elimina cuentas de prueba, y ésta no lo es. Un administrador tiene que verla en Entra.",
    "M-001": "El usuario no está en Moodle. Un operador tiene que reintentar la matriculación.",
    "M-002": "Moodle rechazó el token de Lucy. Un administrador tiene que revisarlo.",
    "M-003": "A Lucy le falta un permiso o una función en Moodle. Un administrador tiene que revisar el servicio web.",
    "M-004": "Moodle no aceptó los datos del usuario. Los corrige Registro de Alumnos en SIAL.",
    "M-005": "El curso no existe en Moodle. Un administrador tiene que revisar la regla de curso.",
    "M-006": "Moodle no aceptó la matriculación. Un administrador tiene que revisar el curso y el rol.",
    "M-008": "En Moodle, el usuario o el correo ya es de otra persona. Un administrador tiene que ver de quién es.",
    "M-009": "Moodle está en mantenimiento. Lucy lo vuelve a intentar sola.",
    "M-010": "Moodle no contestó. Lucy lo vuelve a intentar sola.",
    "M-011": "El alumno sigue matriculado después de desmatricularlo. Un administrador tiene que ver el curso.",
    "M-013": "El curso no admite matriculación manual. Un administrador tiene que habilitarla.",
    "M-014": "El rol configurado no se puede asignar en ese curso. Un administrador tiene que revisarlo.",
    "M-015": "La respuesta de Moodle no se entiende. Un administrador tiene que revisar la dirección del sitio.",
    "M-016": "Moodle no aceptó la contraseña. Un administrador tiene que revisar la política de contraseñas del sitio.",
    "M-017": "Moodle falló por dentro. Un administrador tiene que ver el registro de Moodle.",
    "M-018": "El usuario ya estaba en Moodle. Un operador tiene que reintentar, y Lucy lo toma como está.",
    "M-019": "Moodle no dejó cambiar al usuario. Un administrador tiene que verlo en Moodle.",
    "E-001": "El alumno no tiene un correo al que escribirle. Lo corrige Registro de Alumnos en SIAL.",
    "E-002": "El servidor de correo no aceptó la carta. Un administrador tiene que revisar el remitente.",
    "E-003": "El servidor del destinatario pidió esperar. Lucy lo vuelve a intentar sola.",
    "E-004": "La casilla no existe o no acepta correo. La corrige Registro de Alumnos; después: reenviar.",
    "E-005": "El servidor de correo rechazó el usuario de Lucy. Un administrador tiene que revisar sus credenciales.",
    "E-006": "El servidor de correo no contestó. Lucy lo vuelve a intentar sola.",
    "E-007": "La contraseña de esta carta no es la última que se puso: no se envía. Un operador tiene que resetearla.",
    "E-008": "La contraseña de esta carta ya se destruyó: no se envía. Un operador tiene que resetearla.",
    "E-009": "La conexión con el servidor de correo no es segura. Un administrador tiene que revisar su certificado.",
    "E-010": "La cuenta ya existía: no se le envía una contraseña que Lucy no puso. Un operador puede resetearla.",
    "E-011": "Se llegó a la cantidad de cartas del día. Lucy sigue sola mañana.",
    "U-001": "SIAL rechazó las credenciales de Lucy. Un administrador tiene que revisarlas.",
    "U-002": "SIAL no contestó. Lucy vuelve a leer todo en la próxima ingesta.",
    "U-003": "La respuesta de SIAL no se entiende. Un administrador tiene que avisar a UTI.",
    "U-004": "SIAL no conoce esa lista. Un administrador tiene que revisar la dirección.",
    "G-001": "Pasó algo que Lucy no conoce. Un administrador tiene que ver el registro.",
    "G-002": "Dependía de un paso que no se pudo hacer. Un operador tiene que reintentar ese paso.",
    "G-003": "El alumno cambió después de la aprobación. Un operador tiene que pedirlo de nuevo.",
    "G-004": "Se intentó demasiadas veces sin respuesta. Un operador puede reintentar.",
    "G-005": "El certificado de un sistema externo no es de confianza. Un administrador tiene que revisarlo.",
    "G-006": "Todavía no es el turno de este pedido. Lucy lo vuelve a intentar sola.",
    "G-007": "La cola de trabajo no contestó. Lucy lo vuelve a intentar sola.",
    "G-008": "Alguien lo cambió después de ese lote: no se deshace. Un operador tiene que ver qué quiere dejar.",
}
