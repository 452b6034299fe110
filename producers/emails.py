"""E-mail addresses: what is one, and the form in which it is kept. Pure: nobody is asked whether the domain exists."""

from __future__ import annotations

from typing import Annotated

import msgspec
from email_validator import EmailNotValidError, validate_email

from events.core.faults import wrong
from producers.commands import Refused

#: RFC 5321 4.5.3.1.3, erratum 1690: a path of 256 octets, less its angle brackets.
LONGEST = 254

#: An address as somebody typed it; ``kept`` says whether it is one.
Email = Annotated[str, msgspec.Meta(min_length=3, max_length=LONGEST, extra_json_schema={"format": "email"})]


def kept(address: str) -> str:
    """The address as mail is sent to it: NFC before the ``@``, the domain in lower case and ASCII (UTS 46, RFC 5890).

    Valid is what RFC 5321 and 6531 can deliver on the internet: a domain with a dot that is not reserved (RFC 6761), no
    quotes, no comments, no address literals. Refuses with ``invalid``.
    """
    try:
        found = validate_email(address, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        what = "an e-mail address such as ada@example.org"
        raise Refused("invalid", errors=[wrong("/email", what, f"one that is none: {error}")]) from error
    whole = f"{found.local_part}@{found.ascii_domain}"
    if (size := len(whole.encode())) > LONGEST:
        raise Refused("invalid", errors=[wrong("/email", f"at most {LONGEST} bytes", f"{size}")])
    return whole
