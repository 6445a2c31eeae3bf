import Foundation
import Kubernetes
import NIOHTTP1
import PlatformModel
import TestSupport
import Testing

@testable import DiskService

/// The API as its clients see it (disk.md 16, lines 3 to 47).
@Suite(.timeLimit(.minutes(5))) struct DiskAPITests {
    @Test func pings() async throws {
        try await DiskStage.with { (stage) async throws in
            for path in ["/ping", "/api/v1/ping"] {
                let answer = try await stage.disks.get(path)
                #expect(answer.status == 200 && answer.body == "Pong")
                #expect(answer.headers.first(name: "X-Service-Version")?.hasPrefix("platform-disk-api/") == true)
                #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == nil)
            }
            let secured = "/api/v1/secured-ping"
            #expect(try await stage.disks.get(secured, token: stage.token("alice")).body == "Secured Pong")
            #expect(try await stage.disks.get(secured).status == 401)
            #expect(try await stage.disks.get(secured, token: stage.token("nobody")).status == 401)
            #expect(try await stage.disks.get("/api/docs/v1/disk/swagger.json").status == 404)
        }
    }

    /// A document that says otherwise than the service does would be worse than none.
    @Test func theAPIIsDescribed() async throws {
        try await DiskStage.with(settings: ["documentation": "true"]) { (stage) async throws in
            let answer = try await stage.disks.get("/api/docs/v1/disk/swagger.json")
            #expect(answer.status == 200 && answer.headers.first(name: "content-type") == "application/json; charset=utf-8")
            let document = try answer.json(JSON.self)
            #expect(document["swagger"] == "2.0")
            let disk = try #require(document["paths"]?["/api/v1/disk/{disk}"]?["delete"])
            #expect(disk["responses"]?["204"] != nil && disk["responses"]?["401"] != nil && disk["security"] == [["bearer": []]])
            #expect(document["paths"]?["/api/v1/ping"]?["get"]?["security"] == [])
            let made = try await stage.make().json([String: JSON].self)
            guard case .object(let members)? = document["definitions"]?["Disk"]?["properties"] else {
                Issue.record("no members of a disk")
                return
            }
            #expect(Set(members.keys) == Set(made.keys))
            let page = try await stage.disks.get("/api/docs/v1/disk/ui")
            #expect(page.status == 200 && page.body.contains("<h2>POST /api/v1/disk</h2>") && !page.body.contains("<script"))
            #expect(page.headers.first(name: "content-security-policy")?.contains("default-src 'none'") == true)
        }
    }

    @Test func aDiskIsMadeReadAndRemoved() async throws {
        try await DiskStage.with { (stage) async throws in
            let answer = try await stage.make(500, ["name": "cool-disk", "life_span": 604800])
            #expect(answer.status == 201)
            #expect(answer.headers.first(name: "content-type") == "application/json; charset=utf-8")
            let disk = try answer.json([String: JSON].self)
            #expect(disk.count == 11)
            let id = try #require(disk["id"]?.string)
            #expect(DiskReference(id)?.isID == true)
            #expect(disk["storage"] == 500 && disk["owner"] == "alice" && disk["org_name"] == "acme" && disk["project_name"] == "vision")
            #expect(
                disk["name"] == "cool-disk" && disk["life_span"] == 604800 && disk["last_usage"] == .null && disk["used_bytes"] == .null)
            #expect(disk["created_at"]?.string.flatMap { UTCTime($0) }.map { abs(UTCTime.now.seconds(since: $0)) < 60 } == true)
            #expect(["Pending", "Ready"].contains(disk["status"]?.string ?? ""))
            #expect(try await stage.ids() == [id])
            for text in [id, "cool-disk"] {
                for query in [DiskStage.acme, DiskStage.acme + "&owner=alice"] {
                    #expect(try await stage.get(text, query).json([String: JSON].self)["id"]?.string == id)
                }
            }
            // It is bound to a volume in its own time.
            try await stage.wait(id) { $0?.status?.phase == "Bound" }
            #expect(try await stage.get(id).json([String: JSON].self)["status"] == "Ready")
            let head = try await stage.call(.HEAD, "/\(id)?" + DiskStage.acme)
            #expect(head.status == 200 && head.body.isEmpty)

            let gone = try await stage.delete("cool-disk")
            #expect(gone.status == 204 && gone.body.isEmpty && gone.headers.first(name: "content-type") == nil)
            #expect(try await stage.ids().isEmpty)
            for text in [id, "cool-disk"] {
                let answer = try await stage.get(text)
                #expect(answer.status == 404 && answer.body == "Disk \(text) not found")
                #expect(answer.headers.first(name: "content-type")?.hasPrefix("text/plain") == true)
                #expect(try await stage.delete(text).status == 404)
            }
        }
    }

    @Test func namesAreUniqueInAProjectAndFreeAtOnce() async throws {
        try await DiskStage.with { (stage) async throws in
            let first = try await stage.made(["name": "data"])
            let again = try await stage.make(["name": "data"])
            #expect(again.status == 409)
            #expect(try again.object()["code"] as? String == "DiskNameUsed")
            #expect(try again.object()["description"] as? String == "Disk with name data already exists for project vision")
            #expect(try await stage.ids() == [first])
            let elsewhere = try await stage.made(project: "sound", ["name": "data"])
            #expect(elsewhere != first)
            for _ in 0..<5 {
                #expect(try await stage.delete("data").status == 204)
                #expect(try await stage.ids().isEmpty)
                let next = try await stage.made(["name": "data"])
                #expect(try await stage.ids() == [next])
            }
            #expect(try await stage.make(["name": "with space"]).status == 400)
        }
    }

    @Test func ownersWithManyParts() async throws {
        try await DiskStage.with { (stage) async throws in
            let name = "alice/service-accounts/ci"
            let answer = try await stage.make(as: name, ["name": "mine"])
            #expect(answer.status == 201)
            #expect(try answer.object()["owner"] as? String == name)
            let listed = try await stage.call(.GET, "?" + DiskStage.acme, as: name).json([[String: JSON]].self)
            #expect(listed.map { $0["owner"]?.string } == [name] && listed.first?["name"] == "mine")
        }
    }

    @Test func whoMaySeeAndRemove() async throws {
        try await DiskStage.with { (stage) async throws in
            #expect(try await stage.make(as: "bob").status == 403)
            #expect(try await stage.make(as: "rita").status == 403)
            let refused = try await stage.make(as: "idle")
            #expect(
                refused.body.replacing(" ", with: "") == #"{"missing":[{"action":"write","uri":"disk://default/acme/vision"}]}"#)
            let id = try await stage.made(["name": "data"])
            #expect(try await stage.ids(as: "rita") == [id])
            #expect(try await stage.ids(as: "root") == [id])
            #expect(try await stage.ids(as: "bob").isEmpty)
            for text in [id, "data"] {
                for name in ["bob", "idle"] {
                    #expect(try await stage.get(text, as: name).status == 403)
                    #expect(try await stage.delete(text, as: name).status == 403)
                }
                #expect(try await stage.get(text, as: "rita").status == 200)
                let refused = try await stage.delete(text, as: "rita")
                #expect(refused.status == 403 && refused.body.contains("write"))
            }
            #expect(try await stage.ids() == [id])
            #expect(try await stage.get("wrong-id").status == 404)
            #expect(try await stage.delete("wrong-id").status == 404)
            #expect(try await stage.get("wrong-id", as: "bob").status == 404)
            // A grant of `list` shows nothing; one of `read` shows all.
            try await stage.grant("disk://default/acme/vision", .read, to: "bob")
            #expect(try await stage.ids(as: "bob") == [id])
            #expect(try await stage.delete(id, as: "bob").status == 403)
            try await stage.grant("disk://default/acme/vision", .write, to: "bob")
            #expect(try await stage.delete("data", DiskStage.acme + "&owner=alice", as: "bob").status == 204)
            for name in [nil, "gone"] as [String?] {
                let asked = [
                    try await stage.get(id, as: name), try await stage.delete(id, as: name), try await stage.get("wrong-id", as: name),
                    try await stage.call(.GET, "?" + DiskStage.acme, as: name),
                ]
                #expect(asked.allSatisfy { $0.status == 401 && $0.body == "401: Unauthorized" })
            }
        }
    }

    @Test func personalProjects() async throws {
        try await DiskStage.with { (stage) async throws in
            let query = "org_name=acme&project_name=carol"
            let id = try await stage.made(as: "carol", project: "carol", ["name": "own"])
            #expect(try await stage.ids(query, as: "carol") == [id])
            // One disk of a personal project can be shared, and no other is seen by it.
            let other = try await stage.made(as: "carol", project: "carol")
            let denied = try await stage.get("own", query, as: "bob")
            #expect(denied.status == 403 && denied.body.contains("disk://default/acme/carol/\(id)"))
            try await stage.grant("disk://default/acme/carol/\(id)", .read, to: "bob")
            #expect(try await stage.ids(query, as: "bob") == [id])
            #expect(try await stage.get("own", query, as: "bob").status == 200)
            #expect(try await stage.get(other, query, as: "bob").status == 403)
            for query in [query, query + "&owner=carol"] { #expect(try await stage.get("own", query, as: "carol").status == 200) }
            #expect(try await stage.delete("own", query, as: "carol").status == 204)
        }
    }

    @Test func projectsAreApart() async throws {
        try await DiskStage.with { (stage) async throws in
            var vision: [String] = []
            for _ in 0..<3 { vision.append(try await stage.made()) }
            var sound: [String] = []
            for _ in 0..<4 { sound.append(try await stage.made(project: "sound")) }
            #expect(try await stage.ids() == vision.sorted())
            #expect(try await stage.ids("org_name=acme&project_name=sound") == sound.sorted())
            #expect(try await stage.ids("org_name=beta&project_name=other").isEmpty)
            // All that one may see of an org.
            #expect(try await stage.ids("org_name=acme") == (vision + sound).sorted())
            #expect(try await stage.ids("org_name=acme", as: "rita") == vision.sorted())
            #expect(try await stage.ids("org_name=acme", as: "bob").isEmpty)
            // An id is known in whatever project the client takes for the current one, to whoever may; not so a name.
            let there = "org_name=beta&project_name=other"
            #expect(try await stage.get(vision[0], there).status == 200)
            #expect(try await stage.get(vision[0], there, as: "bob").status == 404)
            #expect(try await stage.delete(sound[0], DiskStage.acme).status == 204)
            #expect(try await stage.delete(vision[0], there, as: "rita").status == 404)
            #expect(try await stage.ids() == vision.sorted())
        }
    }

    @Test func quotas() async throws {
        try await DiskStage.with { (stage) async throws in
            let limit: Int64 = 20 << 20
            let over = try await stage.make(limit + 100)
            #expect(over.status == 403)
            #expect(try over.object()["code"] as? String == "over_limit")
            #expect(try over.object()["description"] as? String == "Project exceeded storage size limit 0.01953125 GB")
            _ = try await stage.made(limit - 100)
            #expect(try await stage.make(200).status == 403)
            let last = try await stage.made(100)
            #expect(try await stage.make(1).status == 403)
            _ = try await stage.made(limit, project: "sound")
            #expect(try await stage.delete(last).status == 204)
            _ = try await stage.made(100)
        }
    }

    @Test func manyAtOnceDoNotPassTheQuotaTogether() async throws {
        try await DiskStage.with(limit: 5000) { (stage) async throws in
            try await stage.another(["disk.project.limit": "5000"]) { (second) async throws in
                let token = try await stage.token("alice")
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<20 {
                        let service = number % 2 == 0 ? stage.disks : second
                        group.addTask {
                            let body: JSON = ["storage": 1000, "org_name": "acme", "project_name": "vision"]
                            return try await service.post("/api/v1/disk", token: token, body).status
                        }
                    }
                    return try await group.reduce(into: [Int]()) { $0.append($1) }
                }
                #expect(Set(statuses).isSubset(of: [201, 403]))
                let made = statuses.filter { $0 == 201 }.count
                #expect(try await stage.ids().count == made)
                #expect((1...5).contains(made))
            }
        }
    }

    @Test func requestsThatAreWrong() async throws {
        try await DiskStage.with { (stage) async throws in
            let missing = try await stage.call(.POST, as: "alice", [:] as JSON)
            #expect(missing.status == 400)
            #expect(missing.error?.contains("storage: Missing data for required field.") == true)
            for query in ["", "org_name=", "org_name=A%2Fb", "project_name=vision"] {
                let answer = try await stage.call(.GET, "?" + query)
                #expect(answer.status == 400 && answer.error?.hasPrefix("org_name: ") == true, "\(query): \(answer.body)")
            }
            #expect(try await stage.get("x-y-z", "org_name=acme").error?.hasPrefix("project_name: ") == true)
            #expect(try await stage.get("x-y-z", "org_name=acme&project_name=a/b").status == 400)
            for (method, path) in [(.PUT, "/x"), (.PATCH, "/x"), (.DELETE, ""), (.OPTIONS, "")] as [(HTTPMethod, String)] {
                let answer = try await stage.call(method, path + "?" + DiskStage.acme)
                #expect(answer.status == 405 && answer.body == "405: Method Not Allowed")
            }
            for path in ["/", "/a/b", "//"] {
                let answer = try await stage.call(.GET, path + "?" + DiskStage.acme)
                #expect(answer.status == 404 && answer.body == "404: Not Found")
            }
            let token = try await stage.token("alice")
            #expect(try await stage.disks.get("/api/v1/disk?\(DiskStage.acme)&neuro-auth-token=\(token)").status == 400)
            for header in ["Bearer", "Bearer ", "Basic x"] {
                #expect(try await stage.disks.get("/api/v1/disk?" + DiskStage.acme, headers: ["Authorization": header]).status == 400)
            }
            let large = try await stage.call(.POST, as: "alice", .string(String(repeating: "x", count: 1 << 20)))
            #expect(large.status == 413 && large.body == "Maximum request body size 1048576 exceeded.")
        }
    }

    /// Section 7: for pages of the listed origins, and for no others.
    @Test func pagesOfAListedOriginMayCall() async throws {
        try await DiskStage.with(settings: ["console.origins": "https://neu.ro"]) { (stage) async throws in
            func ask(_ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders) async throws -> TestAnswer {
                try await stage.disks.call(method, path, headers: headers)
            }
            let foreign = try await ask(.GET, "/api/v1/ping", ["Origin": "http://unknown"])
            #expect(foreign.status == 200 && foreign.headers["Access-Control-Allow-Origin"].isEmpty)
            let own = try await ask(.GET, "/api/v1/ping", ["Origin": "https://neu.ro"])
            #expect(own.status == 200 && own.headers["Access-Control-Allow-Origin"] == ["https://neu.ro"])
            #expect(own.headers["Access-Control-Allow-Credentials"] == ["true"])
            #expect(own.headers["Access-Control-Expose-Headers"].first?.lowercased().contains("content-type") == true)
            #expect(try await ask(.GET, "/ping", ["Origin": "https://neu.ro"]).headers["Access-Control-Allow-Origin"].isEmpty)
            let refused = try await ask(.GET, "/api/v1/disk", ["Origin": "https://neu.ro"])
            #expect(refused.status == 401 && refused.headers["Access-Control-Allow-Origin"] == ["https://neu.ro"])

            let preflight: HTTPHeaders = [
                "Origin": "https://neu.ro", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization, x-a",
            ]
            let told = try await ask(.OPTIONS, "/api/v1/ping", preflight)
            #expect(told.status == 200 && told.body.isEmpty && told.headers["Access-Control-Allow-Methods"] == ["GET"])
            #expect(told.headers["Access-Control-Allow-Origin"] == ["https://neu.ro"])
            #expect(told.headers["Access-Control-Allow-Credentials"] == ["true"])
            #expect(told.headers["Access-Control-Allow-Headers"] == ["AUTHORIZATION,X-A"])
            let failures: [(HTTPHeaders, String)] = [
                ([:], "origin header is not specified in the request"),
                (["Origin": "https://neu.ro"], "'Access-Control-Request-Method' header is not specified"),
                (["Origin": "http://unknown", "Access-Control-Request-Method": "GET"], "origin 'http://unknown' is not allowed"),
                (
                    ["Origin": "https://neu.ro", "Access-Control-Request-Method": "PUT"],
                    "request method 'PUT' is not allowed for 'https://neu.ro' origin"
                ),
            ]
            for (headers, reason) in failures {
                let answer = try await ask(.OPTIONS, "/api/v1/ping", headers)
                #expect(answer.status == 403 && answer.body == "CORS preflight request failed: \(reason)")
            }
            #expect(try await ask(.OPTIONS, "/api/v1/none", preflight).status == 404)
            #expect(try await ask(.OPTIONS, "/ping", preflight).status == 405)
        }
    }
}

extension DiskStage {
    func make(_ more: [String: JSON]) async throws -> TestAnswer { try await make(500, more) }
    func made(_ more: [String: JSON]) async throws -> String { try await made(500, more) }
}
