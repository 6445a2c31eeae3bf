import Foundation
import HTTPTypes
import NIOHTTP1
import PlatformModel
import ServiceKit
import TestSupport

extension Platform {
    /// Makes the tenants, by the same calls that people make: the organization `zenith` with the project `vision`, its jobs and whatever else lines
    /// need, each thing twice where one is removed; the organization `beta` with the project `other`; and somebody who belongs to nothing.
    mutating func settle() async throws {
        try await people()
        try await places()
        try await belongings()
        try await jobs()
        try await ingressKnowsItsHosts()
        try await rest()
    }

    private func people() async throws {
        let admin = Visitor.admin
        for name in Visitor.allCases.map(\.rawValue) + ["mate", "spare", "idle", "gone"] {
            try await make(
                admin, "admin-api", "POST /apis/admin/v1/users", #"{"name": "\#(name)", "email": "\#(name)@example.org"}"#)
        }
        try await make(admin, "auth-api", "DELETE /api/v1/users/gone")
        try await make(admin, "auth-api", "PUT /api/v1/users/alice/account", #"{"email": "alice@example.org"}"#)
    }

    private func places() async throws {
        let owner = Visitor.owner
        let base = "/apis/admin/v1"
        for name in ["default", "annex", "scrap", "doomed"] {
            try await make(name == "default" ? .admin : owner, "admin-api", "POST \(base)/clusters", #"{"name": "\#(name)"}"#)
        }
        for name in ["default", "annex", "scrap"] {
            // admin-api may have made it there already.
            try await make(.admin, "config-api", "POST /api/v1/clusters", #"{"name": "\#(name)"}"#, or: 409)
            try await make(
                .admin, "config-api", "PATCH /api/v1/clusters/\(name)",
                """
                {"orchestrator": {
                  "job_hostname_template": "{job_id}.jobs.\(name).localhost:8080", "job_fallback_hostname": "\(name).jobs.localhost",
                  "is_http_ingress_secure": false, "resource_pool_types": [{"name": "pool", "cpu": 4, "memory": 8589934592}],
                  "resource_presets": [
                    {"name": "cpu-small", "credits_per_hour": "1", "cpu": 0.1, "memory": 134217728},
                    {"name": "spare", "credits_per_hour": "1", "cpu": 0.1, "memory": 134217728}]}}
                """)
        }
        for (who, org, project) in [(owner, "zenith", "vision"), (.stranger, "beta", "other")] {
            try await make(who, "admin-api", "POST \(base)/orgs", #"{"name": "\#(org)"}"#)
            try await make(who, "admin-api", "POST \(base)/clusters/default/orgs/\(org)/projects", Self.project(project))
        }
        for name in ["doomed", "joiner"] { try await make(owner, "admin-api", "POST \(base)/orgs", #"{"name": "\#(name)"}"#) }
        try await make(owner, "admin-api", "POST \(base)/clusters/default/orgs/zenith/projects", Self.project("ended"))
        for project in ["legacy", "ended"] {
            try await make(owner, "admin-api", "POST \(base)/clusters/annex/projects", Self.project(project))
        }
        for org in ["zenith", "doomed"] { try await make(owner, "admin-api", "POST \(base)/clusters/annex/orgs", Self.orgCluster(org)) }
        // The reader, and those whom lines change, remove or add.
        for name in ["rita", "mate", "idle"] {
            try await make(owner, "admin-api", "POST \(base)/orgs/zenith/users", #"{"user_name": "\#(name)", "role": "user"}"#)
            try await make(owner, "admin-api", "POST \(base)/clusters/annex/users", #"{"user_name": "\#(name)", "role": "user"}"#)
        }
        for name in ["rita", "mate"] {
            try await make(
                owner, "admin-api", "POST \(base)/clusters/default/orgs/zenith/projects/vision/users",
                #"{"user_name": "\#(name)", "role": "reader"}"#)
            try await make(
                owner, "admin-api", "POST \(base)/clusters/annex/projects/legacy/users", #"{"user_name": "\#(name)", "role": "reader"}"#)
        }
    }

    private func belongings() async throws {
        for role in ["team", "doomed"] {
            try await make(.owner, "auth-api", "POST /api/v1/users", #"{"name": "alice/roles/\#(role)"}"#)
        }
        try await make(
            .owner, "auth-api", "POST /api/v1/users/rita/permissions", #"[{"uri": "role://alice/roles/team", "action": "read"}]"#)
        for name in ["bot", "old-bot"] {
            try await make(
                .owner, "auth-api", "POST /api/v1/service_accounts",
                #"{"name": "\#(name)", "default_cluster": "default", "default_org": "zenith", "default_project": "vision"}"#)
        }
    }

    static let job = #"""
        {"image": "busybox", "command": "true", "cluster_name": "default", "org_name": "zenith", "project_name": "vision",
         "preset_name": "cpu-small", "http": {"port": 80, "requires_auth": true}, "pass_config": false}
        """#

    /// `$job` runs, `$over` has ended, `$dropped` is being dropped, `$doomed` is for those who end one.
    private mutating func jobs() async throws {
        for name in ["job", "over", "dropped", "doomed"] {
            let answer = try await make(.owner, "jobs-api", "POST /api/v1/jobs?from_preset", Self.job)
            names[name] = try answer.object()["id"] as? String
        }
        for name in ["over", "dropped"] { try await make(.owner, "jobs-api", filled("DELETE /api/v1/jobs/$\(name)")) }
        for name in ["over", "dropped"] {
            try await make(.admin, "jobs-api", filled("PUT /api/v1/jobs/$\(name)/materialized"), #"{"materialized": false}"#)
        }
        try await make(.owner, "jobs-api", filled("POST /api/v1/jobs/$dropped/drop"))
        try await make(.admin, "jobs-api", filled("PUT /api/v1/jobs/$job/status"), #"{"status": "running"}"#)
    }

    private func ingressKnowsItsHosts() async throws {
        let ingress = try service("ingress-auth")
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !ingress.get("/ready").body.contains(#""clusters":{"detail":{},"ok":true}"#) {
            guard .now < deadline else { throw SettingError("ingress-auth does not learn of the clusters") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    static func orgCluster(_ org: String) -> String {
        #"""
        {"org_name": "\#(org)", "quota": {}, "balance": {"spent_credits": "0"}, "default_quota": {}, "default_role": "user", "maintenance": false}
        """#
    }

    static func project(_ name: String) -> String { #"{"name": "\#(name)", "is_default": false, "default_role": "writer"}"# }

    /// Makes a call that must succeed, or be answered with `allowed`.
    @discardableResult
    private func make(
        _ who: Visitor, _ name: String, _ call: String, _ body: String? = nil, or allowed: Int? = nil
    ) async throws -> TestAnswer {
        let answer = try await ask(service(name), Line(call, .principals(200), body: body), token: tokens.user(who.rawValue))
        guard answer.status < 400 || answer.status == allowed else {
            throw SettingError("\(who.rawValue): \(call): \(answer.status) \(answer.body)")
        }
        return answer
    }
}
