"""Verifies the DKIM signature of the mail on standard input with python3-dkim.

The one argument is the address of the name server, host:port. Prints "pass d=… s=… h=…" or "fail: reason".
"""
import sys

import dkim
import dns.resolver

host, port = sys.argv[1].rsplit(":", 1)
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = [host]
resolver.port = int(port)


def text_of(name, timeout=5):
    answer = resolver.resolve(name.decode("ascii"), "TXT", lifetime=timeout)
    return b"".join(answer[0].strings)


try:
    signature = dkim.DKIM(sys.stdin.buffer.read())
    if signature.verify(dnsfunc=text_of):
        fields = ":".join(name.decode("ascii") for name in signature.include_headers)
        print(f"pass d={signature.domain.decode()} s={signature.selector.decode()} h={fields}")
    else:
        print("fail: the signature does not fit")
except Exception as error:
    print(f"fail: {type(error).__name__} {error}")
