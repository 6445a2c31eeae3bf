/// secrets-api (secrets.md 2.3): readers of a project read its secrets, writers change them; a list shows each what is his.
let secretsLines = [
    Line("GET /api/v1/ping", .anyone(200)),
    Line("GET /api/v1/secured-ping", .principals(200)),
    Line("GET /api/v1/secrets", .principals(200), query: place),
    Line("GET /api/v1/secrets", .principals(200), query: "org_name=zenith"),
    Line(
        "POST /api/v1/secrets", .owners(201),
        body: #"{"key": "K", "value": "dg==", "org_name": "zenith", "project_name": "vision"}"#),
    Line("GET /api/v1/secrets/{key}", .members(200), ["key": "K"], query: place),
    Line("DELETE /api/v1/secrets/{key}", .owners(204), ["key": "K"], query: place),
]

private let place = "org_name=zenith&project_name=vision"
