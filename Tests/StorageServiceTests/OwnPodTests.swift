import Foundation
import Kubernetes
import LocalCertificates
import ServiceKit
import TestSupport
import Testing

@testable import StorageService

/// The webhook as a pod: its volumes and its certificate, read from Kubernetes by their names.
@Suite(.timeLimit(.minutes(10))) struct OwnPodTests {
    private let pod: JSONValue = [
        "metadata": ["name": "storage-0"],
        "spec": [
            "volumes": [["name": "storage", "persistentVolumeClaim": ["claimName": "shared"]]],
            "containers": [["name": "api", "volumeMounts": [["name": "storage", "mountPath": "/"]]]],
        ],
    ]
    private let claim: JSONValue = ["metadata": ["name": "shared"], "spec": ["volumeName": "pv"]]
    private let volume: JSONValue = ["metadata": ["name": "pv"], "spec": ["nfs": ["server": "nfs.local", "path": "/exports"]]]

    /// - Parameter fromSecret: whether its certificate is the Secret's, which the client does not know; else that of the files.
    private func run(_ objects: [String: JSONValue], fromSecret: Bool = true, _ body: (Webhook) async throws -> Void) async throws {
        let settings = [
            "pod.name": "storage-0", "storage.admission.namespace": "platform", "storage.backends": "",
            "storage.admission.secret": fromSecret ? "webhook-cert" : "",
        ]
        try await Webhook.run(settings: settings, objects: objects) { webhook, _ in try await body(webhook) }
    }

    /// Of an authority that ends up in no client: what is served by it is not trusted.
    private func secret() throws -> JSONValue {
        let folder = NSTemporaryDirectory() + "own-pod-" + UUID().uuidString.lowercased()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let certificates = ServerCertificates(folder: folder, name: "webhook")
        try certificates.renew()
        func data(_ path: String) throws -> JSONValue { .string(try Data(contentsOf: URL(fileURLWithPath: path)).base64EncodedString()) }
        return [
            "metadata": ["name": "webhook-cert"], "type": "kubernetes.io/tls",
            "data": ["tls.crt": try data(certificates.certificatePath), "tls.key": try data(certificates.keyPath)],
        ]
    }

    private func objects(_ change: (inout [String: JSONValue]) -> Void = { _ in }) throws -> [String: JSONValue] {
        var objects: [String: JSONValue] = [
            "namespaces/platform/pods/storage-0": pod, "namespaces/platform/persistentvolumeclaims/shared": claim,
            "persistentvolumes/pv": volume, "namespaces/platform/secrets/webhook-cert": try secret(),
            "namespaces/space": Webhook.namespace(),
        ]
        change(&objects)
        return objects
    }

    @Test func itShowsTheSecretsCertificate() async throws {
        try await run(objects()) { webhook in
            do {
                _ = try await webhook.asker.get("/ping")
                Issue.record("a certificate of another authority was trusted")
            } catch {
                #expect("\(error)".contains("CERTIFICATE_VERIFY_FAILED"), "\(error)")
            }
        }
    }

    @Test func itsVolumesAreWhatOthersMount() async throws {
        try await run(objects(), fromSecret: false) { (webhook) async throws in
            let operations = try #require(try await webhook.ask(Webhook.pod(Webhook.item())).operations)
            let root = webhook.root.split(separator: "/").joined(separator: "/")
            #expect(operations[2]["value"]?["nfs"] == ["server": "nfs.local", "path": .string("/exports/\(root)/org/proj")])
        }
    }

    @Test(arguments: [
        ("namespaces/platform/pods/storage-0", "The webhook cannot read its own pod platform/storage-0"),
        ("namespaces/platform/secrets/webhook-cert", "The Secret platform/webhook-cert gives no certificate"),
        ("persistentvolumes/pv", "The webhook cannot read the volume behind its claim platform/shared"),
    ])
    func whatItCannotRead(_ path: String, _ why: String) async throws {
        do {
            try await run(objects { $0[path] = nil }) { _ in }
            Issue.record("it started")
        } catch {
            #expect("\(error)".contains(why), "\(error)")
        }
    }
}
