/// jobs-api (jobs-api.md 3, 12): readers of a project see its jobs, writers change them, and only who looks after the cluster says how they fare.
let jobsLines = [
    Line("GET /ping", .anyone(200)),
    Line("GET /api/v1/ping", .anyone(200)),
    Line("GET /api/v1/jobs", .principals(200)),
    Line("POST /api/v1/jobs", .owners(202), query: "from_preset", body: Platform.job),
    Line("GET /api/v1/jobs/{job}", .members(200)),
    Line("DELETE /api/v1/jobs/{job}", .owners(204), ["job": "$doomed"]),
    Line("PUT /api/v1/jobs/{job}/max_run_time_minutes", .owners(204), body: #"{"max_run_time_minutes": 60}"#),
    Line("POST /api/v1/jobs/{job}/drop", .owners(204), ["job": "$over"]),
    Line("POST /api/v1/jobs/{job}/drop_progress", .owners(204), ["job": "$dropped"], body: #"{"logs_removed": true}"#),
    Line("PUT /api/v1/jobs/{job}/status", .operators(204), body: #"{"status": "running"}"#),
    Line("PUT /api/v1/jobs/{job}/materialized", .operators(204), body: #"{"materialized": true}"#),
]
