"""A description of a source to begin with."""

import re

_TEXT = """version: 1
sources:
  {name}:
    # POST /hooks/{name}; the secret is in the environment, never in this file.
    authenticate:
      hmac:
        header: X-Signature
        secret_env: {variable}
        algorithm: sha256
        encoding: hex
        over: "{{body}}"
    scopes: [engagement]
    # split: events          # where the records are in the body; without it the body is one, or a list of them
    # ignore: type == 'ping' # records that are no events
    events:
      - when: type == 'form.sent'
        line:
          id: id
          kind: "'engagement'"
          occurred_at: sent_at
          identifiers.email: form.email
          engagement.act: "'form'"
          person.first_name: form.first_name
          profile.country: form.country
    examples:
      - name: a form is sent
        body: {{id: f-1, type: form.sent, sent_at: "2026-03-02T10:00:00Z", form: {{email: ann@acme.example, country: DE}}}}
        expect:
          - {{id: f-1, kind: engagement, identifiers.email: ann@acme.example, profile.country: DE}}
"""


class NameWrong(ValueError):
    """A source cannot be called so; the text says how."""


def template_of(name: str) -> str:
    """A file with one source of this name; raises :class:`NameWrong`."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
        raise NameWrong(
            "a source's name begins with a small letter and has small letters, digits, - and _ "
            "alone"
        )
    variable = "BATON_SECRET_" + name.upper().replace("-", "_")
    return _TEXT.format(name=name, variable=variable)
