import Foundation
import NIOHTTP1
import ServiceKit
import TestSupport
import Testing

/// Walks the lines over a platform that runs.
struct Walk: Sendable {
    private let platform: Platform
    private let visitors: [Visitor: String]
    private let bad: [BadToken: String]

    init(_ platform: Platform) async throws {
        self.platform = platform
        var visitors: [Visitor: String] = [:]
        for visitor in Visitor.allCases { visitors[visitor] = try await platform.tokens.user(visitor.rawValue) }
        var bad: [BadToken: String] = [:]
        for kind in BadToken.allCases { bad[kind] = try await platform.tokens.bad(kind) }
        (self.visitors, self.bad) = (visitors, bad)
    }

    /// Every route has its line, and every line its route.
    func compare() {
        for member in platform.members {
            let routes = member.service.assembly.routes
            let lines = Dictionary(grouping: member.place.lines, by: \.route)
            for route in routes {
                #expect(lines[route.line] != nil, "\(member.name): \(route) is in no line of the matrix; say who may call it")
                for line in lines[route.line] ?? [] where line.rule.withoutToken == 200 {
                    #expect(route.access != .principal, "\(member.name): \(route) wants a token, and its line says that anyone may call it")
                }
            }
            let known = Set(routes.map(\.line))
            for route in lines.keys.sorted() where !known.contains(route) {
                Issue.record("\(member.name): the matrix has a line for \(route), which is no route")
            }
        }
    }

    /// Those who are to be refused are, and nothing is written by it.
    func refuse() async throws {
        var before = try await platform.snapshot()
        var since: [String] = []
        for (number, (member, line)) in lines.enumerated() {
            let reached = try await route(reachedBy: line, member)
            #expect(
                reached == line.route.split(separator: " ").last.map(String.init), "\(member.name): \(line.target) is not \(line.route)")
            if line.rule.withoutToken >= 400 {
                try await check(member, line, "somebody without a token", nil, line.rule.withoutToken)
            }
            if line.rule.withBadToken >= 400 {
                for kind in badTokens(for: line, member, number) {
                    try await check(member, line, kind.rawValue, bad[kind], line.rule.withBadToken, looking: false)
                }
            }
            for visitor in Visitor.allCases {
                guard let status = line.rule.answers[visitor], status >= 400 else { continue }
                try await check(member, line, visitor.rawValue, visitors[visitor], status)
            }
            since.append(line.route)
            guard since.count == 10 || number == lines.count - 1 else { continue }
            let after = try await platform.snapshot()
            for (name, snapshot) in after {
                let changed = before[name].map(snapshot.changes) ?? []
                #expect(changed.isEmpty, "A refused call of one of \(since) wrote to \(changed) of \(name)")
            }
            (before, since) = (after, [])
        }
    }

    /// Routes that want a token share one gate, before which all tokens are alike that do not stand by themselves: each such route is shown one
    /// kind in turn, and the one that only auth-api knows not to stand. Others read tokens by their own rules, and are shown every kind.
    private func badTokens(for line: Line, _ member: Platform.Member, _ number: Int) -> [BadToken] {
        guard member.service.assembly.routes.first(where: { $0.line == line.route })?.access == .principal else { return BadToken.allCases }
        let kinds = BadToken.allCases.filter { $0 != .deleted }
        return [kinds[number % kinds.count], .deleted]
    }

    /// Those who may are let in: what only reads, each of them; what changes something, the one who may the least. Removals come last, from the
    /// innermost on.
    func admit() async throws {
        func turn(_ line: Line) -> Int {
            switch line.method {
            case "GET": 0
            case "DELETE": 1000 - line.target.utf8.count
            default: 1
            }
        }
        for (member, line) in lines.enumerated().sorted(by: { (turn($0.1.1), $0.0) < (turn($1.1.1), $1.0) }).map(\.1) {
            if line.rule.withoutToken < 400 {
                try await check(member, line, "somebody without a token", nil, line.rule.withoutToken)
            }
            if line.rule.withBadToken < 400, line.method == "GET" {
                for kind in BadToken.allCases {
                    try await check(member, line, kind.rawValue, bad[kind], line.rule.withBadToken, looking: false)
                }
            }
            var admitted = Visitor.allCases.filter { line.rule.answers[$0] ?? 500 < 400 }
            if line.method != "GET" { admitted = Array(admitted.prefix(line.rule.withoutToken < 400 ? 0 : 1)) }
            for visitor in admitted {
                let answer = try await check(member, line, visitor.rawValue, visitors[visitor], line.rule.answers[visitor] ?? 0)
                guard visitor <= .stranger, !line.namesTenant, let answer else { continue }
                for mark in Line.marks {
                    #expect(
                        !answer.body.contains(mark), "\(member.name): \(line.route) tells \(visitor.rawValue) of \(mark): \(answer.body)")
                }
            }
        }
    }

    /// What a path does not answer is refused with the methods that it does; nobody needs to say who he is for that.
    func otherMethods() async throws {
        for member in platform.members {
            var seen: Set<String> = []
            for line in member.place.lines where seen.insert(line.target).inserted {
                let locked = try await platform.ask(member.service, line, method: "LOCK", token: nil)
                let allowed = Set(locked.headers.first(name: "Allow")?.components(separatedBy: ", ") ?? [])
                #expect(locked.status == 405, "\(member.name): LOCK \(line.target): \(locked.status)")
                var known = Set(
                    member.service.assembly.routes.filter { $0.path == line.route.split(separator: " ").last.map(String.init) }
                        .map(\.method.rawValue))
                if known.contains("GET") { known.insert("HEAD") }
                #expect(known.isSubset(of: allowed), "\(member.name): \(line.target) allows \(allowed), and answers \(known)")
                let others = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"].filter { !allowed.contains($0) }
                let method = others[seen.count % others.count]
                let answer = try await platform.ask(member.service, line, method: method, token: visitors[.admin])
                let told = answer.headers.first(name: "Allow") == locked.headers.first(name: "Allow")
                #expect(answer.status == 405 && told, "\(member.name): \(method) \(line.target): \(answer.status)")
            }
        }
    }

    // MARK: Parts

    private var lines: [(Platform.Member, Line)] {
        platform.members.flatMap { member in
            let routes = Set(member.service.assembly.routes.map(\.line))
            return member.place.lines.filter { routes.contains($0.route) }.map { (member, $0) }
        }
    }

    /// Asks, and looks (HEAD) where reading is asked for, unless looking is a route of its own.
    @discardableResult
    private func check(
        _ member: Platform.Member, _ line: Line, _ who: String, _ token: String?, _ expected: Int, looking: Bool = true
    ) async throws -> TestAnswer? {
        let answer = try await platform.ask(member.service, line, token: token)
        #expect(
            answer.status == expected,
            "\(member.name): \(line.route) answers \(who) \(answer.status), not \(expected): \(answer.body.prefix(300))")
        if answer.status == 401 {
            #expect(answer.headers.contains(name: "WWW-Authenticate"), "\(member.name): \(line.route): a 401 without a challenge")
        }
        let path = line.route.split(separator: " ").last.map(String.init)
        let hasOwnHead = member.service.assembly.routes.contains { $0.method == .head && $0.path == path }
        if line.method == "GET", looking, !hasOwnHead {
            let looked = try await platform.ask(member.service, line, method: "HEAD", token: token).status
            let wanted = line.rule.onLooking ?? expected
            #expect(looked == wanted, "\(member.name): HEAD \(line.target) answers \(who) \(looked), not \(wanted)")
        }
        return answer.status == expected ? answer : nil
    }

    /// The template of the route that a line's request comes to, by the service's own log.
    private func route(reachedBy line: Line, _ member: Platform.Member) async throws -> String? {
        let id = "matrix-\(UUID().uuidString)"
        _ = try await platform.ask(member.service, line, method: line.method == "GET" ? "HEAD" : line.method, token: "x", id: id)
        let entry = member.service.log.lines.last { $0.contains(id) && $0.contains(#""message":"request""#) }
        return try entry.flatMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }?["route"] as? String
    }
}
