import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(5))) struct WatchTests {
    /// What a consumer sees, in one word an event.
    private func words(_ count: Int, of client: KubernetesClient) async -> [String] {
        var words: [String] = []
        for await event in client.watch(.pods, in: "n") {
            func name(_ pod: Pod) -> String { pod.metadata.name ?? "?" }
            switch event {
            case .listed(let pods): words.append("=" + pods.map(name).joined(separator: ","))
            case .added(let pod): words.append("+" + name(pod))
            case .modified(let pod): words.append("~" + name(pod))
            case .deleted(let pod): words.append("-" + name(pod))
            }
            if words.count == count { break }
        }
        return words
    }

    private let listing = "GET /api/v1/namespaces/n/pods?limit=500"
    private func watching(_ version: Int) -> String {
        "GET /api/v1/namespaces/n/pods?watch=1&allowWatchBookmarks=true&resourceVersion=\(version)"
    }

    @Test func resumesFromTheLastEventOrBookmarkAfterEndsAndDrops() async throws {
        try await ScriptedServer.run([
            .json(list(10, [pod("a", 3)])),
            .lines([line("ADDED", pod("b", 11)), "", line("BOOKMARK", #"{"metadata":{"resourceVersion":"15"}}"#)]),
            .dropped([line("MODIFIED", pod("b", 16))]),
            .open([line("DELETED", pod("a", 17))]),
        ]) { server, client in
            #expect(await words(4, of: client) == ["=a", "+b", "~b", "-a"])
            #expect(server.asked == [listing, watching(10), watching(15), watching(16)])
        }
    }

    @Test func listsAnewAfter410AsAnEventAndAsAnAnswer() async throws {
        try await ScriptedServer.run([
            .json(list(10, [pod("a", 3)])),
            .lines([line("ADDED", pod("b", 11)), line("ERROR", status(410, "Expired"))]),
            .json(list(20, [pod("b", 11)])),
            .json(410, status(410, "Gone")),
            .json(list(30, [])),
            .open([line("ADDED", pod("c", 31))]),
        ]) { server, client in
            #expect(await words(5, of: client) == ["=a", "+b", "=b", "=", "+c"])
            #expect(server.asked == [listing, watching(10), listing, watching(20), listing, watching(30)])
        }
    }

    @Test func waitsOutAServerThatIsAwayOrBusy() async throws {
        try await ScriptedServer.run([
            .json(500, "not json"),
            .json(list(10, [])),
            .json(503, status(503, "ServiceUnavailable")),
            .json(401, status(401, "Unauthorized")),
            .open([line("ADDED", pod("a", 11))]),
        ]) { server, client in
            #expect(await words(2, of: client) == ["=", "+a"])
            #expect(server.asked == [listing, listing, watching(10), watching(10), watching(10)])
        }
    }

    @Test func aLineThatCannotBeReadIsPassedOver() async throws {
        try await ScriptedServer.run([
            .json(list(10, [])),
            .open([
                line("ADDED", #"{"metadata":{"name":"x","resourceVersion":"11"},"spec":5}"#), line("NOVELTY", "{}"),
                line("ADDED", pod("y", 12)),
            ]),
        ]) { _, client in
            #expect(await words(2, of: client) == ["=", "+y"])
        }
    }

    @Test func aSilentStreamIsTakenForDead() async throws {
        try await ScriptedServer.run(
            [
                .json(list(10, [])), .open([]), .open([line("ADDED", pod("a", 11))]),
            ], change: { $0.streamIdleTimeout = .milliseconds(300) }
        ) { server, client in
            #expect(await words(2, of: client) == ["=", "+a"])
            #expect(server.asked.suffix(2) == [watching(10), watching(10)])
        }
    }

    @Test func endsWithItsTask() async throws {
        try await ScriptedServer.run([.json(list(10, [])), .open([])]) { server, client in
            let words = await withTaskGroup(of: Int.self) { group in
                group.addTask {
                    var count = 0
                    for await _ in client.watch(.pods) { count += 1 }
                    return count
                }
                while server.asked.count < 2 { await Task.yield() }
                group.cancelAll()
                return await group.next()
            }
            #expect(words == 1)
        }
    }
}
