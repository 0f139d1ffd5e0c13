#!/usr/bin/python3
"""An SMTP server (aiosmtpd) for tests: smtp_server.py PORT [--tls KEY CERT starttls|implicit] [--user NAME PASSWORD]

Tells on stdout, a JSON object a line: {"listening": PORT}, then each mail it took. What it does with a mail stands in
front of the recipient's address:

  refuse…@    550, for good                       later-N…@   451 the first N times
  drip-N…@    the first N times its answer to the message comes one byte at a time and never ends
  close-N…@   the first N times it closes the connection in the middle of the message
"""
import argparse
import asyncio
import collections
import json
import re
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self):
        self.seen = collections.Counter()

    def bad(self, kind, address):
        """Whether this is one of the first N times that the address comes to this."""
        match = re.match(rf"{kind}-(\d+)", address)
        if not match:
            return False
        self.seen[address] += 1
        return self.seen[address] <= int(match[1])

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refuse"):
            return "550 5.1.1 there is no such mailbox"
        if self.bad("later", address):
            return "451 4.3.0 not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        if self.bad("close", to):
            server.transport.abort()
            return "250 OK"
        if self.bad("drip", to):
            while not server.transport.is_closing():
                server.transport.write(b"2")
                await asyncio.sleep(0.05)
            return "250 OK"
        tell(sender=envelope.mail_from, to=envelope.rcpt_tos, tls=session.ssl is not None,
             user=getattr(session.auth_data, "login", b"").decode(), data=envelope.content.decode("utf-8", "replace"))
        return "250 OK"


def tell(**what):
    print(json.dumps(what), flush=True)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", nargs=3)
    parser.add_argument("--user", nargs=2)
    args = parser.parse_args()
    handler = Handler()
    context = None
    if args.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(args.tls[1], args.tls[0])
    implicit = args.tls and args.tls[2] == "implicit"

    def check(server, session, envelope, mechanism, data):
        good = args.user and [data.login.decode(), data.password.decode()] == args.user
        return AuthResult(success=bool(good), auth_data=data)

    def connection():
        return SMTP(handler, hostname="smtp.test", tls_context=None if implicit else context,
                    require_starttls=bool(context) and not implicit, auth_required=bool(args.user),
                    auth_require_tls=not implicit and bool(context), authenticator=check)

    server = await asyncio.get_running_loop().create_server(
        connection, "127.0.0.1", args.port, ssl=context if implicit else None)
    tell(listening=args.port)
    await server.serve_forever()


asyncio.run(main())
