import ArgumentParser
import Foundation
import Identity
import PlatformModel

/// Makes a signing key and tokens in a folder: for benches and for trying one service alone.
struct MakeKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes a signing key, an admin's token and, printed, a token of one principal.")

    @Option(help: "The folder of secrets.") var secrets: String
    @Option(help: "Whose token is printed.") var principal: String

    func run() async throws {
        let pem = TokenSigner.generatePEM()
        let signer = try await TokenSigner(pem: pem)
        for (name, text) in [
            ("auth-signing-keys", pem),
            ("admin-token", try await signer.sign(TokenClaims(name: PrincipalName("admin")))),
            ("service-token", try await signer.sign(TokenClaims(name: PrincipalName("auth-api"), kind: .controlPlane))),
        ] {
            guard
                FileManager.default.createFile(
                    atPath: "\(secrets)/\(name)", contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            else { throw StackError("cannot write \(secrets)/\(name)") }
        }
        print(try await signer.sign(TokenClaims(name: PrincipalName(principal))))
    }
}
