"""`apolo login` of the published SDK, with a person at the page: in a browser on the same machine, and elsewhere."""

import asyncio
import html
import re

import aiohttp
import pytest
import requests
from apolo_sdk._login import AuthNegotiator, AuthTokenClient, HeadlessNegotiator, _AuthConfig
from yarl import URL

from support.client import Client
from support.rest import checked

PASSWORD = "correct horse battery"


def fields(page):
    return {name: html.unescape(value) for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)}


@pytest.fixture(scope="session")
def person(platform, other, admin):
    """The second user, who was invited and chose a password."""
    link = checked(admin.config("POST", f"users/{other.user}/invitation", json={}), 201).json()["url"]
    browser = requests.Session()
    page = checked(browser.get(link, timeout=20), 200)
    form = {**fields(page.text), "password": PASSWORD, "repeated": PASSWORD}
    answer = checked(browser.post(f"{platform.url}/auth/invitation", data=form, timeout=20), 200)
    assert f"<strong>{other.user}</strong>" in answer.text
    assert browser.get(link, timeout=20).status_code == 410
    return other.user


@pytest.fixture
def login(platform):
    """What the bootstrap document says of signing in."""
    document = requests.get(f"{platform.api}/config", timeout=20).json()
    return _AuthConfig.create(
        auth_url=URL(document["auth_url"]), token_url=URL(document["token_url"]), logout_url=URL(document["logout_url"]),
        client_id=document["client_id"], audience=document["audience"], headless_callback_url=URL(document["headless_callback_url"]),
        callback_urls=[URL(url) for url in document["callback_urls"]])


def at_the_page(platform, name):
    """Does what a person does with the address that the client opens, and returns the page it ends at."""
    def browse(url):
        browser = requests.Session()
        page = browser.get(str(url), timeout=20)
        assert page.url.startswith(f"{platform.url}/auth/sign-in"), page.url
        page = browser.post(f"{platform.url}/auth/sign-in", data={**fields(page.text), "login": name, "password": PASSWORD}, timeout=20)
        return browser.get(platform.url + page.headers["Refresh"].removeprefix("0; url="), timeout=20)
    return browse


async def token_of(negotiator):
    return await (negotiator.get_token() if hasattr(negotiator, "get_token") else negotiator.negotiate())


def test_login_in_a_browser(platform, person, login):
    browse = at_the_page(platform, person)

    async def sign_in():
        async with aiohttp.ClientSession() as session:
            async def show(url):
                asyncio.get_running_loop().run_in_executor(None, browse, url)
            token = await token_of(AuthNegotiator(session, login, show))
            async with AuthTokenClient(session, login.token_url, login.client_id) as client:
                return token, await client.refresh(token)

    token, renewed = asyncio.run(sign_in())
    assert token.username == person and renewed.refresh_token == token.refresh_token
    client = Client(platform, "signed-in")
    client.login(renewed.token).ended(0)
    assert person in client("config", "show").ended(0).out


def test_login_without_a_browser(platform, person, login):
    browse = at_the_page(platform, person)

    async def sign_in():
        async with aiohttp.ClientSession() as session:
            async def code(url):
                page = await asyncio.get_running_loop().run_in_executor(None, browse, url)
                return re.search(r'id="code">([^<]*)<', page.text)[1]
            return await token_of(HeadlessNegotiator(session, login, code))

    assert asyncio.run(sign_in()).username == person


def test_what_strangers_are_told(platform, login):
    document = requests.get(f"{platform.url}/.well-known/openid-configuration", timeout=20).json()
    assert document["issuer"] == platform.url and document["token_endpoint"] == str(login.token_url)
    refused = requests.post(str(login.token_url), data={"grant_type": "refresh_token", "refresh_token": "guess", "client_id": login.client_id}, timeout=20)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
