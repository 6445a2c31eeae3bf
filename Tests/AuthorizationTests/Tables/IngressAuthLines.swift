/// ingress-auth (ingress-auth.md 6): the gateway's question is answered by who may read the job; the pages are for those who are not signed in yet.
let ingressAuthLines = [
    Line(
        "GET /oauth/authorize", .members(200),
        headers: [
            "X-Forwarded-Host": "$job.jobs.default.localhost:8080", "X-Forwarded-Uri": "/", "X-Forwarded-Method": "GET",
            // No page is wanted, so that nobody is sent to sign in.
            "Accept": "application/json",
        ]),
    Line("GET /oauth/login", .anyone(302)),
    Line("GET /oauth/callback", .anyone(400).looking(405), query: "code=x&state=y"),
    Line("GET /oauth/show-code", .anyone(200), query: "code=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    Line("GET /oauth/signed-in", .anyone(200)),
    Line("GET /oauth/logged-out", .anyone(200)),
    Line("GET /oauth/logout", .anyone(200)),
    Line("POST /oauth/logout", .anyone(403), body: "proof=unknown"),
    // Of the gateway, for hosts behind which there is nothing.
    Line("GET /", .anyone(404)),
    Line("GET /{path...}", .anyone(404)),
]
