import Foundation
import Identity
import PlatformModel
import TestSupport
import Testing

@testable import AuthService

/// Signing keys that come and go while people work.
@Suite struct RotationTests {
    @Test func newestSignsOldVerifyUntilTheyAreRemoved() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("orrery-keys-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("auth-signing-keys")
        let (old, new) = (TokenSigner.generatePEM(), TokenSigner.generatePEM())
        try Data(old.utf8).write(to: file)
        let settings = ["secrets.dir": folder.path, "key.reload": "0.05", "key.delay": "5", "password.cost": "10"]
        try await Auth.turnstile.pass {
            try await withService(AuthService.self, settings: settings) { service in
                let (oldID, newID) = (try await TokenSigner(pem: old).keyID, try await TokenSigner(pem: new).keyID)
                let admin = try await TokenSigner(pem: old).sign(TokenClaims(name: PrincipalName("admin")))
                func published() async throws -> [String] {
                    try await service.get("/.well-known/jwks.json").json(PublicKeySet.self).keys.map(\.kid)
                }
                func signs() async throws -> String? {
                    let issued = try #require(
                        try await service.post("/api/v1/users/admin/token", token: admin).object()["access_token"] as? String)
                    let header = try #require(Base64URL.decode(issued.prefix { $0 != "." }))
                    return (try JSONSerialization.jsonObject(with: header) as? [String: Any])?["kid"] as? String
                }
                func wait(_ what: String, _ condition: () async throws -> Bool) async throws {
                    let deadline = ContinuousClock.now + .seconds(20)
                    while try await !condition() {
                        guard .now < deadline else { Issue.record("\(what) did not come to pass"); return }
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                #expect(try await published() == [oldID])
                try await wait("the first key is old enough") {
                    try await service.assembly.context.postgres().query(
                        "SELECT 1 FROM signing_keys WHERE first_seen_at < now() - interval '5 seconds'"
                    ).count == 1
                }
                try Data((new + "\n" + old).utf8).write(to: file)
                try await wait("the new key is published") { try await published() == [newID, oldID] }
                // Others have to read it before anything is signed with it.
                #expect(try await signs() == oldID)
                try await wait("the new key signs") { try await signs() == newID }
                #expect(try await service.get("/api/v1/users/admin", token: admin).status == 200)
                // A file that is half written is no reason to log anybody out.
                try Data("-----BEGIN PRIVATE KEY-----\nrubbish\n-----END PRIVATE KEY-----".utf8).write(to: file)
                try await wait("the broken file is told of") {
                    !service.log.entries("The signing keys could not be read again and stay as they are").isEmpty
                }
                #expect(try await service.get("/api/v1/users/admin", token: admin).status == 200)
                let later = try await TokenSigner(pem: new).sign(TokenClaims(name: PrincipalName("admin")))
                try Data(new.utf8).write(to: file)
                try await wait("the old key verifies no more") { try await service.get("/api/v1/users/admin", token: admin).status == 401 }
                #expect(try await service.get("/api/v1/users/admin", token: later).status == 200)
            }
        }
    }
}

/// Who did what to whom, when and from where.
@Suite struct AuditTests {
    @Test func whatIsDoneIsWrittenDown() async throws {
        try await Auth.with { auth in
            let browser = try await auth.person("alice", email: "alice@example.org")
            browser.headers = ["X-Forwarded-For": "203.0.113.7"]
            _ = try await auth.signIn(Browser(auth), "alice", "wrong password")
            let tokens = try await auth.login(browser)
            _ = try await auth.refresh(tokens.refresh)
            try await auth.grant("job://c/p", "read", to: "alice")
            try await auth.revoke("job://c/p", from: "alice")
            _ = try await auth.service.post(auth.path("alice", "/token"), token: auth.admin)
            _ = try await auth.service.post(
                "/api/v1/service_accounts", token: tokens.access, ["name": "ci", "default_cluster": "c", "default_project": "p"])
            _ = try await browser.get("/auth/logout?client_id=apolo-cli")
            let lines = try await auth.audit()
            let events = lines.reversed().compactMap { $0["event"] as? String }
            #expect(
                events == [
                    "create", "invite", "invitation_accepted", "sign_in", "sign_in_refused", "code", "token", "refresh", "grant", "revoke",
                    "token", "service_account_created", "sign_out",
                ])
            let grant = try #require(lines.first { $0["event"] as? String == "grant" })
            #expect(grant["actor"] as? String == "admin" && grant["principal"] as? String == "alice")
            #expect((grant["details"] as? [String])?.first?.contains("job://c/p") == true && grant["source"] as? String == "127.0.0.1")
            #expect(grant["request_id"] is String && grant["at"] is String)
            let left = try #require(lines.first)
            #expect(left["source"] as? String == "203.0.113.7")
            // What was refused is not told as done.
            let before = try await auth.audit().count
            #expect(try await auth.grant("job://c/p", "read", to: "nobody") == 404)
            #expect(try await auth.revoke("job://c/p", from: "alice").status == 400)
            #expect(try await auth.audit().count == before)
        }
    }

    @Test func itIsReadByPagesAndByFew() async throws {
        try await Auth.with { auth in
            let alice = try await auth.users("alice", "bob")[0]
            for index in 0..<5 { try await auth.grant("job://c/\(index)", "read", to: "bob") }
            #expect(try await auth.service.get("/api/v1/audit", token: alice).status == 403)
            #expect(try await auth.service.get("/api/v1/audit").status == 401)
            for query in ["limit=0", "limit=5000", "limit=x", "before=x", "since=yesterday"] {
                #expect(try await auth.service.get("/api/v1/audit?\(query)", token: auth.admin).status == 400, "\(query)")
            }
            #expect(try await auth.audit("principal=bob&event=grant").count == 5)
            #expect(try await auth.audit("actor=alice").isEmpty)
            #expect(try await auth.audit("since=2100-01-01T00:00:00Z").isEmpty)
            var (seen, next) = ([Int](), "")
            repeat {
                let page = try await auth.service.get("/api/v1/audit?limit=2\(next)", token: auth.admin).object()
                seen += (page["items"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? Int }
                next = (page["next"] as? Int).map { "&before=\($0)" } ?? ""
            } while !next.isEmpty
            #expect(seen.count == 7 && seen == seen.sorted(by: >))
        }
    }

    @Test func whatHasEndedIsClearedAway() async throws {
        try await TestDatabase.with(migrations: Migrations.all) { database in
            try await Auth.with(["postgres.url": database.url, "audit.retention.days": "30"]) { auth in
                let browser = try await auth.person("alice")
                _ = try await auth.login(browser)
                _ = try await auth.invite("admin")
                try await auth.pool.execute("UPDATE audit_log SET at = now() - interval '31 days' WHERE event = 'create'")
                for (table, column) in [("sessions", "expires_at"), ("invitations", "expires_at"), ("refresh_tokens", "last_used_at")] {
                    try await auth.pool.execute("UPDATE \(raw: table) SET \(raw: column) = now() - interval '100 days'")
                }
                try await auth.pool.execute("UPDATE authorization_codes SET expires_at = now() - interval '2 days'")
                try await auth.pool.execute("UPDATE sign_in_attempts SET last_at = now() - interval '2 days'")
                let settings = try OAuthSettings(auth.service.assembly.context.settings)
                let log = AuditLog(pool: auth.pool, logger: auth.service.assembly.context.logger)
                await Sweeper(pool: auth.pool, settings: settings, audit: log, logger: log.logger).sweep()
                for table in ["sessions", "invitations", "refresh_tokens", "authorization_codes", "sign_in_attempts"] {
                    #expect(try await auth.pool.query("SELECT 1 FROM \(raw: table)").isEmpty, "\(table)")
                }
                #expect(try await auth.audit("event=create").isEmpty)
                #expect(try await !auth.audit("event=sign_in").isEmpty)
            }
        }
    }

    @Test func sourcesAreToldByTrustedProxiesAlone() throws {
        let origins = try RequestOrigins(proxies: "127.0.0.1, ::1, 10.0.0.0/8, fd00::/8")
        #expect(origins.source(peer: "203.0.113.1", forwarded: "1.1.1.1") == "203.0.113.1")
        #expect(origins.source(peer: "127.0.0.1", forwarded: "1.1.1.1, 2.2.2.2") == "2.2.2.2")
        #expect(origins.source(peer: "::1", forwarded: "1.1.1.1, 2.2.2.2, 10.255.0.1, fd12::1") == "2.2.2.2")
        #expect(origins.source(peer: "::ffff:127.0.0.1", forwarded: "2001:db8::1") == "2001:db8::1")
        #expect(origins.source(peer: "127.0.0.1", forwarded: "1.1.1.1, rubbish") == "127.0.0.1")
        #expect(origins.source(peer: "127.0.0.1", forwarded: nil) == "127.0.0.1")
        #expect(origins.source(peer: "11.0.0.1", forwarded: "1.1.1.1") == "11.0.0.1")
        for bad in ["x", "10.0.0.0/33", "10.0.0.0/-1", "::/129"] {
            #expect(throws: (any Error).self) { try RequestOrigins(proxies: bad) }
        }
    }
}
