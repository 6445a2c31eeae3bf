import NIOCore
import Testing

@testable import LocalCluster

/// SPDY/3.1 as its specification has it.
@Suite(.timeLimit(.minutes(5)))
struct SPDYTests {
    @Test func theDictionaryIsTheSpecifications() {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in SPDYDictionary.bytes {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        #expect(SPDYDictionary.bytes.count == 1423)
        #expect(high << 16 | low == 0xE3C6_A7C2)
    }

    private static let headers: SPDYHeaders = ["streamtype": ["data"], "port": ["8000"], "requestid": ["0"], "x": ["a", "b"]]

    private static let frames: [SPDYFrame] = [
        .open(stream: 1, headers: headers, isLast: false, isOneWay: false), .reply(stream: 1, headers: [:], isLast: false),
        .open(stream: 3, headers: ["streamtype": ["error"]], isLast: true, isOneWay: true),
        .headers(stream: 3, headers: ["late": [""]], isLast: true), .settings([7: 1 << 20, 4: 100]), .ping(5),
        .window(stream: 1, more: 16384), .reset(stream: 3, status: .cancel), .goAway(last: 3, status: 0),
        .data(stream: 1, bytes: ByteBuffer(string: "hello"), isLast: false), .data(stream: 1, bytes: ByteBuffer(), isLast: true),
    ]

    @Test func framesAreReadAsTheyWereWritten() throws {
        let encoder = try SPDYEncoder()
        var decoder = try SPDYDecoder()
        for frame in Self.frames {
            decoder.append(try encoder.encode(frame))
            #expect(try decoder.next() == frame)
        }
        #expect(try decoder.next() == nil)
    }

    @Test func framesMayComeByteByByte() throws {
        let encoder = try SPDYEncoder()
        var decoder = try SPDYDecoder()
        var data = ""
        var others: [SPDYFrame] = []
        for frame in Self.frames {
            for byte in try encoder.encode(frame).readableBytesView {
                decoder.append(ByteBuffer(bytes: [byte]))
                while let next = try decoder.next() {
                    if case .data(_, let bytes, false) = next { data += String(buffer: bytes) } else { others.append(next) }
                }
            }
        }
        #expect(data == "hello")
        #expect(others == Self.frames.filter { $0 != .data(stream: 1, bytes: ByteBuffer(string: "hello"), isLast: false) })
    }

    /// The first bytes that kubectl sends: Go's own zlib with the dictionary.
    @Test func aHeaderBlockOfAnotherImplementation() throws {
        // Packed by Python's zlib: compressobj(zdict=…), flushed with Z_SYNC_FLUSH, twice in one stream.
        let first: [UInt8] = FixedBlocks.first
        let second: [UInt8] = FixedBlocks.second
        let unpacker = try SPDYHeaderUnpacker()
        #expect(try unpacker.unpack(ByteBuffer(bytes: first)) == ["streamtype": ["error"], "port": ["80"], "requestid": ["0"]])
        #expect(try unpacker.unpack(ByteBuffer(bytes: second)) == ["streamtype": ["data"], "port": ["80"], "requestid": ["0"]])
    }

    @Test func whatIsNoSPDYIsRefused() throws {
        for bytes: [UInt8] in [
            // Version 2; data on stream 0; a control frame of 16 MiB; a header block that is no zlib; one with more names than it has.
            [0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0], [0x80, 3, 0, 1, 0, 0xFF, 0xFF, 0xFF],
            [0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], [0x80, 3, 0, 6, 0, 0, 0, 2, 0, 0],
        ] {
            var decoder = try SPDYDecoder()
            decoder.append(ByteBuffer(bytes: bytes))
            #expect(throws: SPDYError.self) { try decoder.next() }
        }
        // Small on the wire, large in memory.
        let packer = try SPDYHeaderPacker()
        let bomb = try packer.pack(["a": [String(repeating: "x", count: SPDYHeaderUnpacker.limit)]])
        #expect(bomb.readableBytes < 1000)
        #expect(throws: SPDYError.self) { try SPDYHeaderUnpacker().unpack(bomb) }
    }

    @Test func aWindowCountsOnceTheOtherEndKnowsOfWindows() async throws {
        let windows = SPDYWindows()
        windows.open(1)
        // Kubernetes' clients never widen anything: nothing holds back.
        #expect(await windows.take(1 << 20, of: 1) == 1 << 20)
        windows.open(3)
        windows.widen(3, by: 1000)
        #expect(await windows.take(1 << 20, of: 3) == SPDYFrame.initialWindow + 1000)
        async let waiting = windows.take(1 << 20, of: 3)
        windows.widen(3, by: 7)
        #expect(await waiting == 7)
        // A stream that is over waits for nothing, nor does a task that is cancelled.
        async let closed = windows.take(1, of: 3)
        windows.close(3)
        #expect(await closed == nil)
        windows.open(5)
        windows.setInitial(0)
        let cancelled = Task { await windows.take(1, of: 5) }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
    }

    @Test func aPipeHoldsItsWriterBack() async {
        let pipe = BytePipe(limit: 10)
        await pipe.write(ByteBuffer(string: "0123456789"))
        async let written: Void = pipe.write(ByteBuffer(string: "more"))
        #expect(await pipe.read() == ByteBuffer(string: "0123456789"))
        await written
        pipe.finish()
        #expect(await pipe.read() == ByteBuffer(string: "more"))
        #expect(await pipe.read() == nil)
        let unread = BytePipe(limit: 1)
        async let stuck: Void = unread.write(ByteBuffer(string: "nobody reads this"))
        unread.close()
        await stuck
        let reader = Task { await BytePipe().read() }
        reader.cancel()
        #expect(await reader.value == nil)
    }
}
