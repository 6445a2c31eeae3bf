import Hummingbird
import Testing

@testable import WebSocket

/// What a peer may not do, and the code it is told so with (RFC 6455 §7.4.1).
@Suite(.timeLimit(.minutes(5)))
struct ViolationTests {
    private func closeCode(
        _ misdeed: @escaping @Sendable (RawConnection) async throws -> Void
    ) async throws -> Int? {
        var configuration = ServerChannelConfiguration()
        configuration.maxFrame = 1000
        configuration.maxMessage = 1500
        return try await withServer(configuration, routes: { $0.get("echo", use: echo) }) { port, _ in
            try await RawConnection.open(port) { raw in
                _ = try await raw.upgrade()
                try await misdeed(raw)
                return try await raw.readCloseCode()
            }
        }
    }

    @Test func unmaskedFrame() async throws {
        #expect(try await closeCode { try await $0.writeFrame(0x81, [65], masked: false) } == 1002)
    }

    @Test func frameTooLong() async throws {
        #expect(try await closeCode { try await $0.writeFrame(0x82, [UInt8](repeating: 0, count: 2000)) } == 1009)
    }

    @Test func messageTooLong() async throws {
        let code = try await closeCode {
            try await $0.writeFrame(0x02, [UInt8](repeating: 0, count: 900))
            try await $0.writeFrame(0x80, [UInt8](repeating: 0, count: 900))
        }
        #expect(code == 1009)
    }

    @Test func textThatIsNotUTF8() async throws {
        #expect(try await closeCode { try await $0.writeFrame(0x81, [0xC3, 0x28]) } == 1007)
    }

    @Test func messageWithinAMessage() async throws {
        let code = try await closeCode {
            try await $0.writeFrame(0x01, [65])
            try await $0.writeFrame(0x81, [66])
        }
        #expect(code == 1002)
    }

    @Test(arguments: [UInt8(0x80), 0x83, 0xC1])
    func unexpectedFirstByte(_ first: UInt8) async throws {
        #expect(try await closeCode { try await $0.writeFrame(first, [65]) } == 1002)
    }

    @Test func fragmentedControlFrame() async throws {
        #expect(try await closeCode { try await $0.writeFrame(0x09, [65]) } == 1002)
    }

    @Test func badCloseFrames() async throws {
        #expect(try await closeCode { try await $0.writeFrame(0x88, [1]) } == 1002)
        #expect(try await closeCode { try await $0.writeFrame(0x88, [0x03, 0xED]) } == 1002)
        #expect(try await closeCode { try await $0.writeFrame(0x88, [0x03, 0xE8, 0xFF]) } == 1007)
    }
}
