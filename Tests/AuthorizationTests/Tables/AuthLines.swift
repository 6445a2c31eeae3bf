/// auth-api (auth.md): what a principal is and holds is for itself and for those who manage it; what strangers need to sign in is for anyone.
let authLines =
    [
        Line("GET /.well-known/jwks.json", .anyone(200)),
        Line("GET /.well-known/openid-configuration", .anyone(200)),
        Line("GET /.well-known/oauth-authorization-server", .anyone(200)),
        Line("GET /api/v1/ping", .anyone(200)),
        Line("GET /api/v1/secured-ping", .principals(200)),
        Line("GET /secured-ping", .principals(200)),
        Line("GET /api/v1/audit", .operators(200)),
    ] + principalLines + permissionLines + tokenLines + accountLines + pageLines

private let user = "/api/v1/users/{name}"
private let face = "/apis/admin/v1/users/{name...}"
private let question = #"[{"uri": "job://default/zenith/vision", "action": "read"}]"#

private let principalLines = [
    Line("POST /api/v1/users", .owners(201), body: #"{"name": "alice/roles/new"}"#),
    Line("GET \(user)", .owners(200)),
    Line("DELETE \(user)", .owners(204), ["name": "alice:roles:doomed"]),
    Line("GET \(user)/subroles", .owners(200)),
]

private let permissionLines = [
    Line("GET \(user)/permissions", .owners(200)),
    // Rita cannot give herself what is Alice's.
    Line("POST \(user)/permissions", .owners(201), ["name": "rita"], body: #"[{"uri": "role://alice/roles/team", "action": "write"}]"#),
    Line("PUT \(user)/permissions", .owners(204), ["name": "alice:roles:team"], body: "[]"),
    Line("DELETE \(user)/permissions", .owners(204), ["name": "rita"], query: "uri=role://alice/roles/team"),
    Line("GET \(user)/permissions/tree", .owners(200), query: "uri=job:"),
    Line("GET \(user)/permissions/shared", .owners(200)),
    Line("POST \(user)/permissions/check", .owners(200), body: question),
    Line("POST \(face)/permissions/check", .owners(200), body: question),
]

private let tokenLines = [
    // Not even one's own: a token that leaked would make others that last.
    Line("POST \(user)/token", .operators(200), body: "{}"),
    Line("POST \(face)/token", .operators(200), body: "{}"),
    Line("POST \(face)/token/verify", .owner(200, refusal: 401)),
    Line("GET /auth/userinfo", .principals(200)),
    Line("POST /auth/userinfo", .principals(200)),
    // Browsers ask without credentials whether they may ask with them.
    Line("GET /api/v1/service_accounts", .principals(200)),
    Line(
        "POST /api/v1/service_accounts", .principals(201),
        body: #"{"name": "own", "default_cluster": "default", "default_org": "beta", "default_project": "other"}"#),
    // Somebody else's are not there, whoever asks.
    Line("GET /api/v1/service_accounts/{name}", .owner(200, refusal: 404), ["name": "bot"]),
    Line("DELETE /api/v1/service_accounts/{name}", .owner(204, refusal: 404), ["name": "old-bot"]),
]

private let accountLines = [
    Line("POST \(user)/invitation", .operators(201), ["name": "rita"], body: "{}"),
    Line("DELETE \(user)/invitation", .operators(204), ["name": "rita"]),
    Line("GET \(user)/account", .owners(200)),
    Line("PUT \(user)/account", .operators(204), body: #"{"email": "alice@example.com"}"#),
    Line("DELETE \(user)/sessions", .operators(204)),
]

/// Who asks is told by a cookie, if at all: a browser without one gets what everybody gets.
private let pageLines = [
    Line(
        "GET /auth/authorize", .anyone(303),
        query: "response_type=code&client_id=apolo-cli&redirect_uri=http://127.0.0.1:54540&scope=offline_access&code_challenge_method=S256"
            + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&audience=http://127.0.0.1:8080"),
    // A client that brings something else than its secret is none.
    Line(
        "POST /auth/token", .principals(401).withoutToken(400), body: "grant_type=refresh_token&client_id=apolo-cli&refresh_token=unknown"),
    Line("POST /auth/revoke", .anyone(200), body: "client_id=apolo-cli&token=unknown"),
    Line("GET /auth/sign-in", .anyone(200), query: "return_to=/auth/account"),
    Line("POST /auth/sign-in", .anyone(400), body: "login=alice&password=guess&return_to=/auth/account"),
    Line("GET /auth/logout", .anyone(200)),
    Line("GET /auth/show-code", .anyone(200), query: "code=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    Line("GET /auth/style.css", .anyone(200)),
    Line("GET /auth/account", .anyone(303)),
    Line("GET /auth/account/password", .anyone(303)),
    Line("POST /auth/account/password", .anyone(400), body: "current=a&password=b&repeated=b"),
    Line("POST /auth/account/sign-out-everywhere", .anyone(400), body: "x=y"),
    Line("GET /auth/invitation", .anyone(410), query: "token=unknown"),
    Line("POST /auth/invitation", .anyone(400), body: "token=unknown&password=a&repeated=a"),
    Line("GET /auth/providers/{id}", .anyone(404), query: "return_to=/auth/account"),
    Line("GET /auth/providers/{id}/callback", .anyone(404), query: "code=x&state=y"),
]
