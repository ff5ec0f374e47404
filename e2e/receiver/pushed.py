"""What a client checks of tokens and errors that are pushed to it (CIBA Core
1.0, Sections 10.3.1 and 12; OpenID Connect Core 1.0, Section 3.1.3.7)."""
import base64
import hashlib
import json
import time

import es256

REQUEST_CLAIM = "urn:openid:params:jwt:claim:auth_req_id"
REFRESH_CLAIM = "urn:openid:params:jwt:claim:rt_hash"
ERRORS = {"access_denied", "expired_token", "transaction_failed"}  # Section 12
NEEDED = {"access_token": str, "token_type": str, "expires_in": int, "id_token": str}


class Refused(Exception):
    """Why what was pushed is not accepted."""


def demand(holds, otherwise):
    if not holds:
        raise Refused(otherwise)


def check(body, asked, keys):
    """Returns what the body says: "tokens", or the code of an error."""
    try:
        told = json.loads(body)
    except ValueError:
        raise Refused("the body is not JSON") from None
    demand(isinstance(told, dict), "the body is not an object")
    demand(told.get("auth_req_id") == asked["auth_req_id"], "auth_req_id is of another request")
    if "error" in told:
        demand(told["error"] in ERRORS, "error is not one of Section 12")
        demand(not NEEDED.keys() & told.keys(), "an error comes with tokens")
        return told["error"]
    for member, kind in NEEDED.items():
        demand(type(told.get(member)) is kind and told[member], f"{member} is missing")
    claims = id_token(told["id_token"], keys)
    now = time.time() + asked.get("later", 0)
    demand(claims.get("iss") == asked["issuer"], "iss is another issuer")
    demand(claims.get("aud") in (asked["client_id"], [asked["client_id"]]), "aud is another client")
    demand(isinstance(claims.get("exp"), int) and now < claims["exp"], "exp has passed")
    demand(claims.get(REQUEST_CLAIM) == asked["auth_req_id"], "the ID token is of another request")
    demand(claims.get("at_hash") == half_hash(told["access_token"]), "at_hash is of another access token")
    if "refresh_token" in told:
        demand(claims.get(REFRESH_CLAIM) == half_hash(told["refresh_token"]), "rt_hash is of another refresh token")
    return "tokens"


def id_token(text, keys):
    """The claims of an ID token that one of the keys has signed."""
    try:
        header, claims, signature = text.split(".")
        protected = json.loads(decoded(header))
        key = next((k for k in keys if k.get("kid") == protected.get("kid")), None)
        demand(protected.get("alg") == "ES256" and key, "the ID token names no key of the issuer")
        x, y = (int.from_bytes(decoded(key[c]), "big") for c in "xy")
        demand(es256.verify(x, y, f"{header}.{claims}".encode(), decoded(signature)), "the signature is not the issuer's")
        return json.loads(decoded(claims))
    except (KeyError, ValueError):
        raise Refused("the ID token is malformed") from None


def half_hash(token):
    """at_hash, and rt_hash, of a token whose ID token is signed with ES256."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
