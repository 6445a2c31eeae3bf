import Foundation
import Identity
import PlatformModel

/// The secrets of a local platform, made once: the key that signs tokens and a token for every service and for the admin.
struct Keys: Sendable {
    let folder: RunFolder

    /// Makes what is missing, and answers the admin's token.
    func prepare() async throws -> String {
        let key = "secrets/auth-api/auth-signing-keys"
        for service in ServicePart.allCases { try folder.make("secrets/\(service.rawValue)", permissions: 0o700) }
        if !folder.exists(key) { try folder.write(TokenSigner.generatePEM(), to: key, permissions: 0o600) }
        let signer = try await TokenSigner(pem: folder.read(key) ?? "")
        for service in ServicePart.allCases {
            let file = "secrets/\(service.rawValue)/service-token"
            guard !folder.exists(file) else { continue }
            try await folder.write(signer.sign(claims(of: service)), to: file, permissions: 0o600)
        }
        try folder.make("secrets/cluster", permissions: 0o700)
        let cluster = "secrets/cluster/cluster-token"
        if !folder.exists(cluster) { try folder.write(Self.random(), to: cluster, permissions: 0o600) }
        // config-api seals the clusters' credentials with it.
        // ingress-auth signs and seals with its own what browsers keep.
        for file in ["secrets/config-api/config-sealing-keys", "secrets/ingress-auth/ingress-auth-keys"] where !folder.exists(file) {
            let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
            try folder.write(Data(bytes).base64EncodedString(), to: file, permissions: 0o600)
        }
        let admin = "admin-token"
        if !folder.exists(admin) {
            try await folder.write(signer.sign(TokenClaims(name: PrincipalName("admin"))) + "\n", to: admin, permissions: 0o600)
        }
        return folder.read(admin) ?? ""
    }

    /// 256 bits from the system's generator.
    private static func random() -> String {
        (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined(separator: "-")
    }

    private func claims(of service: ServicePart) throws -> TokenClaims {
        let name = try PrincipalName(service.rawValue)
        return switch service {
        case .monitoring, .disk: TokenClaims(name: name, kind: .cluster, cluster: Stack.clusterName)
        // It has no business with the clusters' credentials.
        case .ingressAuth: TokenClaims(name: name)
        default: TokenClaims(name: name, kind: .controlPlane)
        }
    }
}
