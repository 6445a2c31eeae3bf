import Foundation
import HTTPTypes
import Hummingbird
import Kubernetes
import NIOCore
import ServiceKit

/// `GET …/pods/{name}/log`.
struct LogRoutes: Sendable {
    let pods: StreamedPods
    /// The cluster's folder.
    let folder: String

    func log(_ pod: Object, _ request: Request, _ context: PlatformContext) async throws -> Response {
        let wanted = try LogRequest(context.query, pod: pod.name, now: Date())
        let choice = try ContainerChoice(wanted.container, in: pod)
        var headers: HTTPFields = [.contentType: "text/plain"]
        // Whoever is watched for going away is not listened to any more.
        if wanted.follow { headers[.connection] = "close" }
        // A pod that was never placed has no kubelet to ask: no log, and no error.
        guard pod[path: "spec", "nodeName"]?.string?.isEmpty == false else {
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer()))
        }
        let place = try LogPlace(choice, previous: wanted.previous)
        let pods = pods
        let reader = LogReader(
            path: Self.path(folder: folder, pod: pod.uid, place), request: wanted,
            isRunning: { try await pods.isRunning(place.id, of: place.container, in: pod) })
        let body = ResponseBody { writer in
            let isThere: Bool
            if wanted.follow {
                isThere = try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await reader.run { try await writer.write($0) }
                }
            } else {
                isThere = try await reader.run { try await writer.write($0) }
            }
            if !isThere {
                try await writer.write(ByteBuffer(string: "unable to retrieve container logs for podman://\(place.id)"))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// Where the kubelet has podman write the log of one run.
    static func path(folder: String, pod uid: String, _ place: LogPlace) -> String {
        "\(folder)/pods/\(uid)/\(place.container)/\(place.attempt).log"
    }
}
