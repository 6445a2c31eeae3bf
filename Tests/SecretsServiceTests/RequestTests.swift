import AsyncHTTPClient
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import SecretsService

/// What is wrong with a request is said of its field (secrets.md 4).
@Suite(.timeLimit(.minutes(5))) struct RequestTests {
    @Test func bodies() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            func refused(_ body: String, _ fragment: String) async throws {
                let answer = try await stage.post(body, token: alice)
                #expect(answer.status == 400 && answer.error?.contains(fragment) == true, "\(body.prefix(80)): \(answer.body)")
            }
            func body(_ changes: [String: String], without: String? = nil, more: String = "") -> String {
                var fields = ["key": "K", "value": "dg==", "org_name": "acme", "project_name": "vision"]
                fields.merge(changes) { $1 }
                if let without { fields[without] = nil }
                let members = fields.map { "\"\($0)\": \"\($1)\"" } + (more.isEmpty ? [] : [more])
                return "{" + members.joined(separator: ", ") + "}"
            }
            for text in ["", "{", "value", "{\"key\": \"\u{0}\"}", "[[" + String(repeating: "[", count: 3000)] {
                try await refused(text, "Expecting value")
            }
            for text in ["null", "[]", "5", "\"x\""] { try await refused(text, "value is not a dict") }
            try await refused("{}", "key: is required; value: is required; org_name: is required; project_name: is required")
            for field in ["key", "value", "org_name", "project_name"] {
                try await refused(body([:], without: field), "\(field): is required")
                try await refused(body([field: ""]), "\(field): blank value is not allowed")
                try await refused(body([:], without: field, more: "\"\(field)\": 5"), "\(field): value is not a string")
                try await refused(body([:], without: field, more: "\"\(field)\": null"), "\(field): value is not a string")
                let limit = field == "value" ? 1_048_576 : 253
                if field != "value" {
                    try await refused(body([field: String(repeating: "a", count: limit + 1)]), "String is longer than \(limit) characters")
                }
            }
            try await refused(body(["x": "y"]), "x is not allowed key")
            try await refused(body(["key": "..."]), "does not match pattern")
            try await refused(body(["key": "---Neuro---"]), "Illegal key")
            try await refused(body(["value": "vvvvv"]), "Invalid base64-encoded string")
            try await refused(body(["value": "ab"]), "Incorrect padding")
            for value in ["!!!!", "-_-_", "=", "dm Fs"] {
                try await refused(body(["value": value]), "Secret key 'K' or its value not valid")
            }
            for name in ["a/b", "My Org", "a,b", "a=b", "a--b", "..", "ab"] {
                try await refused(body(["org_name": name]), "org_name: Invalid organization name")
                try await refused(body(["project_name": name]), "project_name: Invalid project name")
            }
            // What no body says it may be.
            var latin = HTTPClientRequest(url: stage.service.url + "/api/v1/secrets")
            latin.method = .POST
            latin.headers.add(name: "Authorization", value: "Bearer \(alice)")
            latin.body = .bytes(ByteBuffer(bytes: Array(body(["key": "K"]).utf8) + [0xFF]))
            let answer = try await stage.service.call(latin)
            #expect(answer.status == 400 && answer.error?.contains("Expecting value") == true)
            // The content type is not looked at.
            #expect(try await stage.post(body([:]), token: alice).status == 201)
            #expect(try await stage.namespaces().filter { $0.hasPrefix("platform--") } == [Stage.namespace])
        }
    }

    @Test func queriesAndKeys() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            func refused(_ answer: TestAnswer, _ fragment: String) {
                #expect(answer.status == 400 && answer.error?.contains(fragment) == true, "\(answer.status) \(answer.body)")
            }
            refused(try await stage.list("", token: alice), "org_name: is required")
            refused(try await stage.get("K", "", token: alice), "org_name: is required; project_name: is required")
            refused(try await stage.remove("K", "org_name=acme", token: alice), "project_name: is required")
            refused(try await stage.list(Stage.place + "&x=1", token: alice), "x is not allowed key")
            refused(try await stage.list("org_name=&project_name=vision", token: alice), "org_name: blank value is not allowed")
            refused(try await stage.list("org_name=acme&project_name=b%2Fc", token: alice), "Invalid project name")
            refused(try await stage.list("org_name=acme,x%3Dy&project_name=vision", token: alice), "Invalid organization name")
            refused(
                try await stage.list("org_name=\(String(repeating: "a", count: 254))&project_name=vision", token: alice),
                "String is longer than 253 characters")
            // A token in an address ends in somebody's log.
            refused(try await stage.list(Stage.place + "&neuro-auth-token=\(alice)", token: nil), "neuro-auth-token is not allowed key")
            refused(
                try await stage.service.get("/api/v1/secured-ping?neuro-auth-token=\(alice)"), "neuro-auth-token is not allowed key")
            refused(
                try await stage.service.post("/api/v1/secrets?neuro-auth-token=\(alice)", ["key": "K"]), "neuro-auth-token is not allowed")
            // Of what is given twice the first counts.
            #expect(try await stage.add("K", "v", token: alice).status == 201)
            #expect(try await stage.keys(Stage.place + "&org_name=other&project_name=other", token: alice) == ["K"])
            for key in ["...", "..-", "a%20b", "%3F", "%5C", "%D0%BA"] {
                let rule = #"does not match pattern \A(?!\.\Z|\.\.)[a-zA-Z0-9_\-.]+\Z"#
                #expect(try await stage.get(key, token: alice).error == rule)
                #expect(try await stage.remove(key, token: alice).error == rule)
            }
            #expect(try await stage.get("---neuro---", token: alice).error == "Illegal key '---neuro---'")
            refused(try await stage.get(String(repeating: "k", count: 254), token: alice), "String is longer than 253 characters")
            refused(try await stage.get("a%2Fb", token: alice), "key")
            refused(try await stage.get("k%0A", token: alice), "key")
        }
    }

    @Test func pathsAndMethods() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            for path in ["/api/v1/secrets/", "/api/v1/secrets/a/b", "/api/v1/secrets/copy/x", "/api/v1", "/", "//api/v1/secrets"] {
                let answer = try await stage.service.get(path, token: alice)
                #expect(answer.status == 404 && answer.body == "404: Not Found", "\(path)")
                #expect(answer.headers.first(name: "X-Service-Version")?.hasPrefix("platform-secrets/") == true)
            }
            for (method, path) in [("PUT", "/api/v1/secrets"), ("DELETE", "/api/v1/secrets"), ("POST", "/api/v1/secrets/K")] {
                let answer = try await stage.service.call(.RAW(value: method), path, token: alice)
                #expect(answer.status == 405 && answer.body == "405: Method Not Allowed")
            }
        }
    }

    /// The whole body counts, so that a value of 1 MiB does not arrive.
    @Test func bodiesThatAreTooLarge() async throws {
        try await Stage.with { stage in
            let alice = try await stage.writer()
            // Told by the length alone, before any of it is sent.
            let answer = try await RawConnection.with(port: stage.service.port) { connection in
                try await connection.send(
                    "POST /api/v1/secrets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(alice)\r\nContent-Length: 1048577\r\n\r\n")
                return try await connection.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 413") && answer.hasSuffix("Maximum request body size 1048576 exceeded."), "\(answer)")
            let fits = #"{"key":"K","org_name":"acme","project_name":"vision","value":""#
            let value = String(repeating: "v", count: (1_048_576 - fits.utf8.count - 2) / 4 * 4)
            #expect(try await stage.post(fits + value + "\"}", token: alice).status == 201)
            #expect(try await stage.get("K", token: alice).json([String: String].self)["value"] == value)
        }
    }
}
