import Foundation
import HTTPTypes
import NIOCore
import TestSupport
import Testing
import WebSocket

@testable import StorageService

@Suite(.timeLimit(.minutes(10)))
struct SocketTests {
    private func refused(_ answer: SocketMessage, _ error: String, _ errno: String? = nil) -> Bool {
        answer.header["op"] == .text("ERROR") && answer.header["error"] == .text(error) && answer.header["errno"]?.text == errno
    }

    @Test func filesAreReadAndWrittenAtAnyPlace() async throws {
        try await Platform.run { (platform) async throws in
            try await SocketTests.talk(platform, "/acme/alice/base") { (talk) async throws in
                #expect(refused(try await talk.ask("STAT", [("path", .text("no"))]), "No such file or directory", "ENOENT"))
                let made = try await talk.ask("CREATE", [("path", .text("d/f")), ("size", .integer(54321))])
                #expect(made.header["op"] == .text("ACK"))
                _ = try await talk.ask("WRITE", [("path", .text("d/f")), ("offset", .integer(12345))], data: "bytes")
                let status = try await talk.ask("STAT", [("path", .text("d/f"))]).header["FileStatus"]
                #expect(status?["length"] == .integer(54321) && status?["path"] == .text("/acme/alice/base/d/f"))
                #expect(status?["permission"] == .text("read") && status?["type"] == .text("FILE"))
                let read = try await talk.ask("READ", [("path", .text("d/f")), ("offset", .integer(12345)), ("size", .integer(5))])
                #expect(String(buffer: read.data) == "bytes")
                let end = try await talk.ask("READ", [("path", .text("d/f")), ("offset", .integer(54320)), ("size", .integer(99))])
                #expect(end.data.readableBytes == 1)
                _ = try await talk.ask("WRITE", [("path", .text("new")), ("offset", .integer(3))], data: "x")
                #expect(platform.contents("/acme/alice/base/new") == "\0\0\0x")
                _ = try await talk.ask("MKDIRS", [("path", .text("nested/dir"))])
                let list = try await talk.ask("LIST", [("path", .text("nested"))]).header["FileStatuses"]?["FileStatus"]
                guard case .array(let entries) = list else { return #expect(Bool(false)) }
                #expect(entries.map { $0["path"] } == [.text("dir")] && entries.first?["type"] == .text("DIRECTORY"))
                #expect(try await talk.ask("STAT").header["FileStatus"]?["type"] == .text("DIRECTORY"))
            }
        }
    }

    @Test func refusals() async throws {
        try await Platform.run { (platform) async throws in
            try platform.write("/acme/alice/f", "text")
            try await SocketTests.talk(platform, "/acme/alice") { (talk) async throws in
                func path(_ text: String) -> (String, CBOR) { ("path", .text(text)) }
                let zero = [("offset", CBOR.integer(0)), ("size", CBOR.integer(1))]
                #expect(refused(try await talk.ask("STAT", [path("../bob")]), "path should not contain '..' components: '../bob'"))
                #expect(refused(try await talk.ask("STAT", [path("./x")]), "path should not contain '.' components: './x'"))
                #expect(refused(try await talk.ask("STAT", [path("/etc")]), "path should be relative: '/etc'"))
                #expect(refused(try await talk.ask("LIST", [path("f")]), "Not a directory", "ENOTDIR"))
                #expect(refused(try await talk.ask("READ", zero), "Is a directory", "EISDIR"))
                #expect(refused(try await talk.ask("WRITE", zero), "Is a directory", "EISDIR"))
                #expect(refused(try await talk.ask("READ", [path("no/f")] + zero), "No such file or directory", "ENOENT"))
                #expect(!platform.exists("/acme/alice/no"), "reading makes nothing")
                #expect(refused(try await talk.ask("MKDIRS", [path("f")]), "File exists", "EEXIST"))
                #expect(refused(try await talk.ask("CREATE", [path("g"), ("size", .integer(-1))]), "Invalid argument", "EINVAL"))
                #expect(
                    refused(
                        try await talk.ask("READ", [path("f"), ("offset", .integer(0)), ("size", .integer(16_777_217))]),
                        "Too large read size"))
                #expect(refused(try await talk.ask("READ", [path("f")]), "'offset'"))
                #expect(refused(try await talk.ask("FLY"), "Unknown operation"))
                let lacking = try await talk.ask(SocketMessage(.object([("id", .integer(1))])).bytes)
                #expect(refused(lacking, "'op'") && lacking.header["rid"] == nil)
                let broken = try await talk.ask(ByteBuffer(bytes: [0, 0, 0, 9, 0xFF, 0, 0, 0, 0]))
                #expect(broken.header["op"] == .text("ERROR"))
                #expect(try await talk.ask("STAT").header["op"] == .text("ACK"), "the connection stays")
            }
        }
    }

    @Test func rights() async throws {
        try await Platform.run { (platform) async throws in
            try platform.makeFolder("/acme/alice/d")
            try await platform.grant("/acme/alice/d", .read, to: "bob")
            try await SocketTests.talk(platform, "/acme/alice/d", as: "bob") { (talk) async throws in
                for op in ["CREATE", "WRITE", "MKDIRS", "FLY"] {
                    #expect(refused(try await talk.ask(op, [("path", .text("x"))]), "Requires writing permission"))
                }
                #expect(try await talk.ask("LIST").header["op"] == .text("ACK"))
            }
            for (path, name, status) in [("/acme/alice", "bob", 403), ("/acme/alice/none", "bob", 404)] {
                let answer = try await platform.ask("GET", path, "op=WEBSOCKET", as: name)
                #expect(answer.status == status && answer.body.hasPrefix("\(status): "))
            }
            let plain = try await platform.ask("GET", "/acme/alice", "op=WEBSOCKET")
            #expect(plain.status == 400 && plain.body.hasPrefix("400: No WebSocket UPGRADE hdr"))
        }
    }

    @Test func whatIsTakenAwayIsNotAllowedAnyMore() async throws {
        try await Platform.run(["storage.permission.expiration": "1"]) { (platform) async throws in
            try platform.makeFolder("/acme/alice/d")
            try await platform.grant("/acme/alice/d", .write, to: "bob")
            try await SocketTests.talk(platform, "/acme/alice/d", as: "bob") { (talk) async throws in
                #expect(try await talk.ask("MKDIRS", [("path", .text("x"))]).header["op"] == .text("ACK"))
                try await platform.revoke("/acme/alice/d", from: "bob")
                try await platform.grant("/acme/alice/d", .read, to: "bob")
                let deadline = ContinuousClock.now + .seconds(30)
                while !refused(try await talk.ask("MKDIRS", [("path", .text("x"))]), "Requires writing permission") {
                    try #require(.now < deadline, "The right to write is still there")
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(try await talk.ask("LIST").header["op"] == .text("ACK"))
                try await platform.revoke("/acme/alice/d", from: "bob")
                while talk.session.peerClose == nil {
                    try #require(.now < deadline, "The right to read is still there")
                    _ = try? await talk.ask("LIST")
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(talk.session.peerClose?.code == .policyViolation)
            }
        }
    }

    @Test func messagesAreAsLongAsTheContractHasThem() async throws {
        try await Platform.run { (platform) async throws in
            try await SocketTests.talk(platform, "/acme/alice") { (talk) async throws in
                // Longer than those of other services.
                let place = [("path", CBOR.text("f")), ("offset", .integer(0))]
                let data = String(repeating: "x", count: 5 << 20)
                #expect(try await talk.ask("WRITE", place, data: data).header["op"] == .text("ACK"))
                let back = try await talk.ask("READ", place + [("size", .integer(Int64(data.utf8.count)))])
                #expect(back.data == ByteBuffer(string: data))
            }
            let token = try await platform.token("alice")
            try await RawConnection.with(port: platform.storage.port) { connection in
                try await connection.send(
                    "GET /api/v1/storage/acme/alice?op=WEBSOCKET HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nUpgrade: websocket\r\n"
                        + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                #expect(try await connection.read(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 101") == true)
                // The head of a masked frame that is one byte longer than it may be: 16 842 853 bytes.
                try await connection.send([0x82, 0xFF, 0, 0, 0, 0, 1, 1, 0, 0x65, 1, 2, 3, 4])
                #expect(try await connection.readToEnd().contains("over 16842852 bytes"))
            }
        }
    }

    @Test func nobodyHasMoreConnectionsThanHeMay() async throws {
        try await Platform.run(["storage.caller.sockets": "1", "storage.sockets": "2"]) { (platform) async throws in
            try await SocketTests.talk(platform, "/acme/alice") { (talk) async throws in
                #expect(try await talk.ask("STAT").header["op"] == .text("ACK"))
                let second = await #expect(throws: WebSocketHandshakeRefused.self) {
                    try await SocketTests.talk(platform, "/acme/alice") { (_) async throws in }
                }
                #expect(second?.status == 429)
                try await SocketTests.talk(platform, "/acme/bob", as: "bob") { (talk) async throws in
                    #expect(try await talk.ask("STAT").header["op"] == .text("ACK"))
                    let third = await #expect(throws: WebSocketHandshakeRefused.self) {
                        try await SocketTests.talk(platform, "/acme/alice", as: "admin") { (_) async throws in }
                    }
                    #expect(third?.status == 503)
                }
            }
            // Whoever leaves makes room.
            try await eventually {
                do {
                    try await SocketTests.talk(platform, "/acme/alice") { (_) async throws in }
                    return true
                } catch is WebSocketHandshakeRefused {
                    return false
                }
            }
        }
    }

    /// The examples of the contract, byte by byte.
    @Test func bytesAreAsTheContractHasThem() throws {
        let ack = SocketMessage(
            .object([("op", .text("ACK")), ("rop", .text("READ")), ("rid", .integer(3)), ("timestamp", .integer(1_795_232_094))]),
            data: ByteBuffer(string: "data"))
        #expect(
            hex(ack.bytes)
                == "00000029a4626f706341434b63726f7064524541446372696403" + "6974696d657374616d701a6b01115e64617461")
        let write = SocketMessage(
            .object([("op", .text("WRITE")), ("id", .integer(2)), ("path", .text("f")), ("offset", .integer(65536))]),
            data: ByteBuffer(string: "abc"))
        #expect(hex(write.bytes) == "00000025a4626f70655752495445626964026470617468616" + "6666f66667365741a00010000616263")
        #expect(
            hex(SocketMessage(.object([("op", .text("ERROR")), ("error", .text("'op'"))])).bytes)
                == "00000019a2626f70654552524f52656572726f7264276f7027")
        #expect(try SocketMessage(write.bytes).header == write.header)
    }

    @Test func noBytesBreakTheReader() {
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<3000 {
            var bytes = ByteBuffer()
            for _ in 0..<(state % 24) {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes.writeInteger(UInt8(truncatingIfNeeded: state))
            }
            state &+= 1
            if let value = try? CBORReader.value(of: bytes) {
                var again = ByteBuffer()
                value.write(to: &again)
                #expect((try? CBORReader.value(of: again)) == value)
            }
        }
    }

    private func hex(_ buffer: ByteBuffer) -> String {
        buffer.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
