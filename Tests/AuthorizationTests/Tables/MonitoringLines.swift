/// monitoring-api (monitoring.md): readers of a job read its log, writers enter it; 400 says that the gate was passed by a request that is no
/// WebSocket's.
let monitoringLines =
    [
        Line("GET /api/v1/jobs/capacity", .inCluster(200)),
        Line("POST /api/v1/jobs/available", .inCluster(200)),
        Line("GET /api/v1/jobs/{job}/log", .members(200), ["job": "$over"]),
        Line("GET /api/v1/jobs/{job}/log_ws", .members(400)),
        Line("DELETE /api/v1/jobs/{job}/log", .owners(204)),
    ]
    + [("attach", "stdout=true&stderr=true"), ("exec", "cmd=true&stdout=true&stderr=true")].flatMap { (verb, query) in
        ["GET", "POST"].map { Line("\($0) /api/v1/jobs/{job}/\(verb)", .owners(400), query: query) }
    }
