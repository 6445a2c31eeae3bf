import Foundation
import Testing

@testable import Kubernetes

@Suite struct KubeconfigTests {
    private static let text = """
        apiVersion: v1
        kind: Config
        current-context: b
        clusters:
        - name: one
          cluster: {server: "https://one:6443/", insecure-skip-tls-verify: true}
        - cluster:
            certificate-authority-data: UEVN
            server: https://two:6443/prefix
            tls-server-name: kubernetes
          name: two
        users:
        - name: alice
          user: {token: t-alice}
        - name: bob
          user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
        - name: carol
          user: {token: old, tokenFile: token}
        - name: dave
          user: {exec: {command: aws}}
        contexts:
        - context: {cluster: one, user: alice, namespace: space}
          name: a
        - context: {cluster: two, user: bob}
          name: b
        - context: {cluster: one, user: carol}
          name: c
        - context: {cluster: one, user: dave}
          name: d
        - context: {cluster: nowhere, user: alice}
          name: e
        """

    @Test func currentContextWithCertificate() throws {
        let found = try KubernetesConfiguration.kubeconfig(text: Self.text)
        #expect(found.server == "https://two:6443/prefix")
        #expect(found.tlsServerName == "kubernetes")
        #expect(found.namespace == "default")
        guard case .authority(Data("PEM".utf8)) = found.trust else { Issue.record("trust \(found.trust)"); return }
        guard case .certificate(Data("CERT".utf8), Data("KEY".utf8)) = found.credentials else { Issue.record("credentials"); return }
    }

    @Test func namedContextWithTokenAndNamespace() throws {
        let found = try KubernetesConfiguration.kubeconfig(text: Self.text, context: "a")
        #expect(found.server == "https://one:6443")
        #expect(found.namespace == "space")
        guard case .unverified = found.trust, case .token("t-alice") = found.credentials else { Issue.record("wrong"); return }
    }

    @Test func tokenFileIsRelativeToTheKubeconfig() throws {
        let found = try KubernetesConfiguration.kubeconfig(text: Self.text, context: "c", folder: "/etc/kube")
        guard case .tokenFile("/etc/kube/token") = found.credentials else { Issue.record("credentials \(found.credentials)"); return }
    }

    @Test(arguments: [
        ("d", "exec"), ("e", "no cluster \"nowhere\""), ("zz", "no context \"zz\""),
    ]) func refusals(context: String, saying: String) throws {
        let error = #expect(throws: KubernetesError.self) {
            try KubernetesConfiguration.kubeconfig(text: Self.text, context: context)
        }
        #expect("\(try #require(error))".contains(saying))
    }

    /// What is written reads as what it was, from any folder.
    @Test(arguments: ["a", "b", "c"]) func writtenAndReadAgain(context: String) throws {
        let first = try KubernetesConfiguration.kubeconfig(text: Self.text, context: context, folder: "/etc/kube")
        let again = try KubernetesConfiguration.kubeconfig(text: first.kubeconfig(), folder: "/elsewhere")
        #expect("\(again)" == "\(first)")
    }

    @Test func malformedTextIsOneSentence() {
        #expect(throws: KubernetesError.self) { try KubernetesConfiguration.kubeconfig(text: "clusters: 5") }
        #expect(throws: KubernetesError.self) { try KubernetesConfiguration.kubeconfig(path: "/nonexistent/kubeconfig") }
    }

    @Test func inClusterReadsTheMountedAccount() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("account-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "CA".write(toFile: folder + "/ca.crt", atomically: true, encoding: .utf8)
        try "platform\n".write(toFile: folder + "/namespace", atomically: true, encoding: .utf8)
        try "first\n".write(toFile: folder + "/token", atomically: true, encoding: .utf8)
        let found = try KubernetesConfiguration.inCluster(
            environment: ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"], folder: folder)
        #expect(found.server == "https://[fd00::1]:443")
        #expect(found.namespace == "platform")
        // Rotated tokens are picked up, at the latest when the server refuses the old one.
        let tokens = TokenSource(found.credentials, lifetime: .seconds(3600))
        #expect(tokens.token() == "first")
        try "second".write(toFile: folder + "/token", atomically: true, encoding: .utf8)
        #expect(tokens.token() == "first")
        #expect(tokens.refused("first"))
        #expect(tokens.token() == "second")
        #expect(!tokens.refused("second"))
        try FileManager.default.removeItem(atPath: folder + "/token")
        #expect(tokens.token() == "second")
        #expect(throws: KubernetesError.self) { try KubernetesConfiguration.inCluster(environment: [:]) }
    }
}
