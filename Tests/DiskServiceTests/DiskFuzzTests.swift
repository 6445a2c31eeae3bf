import AsyncHTTPClient
import Foundation
import NIOCore
import PlatformModel
import TestSupport
import Testing

@testable import DiskService

/// 10,000 requests that are wrong in some way: none is answered with 5xx, and the service goes on.
@Suite(.timeLimit(.minutes(5))) struct DiskFuzzTests {
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private static let scraps = [
        "", "0", "-1", "1e999", "\"x\"", "null", "true", "[]", "{}", "[[[[", "}", "\"\\ud800\"", "\"\\u0000\"", "1.5",
        "99999999999999999999",
        "\"acme\"", "\"vision\"", "\"data\"", "500", "\u{FEFF}", "é", "\"" + String(repeating: "a", count: 300) + "\"", "{\"a\":1}", "-0.0",
        "1e-400",
    ]
    private static let texts = [
        "acme", "vision", "data", "..", ".", "%2e%2e", "%00", "%", "%zz", "a%2Fb", "%FF", "", "A", "disk-1", "a b", "+", "é", "%C3%A9", "💾",
        "'",
        "disk-00000000-0000-0000-0000-000000000000", String(repeating: "x", count: 260), "a;b", "a=b", "true", "*",
    ]

    private static func body(_ dice: inout Dice) -> [UInt8] {
        if Int.random(in: 0..<6, using: &dice) == 0 {
            return (0..<Int.random(in: 0..<200, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
        }
        let fields = ["storage", "life_span", "name", "org_name", "project_name", "owner", ""].filter { _ in Bool.random(using: &dice) }
        let members = fields.map { "\"\($0)\": \(scraps.randomElement(using: &dice) ?? "")" }.joined(separator: ",")
        var bytes = Array("{\(members)}".utf8)
        if !bytes.isEmpty, Int.random(in: 0..<4, using: &dice) == 0 {
            bytes[Int.random(in: 0..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
        }
        return bytes
    }

    private static func target(_ dice: inout Dice) -> String {
        func text() -> String {
            (texts.randomElement(using: &dice) ?? "").addingPercentEncoding(withAllowedCharacters: .init(charactersIn: "!"..."~")) ?? ""
        }
        var path = "/api/v1/disk"
        if Bool.random(using: &dice) { path += "/" + text().replacing("?", with: "%3F").replacing("#", with: "%23") }
        let keys = ["org_name", "project_name", "owner", "x"].filter { _ in Int.random(in: 0..<3, using: &dice) > 0 }
        return path + "?" + keys.map { "\($0)=\(text())" }.joined(separator: "&")
    }

    @Test func tenThousandRequestsThatAreWrong() async throws {
        try await DiskStage.with { (stage) async throws in
            _ = try await stage.made(["name": "data"])
            let tokens = [try await stage.token("alice"), try await stage.token("idle"), "x", ""]
            let (service, known) = (stage.disks, try await stage.ids())
            try await withThrowingTaskGroup(of: [String].self) { group in
                for part in 0..<20 {
                    group.addTask {
                        var dice = Dice(state: UInt64(part) &* 7919 &+ 1)
                        var wrong: [String] = []
                        for _ in 0..<500 {
                            var request = HTTPClientRequest(url: service.url + Self.target(&dice))
                            request.method = [.GET, .POST, .POST, .DELETE, .PUT][Int.random(in: 0..<5, using: &dice)]
                            let token = Int.random(in: 0..<6, using: &dice) < 4 ? tokens[0] : tokens.randomElement(using: &dice) ?? ""
                            request.headers.add(name: "Authorization", value: "Bearer \(token)")
                            if request.method == .POST { request.body = .bytes(ByteBuffer(bytes: Self.body(&dice))) }
                            // Removals of the one that there is are none of this.
                            if request.method == .DELETE, request.url.contains("/data") || request.url.contains("disk/disk-") { continue }
                            let answer = try await service.call(request)
                            if answer.status >= 500 { wrong.append("\(request.method) \(request.url): \(answer.status) \(answer.body)") }
                        }
                        return wrong
                    }
                }
                for try await wrong in group { #expect(wrong.isEmpty, "\(wrong.prefix(3))") }
            }
            #expect(try await stage.ids().contains(known[0]))
        }
    }
}
