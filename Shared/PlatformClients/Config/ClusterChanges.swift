import Foundation
import NIOCore
import PlatformModel
import ServiceKit

/// The successive lists of clusters; see ``ConfigClient/clusterChanges(every:)``.
///
/// Each question carries the `ETag` of the list that is known, and asks config-api to keep the answer back until there is another.
public struct ClusterChanges: AsyncSequence, Sendable {
    public typealias Element = [ClusterDocument]
    let rest: RestClient
    let interval: Duration

    public func makeAsyncIterator() -> Iterator { Iterator(rest: rest, interval: interval) }

    public struct Iterator: AsyncIteratorProtocol {
        /// How long an answer may be kept back, in seconds: less than proxies and our own HTTP client bear silence.
        private static let wait = 20
        /// However fast clusters change, the list is not read more often.
        private static let pace = Duration.milliseconds(100)

        private let rest: RestClient
        private let interval: Duration
        private var etag: String?
        private var last: [ClusterDocument]?

        init(rest: RestClient, interval: Duration) {
            var patient = rest
            patient.attemptTimeout = .seconds(Int64(Self.wait)) + rest.attemptTimeout
            self.rest = patient
            self.interval = interval
        }

        /// Throws only `CancellationError`.
        public mutating func next() async throws -> [ClusterDocument]? {
            var pause = last == nil ? nil : Swift.min(Self.pace, interval)
            while true {
                if let pause { try await Task.sleep(for: pause) }
                let start = ContinuousClock.now
                do {
                    if let clusters = try await fetch(), clusters != last {
                        last = clusters
                        return clusters
                    }
                } catch is ClientError {
                    // Away, or not answering sensibly: what is known stays in force.
                }
                try Task.checkCancellation()
                // Whoever answers at once that nothing changed does not tell, or is about to stop.
                pause = ContinuousClock.now - start < .seconds(Self.wait) ? interval : nil
            }
        }

        /// nil when nothing changed since the last answer.
        private mutating func fetch() async throws -> [ClusterDocument]? {
            let answer = try await rest.send(
                .init(
                    method: .GET, path: "/clusters", query: etag == nil ? [] : [("wait", "\(Self.wait)")], repeatable: true,
                    headers: etag.map { [("If-None-Match", $0)] } ?? [], accepted: [304]))
            guard answer.status != 304 else { return nil }
            do {
                let clusters = try PlatformJSON.decoder().decode([ClusterDocument].self, from: Data(answer.body.readableBytesView))
                etag = answer.headers.first(name: "ETag")
                return clusters
            } catch {
                throw ClientError.malformed(service: rest.service, reason: "\(error)")
            }
        }
    }
}
