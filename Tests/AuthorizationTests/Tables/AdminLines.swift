/// admin-api (admin.md 5.3): members see what they belong to, administrators change it, and strangers learn nothing of either.
let adminLines =
    [
        Line("GET \(base)/ping", .anyone(200)),
        Line("GET \(base)/audit", .operators(200)),
        // For services alone, not even for the operator.
        Line("GET /apis/events/v1/stream", .principals(403)),
    ] + userLines + clusterLines + clusterUserLines + orgClusterLines + orgLines + orgUserLines
    + projectLines

private let base = "/apis/admin/v1"
private let question = #"[{"uri": "job://default/zenith/vision", "action": "read"}]"#

private let userLines = [
    Line("POST \(base)/users/{user...}/permissions/check", .owners(200), body: question),
    Line("POST \(base)/users/{user...}/token", .operators(200), body: "{}"),
    Line("POST \(base)/users/{user...}/token/verify", .owner(200, refusal: 401)),
    Line("GET \(base)/users", .operators(200)),
    Line("POST \(base)/users", .operators(200), body: #"{"name": "newcomer", "email": "newcomer@example.org"}"#),
    Line("GET \(base)/users/{user...}", .owners(200), query: "include=orgs&include=clusters&include=projects"),
    Line(
        "PUT \(base)/users/{user...}", .owners(200),
        body: #"{"name": "alice", "email": "alice@example.net", "first_name": "A", "last_name": null, "created_at": null}"#),
]

private let clusterLines = [
    Line("GET \(base)/clusters", .principals(200)),
    Line("POST \(base)/clusters", .principals(200), body: #"{"name": "made"}"#),
    Line("GET \(base)/clusters/{cluster}", .inCluster(200)),
    Line("PUT \(base)/clusters/{cluster}", .owners(200), ["cluster": "annex"], body: #"{"name": "annex", "maintenance": true}"#),
    Line("DELETE \(base)/clusters/{cluster}", .owners(200), ["cluster": "doomed"]),
]

private let member = #"{"user_name": "mate", "role": "user", "quota": {}}"#
private let quota = #"{"quota": {"total_running_jobs": 3}}"#
private let credits = #"{"credits": "5"}"#
/// Charging is for billing alone, however much else somebody manages.
private let spending = #"{"spending": "1"}"#

/// Of the tenant's own cluster: directly, and on behalf of the organization.
private let clusterUserLines =
    [
        Line("GET \(base)/clusters/{cluster}/users", .inCluster(200)),
        Line(
            "POST \(base)/clusters/{cluster}/users", .owners(200), ["cluster": "annex"],
            body: #"{"user_name": "spare", "role": "user"}"#),
        Line("GET \(base)/clusters/{cluster}/orgs/{org}/users", .members(200), ["cluster": "annex"]),
        Line("PATCH \(base)/clusters/{cluster}/orgs/{org}/users/{user...}/balance", .owners(200), ["user": "rita"], body: credits),
        Line("POST \(base)/clusters/{cluster}/orgs/{org}/users/{user...}/spending", .operators(200), ["user": "rita"], body: spending),
    ]
    + ["clusters/{cluster}/users", "clusters/{cluster}/orgs/{org}/users"].flatMap { users in
        let values = ["cluster": "annex", "user": "mate"]
        return [
            Line("GET \(base)/\(users)/{user...}", .owners(200), values),
            Line("PUT \(base)/\(users)/{user}", .owners(200), values, body: member),
            Line("PATCH \(base)/\(users)/{user}/quota", .owners(200), values, body: quota),
            Line("DELETE \(base)/\(users)/{user}", .owners(204), values),
        ]
    }

private let annex = ["cluster": "annex"]

private let orgClusterLines = [
    Line("GET \(base)/clusters/{cluster}/orgs", .principals(200)),
    Line("POST \(base)/clusters/{cluster}/orgs", .owners(200), annex, body: Platform.orgCluster("joiner")),
    // Anybody can make a cluster; that draws nobody else's organization into it.
    Line("POST \(base)/clusters/{cluster}/orgs", .operators(200), annex, body: Platform.orgCluster("beta")),
    Line("GET \(base)/clusters/{cluster}/orgs/{org}", .members(200), annex),
    Line("PUT \(base)/clusters/{cluster}/orgs/{org}", .owners(200), annex, body: Platform.orgCluster("zenith")),
    Line("DELETE \(base)/clusters/{cluster}/orgs/{org}", .owners(204), ["cluster": "annex", "org": "doomed"]),
    Line(
        "PATCH \(base)/clusters/{cluster}/orgs/{org}/defaults", .owners(200), annex,
        body: #"{"quota": {}, "default_role": "user"}"#),
    Line("PATCH \(base)/clusters/{cluster}/orgs/{org}/quota", .owners(200), annex, body: quota),
    // Not the tenant's own administrator: it is in a cluster of somebody else, where the credits count as well.
    Line("PATCH \(base)/clusters/{cluster}/orgs/{org}/balance", .operators(200), body: #"{"credits": "7"}"#),
    Line("PATCH \(base)/clusters/{cluster}/orgs/{org}/balance", .operators(200), annex, body: #"{"credits": "7"}"#),
    Line("POST \(base)/clusters/{cluster}/orgs/{org}/spending", .operators(200), annex, body: spending),
    Line("POST \(base)/clusters/{cluster}/debts", .operators(204), annex, body: #"{"credits": "1", "org_name": "zenith"}"#),
]

private let orgLines = [
    Line("GET \(base)/orgs", .principals(200)),
    Line("POST \(base)/orgs", .principals(200), query: "skip_auto_add_to_clusters=true", body: #"{"name": "made"}"#),
    Line("GET \(base)/orgs/{org}", .members(200)),
    Line("DELETE \(base)/orgs/{org}", .owners(200), ["org": "doomed"]),
    Line("PATCH \(base)/orgs/{org}", .owners(200), body: #"{"credits": "5"}"#),
    Line("PATCH \(base)/orgs/{org}/defaults", .owners(200), body: #"{"credits": "5"}"#),
    Line("PATCH \(base)/orgs/{org}/balance", .operators(200), ["org": "beta"], body: #"{"credits": "7"}"#),
    Line("PATCH \(base)/orgs/{org}/balance", .operators(200), body: #"{"credits": "7"}"#),
    Line("POST \(base)/orgs/{org}/spending", .operators(200), body: spending),
]

private let orgUserLines = [
    Line("GET \(base)/orgs/{org}/users", .members(200)),
    Line("POST \(base)/orgs/{org}/users", .owners(200), body: #"{"user_name": "spare", "role": "user"}"#),
    Line("GET \(base)/orgs/{org}/users/{user...}", .members(200)),
    Line(
        "PUT \(base)/orgs/{org}/users/{user}", .owners(200), ["user": "mate"],
        body: #"{"user_name": "mate", "role": "manager", "balance": {}}"#),
    Line("DELETE \(base)/orgs/{org}/users/{user}", .owners(204), ["user": "idle"]),
    Line("PATCH \(base)/orgs/{org}/users/{user...}/balance", .owners(200), ["user": "mate"], body: credits),
    Line("POST \(base)/orgs/{org}/users/{user...}/spending", .operators(200), ["user": "mate"], body: spending),
]

/// In an organization of a cluster that is shared, and without one in the tenant's own.
private let projectLines =
    [
        Line("GET \(base)/clusters/{cluster}/projects", .principals(200)),
        Line("GET \(base)/clusters/{cluster}/orgs/{org}/projects", .principals(200)),
    ]
    + [
        ("clusters/{cluster}/orgs/{org}/projects", ["cluster": "default", "project": "vision"]),
        ("clusters/{cluster}/projects", ["cluster": "annex", "project": "legacy"]),
    ].flatMap { (projects, values) in
        let path = "\(base)/\(projects)"
        let mate = values.merging(["user": "mate"]) { $1 }
        return [
            Line("POST \(path)", values["project"] == "legacy" ? .owners(200) : .members(200), values, body: Platform.project("fresh")),
            Line("GET \(path)/{project}", .members(200), values),
            Line("PUT \(path)/{project}", .owners(200), values, body: #"{"is_default": false, "default_role": "reader"}"#),
            Line("DELETE \(path)/{project}", .owners(200), values.merging(["project": "ended"]) { $1 }),
            Line("GET \(path)/{project}/users", .members(200), values),
            Line("POST \(path)/{project}/users", .owners(200), values, body: #"{"user_name": "idle", "role": "reader"}"#),
            Line("GET \(path)/{project}/users/{user}", .members(200), values),
            Line("PUT \(path)/{project}/users/{user}", .owners(200), mate, body: #"{"role": "writer"}"#),
            Line("DELETE \(path)/{project}/users/{user}", .owners(204), mate),
        ]
    }
