import Foundation
import Kubernetes
import LocalCertificates

/// The file by which clients of this machine find the cluster: complete in itself, for its owner alone.
struct KubeconfigFile: Sendable {
    let path: String

    init(folder: String) { path = folder + "/kubeconfig" }

    /// - Parameters:
    ///   - port: where the API listens.
    ///   - authority: the authority's certificate, in PEM.
    func write(port: Int, authority: String, token: String) throws {
        let configuration = KubernetesConfiguration(
            server: "https://127.0.0.1:\(port)", credentials: .token(token), trust: .authority(Data(authority.utf8)))
        try PrivateFile.write(try configuration.kubeconfig(name: "orrery"), to: path)
    }
}
