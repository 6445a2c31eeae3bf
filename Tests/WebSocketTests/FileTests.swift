import AsyncHTTPClient
import Crypto
import Foundation
import Hummingbird
import NIOCore
import Testing

@testable import WebSocket

/// Files sent by the kernel.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct FileTests {
    /// 64 MiB whose content differs from place to place.
    private static func makeFile() throws -> (path: String, digest: String) {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        var data = Data(capacity: 64 << 20)
        var state: UInt64 = 88_172_645_463_325_252
        while data.count < 64 << 20 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            withUnsafeBytes(of: state) { data.append(contentsOf: $0) }
        }
        try data.write(to: URL(fileURLWithPath: path))
        return (path, SHA256.hash(data: data).description)
    }

    private static func routes(_ path: String) -> (Router<BasicRequestContext>) -> Void {
        { router in
            router.get("file") { _, _ in Response.file(try OpenFile(path: path)) }
            router.head("file") { _, _ in Response.file(try OpenFile(path: path)).createHeadResponse() }
            router.get("part") { _, _ in Response.file(try OpenFile(path: path), range: 1000..<3000, status: .partialContent) }
        }
    }

    /// How many descriptors of this process refer to the file.
    private func openDescriptors(_ path: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            .filter { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path }.count
    }

    @Test func aFileArrivesWholeAndConnectionsAreKept() async throws {
        let (path, digest) = try Self.makeFile()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await withServer(routes: Self.routes(path)) { port, _ in
            for _ in 0..<2 {
                let response = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: "http://127.0.0.1:\(port)/file"), timeout: .seconds(30))
                #expect(response.headers.first(name: "content-length") == "\(64 << 20)")
                var hash = SHA256()
                for try await part in response.body { part.withUnsafeReadableBytes { hash.update(bufferPointer: $0) } }
                #expect(hash.finalize().description == digest)
            }
            let part = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://127.0.0.1:\(port)/part"), timeout: .seconds(30))
            let bytes = try await part.body.collect(upTo: 1 << 20)
            let expected = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: 3000)?.suffix(2000)
            #expect(expected == Data(bytes.readableBytesView))
            var head = HTTPClientRequest(url: "http://127.0.0.1:\(port)/file")
            head.method = .HEAD
            let headOnly = try await HTTPClient.shared.execute(head, timeout: .seconds(30))
            #expect(headOnly.headers.first(name: "content-length") == "\(64 << 20)")
        }
        #expect(try openDescriptors(path) == 0)
    }

    @Test func anAbortedTransferLeavesNoDescriptor() async throws {
        let (path, _) = try Self.makeFile()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await withServer(routes: Self.routes(path)) { port, _ in
            for _ in 0..<5 {
                try await RawConnection.open(port) { raw in
                    try await raw.write("GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
                    _ = try await raw.read(100_000)
                }
            }
        }
        #expect(try openDescriptors(path) == 0)
    }

    @Test func aFileThatShrinksBreaksTheConnection() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(count: 10_000).write(to: URL(fileURLWithPath: path))
        let routes: (Router<BasicRequestContext>) -> Void = { router in
            router.get("file") { _, _ in
                let file = try OpenFile(path: path)
                try Data(count: 10).write(to: URL(fileURLWithPath: path))
                return Response.file(file)
            }
        }
        try await withServer(routes: routes) { port, _ in
            try await RawConnection.open(port) { raw in
                try await raw.write("GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
                _ = try await raw.readHead()
                #expect(try await raw.read(10_000) == nil)
            }
        }
        #expect(throws: FileError.self) { try OpenFile(path: "/") }
        #expect(throws: FileError.self) { try OpenFile(path: path + "-none") }
    }
}
