/// config-api (config.md 4.2, 13): a cluster is seen by who may use it and changed by who manages it.
let configLines = [
    // Also with a token that does not stand: this is how clients learn where to get another.
    Line("GET /api/v1/config", .anyone(200)),
    Line("GET /api/v1/clusters", .principals(200)),
    // What is invisible and what is not there look alike.
    Line("GET /api/v1/clusters/{cluster}", .inCluster(200, refusal: 404)),
    Line("POST /api/v1/clusters", .operators(201), body: #"{"name": "made"}"#),
    Line("PATCH /api/v1/clusters/{cluster}", .owners(200), annex, body: #"{"orchestrator": {"job_schedule_timeout_s": 90}}"#),
    // Where the control plane connects to is not for whoever made a cluster.
    Line(
        "PATCH /api/v1/clusters/{cluster}", .operators(200), annex,
        body: #"{"credentials": {"kubernetes": {"kubeconfig": "clusters: []"}}}"#),
    Line("DELETE /api/v1/clusters/{cluster}", .owners(204), ["cluster": "scrap"]),
    Line("GET \(presets)", .members(200, refusal: 404), annex),
    Line("GET \(presets)/{preset}", .members(200, refusal: 404), annex),
    Line("POST \(presets)", .owners(201), annex, body: preset("new")),
    Line("PUT \(presets)/{preset}", .owners(200), annex, body: preset("cpu-small")),
    Line("DELETE \(presets)/{preset}", .owners(200), ["cluster": "annex", "preset": "spare"]),
]

private let annex = ["cluster": "annex"]
private let presets = "/api/v1/clusters/{cluster}/orchestrator/resource_presets"

private func preset(_ name: String) -> String {
    #"{"name": "\#(name)", "credits_per_hour": "2", "cpu": 0.2, "memory": 134217728}"#
}
