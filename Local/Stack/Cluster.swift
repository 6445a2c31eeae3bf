import Foundation
import Subprocess
import SystemPackage

/// The Kubernetes below the local platform: the one of a given kubeconfig, or the testbed.
struct Cluster: Sendable {
    /// What the machine under the jobs can give.
    struct Node: Sendable {
        let name: String
        let cores: Double
        let memoryBytes: Int
    }

    let folder: RunFolder
    /// A kubeconfig of the user's own; nil runs the testbed.
    let given: String?
    /// The testbed's command.
    let testbed: String

    private var testbedFolder: String {
        let own = folder.file("testbed")
        // Sockets inside have long names, and a socket's path is short.
        return own.utf8.count <= 70 ? own : "/var/lib/orrery/testbed-\(folder.fingerprint)"
    }

    /// Starts what has to be started and leaves `kubeconfig`, complete in itself, in the run folder.
    func start() async throws {
        if given == nil { _ = try await command(testbed, ["start", "--run", testbedFolder], limit: 1800) }
        let source = given ?? testbedFolder + "/kubeconfig"
        let flat = try await command("kubectl", ["--kubeconfig", source, "config", "view", "--flatten", "--minify", "-o", "json"])
        try folder.write(flat, to: "kubeconfig", permissions: 0o600)
    }

    func stop() async throws {
        guard given == nil else { return }
        _ = try await command(testbed, ["stop", "--run", testbedFolder])
    }

    /// Labels the nodes that no pool has claimed as the pool `default`, and answers the largest of that pool.
    func node() async throws -> Node {
        let label = "platform.neuromation.io/nodepool"
        let kubectl = ["--kubeconfig", folder.file("kubeconfig")]
        _ = try await command(
            "kubectl", kubectl + ["label", "node", "--selector", "!\(label)", "\(label)=default", "platform.neuromation.io/job=true"])
        let text = try await command("kubectl", kubectl + ["get", "nodes", "--selector", "\(label)=default", "-o", "json"])
        let list = try JSONDecoder().decode(NodeList.self, from: Data(text.utf8))
        guard let node = list.items.map(\.node).max(by: { $0.cores < $1.cores }) else {
            throw StackError("the cluster of \(given ?? "the testbed") has no node that is free for the pool `default`")
        }
        return node
    }

    private func command(_ executable: String, _ arguments: [String], limit seconds: Int = 120) async throws -> String {
        let program: Executable = executable.contains("/") ? .path(FilePath(executable)) : .name(executable)
        let result = try await Subprocess.run(
            program, arguments: Arguments(arguments), output: .string(limit: 4 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw StackError("\(executable) \(arguments.first ?? "") failed: \(result.standardError)")
        }
        return result.standardOutput
    }
}

/// As much of a list of nodes as capacity needs.
private struct NodeList: Decodable {
    struct Item: Decodable {
        struct Metadata: Decodable { let name: String }
        struct Status: Decodable { let allocatable: [String: String] }
        let metadata: Metadata
        let status: Status

        var node: Cluster.Node {
            Cluster.Node(
                name: metadata.name, cores: Self.cores(status.allocatable["cpu"] ?? "1"),
                memoryBytes: Self.bytes(status.allocatable["memory"] ?? "1Gi"))
        }

        private static func cores(_ text: String) -> Double {
            text.hasSuffix("m") ? (Double(text.dropLast()) ?? 1000) / 1000 : Double(text) ?? 1
        }

        private static func bytes(_ text: String) -> Int {
            for (suffix, factor) in [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30)] where text.hasSuffix(suffix) {
                return (Int(text.dropLast(2)) ?? 1) * factor
            }
            return Int(text) ?? 1 << 30
        }
    }
    let items: [Item]
}
