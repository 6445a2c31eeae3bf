import Foundation
import ServiceKit
import Testing

@testable import IngressAuthService

struct KeyTests {
    private static let old = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"

    @Test(arguments: [
        "", "  ", "short", String(repeating: "a", count: 64), "changeme-changeme-changeme-changeme-changeme-",
        "0123456789abcdef0123456789abcdef0123456789ab", Platform.keys + " short",
    ])
    func weakKeysAreRefused(_ text: String) {
        #expect(throws: SettingError.self, "\(text)") { try KeyRing(text: text) }
    }

    @Test func keysAreRotatedWithOverlap() throws {
        let before = try KeyRing(text: Self.old)
        let during = try KeyRing(text: "\(Platform.keys)\n\(Self.old)")
        let after = try KeyRing(text: Platform.keys)
        let signature = before.sign("x", for: .returnTarget)
        #expect(during.isSignature(signature, of: "x", for: .returnTarget))
        #expect(!after.isSignature(signature, of: "x", for: .returnTarget))
        let sealed = try before.seal(Data("secret".utf8), for: .cookie, context: "c")
        #expect(during.open(sealed, for: .cookie, context: "c") == Data("secret".utf8))
        #expect(after.open(sealed, for: .cookie, context: "c") == nil)
        #expect(during.storageNames(of: "x") == after.storageNames(of: "x") + before.storageNames(of: "x"))
    }

    @Test func whatWasMadeForOneUseIsWorthNothingForAnother() throws {
        let keys = try KeyRing(text: Platform.keys)
        #expect(!keys.isSignature(keys.sign("x", for: .returnTarget), of: "x", for: .form))
        let sealed = try keys.seal(Data("x".utf8), for: .cookie, context: "a")
        #expect(keys.open(sealed, for: .store, context: "a") == nil && keys.open(sealed, for: .cookie, context: "b") == nil)
        var broken = sealed
        broken[broken.count - 1] ^= 1
        #expect(keys.open(broken, for: .cookie, context: "a") == nil && keys.open(Data(), for: .cookie, context: "a") == nil)
    }

    @Test func targetsAreSignedAndEnd() throws {
        let keys = try KeyRing(text: Platform.keys)
        let now = Date()
        let target = ReturnTarget(url: "https://a.example.org/x", expires: Int(now.timeIntervalSince1970) + 900, nonceHash: "h")
        let text = try target.signed(with: keys)
        #expect(ReturnTarget(text, keys: keys, now: now) == target)
        #expect(ReturnTarget(text, keys: keys, now: now + 901) == nil)
        let other = try ReturnTarget(url: "https://b.example.org/", expires: target.expires, nonceHash: "h").signed(with: keys)
        let mixed = (other.split(separator: ".").first ?? "") + "." + (text.split(separator: ".").last ?? "")
        for bad in ["", ".", text + "x", "x" + text, text.replacing(".", with: ".."), String(mixed), String(text.dropLast()), text + ".x"] {
            #expect(ReturnTarget(bad, keys: keys, now: now) == nil, "\(bad)")
        }
        #expect(ReturnTarget(text, keys: try KeyRing(text: Self.old), now: now) == nil)
    }

    @Test func moreThanThreeRoundsInAMinuteAreTooMany() {
        var rounds = Rounds()
        let now = Date()
        for _ in 0..<3 {
            let isGood = rounds.begin("a", now: now)
            #expect(isGood)
        }
        let fourth = rounds.begin("a", now: now + 59)
        #expect(!fourth)
        let other = rounds.begin("b", now: now + 59)
        #expect(other)
        let later = rounds.begin("a", now: now + 61)
        #expect(later)
    }

    @Test func aKeyHasItsShareAndNoMore() {
        let limiter = RateLimiter(perSecond: 2, capacity: 3)
        let admitted = (0..<20).filter { _ in limiter.admits("a") }.count
        #expect((10...11).contains(admitted))
        #expect(limiter.admits("b"))
        #expect((0..<1000).allSatisfy { _ in RateLimiter(perSecond: 0).admits("a") })
    }

    @Test func anAnswerIsAskedForOnceAndForgotten() async throws {
        let cache = AnswerCache<Int, Int>(capacity: 4)
        let counter = Counter()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let values = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    try await cache.value(for: 1) { _ in
                        .seconds(60)
                    } ask: {
                        await counter.add()
                        for await _ in gate { break }
                        return 7
                    }
                }
            }
            while await counter.count == 0 { await Task.yield() }
            open.finish()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(values == Array(repeating: 7, count: 100))
        #expect(await counter.count == 1)
        for key in 2..<20 {
            _ = try await cache.value(for: key) { _ in
                .seconds(60)
            } ask: {
                key
            }
        }
        #expect(cache.count <= 4)
        await #expect(throws: SettingError.self) {
            try await cache.value(for: 99) { _ in
                .seconds(60)
            } ask: {
                throw SettingError("away")
            }
        }
        #expect(
            try await cache.value(for: 99) { _ in
                .zero
            } ask: {
                5
            } == 5)
        #expect(
            try await cache.value(for: 99) { _ in
                .zero
            } ask: {
                6
            } == 6)
    }

    @Test func whoeverAsksInPlaceOfOneThatGaveUpIsServed() async throws {
        let cache = AnswerCache<Int, Int>(capacity: 4)
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let value = try await withThrowingTaskGroup(of: Int.self) { leaving in
            leaving.addTask {
                try await cache.value(for: 1) { _ in
                    .seconds(60)
                } ask: {
                    ask.yield()
                    try await Task.sleep(for: .seconds(3600))
                    return 1
                }
            }
            for await _ in asked { break }
            return try await withThrowingTaskGroup(of: Int.self) { waiting in
                waiting.addTask {
                    try await cache.value(for: 1) { _ in
                        .seconds(60)
                    } ask: {
                        2
                    }
                }
                leaving.cancelAll()
                return try await waiting.next() ?? 0
            }
        }
        #expect(value == 2)
    }

    private actor Counter {
        private(set) var count = 0
        func add() { count += 1 }
    }
}
