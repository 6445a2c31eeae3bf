"""Chromium, as a person uses it: headless, without scripts unless they are wanted, driven over its own protocol (CDP) on two pipes."""

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from .waiting import TookTooLong, eventually

# Nothing but this machine is to be reached, and names of jobs need no resolver.
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--password-store=basic",
    "--disable-features=PasswordLeakDetection,OptimizationHints,MediaRouter", "--lang=en",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe")


class Refused(AssertionError):
    """The browser could not do what the test asked of it."""


class Chromium:
    """One process of the browser. Its people share nothing: each has cookies of his own."""

    def __init__(self, folder=None):
        executable = shutil.which("chromium")
        assert executable, "the Debian package chromium is missing: Local/setup/install browser"
        self._profile = tempfile.mkdtemp(prefix="chromium.", dir=folder)
        hears, self._say = os.pipe()
        self._hear, says = os.pipe()
        # It wants them as 3 and 4; above those nothing can be in the way.
        inherited = [fcntl.fcntl(number, fcntl.F_DUPFD, 10) for number in (hears, says)]
        # Its first words go to a file: a pipe that nobody reads would fill.
        with open(os.path.join(self._profile, "words"), "wb") as words:
            self._process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{inherited[0]}- 4>&{inherited[1]}-', "chromium", executable, *OPTIONS,
                 f"--user-data-dir={self._profile}", "about:blank"],
                pass_fds=inherited, start_new_session=True, stdin=subprocess.DEVNULL, stdout=words, stderr=words)
        for number in (hears, says, *inherited):
            os.close(number)
        self._buffer, self._next, self.events = b"", 0, []
        try:
            self.version = self.call("Browser.getVersion")["product"]
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Ends it and all its children, and removes its profile."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(10)
        os.close(self._say)
        os.close(self._hear)
        shutil.rmtree(self._profile, ignore_errors=True)

    def person(self, *, scripts=False):
        """A window of somebody who has never been here."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        return Tab(self, context, scripts)

    def call(self, method, parameters=None, session=None, timeout=30):
        self._next += 1
        number = self._next
        message = {"id": number, "method": method, "params": parameters or {}} | ({"sessionId": session} if session else {})
        os.write(self._say, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            for answer in self._read(deadline - time.monotonic()):
                if answer.get("id") == number:
                    if "error" in answer:
                        raise Refused(f"{method}: {answer['error']}")
                    return answer["result"]
            if time.monotonic() > deadline:
                raise TookTooLong(f"chromium did not answer {method} within {timeout} s")

    def wait(self, holds, what, timeout=30):
        """Reads events until the condition holds."""
        deadline = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > deadline:
                raise TookTooLong(f"within {timeout} s it did not happen that {what}")
            self._read(min(0.5, deadline - time.monotonic()))

    def _read(self, seconds):
        """The messages that have come, or come within so many seconds; events are kept."""
        if select.select([self._hear], [], [], max(0, seconds))[0]:
            data = os.read(self._hear, 1 << 20)
            assert data, "chromium ended"
            self._buffer += data
        *whole, self._buffer = self._buffer.split(b"\0")
        messages = [json.loads(message) for message in whole]
        self.events += [message for message in messages if "method" in message]
        return messages


class Tab:
    """One window of one person."""

    def __init__(self, chromium, context, scripts):
        self._chromium, self._context = chromium, context
        target = chromium.call("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
        self._session = chromium.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "DOM", "Network", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", {"enabled": True})
        self.call("Emulation.setFocusEmulationEnabled", {"enabled": True})
        self.call("Emulation.setScriptExecutionDisabled", {"value": not scripts})

    def close(self):
        self._chromium.call("Target.disposeBrowserContext", {"browserContextId": self._context})

    def call(self, method, parameters=None):
        return self._chromium.call(method, parameters, self._session)

    # What it does

    def open(self, url):
        """Goes to an address, and on to wherever that leads."""
        self._leading(lambda: self.call("Page.navigate", {"url": url}))
        return self

    def reload(self):
        return self.open(self.url)

    def fill(self, **values):
        """Types into the fields of these names, in place of what they hold."""
        for name, value in values.items():
            self.call("DOM.focus", {"nodeId": self._node(f'input[name="{name}"]:not([type="hidden"]):not([hidden])')})
            self.key("a", modifiers=2, commands=["selectAll"])
            self.call("Input.insertText", {"text": value})
        return self

    def press(self, words):
        """Clicks the button or the link that is called so, and goes where it leads."""
        (node,) = [item for item in self.tree() if item.role in ("button", "link") and item.name == words]
        self.call("DOM.scrollIntoViewIfNeeded", {"backendNodeId": node.backend})
        box = self.call("DOM.getBoxModel", {"backendNodeId": node.backend})["model"]["content"]
        place = {"x": (box[0] + box[4]) / 2, "y": (box[1] + box[5]) / 2, "button": "left", "clickCount": 1}

        def click():
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", {"type": kind} | place)
        self._leading(click)
        return self

    def enter(self):
        """Return, in the field that has the focus."""
        self._leading(lambda: self.key("Enter", code=13, text="\r"))
        return self

    def key(self, key, code=None, **more):
        event = {"key": key, "code": key if len(key) > 1 else f"Key{key.upper()}", "windowsVirtualKeyCode": code or ord(key.upper())} | more
        self.call("Input.dispatchKeyEvent", {"type": "keyDown"} | event)
        self.call("Input.dispatchKeyEvent", {"type": "keyUp"} | {name: value for name, value in event.items() if name not in ("text", "commands")})

    def _leading(self, act):
        """Waits for the page that comes of an act, however often the browser is sent on."""
        begun = len(self._chromium.events)
        act()

        def arrived():
            methods = [event["method"] for event in self._own(begun) if event["method"] != "Page.frameNavigated" or "parentId" not in event["params"]["frame"]]
            return "Page.frameNavigated" in methods and "Page.loadEventFired" in methods[methods.index("Page.frameNavigated"):]
        try:
            self._chromium.wait(arrived, "a page was shown")
        except TookTooLong as error:
            raise TookTooLong(f"{error}; still at {self.url}; it complains: {self.complaints}") from None

    # What it shows

    @property
    def url(self):
        history = self.call("Page.getNavigationHistory")
        return history["entries"][history["currentIndex"]]["url"]

    def tree(self):
        """What assistive technology is told of the page, in the order in which it is read."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        known, order = {node["nodeId"]: node for node in nodes}, []
        left = [nodes[0]["nodeId"]] if nodes else []
        while left:
            node = known.get(left.pop())
            if node:
                order.append(node)
                left += reversed(node.get("childIds", []))
        return [Item(node) for node in order if not node.get("ignored")]

    @property
    def text(self):
        return " ".join(" ".join(item.name for item in self.tree() if item.role == "StaticText").split())

    @property
    def title(self):
        return next(item.name for item in self.tree() if item.role == "RootWebArea")

    @property
    def language(self):
        pairs = self.call("DOM.getAttributes", {"nodeId": self._node("html")})["attributes"]
        return dict(zip(pairs[::2], pairs[1::2], strict=True)).get("lang")

    def named(self, role):
        return [item.name for item in self.tree() if item.role == role]

    @property
    def alert(self):
        """The one thing that the page complains of."""
        tree = self.tree()
        (alert,) = [item for item in tree if item.role == "alert"]
        return " ".join(item.name for item in tree if item.role == "StaticText" and alert.id in self._above(tree, item))

    @staticmethod
    def _above(tree, item):
        parents = {found.id: found.parent for found in tree}
        above = []
        while item_id := parents.get(above[-1] if above else item.id):
            above.append(item_id)
        return above

    @property
    def focused(self):
        """Role and name of what has the focus."""
        return next(((item.role, item.name) for item in self.tree() if item.focused and item.role != "RootWebArea"), None)

    def focus_order(self):
        """What the tabulator leads through from the top of the page, once round."""
        first = "a, button, input:not([type=hidden]):not([hidden])"
        if not self._find(first):
            return []
        self.call("DOM.focus", {"nodeId": self._node(first)})
        seen = []
        while (found := self.focused) and found not in seen and len(seen) < 30:
            seen.append(found)
            self.key("Tab", code=9)
        return seen

    # What went over the wire

    @property
    def status(self):
        """Of the page that is shown."""
        return self._documents[-1]["response"]["status"]

    @property
    def headers(self):
        return {name.lower(): value for name, value in self._documents[-1]["response"]["headers"].items()}

    @property
    def _documents(self):
        return [event["params"] for event in self._own() if event["method"] == "Network.responseReceived" and event["params"]["type"] == "Document"]

    def cookies(self):
        """By name and host."""
        found = self._chromium.call("Storage.getCookies", {"browserContextId": self._context})["cookies"]
        return {(cookie["name"], cookie["domain"]): cookie for cookie in found}

    @property
    def complaints(self):
        """What the browser would not do. (Of pages whose status is a refusal it tells as well: they say so themselves.)"""
        entries = [event["params"]["entry"] for event in self._own() if event["method"] == "Log.entryAdded"]
        return [entry["text"] for entry in entries if entry["source"] != "network"]

    def until(self, what, holds, timeout=30):
        def now():
            try:
                return holds(self)
            except Refused as error:
                if "Not attached to an active page" not in str(error):     # as between two pages
                    raise
        try:
            return eventually(what, now, timeout, 0.2)
        except TookTooLong as error:
            raise TookTooLong(f"{error}; {self.url} says: {self.title}: {self.text}; it complains: {self.complaints}") from None

    def _own(self, begun=0):
        return [event for event in self._chromium.events[begun:] if event.get("sessionId") == self._session]

    def _find(self, selector):
        root = self.call("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
        return self.call("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]

    def _node(self, selector):
        found = self._find(selector)
        assert found, f"{self.url} has no {selector}: {self.text}"
        return found


class Item:
    """A node of the accessibility tree."""

    def __init__(self, node):
        self.id, self.parent, self.backend = node["nodeId"], node.get("parentId"), node.get("backendDOMNodeId")
        self.role = node.get("role", {}).get("value", "")
        self.name = node.get("name", {}).get("value", "")
        self.properties = {entry["name"]: entry["value"].get("value") for entry in node.get("properties", [])}
        self.focused = bool(self.properties.get("focused"))

    def __repr__(self):
        return f"{self.role} {self.name!r}"
