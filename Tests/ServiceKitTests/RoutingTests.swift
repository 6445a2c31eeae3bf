import HTTPTypes
import ServiceKit
import TestSupport
import Testing

@Suite("Routing over a real socket") struct RoutingTests {
    @Test("Every service answers ping under both names, and says its version") func ping() async throws {
        try await withService(ProbeService.self) { service async throws in
            for path in ["/ping", "/api/v1/ping/probe-api"] {
                let answer = try await service.get(path)
                #expect(answer.status == 200 && answer.body == "Pong")
                #expect(answer.headers.first(name: "X-Service-Version")?.hasPrefix("probe-api/") == true)
                #expect(answer.headers.first(name: "X-Request-ID") != nil)
            }
            #expect(try await service.get("/health").status == 200)
        }
    }

    @Test("Paths are strict", arguments: ["/ping/", "//ping", "/hello/", "/pets//", "/pets/", "/nothing", "/", "/Hello", "/pets/a/b"])
    func strict(path: String) async throws {
        try await withService(ProbeService.self) { service async throws in
            let text = try await RawConnection.with(port: service.port) { raw in
                try await raw.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return try await raw.readToEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 404"), "\(path): \(text)")
        }
    }

    @Test("A wrong method is 405 and Allow lists the right ones") func methods() async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await service.put("/hello", ["a": 1])
            #expect(answer.status == 405)
            #expect(answer.headers.first(name: "Allow") == "GET, HEAD, POST")
            #expect(try await service.put("/pets/all").headers.first(name: "Allow") == "DELETE, GET, HEAD")
            #expect(try await service.delete("/pets/all").body == "gone all")
        }
    }

    @Test("HEAD is GET without its body, also on a kept-alive connection") func head() async throws {
        try await withService(ProbeService.self) { service async throws in
            let text = try await RawConnection.with(port: service.port) { raw in
                for path in ["/hello", "/list"] { try await raw.send("HEAD \(path) HTTP/1.1\r\nHost: x\r\n\r\n") }
                try await raw.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return try await raw.readToEnd()
            }
            let answers = text.components(separatedBy: "HTTP/1.1 ").dropFirst()
            #expect(answers.count == 3)
            #expect(answers.allSatisfy { $0.hasPrefix("200") })
            #expect(answers.first?.lowercased().contains("content-length: 5") == true)
            #expect(answers.dropLast().allSatisfy { $0.hasSuffix("\r\n\r\n") && !$0.contains("\r\n0\r\n") })
            #expect(answers.last?.hasSuffix("\r\n\r\nhello") == true)
            let stream = answers.dropFirst().first?.lowercased()
            #expect(stream?.contains("content-length") == false, "nobody knows how long a stream will be")
        }
    }

    @Test("A handler and its stream leave the event loop to others, unless the route says that it is brief") func eventLoop() async throws {
        try await withService(ProbeService.self) { service async throws in
            #expect(try await service.get("/where").body == "false false")
            #expect(try await service.get("/where/brief").body == "true")
        }
    }

    @Test("Path parameters are decoded once") func parameters() async throws {
        try await withService(ProbeService.self) { service async throws in
            #expect(try await service.get("/pets/Grau%20%2525").body == "Grau %25")
            #expect(try await service.get("/pets/a+b:c").body == "a+b:c")
            #expect(try await service.get("/pets/%C3%A9").body == "é")
            #expect(try await service.get("/pets/all").body == "every pet")
        }
    }

    @Test("What a path parameter must not hold is 400", arguments: ["a%2Fb", "%2e%2e", "..", ".", "%00", "a%0Ab", "%zz", "%C3", "%"])
    func badParameters(text: String) async throws {
        try await withService(ProbeService.self) { service async throws in
            let answer = try await RawConnection.with(port: service.port) { raw in
                try await raw.send("GET /pets/\(text) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return try await raw.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            #expect(answer.contains("name: "))
        }
    }

    @Test("A parameter of several segments takes raw and encoded slashes, before a known suffix too") func many() async throws {
        try await withService(ProbeService.self) { service async throws in
            #expect(try await service.get("/users/alice").body == "user alice")
            #expect(try await service.get("/users/alice/service-accounts/ci").body == "user alice/service-accounts/ci")
            #expect(try await service.get("/users/alice/service-accounts/ci/permissions").body == "permissions alice/service-accounts/ci")
            #expect(try await service.get("/users/alice%2Fx/permissions").body == "permissions alice/x")
            #expect(try await service.get("/users/permissions").body == "user permissions")
            #expect(try await service.get("/users/alice/../bob").status != 200)
            #expect(try await service.get("/users/alice%2F..%2Fbob").status == 400)
            #expect(try await service.get("/users/a//b").status == 404)
        }
    }

    @Test("Query values are decoded once, plus is a space, and mistakes name the parameter") func query() async throws {
        try await withService(ProbeService.self) { service async throws in
            #expect(try await service.get("/query?x=a+b&x=%2B%26&y=1&x=&flag=yes&n=7").body == "a b|+&| true 7")
            #expect(try await service.get("/query?flag").body == " true 0")
            let bad = try await service.get("/query?flag=maybe")
            #expect(bad.status == 400 && bad.error == "flag: expected true or false")
            #expect(try await service.get("/query?n=1.5").error == "n: expected a whole number")
            let raw = try await RawConnection.with(port: service.port) { raw in
                try await raw.send("GET /query?x=%GG HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return try await raw.readToEnd()
            }
            #expect(raw.hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test("The list of routes says who may call each") func list() async throws {
        try await withService(ProbeService.self) { service async throws in
            let routes = service.assembly.routes
            #expect(routes.contains { $0.method == .get && $0.path == "/whoami" && $0.access == .principal })
            #expect(Set(routes.filter { $0.access == .anyone }.map(\.path)).isSuperset(of: ["/ping", "/ready", "/health"]))
        }
    }

    @Test("Access decides whether credentials are needed") func access() async throws {
        try await withService(ProbeService.self) { service async throws in
            let none = try await service.get("/whoami")
            #expect(none.status == 401 && none.headers.first(name: "WWW-Authenticate") == "Bearer realm=\"probe-api\"")
            #expect(try await service.get("/whoami", token: "alice").body == "alice")
            #expect(try await service.get("/whoami", token: "mallory").status == 401)
            #expect(try await service.get("/maybe").body == "nobody")
            #expect(try await service.get("/maybe", token: "mallory").body == "nobody")
            #expect(try await service.get("/maybe", token: "bob").body == "bob")
            #expect(try await service.get("/hello", token: "mallory").body == "hello")
        }
    }
}
