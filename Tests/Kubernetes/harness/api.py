"""A few questions to the API server, with the administrator's token."""

import json
import ssl
import urllib.error
import urllib.request


def get(layout, path):
    """The decoded answer, or None when there is none yet (no server, no such object, not ready)."""
    context = ssl.create_default_context(cafile=str(layout.folder / "pki" / "ca.crt"))
    request = urllib.request.Request(layout.api_server + path, headers={"Authorization": f"Bearer {layout.state['tokens']['admin']}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=5) as answer:
            body = answer.read()
    except (OSError, urllib.error.URLError):
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def answers(url):
    """Whether something answers 200 there, in plain HTTP."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False
