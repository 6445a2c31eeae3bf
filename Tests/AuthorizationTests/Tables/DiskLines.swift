/// disk-api (disk.md 2.3): readers of a project see its disks, writers make and remove them. `standing` is one of zenith/vision; a disk that is not
/// there is known to nobody.
let diskLines = [
    Line("GET /api/v1/ping", .anyone(200)),
    Line("GET /api/docs/v1/disk/swagger.json", .anyone(200)),
    Line("GET /api/docs/v1/disk/ui", .anyone(200)),
    Line("GET /api/v1/secured-ping", .principals(200)),
    // To each what he may see: a project that is not his is an empty list.
    Line("GET /api/v1/disk", .principals(200), query: vision),
    Line("GET /api/v1/disk", .principals(200), query: "org_name=beta"),
    Line(
        "POST /api/v1/disk", .owners(201), body: #"{"storage": 500, "org_name": "zenith", "project_name": "vision", "life_span": null}"#),
    Line("GET /api/v1/disk/{disk}", .members(200), ["disk": EmptyKubernetes.disk], query: vision),
    Line("GET /api/v1/disk/{disk}", .principals(404), ["disk": "missing"], query: vision),
    Line("DELETE /api/v1/disk/{disk}", .owners(204), ["disk": EmptyKubernetes.disk], query: vision),
    Line("DELETE /api/v1/disk/{disk}", .principals(404), ["disk": "missing"], query: vision),
]

private let vision = "org_name=zenith&project_name=vision"
