"""People, organizations and clusters of one module's tests, with names that nobody else has."""

import uuid

from .quick import QuickClient
from .rest import Api, checked


class Tenants:
    def __init__(self, platform, admin):
        self.platform, self.admin = platform, admin
        self.mark = uuid.uuid4().hex[:6]
        self._orgs, self._clusters = [], []

    def name(self, word):
        return f"{word}-{self.mark}"

    def org_name(self, word):
        """A name for an organization that is taken away at the end, whoever makes it."""
        self._orgs.append(self.name(word))
        return self._orgs[-1]

    def cluster_name(self, word):
        self._clusters.append(self.name(word))
        return self._clusters[-1]

    def user(self, word):
        """A new user, over REST."""
        name = self.name(word)
        body = {"name": name, "email": f"{name}@example.org", "first_name": word.capitalize(), "last_name": "Example"}
        checked(self.admin.admin("POST", "users", json=body), 200)
        token = checked(self.admin.config("POST", f"users/{name}/token", json={}), 200, 201).json()["access_token"]
        return Api(self.platform, name, token)

    def org(self, word, *, everywhere=True):
        """A new organization of the admin's: in the clusters that new ones join, or in none."""
        name = self.org_name(word)
        query = {"skip_auto_add_to_clusters": "false" if everywhere else "true"}
        checked(self.admin.admin("POST", "orgs", params=query, json={"name": name}), 200)
        return name

    def cluster(self, word, *orgs):
        """A new cluster of nothing but a name, with these organizations."""
        name = self.cluster_name(word)
        checked(self.admin.admin("POST", "clusters", json={"name": name}), 200)
        for org in orgs:
            checked(self.admin.admin("POST", f"clusters/{name}/orgs", json={"org_name": org}), 200)
        return name

    def project(self, word, org, cluster="default"):
        name = self.name(word)
        body = {"name": name, "is_default": False, "default_role": "writer"}
        checked(self.admin.admin("POST", f"clusters/{cluster}/orgs/{org}/projects", json=body), 200)
        return name

    def client(self, user, name=None):
        """`apolo` of that user, logged in."""
        client = QuickClient(self.platform, name or user.user)
        client.login(user.token).ended(0)
        return client

    def end(self):
        """Users stay, as they do in the platform; nothing else does."""
        for path in [f"orgs/{name}" for name in self._orgs] + [f"clusters/{name}" for name in self._clusters]:
            checked(self.admin.admin("DELETE", path), 200, 403, 404)
