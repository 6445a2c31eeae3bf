import AsyncHTTPClient
import Foundation
import Kubernetes
import NIOCore

extension Podman {
    /// - Returns: the container's id.
    func createContainer(_ specification: JSONValue) async throws(EngineError) -> String {
        let answer = try await call(.POST, "/containers/create", body: specification)
        guard let id = answer["Id"]?.string else { throw EngineError("podman made a container and told no id") }
        return id
    }

    func startContainer(_ id: String) async throws(EngineError) { try await call(.POST, "/containers/\(id)/start") }

    /// Sends a signal; a container that does not run is left as it is.
    func signal(_ id: String, _ signal: String) async throws(EngineError) {
        do {
            try await call(.POST, "/containers/\(id)/kill", [("signal", signal)], within: .seconds(15))
        } catch  where error.isNotFound || error.isConflict || error.message.contains("can only kill running containers") {
            return
        }
    }

    /// Kills it if it runs. A container that is not there is removed already.
    func removeContainer(_ id: String) async throws(EngineError) {
        for attempt in 1... {
            do throws(EngineError) {
                try await call(.DELETE, "/containers/\(id)", [("force", "true"), ("v", "true"), ("timeout", "0")])
                return
            } catch {
                if error.isNotFound { return }
                // podman trips over a container that ends in the very moment.
                guard attempt < 5, error.message.contains("state improper") else { throw error }
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Removes containers that may hang on each other: those first that hang on the network of another.
    func removeContainers(_ found: [(id: String, labels: [String: String], state: String)]) async throws(EngineError) {
        let isHolder = { (labels: [String: String]) in labels[ContainerSpecification.Label.holder] != nil }
        for container in found where !isHolder(container.labels) { try await removeContainer(container.id) }
        for container in found where isHolder(container.labels) { try await removeContainer(container.id) }
    }

    /// - Returns: nil when there is no such container.
    func inspectContainer(_ id: String) async throws(EngineError) -> ContainerInspection? {
        do {
            return ContainerInspection(try await call(.GET, "/containers/\(id)/json"))
        } catch  where error.isNotFound {
            return nil
        }
    }

    /// The ids and labels of all containers, running or not, that carry these labels (`key` or `key=value`).
    func containers(labelled labels: [String]) async throws(EngineError) -> [(id: String, labels: [String: String], state: String)] {
        let filters = JSONWriter.text(["label": .array(labels.map { .string($0) })])
        let answer = try await call(.GET, "/containers/json", [("all", "true"), ("filters", filters)])
        return (answer.array ?? []).compactMap { item in
            guard let id = item["Id"]?.string else { return nil }
            return (id, (item["Labels"]?.object ?? [:]).compactMapValues(\.string), item["State"]?.string ?? "")
        }
    }

    /// Runs a command in a container to its end.
    /// - Returns: its exit code and the beginning of what it printed.
    func execute(_ command: [String], in container: String, within limit: TimeAmount) async throws(EngineError) -> (
        code: Int, output: String
    ) {
        let session = try await call(
            .POST, "/containers/\(container)/exec",
            body: ["AttachStdout": true, "AttachStderr": true, "Cmd": .array(command.map { .string($0) }), "Tty": true])
        guard let id = session["Id"]?.string else { throw EngineError("podman made an exec session and told no id") }
        let response = try await send(
            .POST, "/exec/\(id)/start", body: ["Detach": false, "Tty": true], deadline: .now() + limit)
        var output = ByteBuffer()
        do {
            for try await chunk in response.body where output.readableBytes < 10_240 { output.writeImmutableBuffer(chunk) }
        } catch {
            throw EngineError("the command did not end within its time", cause: "timeout")
        }
        let state = try await call(.GET, "/exec/\(id)/json")
        return (Int(state["ExitCode"]?.integer ?? -1), String(buffer: output))
    }
}
