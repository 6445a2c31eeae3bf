/// storage-api (storage.md 4.2): a right that is missing looks like a file that is missing.
let storageLines = [
    Line("GET /api/v1/ping", .anyone(200)),
    Line("GET /api/v1/storage/{path*}", .members(200, refusal: 404), ["path*": "zenith/vision"], query: "op=GETFILESTATUS"),
    Line("GET /api/v1/storage/{path*}", .members(200, refusal: 404), ["path*": "zenith/vision"], query: "op=LISTSTATUS"),
    Line("GET /api/v1/storage/{path*}", .members(200, refusal: 404), ["path*": "zenith/vision"], query: "op=GETDISKUSAGE"),
    // 400: the gate was passed by a request that is no WebSocket's.
    Line("GET /api/v1/storage/{path*}", .members(400, refusal: 404), ["path*": "zenith/vision"], query: "op=WEBSOCKET"),
    Line("GET /api/v1/storage/{path*}", .members(400, refusal: 404), ["path*": "zenith/vision"], query: "op=WEBSOCKET_READ"),
    Line("GET /api/v1/storage/{path*}", .owners(400, refusal: 404), ["path*": "zenith/vision"], query: "op=WEBSOCKET_WRITE"),
    Line("HEAD /api/v1/storage/{path*}", .members(200, refusal: 404), ["path*": "zenith/vision"]),
    Line("PUT /api/v1/storage/{path*}", .owners(201, refusal: 404), ["path*": "zenith/vision/file"], query: "op=CREATE"),
    Line("PUT /api/v1/storage/{path*}", .owners(201, refusal: 404), ["path*": "zenith/vision/folder"], query: "op=MKDIRS"),
    Line(
        "PATCH /api/v1/storage/{path*}", .owners(200, refusal: 404), ["path*": "zenith/vision/file"], query: "op=WRITE",
        headers: ["Content-Range": "bytes 0-0/*"]),
    Line(
        "POST /api/v1/storage/{path*}", .owners(204, refusal: 404), ["path*": "zenith/vision/file"],
        query: "op=RENAME&destination=/zenith/vision/moved"),
    Line("DELETE /api/v1/storage/{path*}", .owners(204, refusal: 404), ["path*": "zenith/vision/folder"], query: "op=DELETE"),
]
