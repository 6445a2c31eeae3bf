/// A setting is missing or cannot be used. The message is one sentence that names the environment variable.
public struct SettingError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and with which variable.
    public let message: String

    /// Makes an error; `message` is shown to the operator as it is and must not hold a secret.
    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
