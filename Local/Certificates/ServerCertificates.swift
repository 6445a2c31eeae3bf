import Crypto
import Foundation
import Logging
import SwiftASN1
import WebSocket
import X509

/// An authority and the certificate of a server on this machine, kept in a folder: `tls/ca.crt`, `ca.key`, `server.crt`, `server.key`.
public struct ServerCertificates: Sendable {
    /// How long an authority, and a certificate of it, is good.
    public static let authorityLife = 3650.0 * 86_400
    public static let serverLife = 365.0 * 86_400

    /// What this machine calls itself.
    public static let loopback = ["localhost", "127.0.0.1", "::1"]

    private let folder: String
    private let name: String
    private let hosts: [String]

    /// - Parameters:
    ///   - folder: of the server.
    ///   - name: the server's, in the certificates.
    ///   - hosts: names and addresses beside ``loopback`` that the certificate is to be good for.
    public init(folder: String, name: String, hosts: [String] = []) {
        self.folder = folder + "/tls"
        self.name = name
        self.hosts = Self.loopback + hosts.filter { !Self.loopback.contains($0) }
    }

    public var authorityPath: String { folder + "/ca.crt" }
    private var authorityKeyPath: String { folder + "/ca.key" }
    public var certificatePath: String { folder + "/server.crt" }
    public var keyPath: String { folder + "/server.key" }

    /// Makes what is missing, does not fit together or comes near its end; leaves alone what is good.
    /// - Returns: whether the server's certificate is another one now.
    /// - Throws: errors of the file system; errors of cryptography, which do not happen.
    @discardableResult
    public func renew(now: Date = Date()) throws -> Bool {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let authority = try presentAuthority(now) ?? makeAuthority(now)
        if isServerGood(authority.certificate, now) { return false }
        try makeServer(authority, now)
        return true
    }

    /// The authority's certificate, in PEM: what clients are to trust.
    public var authority: String {
        get throws { try String(contentsOfFile: authorityPath, encoding: .utf8) }
    }

    /// The certificate for the server channel; read again when it is renewed.
    public func server(logger: Logger) throws -> ServerCertificate {
        try ServerCertificate(certificate: certificatePath, key: keyPath, logger: logger)
    }

    // MARK: The authority

    private struct Authority {
        let certificate: Certificate
        let key: Certificate.PrivateKey
    }

    private func presentAuthority(_ now: Date) -> Authority? {
        guard let certificate = certificate(authorityPath), let key = key(authorityKeyPath), certificate.publicKey == key.publicKey,
            // It must outlive every certificate that it signs.
            certificate.notValidAfter > now.addingTimeInterval(Self.serverLife), certificate.notValidBefore <= now
        else { return nil }
        return Authority(certificate: certificate, key: key)
    }

    private func makeAuthority(_ now: Date) throws -> Authority {
        let secret = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(secret)
        let name = try DistinguishedName { CommonName("\(self.name) authority \(UUID().uuidString.prefix(8).lowercased())") }
        let identifier = SubjectKeyIdentifier(hash: key.publicKey)
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: now.addingTimeInterval(-300),
            notValidAfter: now.addingTimeInterval(Self.authorityLife), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                identifier
            }, issuerPrivateKey: key)
        try write(secret.pemRepresentation, to: authorityKeyPath, permissions: 0o600)
        try write(certificate.serializeAsPEM().pemString, to: authorityPath, permissions: 0o644)
        return Authority(certificate: certificate, key: key)
    }

    // MARK: The server

    private func isServerGood(_ authority: Certificate, _ now: Date) -> Bool {
        guard let server = certificate(certificatePath), let key = key(keyPath), server.publicKey == key.publicKey,
            server.issuer == authority.subject, authority.publicKey.isValidSignature(server.signature, for: server),
            server.notValidBefore <= now, server.notValidAfter > now.addingTimeInterval(Self.serverLife / 3),
            let names = try? server.extensions.subjectAlternativeNames
        else { return false }
        let wanted = hosts.compactMap(Self.name)
        return wanted.allSatisfy { names.contains($0) }
    }

    private func makeServer(_ authority: Authority, _ now: Date) throws {
        let secret = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(secret)
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: now.addingTimeInterval(-300),
            notValidAfter: now.addingTimeInterval(Self.serverLife), issuer: authority.certificate.subject,
            subject: try DistinguishedName { CommonName(name) }, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(hosts.compactMap(Self.name))
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: authority.key.publicKey).keyIdentifier)
            }, issuerPrivateKey: authority.key)
        // The server reads both again when either has changed, and keeps the old pair while the two do not fit.
        try write(secret.pemRepresentation, to: keyPath, permissions: 0o600)
        try write(certificate.serializeAsPEM().pemString, to: certificatePath, permissions: 0o644)
    }

    /// A host name, or an address as its bytes.
    private static func name(_ host: String) -> GeneralName? {
        var four = in_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &four) { Array($0)[...] }))
        }
        var six = in6_addr()
        if inet_pton(AF_INET6, host, &six) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &six) { Array($0)[...] }))
        }
        return .dnsName(host)
    }

    // MARK: Files

    private func certificate(_ path: String) -> Certificate? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { try? Certificate(pemEncoded: $0) }
    }

    private func key(_ path: String) -> Certificate.PrivateKey? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { try? Certificate.PrivateKey(pemEncoded: $0) }
    }

    private func write(_ text: String, to path: String, permissions: Int) throws {
        try PrivateFile.write(text.hasSuffix("\n") ? text : text + "\n", to: path, permissions: permissions)
    }
}
