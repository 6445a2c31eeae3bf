import Foundation
import Hummingbird
import Kubernetes
import ServiceKit

/// The HTTP face of an admission webhook: always 200, except for what is no review.
public struct AdmissionRoutes<Reviewer: AdmissionReviewer>: Sendable {
    /// An API server takes objects of 3 MiB, and sends the old one beside the new.
    private static var bodyLimit: Int { 8 << 20 }

    let path: String
    let reviewer: Reviewer
    let pong: String

    /// - Parameter pong: what probes hear.
    public init(path: String, reviewer: Reviewer, pong: String = "Pong") {
        self.path = path
        self.reviewer = reviewer
        self.pong = pong
    }

    public func register(on router: PlatformRouter) {
        // For anyone: probes have no credentials.
        router.get("/ping", access: .anyone) { [pong] _, _ in pong }
        // For anyone that reaches it: API servers show no credentials unless each is configured to. What it tells is no secret.
        router.post(path, access: .anyone, bodyLimit: Self.bodyLimit, timeout: .seconds(28)) { [reviewer] request, context in
            let body = try await request.body.collect(upTo: Self.bodyLimit)
            let asked = try AdmissionRequest(review: JSONBodyDecoder.decode(JSONValue.self, from: Data(body.readableBytesView)))
            return JSONResponse(try await reviewer.decide(asked).review(asked.uid))
        }
    }
}
