"""People with a browser (Chromium): an invitation, signing in, the command line's login, and the pages of jobs. Scripts are off unless a test is about one."""

import dataclasses
import re
import secrets
import subprocess

import pytest
import requests
from apolo_sdk._config import _load

from support.browser import Chromium, Tab
from support.client import APOLO
from support.quick import QuickClient
from support.rest import IMAGE, checked
from support.waiting import TookTooLong, eventually

PASSWORD = "correct horse battery"
PAGE = "what only members may read"
FIELDS = [("textbox", "User name or e-mail"), ("textbox", "Password"), ("button", "Sign in")]
NEW = [("textbox", "New password"), ("textbox", "New password, once more")]


class Desktop(QuickClient):
    """`apolo` of one person, whose browser takes down what it is asked to open."""

    def __init__(self, platform, name):
        super().__init__(platform, name)
        self.asked = self.home / "asked"
        self._browser = self.home / "browser"
        self._browser.write_text(f'#!/bin/sh\nprintf %s "$1" >"{self.asked}.new" && mv "{self.asked}.new" "{self.asked}"\n')
        self._browser.chmod(0o755)

    @property
    def environment(self):
        return super().environment | {"BROWSER": str(self._browser)}

    def address(self, command):
        """What a command that runs wants opened."""
        eventually(f"apolo {' '.join(command.command)} opens the browser", lambda: self.asked.exists() or command.ended, 30, 0.05)
        assert self.asked.exists(), command.finish()
        return self.asked.read_text()


@dataclasses.dataclass
class Person:
    name: str
    window: Tab
    apolo: Desktop


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser = Chromium(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.stop()


@pytest.fixture(scope="module")
def apolo(platform, admin):
    """The admin's, with a configuration of this module's own."""
    client = QuickClient(platform, "inviting")
    client.login(admin.token).ended(0)
    return client


@pytest.fixture(scope="module")
def newcomer(admin, apolo):
    """Makes a user and adds it to the organization, as an admin does; its name."""
    def make(name):
        name = f"{name}-{secrets.token_hex(3)}"
        checked(admin.admin("POST", "users", json={"name": name, "email": f"{name}@example.org", "first_name": None, "last_name": None}), 200, 201)
        apolo("admin", "add-org-user", "default", name).ended(0)
        return name
    return make


@pytest.fixture(scope="module")
def invite(admin):
    """A link with which somebody chooses a password."""
    return lambda name, **wish: checked(admin.config("POST", f"users/{name}/invitation", json=wish), 201).json()["url"]


def settle(chromium, link):
    """Takes up an invitation."""
    window = chromium.person().open(link)
    window.fill(password=PASSWORD, repeated=PASSWORD).press("Save and sign in")
    assert window.title == "Your account – Orrery", (window.url, window.text)
    return window


@pytest.fixture(scope="module")
def ada(platform, apolo, chromium, newcomer, invite):
    """Manages the project `default`, which is every member's: who only writes there may not share."""
    name = newcomer("ada")
    apolo("admin", "update-project-user", "default", "default", name, "manager", "--org", "default").ended(0)
    return Person(name, settle(chromium, invite(name)), Desktop(platform, name))


@pytest.fixture(scope="module")
def ben(platform, admin, apolo, chromium, newcomer, invite):
    """Has a project of his own, and is no member of the other."""
    name, projects = newcomer("ben"), "clusters/default/orgs/default/projects"
    own = f"project-of-{name}"
    checked(admin.admin("POST", projects, json={"name": own, "is_default": False, "default_role": "writer"}), 200, 201)
    apolo("admin", "add-project-user", "default", own, name, "--org", "default").ended(0)
    apolo("admin", "remove-project-user", "default", "default", name, "--org", "default").ended(0)
    yield Person(name, settle(chromium, invite(name)), Desktop(platform, name))
    admin.admin("DELETE", f"{projects}/{own}")


def logged_in(person):
    """Who has not logged in yet, does: in the browser, which knows her since she took up her invitation."""
    if not person.apolo.configuration.exists():
        login = person.apolo.start("login", person.apolo.platform.api)
        assert_signed_in(person.window.open(person.apolo.address(login)), person.apolo.platform)
        login.finish().ended(0)


def assert_signed_in(window, platform):
    """By the listener of the command, and on to where the browser is signed in to the pages of jobs as well."""
    window.until("the browser is signed in", lambda window: window.url == f"{platform.url}/oauth/signed-in" and window.title == "You are signed in")
    assert not window.complaints


def assert_accessible(window, title, order):
    """The page says what it is, each field has a label that is told, and the keyboard leads through it in order."""
    assert (window.language, window.title.removesuffix(" – Orrery")) == ("en", title)
    assert window.named("heading") == [title] and len(window.named("main")) == 1
    assert all(window.named("textbox")), window.tree()
    assert window.focus_order() == order
    assert not window.complaints


def sign_in(window, name, password=PASSWORD):
    return window.fill(login=name, password=password).press("Sign in")


# Invitations and passwords

def test_an_invited_person_chooses_a_password(platform, admin, chromium, newcomer, invite):
    name = newcomer("fay")
    link, spare = invite(name, email=f"{name}@example.org"), invite(name)
    window = chromium.person().open(link)
    assert name in window.text
    assert_accessible(window, "Choose a password", [*NEW, ("button", "Save and sign in")])
    window.fill(password=PASSWORD, repeated=PASSWORD + "!").press("Save and sign in")
    assert (window.status, window.alert) == (400, "The two passwords differ.")
    # Without a mouse: the new form begins at the first field.
    window.fill(password=PASSWORD, repeated=PASSWORD).enter()
    assert window.url == f"{platform.url}/auth/account" and name in window.text
    cookies = {cookie["name"]: cookie for cookie in window.cookies().values()}
    assert cookies.keys() == {"orrery-browser", "orrery-session"}
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["path"] == "/auth" for cookie in cookies.values()), cookies
    assert_accessible(window, "Your account", [
        ("link", "Change the password"), ("button", "Sign out"), ("button", "Sign out everywhere, on the command line too")])

    # The link was good once, and the other is worth nothing since; so is one that was withdrawn.
    withdrawn = invite(name)
    checked(admin.config("DELETE", f"users/{name}/invitation"), 204)
    stranger = chromium.person()
    for used in (link, spare, withdrawn, link[:-3] + "xyz"):
        stranger.open(used)
        assert stranger.status == 410
        assert stranger.alert == "This invitation is not valid: it was used, has expired or was withdrawn. Ask an administrator for another."
    assert_accessible(stranger, "That did not work", [])

    window.press("Sign out")
    assert window.title == "Signed out – Orrery" and ("orrery-session", "127.0.0.1") not in window.cookies()
    window.open(f"{platform.url}/auth/account")
    assert_accessible(window, "Sign in", FIELDS)
    assert sign_in(window, f"{name}@example.org".upper()).url == f"{platform.url}/auth/account"


def test_a_password_is_changed(platform, chromium, newcomer, invite):
    name = newcomer("dora")
    window = settle(chromium, invite(name))
    elsewhere = sign_in(chromium.person().open(f"{platform.url}/auth/sign-in"), name)
    assert elsewhere.url == f"{platform.url}/auth/account"
    window.press("Change the password")
    assert_accessible(window, "Change the password", [
        ("textbox", "Present password"), *NEW, ("button", "Change the password"), ("link", "Back")])
    new = "a new horse, a new battery"
    for current, password, repeated, status, told in (
            (PASSWORD, new, new + "!", 400, "The two passwords differ."),
            (PASSWORD, name, name, 400, "The password is too easy to guess."),
            ("not this horse", new, new, 403, "The present password is not right.")):
        window.fill(current=current, password=password, repeated=repeated).press("Change the password")
        assert (window.status, window.alert) == (status, told)
    window.fill(current=PASSWORD, password=new, repeated=new).press("Change the password")
    assert window.url == f"{platform.url}/auth/account?changed"
    assert "The password was changed. Other sessions have ended." in window.text
    assert elsewhere.reload().title == "Sign in – Orrery"
    sign_in(elsewhere, name)
    assert (elsewhere.status, elsewhere.alert) == (403, "The name or the password is not right.")
    assert_accessible(elsewhere, "Sign in", FIELDS)


def test_guessing_has_to_wait(platform, chromium):
    """Whether there is somebody of that name or not."""
    name = f"nobody-{secrets.token_hex(3)}"
    window = chromium.person().open(f"{platform.url}/auth/sign-in")
    for number in range(5):
        sign_in(window, name, f"guess {number}")
        assert (window.status, window.alert) == (403, "The name or the password is not right.")
    # Each failure doubles the wait, which begins with the attempt: where comparing takes long the first wait may be over.
    window.until("an attempt has to wait", lambda window: sign_in(window, name, "guess after guess").status == 429, 60)
    assert re.fullmatch(r"Too many attempts\. Wait \d+ seconds and try again\.", window.alert), window.alert
    assert int(window.headers["retry-after"]) > 0


# The command line

def test_login_opens_the_browser(platform, chromium, ada):
    login = ada.apolo.start("login", platform.api)
    window = chromium.person().open(ada.apolo.address(login))
    assert window.url.startswith(f"{platform.url}/auth/sign-in?")
    assert_accessible(window, "Sign in", FIELDS)
    sign_in(window, ada.name)
    assert_signed_in(window, platform)
    login.finish().ended(0)
    shown = ada.apolo("config", "show").ended(0)
    assert re.search(rf"User Name\W+{ada.name}\b", shown.out), shown
    assert re.search(r"Current project\W+default\b", shown.out, re.IGNORECASE), shown


def test_login_without_a_browser(platform, ben):
    process = subprocess.Popen(
        [APOLO, "--skip-stats", "config", "login-headless", platform.api], env=ben.apolo.environment, cwd=ben.apolo.home, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        address = next(found[1] for line in process.stdout if (found := re.search(r"Open (\S+) in a browser", line)))
        # He is signed in already: nothing is asked.
        window = ben.window.open(address)
        assert_accessible(window, "Your sign-in code", [])
        (code,) = [item.name for item in window.tree() if item.role == "StaticText" and re.fullmatch(r"[\w-]{43}", item.name)]
        said, _ = process.communicate(code + "\n", timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said
    shown = ben.apolo("config", "show").ended(0)
    assert re.search(rf"User Name\W+{ben.name}\b", shown.out), shown


# Jobs and their pages

def serving(words=PAGE, before=""):
    return f"{before}mkdir -p /tmp/site/lab; echo '{words}' | tee /tmp/site/index.html >/tmp/site/lab/index.html; exec httpd -f -p 8080 -h /tmp/site"


def reach(platform, url, **cookies):
    """What the gateway answers for a page of a job."""
    return requests.get(platform.url, headers={"Host": url.removeprefix("http://")}, cookies=cookies, timeout=20, allow_redirects=False)


@pytest.fixture(scope="module")
def site(platform, admin, ada):
    """A job of ada's with a page, run as she types it. Skips where the gateway has no way to pods."""
    logged_in(ada)
    name = f"site-{secrets.token_hex(3)}"
    ran = ada.apolo("run", "--detach", "-n", name, "-s", "cpu-small", "--http-port", "8080", IMAGE, "--", "sh", "-c", serving()).ended(0)
    job = admin.wait(ran.job, "running")
    statuses = []

    def shown():
        statuses.append(reach(platform, job["http_url_named"], dat=admin.token).status_code)
        return statuses[-1] == 200
    try:
        eventually("the gateway shows the page to the admin", shown, 30)
    except TookTooLong:
        if set(statuses[-10:]) <= {502, 504}:
            pytest.skip("pods of this cluster are not reachable from here")
        raise
    yield job
    admin.call("DELETE", f"{admin.jobs_url}/{job['id']}")


def test_a_page_of_a_job_leads_through_sign_in_and_back(platform, chromium, ada, site):
    window = chromium.person()
    wanted = f"{site['http_url_named']}/lab/?x=1&y=%2F"
    window.open(wanted)
    assert window.url.startswith(f"{platform.url}/auth/sign-in?")
    assert_accessible(window, "Sign in", FIELDS)
    sign_in(window, ada.name)
    window.until("the page is shown", lambda window: window.url == wanted)
    assert window.status == 200 and window.text == PAGE and not window.complaints
    host = site["http_url_named"].removeprefix("http://").split(":")[0]
    cookies = window.cookies()
    assert {name for name, domain in cookies if domain == host} == {"ia-s"}
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies.values()), cookies
    # The other host of the same job, and the first again: nobody is asked any more.
    for url in (site["http_url"] + "/", wanted):
        assert window.open(url).url == url and window.text == PAGE

    window.open(f"{platform.url}/oauth/logout")
    assert_accessible(window, "Sign out?", [("button", "Sign out")])
    window.press("Sign out")
    assert_accessible(window, "You are signed out", [("link", "Sign in")])
    window.until("the page of the job asks again", lambda window: window.open(wanted).url.startswith(f"{platform.url}/auth/sign-in?"))


def test_a_job_is_shared(ada, ben, site):
    """Both were invited, signed in by the page, and have no token but by that."""
    logged_in(ben)
    told = ben.apolo("status", site["id"])
    assert told.code == 77 and "Not enough permissions" in told.text, told
    # His browser is signed in: there is nothing to ask, and nothing to see.
    window = ben.window.open(site["http_url_named"] + "/lab/")
    assert window.status == 403 and f"Your account, {ben.name} , has no access to this page." in window.text
    assert_accessible(window, "No access", [("link", "Sign in with another account")])

    ada.apolo("share", f"job:{site['name']}", ben.name, "read").ended(0)
    status, listed, his = (ben.apolo(*words).ended(0) for words in (("status", site["id"]), ("ps", "--all-projects"), ("acl", "ls", "--full-uri")))
    hers = ada.apolo("acl", "ls", "--shared", "--full-uri").ended(0)
    assert ada.name in status.out and "running" in status.out, status
    assert site["id"] in listed.out, listed
    shared = f"job://default/default/default/{site['name']}"
    assert re.search(rf"{shared}\W+read\b", his.out), his
    assert re.search(rf"{shared}\W+read\W+{ben.name}\b", hers.out), hers
    window.until("the page is shown", lambda window: window.reload().status == 200)
    assert window.url == site["http_url_named"] + "/lab/" and window.text == PAGE
    assert "Cannot" in ben.apolo("kill", site["id"]).text

    ada.apolo("acl", "revoke", f"job:{site['name']}", ben.name).ended(0)
    window.until("the page is refused again", lambda window: window.reload().status == 403)


def test_an_open_job_comes_up_by_itself(platform, admin, chromium, ada, site, tidy):
    """Anybody sees it, nobody is asked, and who came too early waits at a page that looks again."""
    name = f"open-{secrets.token_hex(3)}"
    ran = ada.apolo(
        "run", "--detach", "-n", name, "-s", "cpu-small", "--http-port", "8080", "--no-http-auth", IMAGE, "--", "sh", "-c",
        serving(before="while [ ! -e /tmp/go ]; do sleep 0.2; done; "))
    job = tidy(ran.ended(0).job)
    url = admin.wait(job, "running")["http_url_named"] + "/lab/"
    window = chromium.person(scripts=True)
    window.until("there is something at the job's host", lambda window: "Nothing answers here" in window.open(url).text and window.status == 502)
    assert not window.complaints and not window.cookies()
    ada.apolo("exec", "--no-tty", job, "--", "touch", "/tmp/go").ended(0)
    window.until("the page comes up without being asked", lambda window: window.text == PAGE)
    assert window.url == url and not window.cookies()


def test_logout(platform, ben):
    """The command forgets; the page that it opens ends the session of the browser, and what was granted in it."""
    logged_in(ben)
    kept = _load(ben.apolo.configuration)

    def renewed():
        form = {"grant_type": "refresh_token", "refresh_token": kept.auth_token.refresh_token, "client_id": kept.auth_config.client_id}
        return requests.post(str(kept.auth_config.token_url), data=form, timeout=20).status_code

    assert renewed() == 200
    ben.apolo.asked.unlink(missing_ok=True)
    leaving = ben.apolo.start("logout")
    window = ben.window.open(ben.apolo.address(leaving))
    assert leaving.finish().ended(0).lines[-1] == "Logged out"
    assert (window.title, window.status) == ("Signed out – Orrery", 200) and "You are signed out." in window.text
    assert_accessible(window, "Signed out", [])
    assert renewed() == 400 and "Please login" in ben.apolo("ps").ended(70).err
    assert window.open(f"{platform.url}/auth/account").title == "Sign in – Orrery"
