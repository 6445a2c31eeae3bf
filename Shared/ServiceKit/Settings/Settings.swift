import Configuration
import Foundation

/// The settings of a process: the environment, by `ORRERY_` and the key in upper snake case (`http.port` is `ORRERY_HTTP_PORT`).
///
/// An empty variable counts as absent, so that a chart may pass one through. Nothing is read behind the caller's back: every
/// problem is a ``SettingError`` thrown where the setting is asked for.
public struct Settings: Sendable {
    private let reader: ConfigReader

    /// Reads the environment of this process.
    public static func environment() -> Settings {
        Settings(provider: EnvironmentVariablesProvider())
    }

    /// Settings from a dictionary, for tests and for programs that start services; keys as in ``string(_:default:)`` or as variables.
    public init(values: [String: String]) {
        let pairs = values.map { key, value in (key.hasPrefix("ORRERY_") ? key : Settings.variable(key), value) }
        self.init(provider: EnvironmentVariablesProvider(environmentVariables: Dictionary(pairs) { _, last in last }))
    }

    private init(provider: EnvironmentVariablesProvider) {
        reader = ConfigReader(provider: provider.prefixKeys(with: "orrery"))
    }

    /// The environment variable of a key.
    public static func variable(_ key: String) -> String {
        "ORRERY_" + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    /// The setting, or nil when it is absent or empty.
    public func optional(_ key: String) -> String? {
        guard let value = reader.string(forKey: ConfigKey(key.split(separator: ".").map(String.init))), !value.isEmpty else { return nil }
        return value
    }

    /// The setting, else the default.
    /// - Throws: ``SettingError`` when there is neither.
    public func string(_ key: String, default: String? = nil) throws -> String {
        guard let value = optional(key) ?? `default` else {
            throw SettingError("\(Settings.variable(key)) is not set.")
        }
        return value
    }

    /// A whole number.
    public func int(_ key: String, default: Int? = nil) throws -> Int {
        try parse(key, default: `default`, expected: "a whole number") { Int($0) }
    }

    /// `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off`.
    public func bool(_ key: String, default: Bool? = nil) throws -> Bool {
        try parse(key, default: `default`, expected: "true or false") { Bool(flag: $0) }
    }

    /// A time span in seconds, fractions allowed.
    public func duration(_ key: String, default: Duration? = nil) throws -> Duration {
        try parse(key, default: `default`, expected: "a number of seconds, zero or more") {
            Double($0).flatMap { $0.isFinite && $0 >= 0 && $0 < 1e12 ? .milliseconds(Int64(($0 * 1000).rounded())) : nil }
        }
    }

    /// An absolute http, https or other URL, without a trailing slash.
    public func url(_ key: String, default: String? = nil) throws -> String {
        try parse(key, default: `default`, expected: "an absolute URL such as http://host:8080") { text in
            guard let url = URL(string: text), url.scheme != nil, url.host != nil else { return nil }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }

    /// A secret: the variable, else the file named by the key with dashes (`auth.signing-keys` is `auth-signing-keys`) in
    /// `ORRERY_SECRETS_DIR`, without the line break at its end. Files are read at every call, so a rotated secret is seen.
    public func secret(_ key: String) throws -> Secret {
        guard let secret = try optionalSecret(key) else {
            let file = Settings.secretFile(key)
            throw SettingError("The secret \(Settings.variable(key)) is not set, and ORRERY_SECRETS_DIR has no file \(file).")
        }
        return secret
    }

    /// As ``secret(_:)``, nil when it is nowhere.
    public func optionalSecret(_ key: String) throws -> Secret? {
        if let value = optional(key) { return Secret(value) }
        guard let folder = optional("secrets.dir") else { return nil }
        let path = folder + "/" + Settings.secretFile(key)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
            throw SettingError("The secret file \(path) cannot be read as text.")
        }
        // A CRLF is one Character.
        return Secret(text.last?.isNewline == true ? String(text.dropLast()) : text)
    }

    private static func secretFile(_ key: String) -> String {
        key.lowercased().map { $0 == "." || $0 == "_" ? "-" : String($0) }.joined()
    }

    private func parse<T>(_ key: String, default: T?, expected: String, _ read: (String) -> T?) throws -> T {
        guard let text = optional(key) else {
            guard let value = `default` else { throw SettingError("\(Settings.variable(key)) is not set.") }
            return value
        }
        guard let value = read(text.trimmingCharacters(in: .whitespaces)) else {
            throw SettingError("\(Settings.variable(key)) is \"\(text)\"; expected \(expected).")
        }
        return value
    }
}

extension Bool {
    /// Reads the spellings that people use in settings and query strings; nil for anything else.
    init?(flag: String) {
        switch flag.lowercased() {
        case "true", "1", "yes", "on": self = true
        case "false", "0", "no", "off": self = false
        default: return nil
        }
    }
}
