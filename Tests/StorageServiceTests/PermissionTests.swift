import Foundation
import PlatformModel
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct PermissionTests {
    @Test func strangersLearnNothing() async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/acme/alice/f", "x")
            for (method, query) in [
                ("GET", ""), ("HEAD", ""), ("GET", "op=LISTSTATUS"), ("GET", "op=GETFILESTATUS"), ("GET", "op=GETDISKUSAGE"),
                ("PUT", ""), ("PUT", "op=MKDIRS"), ("PATCH", ""), ("DELETE", ""), ("POST", "destination=/acme/bob/x"),
            ] {
                let there = try await platform.ask(method, "/acme/alice/f", query, as: "bob")
                let absent = try await platform.ask(method, "/acme/alice/none", query, as: "bob")
                #expect(there.status == 404 && absent.status == 404, "\(method) \(query)")
                #expect(there.body == absent.body)
            }
            #expect(platform.contents("/acme/alice/f") == "x" && !platform.exists("/acme/alice/none"))
            // The root shows each what is his.
            let text = try await platform.get(raw: "/acme/alice/../../", "op=LISTSTATUS")
            #expect(text.contains("200 OK") && text.contains(#""acme""#))
            let inside = try await platform.list("/acme", as: "bob")
            #expect(Set(inside.keys) == ["bob"])
        }
    }

    @Test func whatIsSharedIsSeen() async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/acme/alice/first/second/third")
            try platform.makeFolder("/acme/alice/first/second/other")
            try platform.makeFolder("/acme/alice/hidden")
            try platform.write("/acme/alice/file", "")
            try await platform.grant("/acme/alice/file", .read, to: "bob")
            try await platform.grant("/acme/alice/first/second", .write, to: "bob")
            try await platform.grant("/acme/alice/first/second/third", .manage, to: "bob")
            func seen(_ path: String) async throws -> [String: String] {
                try await platform.list(path, as: "bob").mapValues(\.permission)
            }
            #expect(try await seen("/acme/alice") == ["file": "read", "first": "read"])
            #expect(try await seen("/acme/alice/first") == ["second": "write"])
            #expect(try await seen("/acme/alice/first/second") == ["third": "manage", "other": "write"])
            #expect(try await platform.status("/acme/alice", as: "bob")?.permission == "read")
            #expect(try await platform.status("/acme/alice/first/second/other/x", as: "bob") == nil)
            #expect(try await platform.status("/acme/alice/first/second/other", as: "bob")?.permission == "write")
            #expect(try await platform.status("/acme/alice/hidden", as: "bob") == nil)
            // To see that something lies below is not to read.
            #expect(try await platform.ask("GET", "/acme/alice/first", as: "bob").isMissing)
            #expect(try await platform.ask("GET", "/acme/alice/first", "op=GETDISKUSAGE", as: "bob").isMissing)
            #expect(try await platform.ask("GET", "/acme/alice/file", as: "bob").status == 200)
            #expect(try await platform.put("/acme/alice/file", "x", as: "bob").isMissing)
            try await platform.revoke("/acme/alice/file", from: "bob")
            #expect(try await platform.ask("GET", "/acme/alice/file", as: "bob").isMissing)
        }
    }

    @Test(arguments: [Action.read, .write, .manage])
    func sharedFoldersShowWhatIsHeld(action: Action) async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/acme/alice/d/e")
            try await platform.grant("/acme/alice/d", action, to: "bob")
            for path in ["/acme/alice/d", "/acme/alice/d/e"] {
                #expect(try await platform.status(path, as: "bob")?.permission == action.rawValue)
            }
            #expect(try await platform.list("/acme/alice/d", as: "bob")["e"]?.permission == action.rawValue)
            // Renaming into and out of it takes `write`.
            try platform.write("/acme/bob/f", "")
            let into = try await platform.ask("POST", "/acme/bob/f", "destination=/acme/alice/d/f", as: "bob")
            #expect(into.status == (action == .read ? 404 : 204))
            #expect(platform.exists("/acme/bob/f") == (action == .read))
            let out = try await platform.ask("POST", "/acme/alice/d/e", "destination=/acme/bob/e", as: "bob")
            #expect(out.status == (action == .read ? 404 : 204))
            #expect(platform.exists("/acme/alice/d/e") == (action == .read))
        }
    }

    @Test func nothingIsMovedWhereOneMayNotWrite() async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/acme/alice/f", "")
            for destination in ["/acme/bob/f", "../bob/f", "../../acme/bob/f"] {
                #expect(try await platform.ask("POST", "/acme/alice/f", "destination=\(destination)").isMissing)
                #expect(platform.exists("/acme/alice/f") && !platform.exists("/acme/bob/f"))
            }
        }
    }

    @Test func anEncodedNameNeverWidensWhatIsAsked() async throws {
        try await Platform.run { (platform) async throws in
            try await platform.grant("/acme/bob/a", .read, to: "alice")
            for name in ["a%3Fb", "a%23b", "a%2525", "a%5C..%5Cx", "a%0A"] {
                try await platform.put("/acme/bob/" + name, "secret", as: "bob")
                #expect(try await platform.ask("GET", "/acme/bob/" + name).isMissing, "\(name)")
                #expect(try await platform.ask("GET", "/acme/bob/" + name, as: "bob").body == "secret")
            }
        }
    }
}
