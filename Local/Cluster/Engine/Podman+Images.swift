import AsyncHTTPClient
import Foundation
import Kubernetes
import NIOCore

/// An image that is on the machine.
struct ImageInspection: Sendable, Equatable {
    let id: String
    /// `name@sha256:…` as registries know it.
    let digests: [String]
    /// `Config.User` of the image.
    let user: String
    let size: Int64
}

extension Podman {
    /// - Returns: nil when the image is not on the machine.
    func image(_ name: String) async throws(EngineError) -> ImageInspection? {
        do {
            let value = try await call(.GET, "/images/\(Podman.escape(name))/json")
            return ImageInspection(
                id: value["Id"]?.string ?? "", digests: (value["RepoDigests"]?.array ?? []).compactMap(\.string),
                user: value["User"]?.string ?? value[path: "Config", "User"]?.string ?? "", size: value["Size"]?.integer ?? 0)
        } catch  where error.isNotFound {
            return nil
        }
    }

    /// Fetches an image from its registry, whatever is here already.
    /// - Returns: its id.
    func pull(_ reference: String, credentials: RegistryCredentials?, within limit: TimeAmount) async throws(EngineError) -> String {
        var headers: [(String, String)] = []
        if let credentials {
            let text = JSONWriter.text(["username": .string(credentials.user), "password": .string(credentials.password)])
            // The URL alphabet, as podman's own client sends it.
            let encoded = Data(text.utf8).base64EncodedString().replacingOccurrences(of: "+", with: "-")
                .replacingOccurrences(of: "/", with: "_")
            headers.append(("X-Registry-Auth", encoded))
        }
        let response = try await send(
            .POST, "/images/pull", [("reference", reference), ("policy", "always"), ("quiet", "true")], headers: headers,
            deadline: .now() + limit)
        let text: String
        do {
            text = String(buffer: try await response.body.collect(upTo: 4 << 20))
        } catch {
            throw EngineError("the pull of \(reference) broke off: \(error)")
        }
        // One JSON value a line; an error ends them.
        for line in text.split(separator: "\n").reversed() {
            guard let value = try? JSONParser.parse(line.utf8) else { continue }
            if let message = value["error"]?.string, !message.isEmpty { throw EngineError(message) }
            if let id = value["id"]?.string, !id.isEmpty { return id }
        }
        throw EngineError("podman ended the pull of \(reference) without a word")
    }

    func images() async throws(EngineError) -> [(id: String, size: Int64, created: Int64, containers: Int64, names: [String])] {
        let answer = try await call(.GET, "/images/json")
        return (answer.array ?? []).compactMap { item in
            guard let id = item["Id"]?.string else { return nil }
            return (
                id, item["Size"]?.integer ?? 0, item["Created"]?.integer ?? 0, item["Containers"]?.integer ?? 0,
                (item["Names"]?.array ?? []).compactMap(\.string)
            )
        }
    }

    /// Removes an image that no container uses.
    func removeImage(_ id: String) async throws(EngineError) {
        do {
            try await call(.DELETE, "/images/\(id)", [("force", "false")])
        } catch  where error.isNotFound || error.isConflict {
            return
        }
    }
}

struct RegistryCredentials: Sendable, Hashable {
    let user: String
    let password: String
}
