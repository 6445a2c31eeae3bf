import AsyncHTTPClient
import Foundation
import Kubernetes
import NIOCore

/// Something that happened to a container.
struct ContainerEvent: Sendable, Equatable {
    let container: String
    /// `start`, `died`, `remove` …
    let action: String
    let labels: [String: String]
}

extension Podman {
    /// Tells each event until podman ends the stream or the task is cancelled.
    /// - Parameter began: the stream stands: what happens from here on is told.
    func followEvents(began: @Sendable () async -> Void, _ body: @Sendable (ContainerEvent) async -> Void) async throws {
        let filters = JSONWriter.text(["type": ["container"], "event": ["died", "start", "remove", "died", "stop", "oom"]])
        let response = try await send(.GET, "/events", [("stream", "true"), ("filters", filters)], deadline: .distantFuture)
        await began()
        var rest = ByteBuffer()
        for try await chunk in response.body {
            rest.writeImmutableBuffer(chunk)
            while let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                let line = rest.readSlice(length: end - rest.readerIndex) ?? ByteBuffer()
                rest.moveReaderIndex(forwardBy: 1)
                if let event = Self.event(line) { await body(event) }
            }
            rest.discardReadBytes()
        }
    }

    private static func event(_ line: ByteBuffer) -> ContainerEvent? {
        guard let value = try? JSONParser.parse(line.readableBytesView), let id = value[path: "Actor", "ID"]?.string else { return nil }
        return ContainerEvent(
            container: id, action: value["Action"]?.string ?? "",
            labels: (value[path: "Actor", "Attributes"]?.object ?? [:]).compactMapValues(\.string))
    }
}
