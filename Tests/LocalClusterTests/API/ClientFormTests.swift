import AsyncHTTPClient
import Foundation
import Kubernetes
import NIOCore
import NIOHTTP1
import ServiceKit
import Testing

@testable import LocalCluster

enum TestLimit {
    static func run(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withTimeout(limit) { try await body() }
    }
}

enum HTTPClientRequestBuilder {
    static func post(_ cluster: TestCluster, _ path: String, _ type: String, _ body: [UInt8]) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: cluster.service.url + path)
        request.method = .POST
        request.headers = ["Authorization": "Bearer \(TestCluster.token)", "Content-Type": type]
        request.body = .bytes(ByteBuffer(bytes: body))
        return request
    }
}

/// The forms in which `kubectl` and others ask: tables, discovery, watches as lines.
@Suite struct ClientFormTests {
    private let maps = "/api/v1/namespaces/default/configmaps"

    @Test func tablesShowPodsAsKubectlPrintsThem() async throws {
        try await TestCluster.with { cluster in
            let pods = "/api/v1/namespaces/default/pods"
            _ = try await cluster.create(pods, Sample.pod("p"))
            _ = try await cluster.call(
                .PATCH, pods + "/p/status",
                [
                    "status": [
                        "containerStatuses": [
                            [
                                "name": "main", "ready": false, "restartCount": 2,
                                "state": ["waiting": ["reason": "CrashLoopBackOff"]],
                            ]
                        ]
                    ]
                ], type: "application/merge-patch+json")
            let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
            let table = try await cluster.call(.GET, pods, accept: accept).body
            #expect(table.kind == "Table")
            let names = (table["columnDefinitions"]?.array ?? []).prefix(5).compactMap { $0["name"]?.string }
            #expect(names == ["Name", "Ready", "Status", "Restarts", "Age"])
            #expect((table["rows"]?[0]?["cells"]?.array ?? []).prefix(4) == ["p", "0/1", "CrashLoopBackOff", "2"])
            #expect(table["rows"]?[0]?["object"]?.kind == "PartialObjectMetadata")
        }
    }

    @Test(arguments: [
        (5, "5s"), (125, "2m5s"), (120, "2m"), (3600 * 3, "3h"), (3600 * 5 + 60, "5h1m"), (86400 * 3, "3d"), (86400 * 400, "400d"),
    ])
    func agesAreShort(seconds: Int, text: String) { #expect(Table.age(seconds) == text) }

    @Test func discoveryTellsOfEveryKindInBothForms() async throws {
        try await TestCluster.with { cluster in
            let resources = try await cluster.get("/api/v1").body["resources"]?.array ?? []
            #expect(resources.contains { $0["name"] == "pods" && $0["shortNames"] == ["po"] && $0["namespaced"] == true })
            #expect(resources.contains { $0["name"] == "pods/log" && $0["verbs"] == ["get"] })
            #expect(try await cluster.get("/apis").body["groups"]?.array?.contains { $0["name"] == "networking.k8s.io" } == true)
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
            let whole = try await cluster.call(.GET, "/apis", accept: accept).body
            #expect(whole.kind == "APIGroupDiscoveryList" && whole["items"]?.array?.contains { $0.name == "apps" } == true)
            #expect(try await cluster.get("/apis/apps/v2").status == 404)
            #expect(try await cluster.call(.GET, "/version", token: nil).body["major"] == "1")
            #expect(try await cluster.call(.GET, "/readyz", token: nil).status == 200)
            let review = try await cluster.call(
                .POST, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                ["apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": [:]])
            #expect(review.status == 201 && review.body[path: "status", "allowed"] == true)
        }
    }

    /// The lines of a watch until `count` of them have come.
    private func lines(_ cluster: TestCluster, _ query: String, count: Int) async throws -> [JSONValue] {
        var request = HTTPClientRequest(url: cluster.service.url + maps + "?watch=1&" + query)
        request.headers = ["Authorization": "Bearer \(TestCluster.token)"]
        let response = try await cluster.service.http.execute(request, timeout: .seconds(10))
        var text = ""
        for try await piece in response.body {
            text += String(buffer: piece)
            if text.split(separator: "\n").count >= count, text.hasSuffix("\n") { break }
        }
        return try text.split(separator: "\n").map { try JSONParser.parse($0.utf8) }
    }

    @Test func aWatchSendsItsStateABookmarkAndEndsInTime() async throws {
        try await TestCluster.with { cluster in
            _ = try await cluster.create(maps, Sample.configMap("a"))
            let first = try await lines(
                cluster, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1", count: 9)
            #expect(first.compactMap { $0["type"]?.string } == ["ADDED", "BOOKMARK"])
            #expect(first.last?["object"]?.annotations["k8s.io/initial-events-end"] == "true")
        }
    }

    @Test func aForgottenVersionIsAnErrorLine() async throws {
        try await TestCluster.with { cluster in
            let made = try await cluster.create(maps, Sample.configMap("a"))
            _ = try await cluster.create(maps, Sample.configMap("b"))
            _ = try await cluster.call(.POST, "/faults/compact", [:])
            let told = try await lines(cluster, "resourceVersion=\(made.resourceVersion ?? "")", count: 1)
            #expect(told.first?["type"] == "ERROR")
            #expect(told.first?["object"]?["code"] == 410 && told.first?["object"]?["reason"] == "Expired")
        }
    }

    @Test func faultsHappenAsOftenAsAsked() async throws {
        try await TestCluster.with { cluster in
            let rules: JSONValue = [
                "rules": [
                    ["match": ["verb": "list", "path": "/api/v1/*/configmaps"], "action": "status", "status": 429, "count": 2],
                    ["match": ["method": "POST"], "action": "drop", "count": 1],
                ]
            ]
            #expect(try await cluster.call(.PUT, "/faults", rules).status == 200)
            #expect(try await cluster.get(maps).status == 429)
            #expect(try await cluster.get("/api/v1/namespaces").status == 200)
            #expect(try await cluster.get(maps).status == 429)
            #expect(try await cluster.get(maps).status == 200)
            await #expect(throws: (any Error).self) { try await cluster.call(.POST, maps, Sample.configMap("a")) }
            #expect(try await cluster.get(maps + "/a").status == 404)
            _ = try await cluster.create(maps, Sample.configMap("a"))
            #expect(try await cluster.call(.DELETE, "/faults").body == ["rules": []])
            #expect(try await cluster.call(.PUT, "/faults", ["rules": [["action": "explode"]]]).status == 400)
        }
    }

    @Test func aDroppedWatchEndsInTheMiddle() async throws {
        try await TestCluster.with { cluster in
            var request = HTTPClientRequest(url: cluster.service.url + maps + "?watch=1")
            request.headers = ["Authorization": "Bearer \(TestCluster.token)"]
            let response = try await cluster.service.http.execute(request, timeout: .seconds(10))
            _ = try await cluster.call(.PUT, "/faults", ["rules": [["match": ["verb": "watch"], "action": "drop", "count": 1]]])
            await #expect(throws: (any Error).self) { for try await _ in response.body {} }
        }
    }
}
