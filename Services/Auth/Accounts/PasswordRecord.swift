import Crypto
import CryptoExtras
import Foundation

/// A password as it is stored: salt and scrypt hash (RFC 7914) with the parameters they were made with, in the PHC string format
/// `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`.
struct PasswordRecord: Sendable {
    struct Parameters: Sendable, Equatable {
        /// The binary logarithm of the number of rounds; each step doubles time and memory.
        let cost: Int
        let blockSize: Int
        let parallelism: Int

        init(cost: Int, blockSize: Int = 8, parallelism: Int = 3) {
            self.cost = cost
            self.blockSize = blockSize
            self.parallelism = parallelism
        }
    }

    let parameters: Parameters
    private let salt: Data
    private let hash: Data

    /// Hashes a password. Takes time and memory: not for a cooperative thread.
    init(_ password: String, _ parameters: Parameters) throws {
        self.parameters = parameters
        salt = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
        hash = try Self.derive(password, salt, parameters)
    }

    /// What no password matches, compared with where there is none: it takes as long.
    init(matchingNothing parameters: Parameters) {
        self.parameters = parameters
        salt = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
        hash = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
    }

    /// Whether this is the password. Takes as long as hashing it does.
    func matches(_ password: String) throws -> Bool {
        let derived = try Self.derive(password, salt, parameters)
        return SHA256.hash(data: derived) == SHA256.hash(data: hash)
    }

    var text: String {
        let (p, s) = (parameters, Self.base64(salt))
        return "$scrypt$ln=\(p.cost),r=\(p.blockSize),p=\(p.parallelism)$\(s)$\(Self.base64(hash))"
    }

    /// Nil for anything that this type did not write.
    init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let salt = Self.data(parts[3]), let hash = Self.data(parts[4]),
            salt.count >= 8, hash.count == Self.hashLength
        else { return nil }
        var numbers: [Substring: Int] = [:]
        for pair in parts[2].split(separator: ",") {
            let pair = pair.split(separator: "=")
            if pair.count == 2 { numbers[pair[0]] = Int(pair[1]) }
        }
        guard let cost = numbers["ln"], let blockSize = numbers["r"], let parallelism = numbers["p"], (1...24).contains(cost),
            (1...64).contains(blockSize), (1...64).contains(parallelism)
        else { return nil }
        parameters = Parameters(cost: cost, blockSize: blockSize, parallelism: parallelism)
        self.salt = salt
        self.hash = hash
    }

    private static let hashLength = 32

    private static func derive(_ password: String, _ salt: Data, _ parameters: Parameters) throws -> Data {
        // One text, however a keyboard composed its characters.
        let password = Data(password.precomposedStringWithCompatibilityMapping.utf8)
        return try KDF.Scrypt.deriveKey(
            from: password, salt: salt, outputByteCount: hashLength, rounds: 1 << parameters.cost, blockSize: parameters.blockSize,
            parallelism: parameters.parallelism
        ).withUnsafeBytes { Data($0) }
    }

    private static func base64(_ data: Data) -> String { data.base64EncodedString().replacingOccurrences(of: "=", with: "") }

    private static func data(_ text: Substring) -> Data? {
        Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4))
    }
}
