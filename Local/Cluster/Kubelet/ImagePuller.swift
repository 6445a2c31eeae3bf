import Foundation
import Kubernetes
import NIOCore

/// Gets the images of containers, by the policies of pods.
struct ImagePuller: Sendable {
    let podman: Podman
    let recorder: EventRecorder
    let lookUp: @Sendable (ObjectKey) async throws -> Object?

    /// A pull may take long; one that hangs must end.
    static let limit = TimeAmount.hours(2)

    /// Sees to it that the container's image is on the machine.
    /// - Returns: what `imageID` of the status says, and the user of the image.
    func ensure(_ container: ContainerTemplate, of pod: PodTemplate, field: String) async throws(ContainerRefusal) -> (
        id: String, user: String
    ) {
        func tell(_ type: String, _ reason: String, _ message: String) {
            recorder.record(pod.object, type: type, reason, message, field: field)
        }
        let name = container.image
        let reference: ImageReference
        do throws(ImageReference.Invalid) {
            reference = try ImageReference(name)
        } catch {
            let message = "Failed to apply default image tag \"\(name)\": \(error)"
            tell("Warning", "InspectFailed", message)
            tell("Warning", "Failed", "Error: InvalidImageName")
            throw ContainerRefusal(reason: "InvalidImageName", message: message)
        }
        do throws(EngineError) {
            let present = container.pullPolicy == "Always" ? nil : try await podman.image(reference.description)
            if let present {
                tell("Normal", "Pulled", "Container image \"\(name)\" already present on machine")
                return (present.digests.first ?? present.id, present.user)
            }
        } catch {
            tell("Warning", "InspectFailed", "Failed to inspect image \"\(name)\": \(error)")
            throw ContainerRefusal(reason: "ImageInspectError", message: "Failed to inspect image \"\(name)\": \(error)")
        }
        if container.pullPolicy == "Never" {
            let message = "Container image \"\(name)\" is not present with pull policy of Never"
            tell("Warning", "ErrImageNeverPull", message)
            tell("Warning", "Failed", "Error: ErrImageNeverPull")
            throw ContainerRefusal(reason: "ErrImageNeverPull", message: message)
        }
        tell("Normal", "Pulling", "Pulling image \"\(name)\"")
        let begun = ContinuousClock.now
        do throws(EngineError) {
            let image = try await pull(reference, pod)
            let took = (ContinuousClock.now - begun).formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 3)))
            let seconds = took.split(separator: " ").first.map(String.init) ?? took
            tell("Normal", "Pulled", "Successfully pulled image \"\(name)\" in \(seconds)s")
            return image
        } catch {
            tell("Warning", "Failed", "Failed to pull image \"\(name)\": \(error)")
            tell("Warning", "Failed", "Error: ErrImagePull")
            throw ContainerRefusal(reason: "ErrImagePull", message: error.message)
        }
    }

    /// With each of the credentials that fit until one is let in.
    private func pull(_ reference: ImageReference, _ pod: PodTemplate) async throws(EngineError) -> (id: String, user: String) {
        let credentials = await credentials(for: reference, pod)
        var attempts: [RegistryCredentials?] = credentials.map { $0 }
        if attempts.isEmpty { attempts = [nil] }
        var failure = EngineError("no credentials")
        for attempt in attempts {
            do throws(EngineError) {
                let id = try await podman.pull(reference.description, credentials: attempt, within: Self.limit)
                let image = try await podman.image(id)
                let prefix = "\(reference.registry)/\(reference.repository)@"
                let digest = image?.digests.first { $0.hasPrefix(prefix) } ?? image?.digests.first
                return (digest ?? id, image?.user ?? "")
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func credentials(for reference: ImageReference, _ pod: PodTemplate) async -> [RegistryCredentials] {
        var found: [RegistryCredentials] = []
        for entry in pod.spec["imagePullSecrets"]?.array ?? [] {
            guard let name = entry["name"]?.string,
                let secret = try? await lookUp(ObjectKey(.secrets, namespace: pod.namespace, name: name))
            else { continue }
            for credentials in PullSecretReader.credentials(in: secret, for: reference) where !found.contains(credentials) {
                found.append(credentials)
            }
        }
        return found
    }
}

/// Registry credentials out of a Secret of the types `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg`. Pure.
enum PullSecretReader {
    static func credentials(in secret: Object, for reference: ImageReference) -> [RegistryCredentials] {
        let data = EnvironmentBuilder.data(secret)
        let registries: [String: JSONValue]
        if let text = data[".dockerconfigjson"] {
            registries = (try? JSONParser.parse(text))?["auths"]?.object ?? [:]
        } else if let text = data[".dockercfg"] {
            registries = (try? JSONParser.parse(text))?.object ?? [:]
        } else {
            return []
        }
        // The longest name is the closest.
        return registries.filter { matches($0.key, reference) }.sorted { $0.key.count > $1.key.count }.compactMap { read($0.value) }
    }

    private static func matches(_ name: String, _ reference: ImageReference) -> Bool {
        var name = name[...]
        for scheme in ["https://", "http://"] where name.hasPrefix(scheme) { name = name.dropFirst(scheme.count) }
        let parts = name.split(separator: "/", maxSplits: 1)
        guard let host = parts.first else { return false }
        let isHub = reference.registry == "docker.io" && ["index.docker.io", "docker.io", "registry-1.docker.io"].contains(host)
        guard isHub || host == reference.registry || wildcard(host, reference.registry) else { return false }
        guard parts.count == 2, !["v1", "v1/", "v2", "v2/"].contains(parts[1]) else { return true }
        return reference.repository == parts[1] || reference.repository.hasPrefix("\(parts[1])/")
    }

    /// `*.example.org`: a star stands for one label.
    private static func wildcard(_ pattern: Substring, _ host: String) -> Bool {
        guard pattern.contains("*") else { return false }
        let (wanted, given) = (pattern.split(separator: "."), host.split(separator: "."))
        return wanted.count == given.count && zip(wanted, given).allSatisfy { $0 == "*" || $0 == $1 }
    }

    private static func read(_ entry: JSONValue) -> RegistryCredentials? {
        if let user = entry["username"]?.string, let password = entry["password"]?.string, !user.isEmpty {
            return RegistryCredentials(user: user, password: password)
        }
        guard let text = entry["auth"]?.string, let data = Data(base64Encoded: text) else { return nil }
        let parts = String(decoding: data, as: UTF8.self).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? RegistryCredentials(user: String(parts[0]), password: String(parts[1])) : nil
    }
}
